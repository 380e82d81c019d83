/*
 * The best chain: spends, reorganisations, the owner's marks, and crashes in
 * the middle of all that.
 */
#include "config.h"

#include "validation_tests.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "validation/background.h"
#include "validation_fix.h"

/* The coins' sum of a fresh chain that was only ever given f's best chain. */
static void assert_same_as_fresh(struct fix *f)
{
	struct fix g;
	int h;

	fix_open(&g, f->params.id, 0);
	g.params = f->params;
	g.clock = f->clock;
	for (h = 1; h <= chain_tip(f->chain)->height; h++) {
		struct block *b = NULL;

		fix_ok(f, chain_read_block(f->chain, &b,
					   chain_at(f->chain, h), &f->why));
		assert_string_equal(fix_submit(&g, b), "");
	}
	assert_string_equal(fix_muhash(&g), fix_muhash(f));
	fix_close(&g);
}

/* n blocks on parent, each with some spends from the chain's own past. */
static struct header_node *spending_fork(struct fix *f,
					 const struct header_node *parent,
					 int n, uint64_t seed)
{
	struct block_result res = { .node = NULL };
	struct prng rng;
	struct draft d;
	struct outpoint last = { .n = 0 }, o;
	int64_t value = 0;
	int i, j;

	prng_seed(&rng, seed);
	for (i = 0; i < n; i++) {
		struct block *b;

		draft_init(&d, f, parent);
		d.h.nonce = (uint32_t)seed << 20;
		d.txs[0].lock_time = (uint32_t)seed;
		if (i == 0) {
			o = coinbase_out(f, 1 + (int)prng_below(&rng, 5));
			value = 40 * COIN_SAT;
			last.txid = draft_pay(&d, &o, value)->txid;
		}
		for (j = (int)prng_below(&rng, 4); j > 0; j--) {
			value -= 1000;
			last.txid = draft_pay(&d, &last, value)->txid;
		}
		b = draft_seal(&d);
		fix_ok(f, chain_accept_block(f->chain, &res, b, true,
					     &f->why));
		assert_int_equal(res.finding.verdict, VERDICT_OK);
		block_unref(b);
		parent = res.node;
	}
	return res.node;
}

static void test_mine_spend_and_reopen(void **state)
{
	char sum[65];
	struct fix f;
	struct block *b = NULL;
	struct outpoint o;
	struct arena a = { 0 };
	struct coin coin;
	struct tx tx;
	bool found;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 2);
	fix_mine(&f, 101);
	assert_int_equal(f.connected, 101);
	assert_int_equal(f.tips, 101);
	assert_int_equal(f.checked_ok, 101);
	o = coinbase_out(&f, 1);
	tx = tx_pay(&a, &o, 49 * COIN_SAT);
	fix_ok(&f, miner_make_block(f.chain, &b, tx.out[0].script_pubkey,
				    &tx, 1, &f.why));
	assert_int_equal(b->tx[0].out[0].value_sat, 51 * COIN_SAT);
	assert_string_equal(fix_submit(&f, block_ref(b)), "");
	fix_ok(&f, chain_get_coin(f.chain, &found, &coin, &o, &f.why));
	assert_false(found);
	o.txid = b->tx[1].txid;
	fix_ok(&f, chain_get_coin(f.chain, &found, &coin, &o, &f.why));
	assert_true(found);
	assert_int_equal(coin.value_sat, 49 * COIN_SAT);
	assert_int_equal(coin.height, 102);
	assert_false(coin.coinbase);
	/* miner refuses what does not exist */
	o.n = 9;
	tx = tx_pay(&a, &o, 1);
	assert_int_equal(miner_make_block(f.chain, &b,
					  tx.out[0].script_pubkey, &tx, 1,
					  &f.why), ERR_INPUT);
	block_unref(b);
	arena_clear(&a);
	strcpy(sum, fix_muhash(&f));
	fix_restart(&f);
	assert_int_equal(chain_tip(f.chain)->height, 102);
	assert_string_equal(fix_muhash(&f), sum);
	assert_same_as_fresh(&f);
	fix_close(&f);
}

