/*
 * The pool: limits of memory and time, prices, replacement, the file.
 */
#include "config.h"

#include "test_mempool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "mempool_rig.h"

/* n confirmed coins of one value. */
static struct shared_tx *fan(struct rig *r, size_t n, int64_t *each)
{
	struct rig_spend s = { .ins = 1, .outs = n };
	struct shared_tx *t;
	int64_t value;

	s.in[0] = rig_coin(r, &value);
	*each = value / (int64_t)n - 100;
	for (size_t i = 0; i < n; i++)
		s.out[i] = *each;
	t = rig_tx(&s);
	rig_mine(r, &t, 1);
	return t;
}

static void drop(struct shared_tx **t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		shared_tx_unref(t[i]);
}

static void test_fees_and_conflicts(void **state)
{
	struct rig r;
	struct shared_tx *f, *t[6];
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 4, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 9);     /* 94 vB: 10 at 100/kvB */
	assert_string_equal(rig_accept(&r, t[0]), "min relay fee not met");
	t[1] = rig_pay(rig_out(f, 0), v, 10);
	assert_string_equal(rig_accept(&r, t[1]), "");
	assert_string_equal(rig_accept(&r, t[1]), "txn-already-in-mempool");
	/* A replacement pays for its own bytes on top. */
	t[2] = rig_pay(rig_out(f, 0), v, 19);
	assert_string_equal(rig_accept(&r, t[2]), "insufficient fee");
	t[3] = rig_pay(rig_out(f, 0), v, 20);
	assert_string_equal(rig_accept(&r, t[3]), "");
	assert_false(rig_has(&r, t[1]));
	assert_int_equal(r.removed[REMOVED_REPLACED], 1);
	t[4] = rig_pay(rig_out(t[1], 0), v - 10, 10);
	assert_string_equal(rig_accept(&r, t[4]),
			    "bad-txns-inputs-missingorspent");
	t[5] = rig_pay(rig_out(f, 0), v, -1);
	assert_string_equal(rig_accept(&r, t[5]), "bad-txns-in-belowout");
	rig_check(&r);
	drop(t, 6);
	shared_tx_unref(f);
	rig_close(&r);
}

/* Paying more in all is not enough: the diagram must not get worse. */
static void test_diagram_decides(void **state)
{
	struct rig r;
	struct rig_spend big = { .ins = 1, .outs = 1, .pad = 20000 };
	struct shared_tx *f, *t[2];
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 2, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 20000);
	assert_string_equal(rig_accept(&r, t[0]), "");
	big.in[0] = rig_out(f, 0);
	big.out[0] = v - 60000;          /* more fee, less per byte */
	t[1] = rig_tx(&big);
	assert_string_equal(rig_accept(&r, t[1]), "replacement-failed");
	assert_true(rig_has(&r, t[0]));
	rig_check(&r);
	drop(t, 2);
	shared_tx_unref(f);
	rig_close(&r);
}

static void test_cluster_limits(void **state)
{
	struct rig r;
	struct shared_tx *f, *t[66];
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 2, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 1000);
	for (size_t i = 1; i < 66; i++) {
		v -= 1000;
		t[i] = rig_pay(rig_out(t[i - 1], 0), v, 1000);
	}
	for (size_t i = 0; i < 64; i++)
		assert_string_equal(rig_accept(&r, t[i]), "");
	assert_string_equal(rig_accept(&r, t[64]), "too-large-cluster");
	assert_int_equal(cluster_count(mempool_get(r.m,
				&t[0]->tx.txid)->cluster), 64);
	rig_check(&r);
	/* Mined from the top: there is room again. */
	rig_mine(&r, t, 1);
	assert_int_equal(mempool_count(r.m), 63);
	assert_string_equal(rig_accept(&r, t[64]), "");
	assert_string_equal(rig_accept(&r, t[65]), "too-large-cluster");
	rig_check(&r);
	drop(t, 66);
	shared_tx_unref(f);
	rig_close(&r);
}

