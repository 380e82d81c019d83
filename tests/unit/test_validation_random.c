/*
 * Random histories against a model that knows which blocks are bad: after
 * each activation the tip must have the most work among what is valid and
 * complete, whatever order things came in and whatever was lost.
 */
#include "config.h"

#include "validation_tests.h"

#include <string.h>

#include "base/random.h"
#include "chainstate/coins_priv.h"
#include "validation/chain_priv.h"
#include "validation_fix.h"

#define BASE 110
#define TRAPS 30                 /* outputs that nobody can spend */
#define TREATS 300               /* and one for the block of each height */
#define BRANCH_MAX 9
#define BLOCKS_MAX 4096

/* What the model knows of a block. */
struct known {
	struct block_hash hash;
	bool bad;                /* breaks a rule when connected */
	bool vetoed;             /* by the owner */
};

struct world {
	struct fix f;
	struct prng rng;
	struct known *known;
	size_t count;
	struct txid trap;
};

static void make_traps(struct world *w)
{
	struct outpoint o;
	struct draft d;
	struct tx *tx;
	int i;

	fix_mine(&w->f, BASE - 1);
	o = coinbase_out(&w->f, 1);
	draft_init(&d, &w->f, NULL);
	tx = draft_pay(&d, &o, 0);
	tx->out = arena_calloc(&d.a, TRAPS + TREATS, sizeof *tx->out);
	tx->out_count = TRAPS + TREATS;
	for (i = 0; i < TRAPS + TREATS; i++) {
		tx->out[i].value_sat = COIN_SAT / 10;
		tx->out[i].script_pubkey = draft_script(&d, i < TRAPS ? "00"
								     : "51");
	}
	tx_finish(tx);
	w->trap = tx->txid;
	assert_string_equal(fix_submit(&w->f, draft_seal(&d)), "");
	fix_ok(&w->f, chain_flush(w->f.chain, &w->f.why));
}

/* One way or another, only the coins show it. */
static void spoil(struct world *w, struct draft *d)
{
	struct outpoint o = { .txid = w->trap };

	switch (prng_below(&w->rng, 3)) {
	case 0:
		d->txs[0].out[0].value_sat++;
		break;
	case 1:
		o.n = TRAPS + TREATS;
		draft_pay(d, &o, 1);
		break;
	default:
		o.n = (uint32_t)prng_below(&w->rng, TRAPS);
		draft_pay(d, &o, 1);     /* scripts: found last */
		break;
	}
}

static void spend_treat(struct world *w, struct draft *d)
{
	struct outpoint o = { .txid = w->trap };

	o.n = (uint32_t)(TRAPS + d->height - BASE - 1);
	if (o.n < TRAPS + TREATS)
		draft_pay(d, &o, COIN_SAT / 10);
}

static const struct header_node *random_node(struct world *w)
{
	const struct header_node *tip = chain_tip(w->f.chain), *n;
	int back = (int)prng_below(&w->rng, 8);

	if (w->count && prng_below(&w->rng, 2)) {
		n = chain_lookup(w->f.chain, &w->known[
			prng_below(&w->rng, w->count)].hash);
		if (n && !(n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD)))
			return n;
	}
	return chain_at(w->f.chain, MAX_OF(BASE, tip->height - back));
}