static void test_submit_duplicate_and_off_chain(void **state)
{
	struct block_result res;
	struct header_node *tip;
	struct block *b = NULL;
	struct fix f;
	struct draft d;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 3);
	tip = chain_tip(f.chain);
	fix_ok(&f, chain_read_block(f.chain, &b, tip, &f.why));
	fix_ok(&f, chain_submit_block(f.chain, &res, b, &f.why));
	assert_false(res.is_new);
	assert_ptr_equal(res.node, tip);
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	block_unref(b);
	/* an equal rival is kept, the first stays */
	draft_init(&d, &f, tip->prev);
	d.txs[0].lock_time = 5;
	b = draft_seal(&d);
	fix_ok(&f, chain_submit_block(f.chain, &res, b, &f.why));
	assert_true(res.is_new);
	assert_ptr_equal(chain_tip(f.chain), tip);
	assert_false(chain_contains(f.chain, res.node));
	/* until the owner prefers the rival */
	fix_ok(&f, chain_prefer(f.chain, res.node, &f.why));
	assert_ptr_equal(chain_tip(f.chain), res.node);
	fix_ok(&f, chain_prefer(f.chain, tip, &f.why));
	assert_ptr_equal(chain_tip(f.chain), tip);
	block_unref(b);
	fix_close(&f);
}

static void test_short_reorg_tells_each_step(void **state)
{
	struct header_node *old, *new;
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 10);
	old = chain_tip(f.chain);
	f.connected = f.disconnected = f.tips = 0;
	new = fix_fork(&f, chain_at(f.chain, 8), 3, 3);
	assert_ptr_equal(chain_tip(f.chain), old);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), new);
	assert_int_equal(f.disconnected, 2);
	assert_int_equal(f.connected, 3);
	assert_int_equal(f.tips, 1);
	assert_ptr_equal(f.last_tip, new);
	assert_same_as_fresh(&f);
	fix_close(&f);
}

static void test_deep_reorg_there_and_back(void **state)
{
	struct header_node *a, *b, *c;
	char sum[65];
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 120);
	a = spending_fork(&f, chain_tip(f.chain), 150, 1);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), a);
	strcpy(sum, fix_muhash(&f));
	f.disconnected = 0;
	b = spending_fork(&f, chain_at(f.chain, 120), 151, 2);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), b);
	assert_int_equal(f.disconnected, 150);
	assert_same_as_fresh(&f);
	/* and back to where it came from */
	fix_ok(&f, chain_invalidate(f.chain, chain_at(f.chain, 121),
				    &f.why));
	assert_ptr_equal(chain_tip(f.chain), a);
	assert_string_equal(fix_muhash(&f), sum);
	fix_crash(&f);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_string_equal(fix_muhash(&f), sum);
	c = fix_fork(&f, chain_tip(f.chain), 1, 9);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), c);
	fix_close(&f);
}

/* A longer branch with a bad block in its middle: the old tip comes back,
 * and what was better of the branch is not lost. */
static void check_failing_reorg(int good, bool back, unsigned threads)
{
	const struct header_node *old, *at;
	struct block_result res;
	struct fix f;
	struct draft d;
	struct block *b;
	struct outpoint o;
	char sum[65];

	fix_open(&f, CHAIN_REGTEST, threads);
	fix_mine(&f, 110);
	old = chain_tip(f.chain);
	strcpy(sum, fix_muhash(&f));
	at = fix_fork(&f, chain_at(f.chain, 105), good, 4);
	draft_init(&d, &f, at);
	o = coinbase_out(&f, 1);
	draft_pay(&d, &o, 51 * COIN_SAT);        /* more than it brings */
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, true, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	block_unref(b);
	fix_fork(&f, res.node, 10, 5);
	assert_true(chain_best_header(f.chain)->height > 110);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(f.checked_bad, 1);
	assert_int_equal(f.last_bad.verdict, VERDICT_IN_BELOW_OUT);
	assert_int_equal(f.last_bad.tx, 1);
	assert_true(res.node->status & BLOCK_FAILED);
	if (back) {
		assert_ptr_equal(chain_tip(f.chain), old);
		assert_string_equal(fix_muhash(&f), sum);
	} else {
		assert_ptr_equal(chain_tip(f.chain), at);
		assert_same_as_fresh(&f);
	}
	assert_ptr_equal(chain_best_header(f.chain), chain_tip(f.chain));
	fix_restart(&f);
	assert_int_equal(chain_tip(f.chain)->height, MAX_OF(105 + good,
							    110));
	fix_close(&f);
}

static void test_failing_reorg(void **state)
{
	(void)state;
	check_failing_reorg(2, true, 0);
	check_failing_reorg(2, true, 2);
	check_failing_reorg(6, false, 0);
	check_failing_reorg(6, false, 2);
}

/* Scripts are checked behind the coins' back: a block whose scripts fail
 * takes those that flew above it along. */
