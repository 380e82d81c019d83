/*
 * The coins against a plain array: random changes, flushes and reopenings.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "chainstate/coins_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 3000

/* What should be there: the seed of each live coin, 0: none. */
struct model {
	uint64_t coin[NAMES];
};

struct world {
	struct model now, flushed, reached;
	bool touched[NAMES];     /* since the last flush */
	struct coins *c;
	struct workers *w;
	char *dir;
	struct prng p;
	uint64_t flushes;
	struct why why;
	struct coins_options opt;
};

static void world_open(struct world *x)
{
	need_ok(coins_open(&x->c, x->dir, &x->opt, &x->why), &x->why);
	x->opt.wipe = false;
	/* Large flushes and small ones take different ways. */
	x->c->batch_coins = (size_t)prng_below(&x->p, 3) * 200;
}

static void do_add(struct world *x, size_t i)
{
	uint8_t script[COIN_SCRIPT_MAX];
	struct outpoint o;
	struct coin coin;
	bool may_exist = x->now.coin[i] != 0 || prng_below(&x->p, 4) == 0;

	outpoint_from_seed(&o, i);
	x->now.coin[i] = 1 + prng_below(&x->p, 1000000);
	x->touched[i] = true;
	coin_from_seed(&coin, script, x->now.coin[i]);
	need_ok(coins_add(x->c, &o, &coin, may_exist, &x->why), &x->why);
}

static void check_coin(const struct world *x, size_t i, bool found,
		       const struct coin *coin)
{
	uint8_t script[COIN_SCRIPT_MAX];
	struct coin want;

	assert_int_equal(found, x->now.coin[i] != 0);
	if (!found)
		return;
	coin_from_seed(&want, script, x->now.coin[i]);
	assert_coin_eq(coin, &want);
}

static void do_get(struct world *x, size_t i)
{
	struct outpoint o;
	struct coin coin;
	bool found;

	outpoint_from_seed(&o, i);
	need_ok(coins_get(x->c, &found, &coin, &o, &x->why), &x->why);
	check_coin(x, i, found, &coin);
}

static void do_spend(struct world *x, size_t i)
{
	struct arena a = { 0 };
	struct outpoint o;
	struct coin coin;
	bool found;

	outpoint_from_seed(&o, i);
	need_ok(coins_spend(x->c, &found, &coin, &a, &o, &x->why), &x->why);
	check_coin(x, i, found, &coin);
	x->now.coin[i] = 0;
	x->touched[i] = true;
	arena_clear(&a);
}

static void do_prefetch(struct world *x)
{
	struct outpoint o[100];
	size_t n = (size_t)prng_below(&x->p, 100);

	for (size_t i = 0; i < n; i++)
		outpoint_from_seed(&o[i], prng_below(&x->p, NAMES));
	need_ok(coins_prefetch(x->c, o, n, prng_below(&x->p, 2) ? x->w : NULL,
			       &x->why), &x->why);
}

static void do_flush(struct world *x)
{
	struct block_hash tip = hash_from_seed(++x->flushes);

	need_ok(coins_flush(x->c, &tip, prng_below(&x->p, 3) != 0, &x->why),
		&x->why);
	x->flushed = x->now;
	memset(x->touched, 0, sizeof(x->touched));
}

static void do_make_room(struct world *x)
{
	struct block_hash reached = hash_from_seed(~x->flushes), got;

	if (!x->flushes) {
		do_flush(x);
		return;
	}
	x->c->room_keep_bytes = (size_t)prng_below(&x->p, x->opt.cache_bytes);
	need_ok(coins_make_room(x->c, &reached, &x->why), &x->why);
	assert_true(coins_reached(x->c, &got));
	assert_true(block_hash_eq(&got, &reached));
	x->reached = x->now;
}

/* Go over what has changed up to there again, as after a crash: first to
 * last, twice as good as once, with room made in between. */
static void do_replay(struct world *x)
{
	struct block_hash reached;
	uint8_t script[COIN_SCRIPT_MAX];
	struct outpoint o;
	struct coin coin;

	if (!coins_reached(x->c, &reached))
		return;
	for (size_t i = 0; i < NAMES; i++) {
		outpoint_from_seed(&o, i);
		if (!x->touched[i])
			continue;
		coin_from_seed(&coin, script, 1 + i);
		if (prng_below(&x->p, 2))
			need_ok(coins_add(x->c, &o, &coin, true, &x->why),
				&x->why);
		need_ok(coins_remove(x->c, &o, &x->why), &x->why);
		if (!x->reached.coin[i])
			continue;
		coin_from_seed(&coin, script, x->reached.coin[i]);
		need_ok(coins_add(x->c, &o, &coin, true, &x->why), &x->why);
		if (prng_below(&x->p, 500) == 0)
			need_ok(coins_make_room(x->c, &reached, &x->why),
				&x->why);
	}
	x->now = x->reached;
	do_flush(x);
}

