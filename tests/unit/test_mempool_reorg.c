/*
 * Reorganisations, against an oracle that works out from scratch what must
 * be in the pool: all that ever came, is not in the chain, and can be.
 */
#include "config.h"

#include "test_mempool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool_rig.h"

#define TXS_MAX 400

/* Everything that was ever made here. */
struct world {
	struct rig r;
	struct prng p;
	struct shared_tx *tx[TXS_MAX];
	bool wanted[TXS_MAX];            /* not replaced, not refused */
	size_t n;
};

/* Can it be spent in the next block? */
static bool in_chain(struct world *w, const struct outpoint *o)
{
	int height = chain_tip(w->r.chain)->height;
	struct coin coin;
	struct why why;
	bool found;

	assert_int_equal(chain_get_coin(w->r.chain, &found, &coin, o, &why),
			 0);
	return found && (!coin.coinbase || height + 1 - coin.height >= 100);
}

/* Which of all there are could be mined next, parents first? */
static void oracle(struct world *w, bool *in)
{
	memset(in, 0, TXS_MAX);
	for (size_t i = 0; i < w->n; i++) {
		const struct tx *tx = &w->tx[i]->tx;

		in[i] = w->wanted[i];
		for (uint32_t k = 0; in[i] && k < tx->in_count; k++) {
			const struct outpoint *o = &tx->in[k].prevout;
			bool ok = in_chain(w, o);

			for (size_t j = 0; !ok && j < i; j++)
				ok = in[j] && txid_eq(&w->tx[j]->tx.txid,
						      &o->txid);
			in[i] = ok;
		}
	}
}

/* Which are in the chain? */
static void mined(struct world *w, bool *yes)
{
	struct why why;

	memset(yes, 0, TXS_MAX);
	for (int h = 1; h <= chain_tip(w->r.chain)->height; h++) {
		struct header_node *node = chain_at(w->r.chain, h);
		struct block *b;

		if (node->tx_count == 1)
			continue;
		assert_int_equal(chain_read_block(w->r.chain, &b, node,
						  &why), 0);
		for (uint32_t k = 1; k < b->tx_count; k++)
			for (size_t i = 0; i < w->n; i++)
				yes[i] |= txid_eq(&b->tx[k].txid,
						  &w->tx[i]->tx.txid);
		block_unref(b);
	}
}

static void compare(struct world *w)
{
	bool in[TXS_MAX], in_block[TXS_MAX];
	size_t n = 0;

	oracle(w, in);
	for (size_t i = 0; i < w->n; i++) {
		n += in[i];
		if (rig_has(&w->r, w->tx[i]) != in[i])
			fail_msg("transaction %zu of %zu: %s (%s)", i, w->n,
				 in[i] ? "is missing" : "does not belong",
				 rig_accept(&w->r, w->tx[i]));
	}
	assert_int_equal(mempool_count(w->r.m), n);
	rig_check(&w->r);
	/* What left is forgotten, even if it could come again. */
	mined(w, in_block);
	for (size_t i = 0; i < w->n; i++)
		w->wanted[i] &= in[i] || in_block[i];
}

/* A new one on coins of the pool or, rarely, the chain. */
static void add_tx(struct world *w)
{
	struct rig_spend s = { .ins = 1, .outs = 2 };
	int64_t value = 0;

	if (w->n >= TXS_MAX)
		return;
	for (int tries = 0; tries < 20 && s.ins < 3; tries++) {
		size_t i = w->n ? prng_below(&w->p, w->n) : 0;
		struct outpoint o;

		if (!w->n || !rig_has(&w->r, w->tx[i]))
			continue;
		o = rig_out(w->tx[i], (uint32_t)prng_below(&w->p,
				w->tx[i]->tx.out_count));
		if (mempool_spender(w->r.m, &o) ||
		    (s.ins > 1 && outpoint_eq(&o, &s.in[1])))
			continue;
		s.in[s.ins++] = o;
		value += w->tx[i]->tx.out[o.n].value_sat;
	}
	if (s.ins == 1 || prng_below(&w->p, 4) == 0) {
		int64_t more;

		s.in[0] = rig_coin(&w->r, &more);
		value += more;
	} else {
		s.in[0] = s.in[--s.ins];
	}
	value -= 1000 + (int64_t)prng_below(&w->p, 5000);
	s.out[0] = value / 3;
	s.out[1] = value - value / 3;
	w->tx[w->n] = rig_tx(&s);
	w->wanted[w->n] = !*rig_accept(&w->r, w->tx[w->n]);
	w->n++;
}

/* A block with some of the pool, or one that conflicts with it. */
static void mine_some(struct world *w)
{
	struct shared_tx *list[TXS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct mempool_entry *e =
			mempool_get(w->r.m, &w->tx[i]->tx.txid);
		bool ready = e && prng_below(&w->p, 3);

		for (uint64_t a = e ? entry_ancestors(e) : 0; ready && a;
		     a &= a - 1) {
			const struct mempool_entry *p = cluster_entry(
				e->cluster, (unsigned)__builtin_ctzll(a));
			size_t j = 0;

			while (j < n && list[j] != p->tx)
				j++;
			ready = p == e || j < n;
		}
		if (ready)
			list[n++] = w->tx[i];
	}
	rig_mine(&w->r, list, n);
}