static void test_script_failure_takes_later_flights_back(void **state)
{
	struct block_result res;
	struct fix f;
	struct draft d;
	struct block *b;
	struct outpoint o;
	char sum[65];

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 110);
	/* an output that nobody can spend */
	draft_init(&d, &f, NULL);
	o = coinbase_out(&f, 2);
	draft_pay(&d, &o, COIN_SAT);
	d.txs[1].out[0].script_pubkey = draft_script(&d, "00");
	tx_finish(&d.txs[1]);
	o.txid = d.txs[1].txid;
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	strcpy(sum, fix_muhash(&f));

	draft_init(&d, &f, NULL);
	draft_pay(&d, &o, COIN_SAT);
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, true, &f.why));
	block_unref(b);
	spending_fork(&f, res.node, 8, 3);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(f.checked_bad, 1);
	assert_int_equal(f.last_bad.verdict, VERDICT_SCRIPT);
	assert_int_equal(f.last_bad.tx, 1);
	assert_int_equal(f.last_bad.in, 0);
	assert_int_equal(chain_tip(f.chain)->height, 111);
	assert_string_equal(fix_muhash(&f), sum);
	assert_same_as_fresh(&f);
	fix_close(&f);
}

/* While blocks are in flight, questions are answered as of the tip. */
static void test_coin_questions_stand_at_the_tip(void **state)
{
	struct header_node *top;
	struct fix f;
	struct outpoint o;
	struct coin coin;
	bool more = true, found;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 110);
	top = spending_fork(&f, chain_tip(f.chain), 12, 11);
	while (more) {
		struct header_node *tip = chain_tip(f.chain);
		struct block *b = NULL;

		fix_ok(&f, chain_read_block(f.chain, &b, tip, &f.why));
		o = (struct outpoint){ .txid = b->tx[0].txid };
		block_unref(b);
		fix_ok(&f, chain_get_coin(f.chain, &found, &coin, &o,
					  &f.why));
		assert_true(found);
		assert_int_equal(coin.height, tip->height);
		if (tip != top) {
			fix_ok(&f, chain_read_block(f.chain, &b,
				header_node_ancestor(top, tip->height + 1),
				&f.why));
			o.txid = b->tx[0].txid;
			block_unref(b);
			fix_ok(&f, chain_get_coin(f.chain, &found, &coin,
						  &o, &f.why));
			assert_false(found);
		}
		fix_ok(&f, chain_step(f.chain, &more, &f.why));
	}
	assert_ptr_equal(chain_tip(f.chain), top);
	fix_close(&f);
}

/* A block whose first output has a script as long as one may be. */
static void mine_long_script(struct fix *f)
{
	static uint8_t script[10000];
	struct draft d;

	memset(script, 0x61, sizeof(script));
	draft_init(&d, f, NULL);
	d.txs[0].out[0].script_pubkey = span_of(script, sizeof(script));
	assert_string_equal(fix_submit(f, draft_seal(&d)), "");
}

/* Whoever asks for many coins does not fill the memory with them. */
static void test_coins_asked_for_are_forgotten(void **state)
{
	enum { COINS = 600 };
	struct fix f;
	struct coin coin;
	bool more = true, found;
	size_t most = 0;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	for (int i = 0; i < COINS; i++)
		mine_long_script(&f);
	f.dbcache = 4 << 20;
	fix_restart(&f);
	for (int i = 1; i <= COINS; i++) {
		struct outpoint o = coinbase_out(&f, i);

		fix_ok(&f, chain_get_coin(f.chain, &found, &coin, &o,
					  &f.why));
		assert_true(found);
		for (more = true; more;)
			fix_ok(&f, chain_step(f.chain, &more, &f.why));
		most = MAX_OF(most, chain_coins_cache_bytes(f.chain, false));
	}
	assert_true(most > 1 << 20);
	assert_true(most < f.dbcache);
	fix_close(&f);
}