/* What was not written is gone, and nothing else. */
static void do_reopen(struct world *x)
{
	struct block_hash tip, want = hash_from_seed(x->flushes);

	coins_close(x->c);
	world_open(x);
	x->now = x->flushed;
	assert_int_equal(coins_tip(x->c, &tip), x->flushes != 0);
	if (x->flushes)
		assert_true(block_hash_eq(&tip, &want));
	do_replay(x);
}

struct visit {
	const struct world *x;
	size_t n;
	struct outpoint last;
};

static bool visit_one(const struct outpoint *o, const struct coin *coin,
		      void *arg)
{
	struct visit *v = arg;
	int cmp = memcmp(v->last.txid.b, o->txid.b, 32);

	if (v->n)
		assert_true(cmp < 0 || (cmp == 0 && v->last.n < o->n));
	assert_true(amount_ok(coin->value_sat));
	v->last = *o;
	v->n++;
	return true;
}

static void check_all(struct world *x)
{
	struct visit v = { .x = x };
	size_t live = 0;

	do_flush(x);
	for (size_t i = 0; i < NAMES; i++)
		live += x->flushed.coin[i] != 0;
	need_ok(coins_visit(x->c, visit_one, &v, &x->why), &x->why);
	assert_int_equal(v.n, live);
	for (size_t i = 0; i < NAMES; i++)
		do_get(x, i);
}

static void world_step(struct world *x)
{
	size_t i = (size_t)prng_below(&x->p, NAMES);
	uint64_t what = prng_below(&x->p, 4000);

	if (what < 1500)
		do_add(x, i);
	else if (what < 2900)
		do_spend(x, i);
	else if (what < 3950)
		do_get(x, i);
	else if (what < 3985)
		do_prefetch(x);
	else if (what < 3991)
		do_make_room(x);
	else if (what < 3997)
		do_flush(x);
	else
		do_reopen(x);
}

static void model_run(void **state, uint64_t seed, size_t cache_bytes)
{
	struct world *x = xcalloc(1, sizeof(*x));

	print_message("seed %llu\n", (unsigned long long)seed);
	prng_seed(&x->p, seed);
	x->dir = in_dir(state, "coins");
	x->opt = (struct coins_options){ cache_bytes, 1 << 20, true };
	x->w = workers_new(2);
	world_open(x);
	for (int i = 0; i < 40000; i++) {
		world_step(x);
		if (coins_wants_flush(x->c))
			do_make_room(x);
		if (coins_wants_flush(x->c)) {
			do_flush(x);
			assert_false(coins_wants_flush(x->c));
		}
		if (i % 10000 == 9999)
			check_all(x);
	}
	coins_close(x->c);
	workers_free(x->w);
	free(x->dir);
	free(x);
}

static void test_model_small_cache(void **state)
{
	model_run(state, random_u64(), 200 << 10);
}

static void test_model_large_cache(void **state)
{
	model_run(state, random_u64(), 100 << 20);
}

/* The table alone, among many coins. */
static void test_many_coins(void **state)
{
	char *dir = in_dir(state, "many");
	struct coins_options opt = { 300 << 20, 8 << 20, true };
	const size_t n = 200000;
	struct coins *c;
	struct outpoint o = { { { 0 } }, 0 };
	struct coin coin = { 5000, 100, false, span_of("\0\24", 2) };
	struct block_hash tip = hash_from_seed(1);
	uint8_t script[22] = { 0, 20 };
	struct arena a = { 0 };
	struct why why;
	bool found;

	coin.script = span_of(script, sizeof(script));
	need_ok(coins_open(&c, dir, &opt, &why), &why);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(o.txid.b, &i, 4);
		need_ok(coins_add(c, &o, &coin, false, &why), &why);
	}
	/* 96 bytes for each coin, the table included. */
	assert_in_range(coins_cache_bytes(c), n * 72, n * 96);
	for (uint32_t i = 0; i < n; i += 2) {
		memcpy(o.txid.b, &i, 4);
		need_ok(coins_spend(c, &found, &coin, &a, &o, &why), &why);
		assert_true(found);
	}
	arena_clear(&a);
	assert_int_equal(c->table.count, n / 2);
	need_ok(coins_flush(c, &tip, true, &why), &why);
	assert_int_equal(c->table.count, n / 2);
	coins_close(c);
	opt.wipe = false;
	need_ok(coins_open(&c, dir, &opt, &why), &why);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(o.txid.b, &i, 4);
		need_ok(coins_get(c, &found, &coin, &o, &why), &why);
		assert_int_equal(found, i % 2);
	}
	coins_close(c);
	free(dir);
}

