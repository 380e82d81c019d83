/*
 * The fee estimator, against a network whose miners' taste is known.
 */
#include "config.h"

#include "test_mempool.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "mempool/fee_estimator.h"
#include "mempool/fee_stats.h"

#define WEIGHT 1000              /* 250 vB each */
#define A_BLOCK 12               /* transactions that come per block */
#define WAITING_MAX 20000

/* A transaction that waits; rate in sat per vB. */
struct waiting {
	struct shared_tx tx;
	struct mempool_entry e;
	int rate;
	int delay;               /* blocks until it is mined; 0: never */
};

struct net {
	struct fee_estimator *f;
	struct waiting *w[WAITING_MAX];
	size_t n;
	int height;
	uint32_t next_id;
};

static void net_init(struct net *net)
{
	*net = (struct net){ .f = fee_estimator_new(), .height = 100 };
	fee_estimator_block(net->f, net->height);
}

static void net_clear(struct net *net)
{
	for (size_t i = 0; i < net->n; i++)
		free(net->w[i]);
	fee_estimator_free(net->f);
}

static struct waiting *come(struct net *net, int rate, int delay)
{
	struct waiting *w = xcalloc(1, sizeof *w);

	assert_true(net->n < WAITING_MAX);
	net->next_id++;
	sha256(w->tx.tx.txid.b, &net->next_id, sizeof net->next_id);
	w->e = (struct mempool_entry){
		.tx = &w->tx, .weight_wu = WEIGHT, .alone = true,
		.fee_sat = (int64_t)rate * WEIGHT / 4,
		.height = net->height,
	};
	w->rate = rate;
	w->delay = delay;
	fee_estimator_added(net->f, &w->e, true);
	net->w[net->n++] = w;
	return w;
}

static void leave(struct net *net, size_t i, bool mined)
{
	fee_estimator_removed(net->f, &net->w[i]->e, mined);
	free(net->w[i]);
	net->w[i] = net->w[--net->n];
}

/* Mine what is due; from 20 sat/vB on that is what came since the last. */
static void block(struct net *net)
{
	net->height++;
	for (size_t i = 0; i < net->n;) {
		const struct waiting *w = net->w[i];

		if (w->delay && net->height - w->e.height >= w->delay)
			leave(net, i, true);
		else
			i++;
	}
	fee_estimator_block(net->f, net->height);
}

/* 20 sat/vB: the next block; 10: the fifth; 4: the 30th; 1: never. */
static int delay_of(int rate)
{
	return rate >= 20 ? 1 : rate >= 10 ? 5 : rate >= 4 ? 30 : 0;
}

static void live(struct net *net, int blocks)
{
	static const int rates[] = { 1, 4, 10, 20 };

	for (int i = 0; i < blocks; i++) {
		for (int k = 0; k < A_BLOCK; k++) {
			int rate = rates[k % 4];

			come(net, rate, delay_of(rate));
		}
		block(net);
	}
}

static double per_vb(const struct net *net, unsigned target, bool careful)
{
	unsigned out;

	return (double)fee_estimate(net->f, target, careful, &out) / 1000;
}

static void test_learns_what_miners_take(void **state)
{
	struct net net;
	unsigned out;

	(void)state;
	net_init(&net);
	assert_int_equal(fee_estimate(net.f, 6, false, &out), 0);
	live(&net, 400);
	assert_int_equal(fee_estimator_reach(net.f), 1008);
	assert_float_equal(per_vb(&net, 1, false), 20, 0.01);
	assert_float_equal(per_vb(&net, 2, true), 20, 0.01);
	assert_float_equal(per_vb(&net, 12, false), 10, 0.01);
	assert_float_equal(per_vb(&net, 100, false), 4, 0.01);
	/* No answer for longer than half of what was watched. */
	assert_true(fee_estimate(net.f, 1008, false, &out) > 0);
	assert_int_equal(out, 199);
	net_clear(&net);
}

/* When fees rise, it follows; what is cheap and waits counts at once. */
static void test_follows_a_rise(void **state)
{
	struct net net;

	(void)state;
	net_init(&net);
	live(&net, 300);
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < A_BLOCK; k++)
			come(&net, k % 2 ? 20 : 80, k % 2 ? 0 : 1);
		block(&net);
	}
	assert_float_equal(per_vb(&net, 2, false), 80, 0.01);
	net_clear(&net);
}