static void test_invalidate_and_reconsider(void **state)
{
	struct header_node *tip, *n, *side;
	char sum[65];
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 20);
	tip = chain_tip(f.chain);
	strcpy(sum, fix_muhash(&f));
	side = fix_fork(&f, chain_at(f.chain, 10), 5, 6);
	n = chain_at(f.chain, 12);
	fix_ok(&f, chain_invalidate(f.chain, n, &f.why));
	assert_ptr_equal(chain_tip(f.chain), side);
	assert_ptr_equal(chain_best_header(f.chain), side);
	assert_true(n->status & BLOCK_FAILED);
	assert_true(tip->status & BLOCK_FAILED_CHILD);
	assert_same_as_fresh(&f);
	fix_restart(&f);         /* pointers change */
	assert_int_equal(chain_tip(f.chain)->height, 15);
	n = chain_lookup(f.chain, &chain_tip(f.chain)->hash);
	assert_non_null(n);
	fix_ok(&f, chain_invalidate(f.chain, n, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 14);
	/* the way back, from a descendant of the marked one */
	{
		struct header_node **tips = NULL;
		size_t count = chain_tips(f.chain, &tips), i;

		assert_int_equal(count, 3);      /* two failed, one tip */
		for (i = 0; i < count; i++)
			if (tips[i]->height == 20)
				fix_ok(&f, chain_reconsider(f.chain, tips[i],
							    &f.why));
		free(tips);
	}
	assert_int_equal(chain_tip(f.chain)->height, 20);
	assert_string_equal(fix_muhash(&f), sum);
	assert_int_equal(chain_invalidate(f.chain, chain_at(f.chain, 0),
					  &f.why), ERR_INPUT);
	fix_close(&f);
}

/* ---- crashes ---- */

static void test_crash_without_any_flush(void **state)
{
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 30);
	fix_crash(&f);
	assert_int_equal(chain_tip(f.chain)->height, 0);
	fix_mine(&f, 5);
	fix_restart(&f);
	assert_int_equal(chain_tip(f.chain)->height, 5);
	fix_close(&f);
}

/* The coins were flushed on a branch that was left afterwards, without the
 * news of it reaching the disk. */
static void test_crash_on_a_stale_branch(void **state)
{
	char sum[65];
	struct header_node *b;
	struct block_hash want;
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 110);
	spending_fork(&f, chain_tip(f.chain), 10, 1);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	b = spending_fork(&f, chain_at(f.chain, 110), 12, 2);
	want = b->hash;
	fix_restart(&f);         /* all blocks stored, tip on the first */
	assert_int_equal(chain_tip(f.chain)->height, 120);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_memory_equal(chain_tip(f.chain)->hash.b, want.b, 32);
	fix_crash(&f);           /* coins still on the first branch */
	assert_int_equal(chain_tip(f.chain)->height, 120);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_memory_equal(chain_tip(f.chain)->hash.b, want.b, 32);
	strcpy(sum, fix_muhash(&f));
	assert_same_as_fresh(&f);
	fix_restart(&f);
	assert_string_equal(fix_muhash(&f), sum);
	fix_close(&f);
}

/* At random moments of random work. */
static void test_crash_anywhere(void **state)
{
	uint64_t seed = random_u64();
	struct prng rng;
	struct fix f;
	int round, best;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	prng_seed(&rng, seed);
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 110);
	fix_restart(&f);
	for (round = 0; round < 40; round++) {
		int back = (int)prng_below(&rng, 8), i;
		bool more = true;

		best = chain_tip(f.chain)->height;
		spending_fork(&f, chain_at(f.chain, best - back),
			      back + 1 + (int)prng_below(&rng, 5),
			      1 + prng_below(&rng, 4000));
		for (i = (int)prng_below(&rng, 20); more && i > 0; i--)
			fix_ok(&f, chain_step(f.chain, &more, &f.why));
		if (prng_below(&rng, 2))
			fix_ok(&f, chain_flush(f.chain, &f.why));
		if (prng_below(&rng, 3) == 0)
			fix_crash(&f);
		fix_ok(&f, chain_activate(f.chain, &f.why));
		if (round % 8 == 7)
			assert_same_as_fresh(&f);
	}
	fix_close(&f);
}

static bool remember_record(const struct index_record *rec, void *arg)
{
	struct index_record *want = arg;

	if (rec->height == want->height)
		*want = *rec;
	return true;
}

/* A mark reached the disk, the coins' way back did not: the tip they stand
 * on has failed and is the heaviest of all. */