static void test_fresh_coin_leaves_no_trace(void **state)
{
	char *dir = in_dir(state, "fresh");
	struct coins_options opt = { 1 << 20, 1 << 20, true };
	struct block_hash tip = hash_from_seed(1);
	uint8_t script[COIN_SCRIPT_MAX];
	struct arena a = { 0 };
	struct outpoint o;
	struct coin coin;
	struct coins *c;
	struct why why;
	bool found;

	need_ok(coins_open(&c, dir, &opt, &why), &why);
	outpoint_from_seed(&o, 5);
	coin_from_seed(&coin, script, 9);
	need_ok(coins_add(c, &o, &coin, false, &why), &why);
	need_ok(coins_spend(c, &found, &coin, &a, &o, &why), &why);
	assert_true(found);
	assert_int_equal(c->table.count, 0);
	/* Not fresh: a marker must reach the disk. */
	coin_from_seed(&coin, script, 9);
	need_ok(coins_add(c, &o, &coin, true, &why), &why);
	need_ok(coins_spend(c, &found, &coin, &a, &o, &why), &why);
	assert_true(found);
	assert_int_equal(c->table.count, 1);
	need_ok(coins_get(c, &found, &coin, &o, &why), &why);
	assert_false(found);
	need_ok(coins_flush(c, &tip, true, &why), &why);
	assert_int_equal(c->table.count, 0);
	arena_clear(&a);
	coins_close(c);
	free(dir);
}

static void test_prefetch_brings_coins_in(void **state)
{
	char *dir = in_dir(state, "prefetch");
	struct coins_options opt = { 4 << 20, 1 << 20, true };
	struct block_hash tip = hash_from_seed(1);
	struct workers *w = workers_new(2);
	uint8_t script[COIN_SCRIPT_MAX];
	struct outpoint o[1000];
	struct coin coin, want;
	struct coins *c;
	struct why why;
	bool found;

	need_ok(coins_open(&c, dir, &opt, &why), &why);
	for (size_t i = 0; i < 1000; i++) {
		outpoint_from_seed(&o[i], i);
		coin_from_seed(&coin, script, i);
		if (i % 2)
			need_ok(coins_add(c, &o[i], &coin, false, &why),
				&why);
	}
	need_ok(coins_flush(c, &tip, false, &why), &why);
	assert_int_equal(c->table.count, 0);
	need_ok(coins_prefetch(c, o, 1000, w, &why), &why);
	assert_int_equal(c->table.count, 500);
	assert_int_equal(c->table.dirty, 0);
	need_ok(coins_prefetch(c, o, 1000, w, &why), &why);
	assert_int_equal(c->table.count, 500);
	for (size_t i = 1; i < 1000; i += 2) {
		need_ok(coins_get(c, &found, &coin, &o[i], &why), &why);
		assert_true(found);
		coin_from_seed(&want, script, i);
		assert_coin_eq(&coin, &want);
	}
	coins_close(c);
	workers_free(w);
	free(dir);
}

static bool visit_stop(const struct outpoint *o, const struct coin *coin,
		       void *arg)
{
	(void)o;
	(void)coin;
	return ++*(int *)arg < 3;
}

static void test_visit_stops(void **state)
{
	char *dir = in_dir(state, "visit");
	struct coins_options opt = { 4 << 20, 1 << 20, true };
	struct block_hash tip = hash_from_seed(1);
	uint8_t script[COIN_SCRIPT_MAX];
	struct coins *c;
	struct why why;
	int count = 0;

	need_ok(coins_open(&c, dir, &opt, &why), &why);
	for (size_t i = 0; i < 10; i++) {
		struct outpoint o;
		struct coin coin;

		outpoint_from_seed(&o, i);
		coin_from_seed(&coin, script, i);
		need_ok(coins_add(c, &o, &coin, false, &why), &why);
	}
	need_ok(coins_flush(c, &tip, false, &why), &why);
	assert_int_equal(coins_visit(c, visit_stop, &count, &why),
			 ERR_STOPPED);
	assert_int_equal(count, 3);
	assert_true(coins_disk_bytes(c) > 0);
	coins_close(c);
	free(dir);
}

int run_coins_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_small_cache),
		cmocka_unit_test(test_model_large_cache),
		cmocka_unit_test(test_many_coins),
		cmocka_unit_test(test_fresh_coin_leaves_no_trace),
		cmocka_unit_test(test_prefetch_brings_coins_in),
		cmocka_unit_test(test_visit_stops),
	};

	return cmocka_run_group_tests_name("coins", tests, dir_setup,
					   dir_teardown);
}
