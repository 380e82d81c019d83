/*
 * Headers pre-synchronisation on long chains of the least difficulty.
 */
#include "config.h"

#include "test_p2p.h"

#include <stdlib.h>

#include "base/reader.h"
#include "p2p/headers_presync.h"

#define MESSAGE 2000

struct fixture {
	struct chain_params params;
	struct header_point start;
	struct block_header *h;
	size_t n;
};

/* Proof of work is the caller's to check, so none is done here. */
static void grow(struct fixture *f, size_t n, uint32_t salt, size_t fork)
{
	struct block_hash prev = f->start.hash;
	size_t i;

	f->h = xrealloc(f->h, n * sizeof(*f->h));
	f->n = n;
	for (i = 0; i < n; i++) {
		if (i >= fork)
			f->h[i] = (struct block_header){
				.version = salt, .prev = prev,
				.time = (uint32_t)(f->params.genesis.time + i),
				.bits = f->params.genesis.bits,
			};
		block_header_hash(&prev, &f->h[i]);
	}
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->params = chain_params_get(CHAIN_REGTEST);
	f->start.hash = f->params.genesis_hash;
	u256_block_work(&f->start.work, f->params.genesis.bits);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->h);
	free(f);
	return 0;
}

/* The work of n blocks on top of genesis. */
static struct u256 work_of(const struct fixture *f, uint32_t n)
{
	struct u256 one;

	u256_block_work(&one, f->params.genesis.bits);
	u256_mul_u32(&one, &one, n + 1);
	return one;
}

static struct presync *start(const struct fixture *f, uint32_t needed)
{
	struct presync_options o = {
		.params = &f->params, .minimum_work = work_of(f, needed),
		.start = f->start, .start_bits = f->params.genesis.bits,
		.start_mtp = f->params.genesis.time,
		.now_unix = f->params.genesis.time + 30000,
		.salt = { 1, 2 }, .offset = 99,
	};

	return presync_new(&o);
}

/* Give messages as a peer would that has all of f's headers. */
static enum presync_result give(struct presync *s, const struct fixture *f,
				struct bytes *out, const char **why)
{
	size_t at = (size_t)presync_height(s), n;

	n = MIN_OF(f->n - at, (size_t)MESSAGE);
	return presync_take(s, out, f->h + at, n, n == MESSAGE, why);
}

static void long_chain_passes(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync *s;
	enum presync_result r;
	const char *why;
	struct reader rd;
	struct block_header h;
	size_t i, most = 0;

	grow(f, 40000, 1, 0);
	s = start(f, 35000);
	do {
		r = give(s, f, &out, &why);
		if (!presync_redownloading(s))
			assert_int_equal(out.n, 0);
		most = MAX_OF(most, presync_size_bytes(s));
	} while (r == PRESYNC_MORE);
	assert_int_equal(r, PRESYNC_COMPLETE);
	/* Everything up to the message that showed enough came out. */
	assert_int_equal(out.n, 36000 * BLOCK_HEADER_BYTES);
	rd = reader_of(bytes_span(&out));
	for (i = 0; i < 36000; i++) {
		assert_true(block_header_read(&h, &rd));
		assert_memory_equal(&h, &f->h[i], sizeof h);
	}
	/* The buffer and a message, not the chain, however it grows. */
	assert_true(most < 3 * (PRESYNC_BUFFER + MESSAGE) * 48);
	presync_free(s);
	bytes_clear(&out);
}

static void little_work_ends(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync *s;
	enum presync_result r;
	const char *why;

	grow(f, 9000, 1, 0);
	s = start(f, 9001);
	do
		r = give(s, f, &out, &why);
	while (r == PRESYNC_MORE);
	assert_int_equal(r, PRESYNC_FAILED);
	assert_string_equal(why, "headers end with too little work");
	assert_int_equal(out.n, 0);
	presync_free(s);
}

/* The second time another chain: nothing, or next to nothing, comes out. */
static void switched_chain_caught(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync *s;
	enum presync_result r;
	const char *why;

	grow(f, 30000, 1, 0);
	s = start(f, 28000);
	do
		r = give(s, f, &out, &why);
	while (r == PRESYNC_MORE && !presync_redownloading(s));
	assert_int_equal(r, PRESYNC_MORE);
	grow(f, 30000, 2, 3000);
	do
		r = give(s, f, &out, &why);
	while (r == PRESYNC_MORE);
	assert_int_equal(r, PRESYNC_FAILED);
	assert_string_equal(why, "other headers than the first time");
	/* Not one header was released: the buffer was not full yet. */
	assert_int_equal(out.n, 0);
	presync_free(s);
}

static void broken_sequences(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync *s;
	const char *why;

	grow(f, 5000, 1, 0);
	s = start(f, 100000);
	assert_int_equal(give(s, f, &out, &why), PRESYNC_MORE);
	assert_int_equal(presync_take(s, &out, f->h + 2001, 2000, true, &why),
			 PRESYNC_FAILED);
	assert_string_equal(why, "headers do not follow the last ones");
	presync_free(s);
	s = start(f, 100000);
	assert_int_equal(presync_take(s, &out, NULL, 0, false, &why),
			 PRESYNC_FAILED);
	presync_free(s);
}

/* On a chain with retargeting a jump in difficulty ends it. */
static void difficulty_jump_refused(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync *s;
	const char *why;

	f->params = chain_params_get(CHAIN_MAIN);
	f->start.hash = f->params.genesis_hash;
	grow(f, 3000, 1, 0);
	f->h[100].bits = 0x1c00ffff;
	grow(f, 3000, 1, 3000);
	s = start(f, 100000);
	f->h[101].prev = f->h[100].prev;
	assert_int_equal(give(s, f, &out, &why), PRESYNC_FAILED);
	assert_string_equal(why, "difficulty changes more than it can");
	presync_free(s);
}

/* No more commitments than blocks can have been mined since the start. */
static void time_bounds_memory(void **state)
{
	struct fixture *f = *state;
	struct bytes out = { 0 };
	struct presync_options o;
	struct presync *s;
	enum presync_result r;
	const char *why;
	unsigned messages = 0;

	grow(f, 100000, 1, 0);
	o = (struct presync_options){
		.params = &f->params, .minimum_work = work_of(f, 1u << 30),
		.start = f->start, .start_bits = f->params.genesis.bits,
		.start_mtp = 1000000, .now_unix = 1000000 + 600,
	};
	s = presync_new(&o);
	do {
		r = give(s, f, &out, &why);
		messages++;
	} while (r == PRESYNC_MORE);
	assert_int_equal(r, PRESYNC_FAILED);
	assert_string_equal(why, "more headers than time allows");
	/* (600 + 7200) * 6 = 46800 headers. */
	assert_in_range(messages, 46800 / MESSAGE, 46800 / MESSAGE + 2);
	presync_free(s);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_p2p_presync(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(long_chain_passes),
		WITH(little_work_ends),
		WITH(switched_chain_caught),
		WITH(broken_sequences),
		WITH(difficulty_jump_refused),
		WITH(time_bounds_memory),
	};

	return cmocka_run_group_tests_name("p2p presync", tests, NULL, NULL);
}