static void test_crash_after_the_mark_of_failure(void **state)
{
	struct index_record rec = { .height = 15 };
	struct block_store *store = NULL;
	struct block_file_info *files = NULL;
	struct index_db *db = NULL;
	char *blocks, *index;
	struct fix f;
	size_t n;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 20);
	fix_ok(&f, chain_flush(f.chain, &f.why));
	fix_shut(&f);
	blocks = path_join(f.dir, "blocks");
	index = path_join(blocks, "index");
	fix_ok(&f, index_db_open(&db, index, false, &f.why));
	fix_ok(&f, index_db_load_files(db, &files, &n, &f.why));
	fix_ok(&f, block_store_open(&store, blocks, f.params.magic, files, n,
				    &f.why));
	fix_ok(&f, index_db_load(db, remember_record, &rec, &f.why));
	rec.status |= BLOCK_FAILED;
	fix_ok(&f, index_db_write(db, &rec, 1, store, &f.why));
	block_store_close(store);
	index_db_close(db);
	free(files);
	free(index);
	free(blocks);
	fix_ok(&f, fix_start(&f));
	assert_int_equal(chain_tip(f.chain)->height, 20);
	assert_int_equal(chain_best_header(f.chain)->height, 14);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 14);
	assert_same_as_fresh(&f);
	fix_close(&f);
}

/* ---- disks that lost something ---- */

static void test_missing_coins_are_made_again(void **state)
{
	char sum[65];
	char *dir;
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	fix_mine(&f, 110);
	spending_fork(&f, chain_tip(f.chain), 20, 1);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	strcpy(sum, fix_muhash(&f));
	fix_shut(&f);
	dir = path_join(f.dir, "chainstate");
	remove_tree(dir);
	free(dir);
	fix_ok(&f, fix_start(&f));
	assert_int_equal(chain_tip(f.chain)->height, 0);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 130);
	assert_string_equal(fix_muhash(&f), sum);
	fix_close(&f);
}

static void damage(const struct fix *f, const char *name, int64_t cut_to)
{
	char *path = path_join(f->dir, name);

	if (cut_to < 0)
		unlink(path);
	else
		assert_int_equal(truncate(path, cut_to), 0);
	free(path);
}

static void check_refusal(const char *name, int64_t cut_to, const char *text)
{
	struct fix f;

	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 30);
	fix_ok(&f, chain_flush(f.chain, &f.why));
	fix_shut(&f);
	damage(&f, name, cut_to);
	assert_int_equal(fix_start(&f), ERR_CORRUPT);
	if (!strstr(f.why.text, text))
		fail_msg("does not name %s: %s", text, f.why.text);
	fix_close(&f);
}

static void test_damaged_files_are_named(void **state)
{
	(void)state;
	check_refusal("blocks/blk00000.dat", -1, "blk00000.dat");
	check_refusal("blocks/blk00000.dat", 3000, "blk00000.dat");
	check_refusal("blocks/rev00000.dat", -1, "rev00000.dat");
	check_refusal("blocks/rev00000.dat", 100, "rev00000.dat");
}

static void test_missing_index_is_refused(void **state)
{
	struct fix f;
	char *dir;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 30);
	fix_ok(&f, chain_flush(f.chain, &f.why));
	fix_shut(&f);
	dir = path_join(f.dir, "blocks/index");
	remove_tree(dir);
	free(dir);
	assert_int_equal(fix_start(&f), ERR_CORRUPT);
	assert_non_null(strstr(f.why.text, "blocks/index"));
	fix_close(&f);
}

/* A bit of a stored block turns over: trouble, no verdict. */
static void test_stop_gives_up(void **state)
{
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_fork(&f, NULL, 20, 1);
	f.stop = true;
	assert_int_equal(chain_activate(f.chain, &f.why), ERR_STOPPED);
	f.stop = false;
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 20);
	fix_close(&f);
}

int test_validation_chain(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mine_spend_and_reopen),
		cmocka_unit_test(test_submit_duplicate_and_off_chain),
		cmocka_unit_test(test_short_reorg_tells_each_step),
		cmocka_unit_test(test_deep_reorg_there_and_back),
		cmocka_unit_test(test_failing_reorg),
		cmocka_unit_test(
			test_script_failure_takes_later_flights_back),
		cmocka_unit_test(test_coin_questions_stand_at_the_tip),
		cmocka_unit_test(test_coins_asked_for_are_forgotten),
		cmocka_unit_test(test_invalidate_and_reconsider),
		cmocka_unit_test(test_crash_without_any_flush),
		cmocka_unit_test(test_crash_on_a_stale_branch),
		cmocka_unit_test(test_crash_anywhere),
		cmocka_unit_test(test_crash_after_the_mark_of_failure),
		cmocka_unit_test(test_missing_coins_are_made_again),
		cmocka_unit_test(test_damaged_files_are_named),
		cmocka_unit_test(test_missing_index_is_refused),
		cmocka_unit_test(test_stop_gives_up),
	};

	return cmocka_run_group_tests_name("best chain", tests, NULL, NULL);
}