static void test_memory_and_rolling_fee(void **state)
{
	struct policy p;
	struct rig r;
	struct shared_tx *f, *t[40];
	int64_t v, floor;

	(void)state;
	policy_defaults(&p);
	p.max_memory_bytes = 300000;
	rig_open(&r, &p);
	f = fan(&r, 40, &v);
	for (size_t i = 0; i < 40; i++) {
		struct rig_spend s = { .in = { rig_out(f, (uint32_t)i) },
				       .ins = 1, .outs = 1, .pad = 20000 };

		s.out[0] = v - 10000 - 1000 * (int64_t)i;
		t[i] = rig_tx(&s);
		(void)rig_accept(&r, t[i]);
		assert_true(mempool_memory(r.m) <= p.max_memory_bytes);
	}
	/* Those that pay most are left, and the price has risen. */
	assert_true(rig_has(&r, t[39]));
	assert_false(rig_has(&r, t[0]));
	assert_true(r.removed[REMOVED_SIZE_LIMIT] > 20);
	floor = mempool_min_fee(r.m);
	assert_true(floor > 500);
	assert_string_equal(rig_accept(&r, t[0]), "mempool min fee not met");
	/* Not before a block does it fall; then by half in a quarter day
	 * (three hours, while there is much room). */
	clock_set_mock(&r.clock, chain_now(r.chain) + 12 * 3600);
	assert_int_equal(mempool_min_fee(r.m), floor);
	rig_mine(&r, NULL, 0);
	assert_int_equal(mempool_count(r.m), 0);
	clock_set_mock(&r.clock, chain_now(r.chain) + 3 * 3600);
	assert_in_range(mempool_min_fee(r.m), floor / 2 - 2, floor / 2 + 2);
	clock_set_mock(&r.clock, chain_now(r.chain) + 200 * 3600);
	assert_int_equal(mempool_min_fee(r.m), 0);
	rig_check(&r);
	drop(t, 40);
	shared_tx_unref(f);
	rig_close(&r);
}

static void test_expiry(void **state)
{
	struct rig r;
	struct shared_tx *f, *t[3];
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 3, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 1000);
	t[1] = rig_pay(rig_out(t[0], 0), v - 1000, 1000);
	t[2] = rig_pay(rig_out(f, 1), v, 1000);
	assert_string_equal(rig_accept(&r, t[0]), "");
	clock_set_mock(&r.clock, chain_now(r.chain) + 300 * 3600);
	assert_string_equal(rig_accept(&r, t[1]), "");
	clock_set_mock(&r.clock, chain_now(r.chain) + 36 * 3600);
	assert_string_equal(rig_accept(&r, t[2]), "");
	assert_int_equal(mempool_count(r.m), 3);
	clock_set_mock(&r.clock, chain_now(r.chain) + 1);
	mempool_limit(r.m);
	/* Its child goes along, young as it is. */
	assert_int_equal(mempool_count(r.m), 1);
	assert_int_equal(r.removed[REMOVED_EXPIRY], 2);
	rig_check(&r);
	drop(t, 3);
	shared_tx_unref(f);
	rig_close(&r);
}