/* A branch somewhere: headers first, then blocks in any order, some never. */
static void grow(struct world *w)
{
	const struct header_node *at = random_node(w);
	struct block *b[BRANCH_MAX];
	struct headers_result hres;
	struct block_result res;
	int n = 1 + (int)prng_below(&w->rng, BRANCH_MAX), i, j;
	struct draft d;

	for (i = 0; i < n && w->count < BLOCKS_MAX; i++) {
		struct known *k = &w->known[w->count];

		draft_init(&d, &w->f, at);
		d.txs[0].lock_time = (uint32_t)w->count;
		d.h.nonce = (uint32_t)prng_u64(&w->rng);
		k->bad = prng_below(&w->rng, 16) == 0;
		k->vetoed = false;
		spend_treat(w, &d);
		if (k->bad)
			spoil(w, &d);
		b[i] = draft_seal(&d);
		k->hash = b[i]->hash;
		fix_ok(&w->f, chain_accept_headers(w->f.chain, &hres,
						   &b[i]->header, 1, false,
						   &w->f.why));
		if (hres.finding.verdict) {
			block_unref(b[i]);
			break;
		}
		w->count++;
		at = hres.last;
	}
	n = i;
	for (i = n - 1; i > 0 && prng_below(&w->rng, 2); i--) {
		struct block *t = b[i];

		j = (int)prng_below(&w->rng, (uint64_t)i + 1);
		b[i] = b[j];
		b[j] = t;
	}
	for (i = 0; i < n; i++) {
		if (prng_below(&w->rng, 30))
			fix_ok(&w->f, chain_accept_block(w->f.chain, &res,
							 b[i], true,
							 &w->f.why));
		block_unref(b[i]);
	}
}

static void veto(struct world *w, bool back)
{
	struct known *k;
	struct header_node *n;
	size_t i;

	if (!w->count)
		return;
	k = &w->known[prng_below(&w->rng, w->count)];
	n = chain_lookup(w->f.chain, &k->hash);
	if (!n)
		return;
	if (!back) {
		k->vetoed = true;
		fix_ok(&w->f, chain_invalidate(w->f.chain, n, &w->f.why));
		return;
	}
	for (i = 0; i < w->count; i++) {
		struct header_node *m = chain_lookup(w->f.chain,
						     &w->known[i].hash);

		if (m && (header_node_is_ancestor(m, n) ||
			  header_node_is_ancestor(n, m)))
			w->known[i].vetoed = false;
	}
	fix_ok(&w->f, chain_reconsider(w->f.chain, n, &w->f.why));
}

/* What reached the disk of the owner's vetoes is for the disk to say. */
static void crash(struct world *w)
{
	size_t i;

	fix_crash(&w->f);
	for (i = 0; i < w->count; i++) {
		struct known *k = &w->known[i];
		struct header_node *n = chain_lookup(w->f.chain, &k->hash);

		k->vetoed = n && !k->bad && n->status & BLOCK_FAILED;
	}
}

/* Is the block there, good, and all below it too? */
static bool model_valid(struct world *w, const struct header_node *n,
			bool *valid_of)
{
	size_t i;

	if (n->height <= BASE)
		return true;
	if (!(n->status & BLOCK_HAVE_DATA))
		return false;
	for (i = 0; i < w->count; i++)
		if (block_hash_eq(&w->known[i].hash, &n->prev->hash))
			return valid_of[i];
	return n->prev->height == BASE;
}

static void check_model(struct world *w)
{
	bool *valid = xcalloc(w->count + 1, sizeof *valid);
	const struct header_node *tip = chain_tip(w->f.chain);
	struct u256 best = chain_at(w->f.chain, BASE)->chain_work;
	size_t i;

	/* children were made after their parents */
	for (i = 0; i < w->count; i++) {
		const struct known *k = &w->known[i];
		const struct header_node *n = chain_lookup(w->f.chain,
							   &k->hash);

		if (!n || k->bad || k->vetoed)
			continue;
		valid[i] = model_valid(w, n, valid);
		if (valid[i] && u256_cmp(&n->chain_work, &best) > 0)
			best = n->chain_work;
	}
	assert_int_equal(u256_cmp(&tip->chain_work, &best), 0);
	for (i = 0; i < w->count; i++) {
		const struct header_node *n = chain_lookup(w->f.chain,
						&w->known[i].hash);

		if (n && chain_contains(w->f.chain, n))
			assert_true(valid[i]);
		if (n && n->status & BLOCK_FAILED)
			assert_true(w->known[i].bad || w->known[i].vetoed);
	}
	free(valid);
}