/* Some coin of the pool's confirmed inputs goes another way, in a block. */
static void mine_conflict(struct world *w)
{
	struct shared_tx *t;
	struct coin coin;
	struct why why;
	bool found;

	for (int tries = 0; tries < 20 && w->n && w->n < TXS_MAX; tries++) {
		size_t i = prng_below(&w->p, w->n);
		const struct outpoint *o = &w->tx[i]->tx.in[0].prevout;

		if (!rig_has(&w->r, w->tx[i]) || !in_chain(w, o))
			continue;
		assert_int_equal(chain_get_coin(w->r.chain, &found, &coin,
						o, &why), 0);
		t = rig_pay(*o, coin.value_sat, 3333);
		rig_mine(&w->r, &t, 1);
		w->wanted[w->n] = true;
		w->tx[w->n++] = t;
		return;
	}
}

static void run(uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof *w);

	prng_seed(&w->p, seed);
	rig_open(&w->r, NULL);
	for (int step = 0; step < 60; step++) {
		switch (prng_below(&w->p, 6)) {
		case 0:
			mine_some(w);
			break;
		case 1:
			if (chain_tip(w->r.chain)->height > 105)
				rig_undo(&w->r, 1 +
					 (int)prng_below(&w->p, 3));
			break;
		case 2:
			if (prng_below(&w->p, 3) == 0)
				mine_conflict(w);
			break;
		default:
			for (int i = 0; i < 6; i++)
				add_tx(w);
		}
		compare(w);
	}
	for (size_t i = 0; i < w->n; i++)
		shared_tx_unref(w->tx[i]);
	rig_close(&w->r);
	free(w);
}

static void test_random_histories(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		run(seed);
}

/* A chain of four, mined two and two, comes back whole and in order. */
static void test_order_is_restored(void **state)
{
	struct rig r;
	struct shared_tx *t[4];
	struct outpoint o;
	int64_t v;

	(void)state;
	rig_open(&r, NULL);
	o = rig_coin(&r, &v);
	for (int i = 0; i < 4; i++) {
		t[i] = rig_pay(o, v, 1000);
		v -= 1000;
		o = rig_out(t[i], 0);
	}
	rig_mine(&r, t, 2);
	assert_string_equal(rig_accept(&r, t[2]), "");
	assert_string_equal(rig_accept(&r, t[3]), "");
	rig_mine(&r, t + 2, 1);
	assert_int_equal(mempool_count(r.m), 1);
	rig_undo(&r, 2);
	assert_int_equal(mempool_count(r.m), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(txid_eq(&t[i]->tx.txid, &entry_tx(cluster_at(
			mempool_get(r.m, &t[0]->tx.txid)->cluster,
			i))->txid));
	rig_check(&r);
	for (int i = 0; i < 4; i++)
		shared_tx_unref(t[i]);
	rig_close(&r);
}

/* What is no longer final, or spends a coinbase no longer mature, goes. */
static void test_locks_after_going_back(void **state)
{
	struct rig r;
	struct rig_spend s = { .ins = 1, .outs = 1 };
	struct shared_tx *t[3];
	struct block *b;
	struct why why;
	int64_t v;
	int height;

	(void)state;
	rig_open(&r, NULL);
	height = chain_tip(r.chain)->height;
	s.in[0] = rig_coin(&r, &v);
	s.out[0] = v - 1000;
	s.lock_time = (uint32_t)height;
	t[0] = rig_tx(&s);               /* final in the next block */
	assert_string_equal(rig_accept(&r, t[0]), "");
	/* A coin of the block a hundred down matures just now. */
	assert_int_equal(chain_read_block(r.chain, &b,
				chain_at(r.chain, height - 99), &why), 0);
	t[1] = rig_pay((struct outpoint){ b->tx[0].txid, 0 },
		       b->tx[0].out[0].value_sat, 1000);
	block_unref(b);
	assert_string_equal(rig_accept(&r, t[1]), "");
	/* A relative lock of one block on a coin of the tip. */
	s.in[0] = rig_coin(&r, &v);
	s.out[0] = v - 1000;
	s.lock_time = 0;
	t[2] = rig_tx(&s);
	assert_string_equal(rig_accept(&r, t[2]), "");
	rig_undo(&r, 1);
	assert_false(rig_has(&r, t[0]));
	assert_false(rig_has(&r, t[1]));
	assert_true(rig_has(&r, t[2]));
	rig_check(&r);
	assert_string_equal(rig_accept(&r, t[0]), "non-final");
	assert_string_equal(rig_accept(&r, t[1]),
			    "bad-txns-premature-spend-of-coinbase");
	for (int i = 0; i < 3; i++)
		shared_tx_unref(t[i]);
	rig_close(&r);
}

int test_mempool_reorg(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_restored),
		cmocka_unit_test(test_locks_after_going_back),
		cmocka_unit_test(test_random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