static void test_priorities(void **state)
{
	struct rig r;
	struct shared_tx *f, *t[3];
	struct mempool_delta *d;
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 3, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 0);
	assert_string_equal(rig_accept(&r, t[0]), "min relay fee not met");
	mempool_prioritise(r.m, &t[0]->tx.txid, 5000);
	assert_string_equal(rig_accept(&r, t[0]), "");
	t[1] = rig_pay(rig_out(f, 1), v, 4000);
	assert_string_equal(rig_accept(&r, t[1]), "");
	assert_ptr_equal(chunk_tx(mempool_best_chunk(r.m), 0)->tx, t[0]);
	mempool_prioritise(r.m, &t[0]->tx.txid, -4000);
	assert_ptr_equal(chunk_tx(mempool_best_chunk(r.m), 0)->tx, t[1]);
	rig_check(&r);
	assert_int_equal(mempool_deltas(r.m, &d), 1);
	assert_int_equal(d[0].delta_sat, 1000);
	free(d);
	/* What a delta pays counts against a replacement. */
	t[2] = rig_pay(rig_out(f, 0), v, 1009);
	assert_string_equal(rig_accept(&r, t[2]), "insufficient fee");
	mempool_prioritise(r.m, &t[0]->tx.txid, INT64_MAX);
	mempool_prioritise(r.m, &t[0]->tx.txid, INT64_MAX);
	rig_check(&r);
	rig_mine(&r, NULL, 0);
	assert_int_equal(mempool_deltas(r.m, &d), 0);
	free(d);
	drop(t, 3);
	shared_tx_unref(f);
	rig_close(&r);
}

static void load(struct rig *r, const char *path, enum err want)
{
	const struct mempool_load_options opt = { 0 };
	struct mempool_load *l;
	struct why why = { 0 };
	bool more = true;
	enum err e = mempool_load_open(&l, r->m, path, &opt, &why);

	while (!e && l && more)
		e = mempool_load_step(l, &more, &why);
	if (e != want)
		fail_msg("loading: %s", why.text);
	mempool_load_free(l);
}

static void test_file(void **state)
{
	struct rig r;
	struct shared_tx *f, *t[3];
	struct bytes b = { 0 };
	char path[100];
	int64_t v, time_unix;
	struct why why;

	(void)state;
	rig_open(&r, NULL);
	f = fan(&r, 3, &v);
	t[0] = rig_pay(rig_out(f, 0), v, 1000);
	t[1] = rig_pay(rig_out(t[0], 0), v - 1000, 9000);
	t[2] = rig_pay(rig_out(f, 1), v, 5000);
	time_unix = chain_now(r.chain);
	for (int i = 0; i < 3; i++)
		assert_string_equal(rig_accept(&r, t[i]), "");
	mempool_prioritise(r.m, &t[2]->tx.txid, 77);
	mempool_prioritise(r.m, &f->tx.txid, -5);
	snprintf(path, sizeof path, "%s/mempool.dat", r.dir);
	assert_int_equal(mempool_save(r.m, path, &why), 0);
	rig_empty(&r);
	clock_set_mock(&r.clock, time_unix + 500);
	load(&r, path, ERR_NONE);
	assert_int_equal(mempool_count(r.m), 3);
	assert_int_equal(mempool_get(r.m, &t[2]->tx.txid)->delta_sat, 77);
	assert_int_equal(mempool_get(r.m, &t[0]->tx.txid)->time_unix,
			 time_unix);
	rig_check(&r);
	/* Cut short at every length: what came before stays, nothing else
	 * happens. */
	assert_int_equal(file_read(&b, path, 1 << 20, &why), 0);
	for (size_t n = 0; n < b.n; n += 7) {
		assert_int_equal(file_replace(path, span_of(b.p, n), 0600,
					      &why), 0);
		rig_empty(&r);
		load(&r, path, ERR_INPUT);
		rig_check(&r);
	}
	/* From the future. */
	b.p[0] = 3;
	assert_int_equal(file_replace(path, bytes_span(&b), 0600, &why), 0);
	load(&r, path, ERR_INPUT);
	unlink(path);
	load(&r, path, ERR_NONE);        /* none: nothing to do */
	bytes_clear(&b);
	drop(t, 3);
	shared_tx_unref(f);
	rig_close(&r);
}

int test_mempool_pool(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fees_and_conflicts),
		cmocka_unit_test(test_diagram_decides),
		cmocka_unit_test(test_cluster_limits),
		cmocka_unit_test(test_memory_and_rolling_fee),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