static void test_what_does_not_count(void **state)
{
	struct net net;
	unsigned out;

	(void)state;
	net_init(&net);
	for (int i = 0; i < 100; i++) {
		for (int k = 0; k < A_BLOCK; k++) {
			struct waiting *w = come(&net, 50, 1);

			/* As if it had come with parents, while the node was
			 * catching up, or at another height. */
			fee_estimator_removed(net.f, &w->e, false);
			w->e.alone = k % 3 != 0;
			if (k % 3 == 2)
				w->e.height--;
			fee_estimator_added(net.f, &w->e, k % 3 != 1);
		}
		block(&net);
	}
	assert_int_equal(fee_estimate(net.f, 6, false, &out), 0);
	net_clear(&net);
}

/* A reorganisation's blocks are not counted twice. */
static void test_lower_blocks_say_nothing(void **state)
{
	struct net net;
	struct bytes a = { 0 }, b = { 0 };

	(void)state;
	net_init(&net);
	live(&net, 50);
	fee_estimator_write(&a, net.f);
	fee_estimator_block(net.f, net.height - 1);
	fee_estimator_block(net.f, net.height);
	fee_estimator_write(&b, net.f);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	bytes_clear(&a);
	bytes_clear(&b);
	net_clear(&net);
}

static void test_file(void **state)
{
	struct net net, again;
	struct bytes file = { 0 }, copy = { 0 };
	struct why why;
	unsigned out;

	(void)state;
	net_init(&net);
	live(&net, 300);
	fee_estimator_write(&file, net.f);
	again = (struct net){ .f = fee_estimator_new() };
	assert_int_equal(fee_estimator_read(again.f, bytes_span(&file), &why),
			 ERR_NONE);
	fee_estimator_write(&copy, again.f);
	assert_int_equal(copy.n, file.n);
	assert_memory_equal(copy.p, file.p, file.n);
	assert_float_equal(per_vb(&again, 2, false), 20, 0.01);
	assert_float_equal(per_vb(&again, 12, false), 10, 0.01);
	/* Six weeks later it is worth nothing. */
	fee_estimator_block(again.f, net.height + 7 * 1008);
	assert_int_equal(fee_estimate(again.f, 6, false, &out), 0);
	net_clear(&again);
	/* Each byte counts, and so does the length. */
	for (size_t i = 0; i < file.n; i += i < 64 ? 1 : 977) {
		struct fee_estimator *f = fee_estimator_new();

		file.p[i] ^= 1;
		assert_int_equal(fee_estimator_read(f, bytes_span(&file),
						    &why), ERR_INPUT);
		file.p[i] ^= 1;
		assert_int_equal(fee_estimator_read(f, span_of(file.p, i),
						    &why), ERR_INPUT);
		assert_int_equal(fee_estimate(f, 6, false, &out), 0);
		fee_estimator_free(f);
	}
	bytes_clear(&file);
	bytes_clear(&copy);
	net_clear(&net);
}

/* Sums that no chain can give, under a good checksum. */
static void test_absurd_file(void **state)
{
	static const uint64_t bad[] = {
		0x7ff0000000000000, 0x7ff8000000000000, 0xbff0000000000000,
		0x7fefffffffffffff,
	};
	struct fee_estimator *f = fee_estimator_new();
	struct bytes file = { 0 };
	struct why why;

	(void)state;
	fee_estimator_write(&file, f);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t sum[32];

		/* 14 + 1 + 3 * 4 bytes of head: sums begin at 27. */
		memcpy(file.p + 27 + 8 * i, &bad[i], sizeof bad[i]);
		sha256d(sum, file.p, file.n - 4);
		memcpy(file.p + file.n - 4, sum, 4);
		assert_int_equal(fee_estimator_read(f, bytes_span(&file),
						    &why), ERR_INPUT);
		assert_string_equal(why.text, "what it says makes no sense");
	}
	bytes_clear(&file);
	fee_estimator_free(f);
}

static void test_buckets(void **state)
{
	struct fee_buckets b;

	(void)state;
	fee_buckets_init(&b);
	assert_int_equal(fee_bucket_of(&b, 0), 0);
	assert_int_equal(fee_bucket_of(&b, 100), 0);
	assert_int_equal(fee_bucket_of(&b, 100.01), 1);
	assert_int_equal(fee_bucket_of(&b, 1e12), b.n - 1);
	for (unsigned i = 0; i + 1 < b.n; i++)
		assert_int_equal(fee_bucket_of(&b, b.upper[i]), i);
}

int test_mempool_fees(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_what_miners_take),
		cmocka_unit_test(test_follows_a_rise),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_lower_blocks_say_nothing),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_absurd_file),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests_name("fees", tests, NULL, NULL);
}