static void some_steps(struct world *w)
{
	bool more = true;
	int i;

	for (i = (int)prng_below(&w->rng, 12); more && i > 0; i--)
		fix_ok(&w->f, chain_step(w->f.chain, &more, &w->f.why));
}

/* As with a cache of any size: some coins are ahead of the tip on disk. */
static void make_room(struct world *w, size_t keep_bytes)
{
	struct chain *c = w->f.chain;

	c->coins->room_keep_bytes = keep_bytes;
	fix_ok(&w->f, chain_make_room(c, &w->f.why));
}

static void one_event(struct world *w)
{
	switch (prng_below(&w->rng, 17)) {
	case 14:
	case 15:
	case 16:
		make_room(w, (size_t)prng_below(&w->rng, 10000));
		break;
	case 0:
		veto(w, false);
		break;
	case 1:
		veto(w, true);
		break;
	case 2:
		crash(w);
		break;
	case 3:
		fix_ok(&w->f, chain_flush(w->f.chain, &w->f.why));
		break;
	case 4:
	case 5:
	case 6:
		some_steps(w);
		break;
	case 7:
		fix_ok(&w->f, chain_activate(w->f.chain, &w->f.why));
		check_model(w);
		break;
	default:
		grow(w);
		break;
	}
}

/* The coins are those of a chain that had these blocks and no others. */
static void check_coins(struct world *w)
{
	char sum[65];
	struct fix g;
	int i;

	strcpy(sum, fix_muhash(&w->f));
	fix_open(&g, CHAIN_REGTEST, 0);
	for (i = 1; i <= chain_tip(w->f.chain)->height; i++) {
		struct block *b = NULL;

		fix_ok(&g, chain_read_block(w->f.chain, &b,
					    chain_at(w->f.chain, i), &g.why));
		assert_string_equal(fix_submit(&g, b), "");
	}
	assert_string_equal(fix_muhash(&g), sum);
	fix_close(&g);
}

/*
 * A block's coins reach the disk, the block is left, and before the coins it
 * had spent are written the power fails.
 */
static void test_room_made_across_a_reorg(void **state)
{
	struct world w = { .count = 0 };
	struct draft d;

	(void)state;
	fix_open(&w.f, CHAIN_REGTEST, 0);
	make_traps(&w);
	draft_init(&d, &w.f, NULL);
	spend_treat(&w, &d);
	assert_string_equal(fix_submit(&w.f, draft_seal(&d)), "");
	make_room(&w, 0);
	fix_ok(&w.f, chain_invalidate(w.f.chain, chain_tip(w.f.chain),
				      &w.f.why));
	fix_mine(&w.f, 1);
	make_room(&w, (size_t)1 << 20);
	fix_crash(&w.f);
	fix_ok(&w.f, chain_activate(w.f.chain, &w.f.why));
	check_coins(&w);
	fix_close(&w.f);
}

static void run_history(unsigned threads, int events)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
	struct world w = { .count = 0 };
	int i;

	print_message("SEED=%llu\n", (unsigned long long)seed);
	prng_seed(&w.rng, seed);
	w.known = xcalloc(BLOCKS_MAX, sizeof *w.known);
	fix_open(&w.f, CHAIN_REGTEST, threads);
	make_traps(&w);
	for (i = 0; i < events; i++)
		one_event(&w);
	fix_ok(&w.f, chain_activate(w.f.chain, &w.f.why));
	check_model(&w);
	check_coins(&w);
	fix_close(&w.f);
	free(w.known);
}

static void test_random_history_inline(void **state)
{
	(void)state;
	run_history(0, 250);
}

static void test_random_history_with_threads(void **state)
{
	(void)state;
	run_history(2, 250);
}

int test_validation_random(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_made_across_a_reorg),
		cmocka_unit_test(test_random_history_inline),
		cmocka_unit_test(test_random_history_with_threads),
	};

	return cmocka_run_group_tests_name("random histories", tests, NULL,
					   NULL);
}
