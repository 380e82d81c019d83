/*
 * Verification of what is stored: each level finds what it is there for, and
 * changes nothing.
 */
#include "config.h"

#include "validation_tests.h"

#include "validation/chain_priv.h"
#include "validation/verify.h"
#include "validation_fix.h"

/* The result of a whole run. */
static struct verify_result run(struct fix *f, int level, int blocks)
{
	struct verify_result r;
	struct verify *v;
	bool more = true;

	fix_ok(f, verify_begin(&v, f->chain, level, blocks, &f->why));
	while (more)
		fix_ok(f, verify_step(v, &more, &f->why));
	r = *verify_result(v);
	verify_free(v);
	return r;
}

static struct block_hash tip_of(struct fix *f)
{
	return chain_tip(f->chain)->hash;
}

/* 110 blocks; the last ones spend. */
static void setup(struct fix *f)
{
	struct outpoint o;
	struct draft d;
	int i;

	fix_open(f, CHAIN_REGTEST, 1);
	fix_mine(f, 105);
	for (i = 1; i <= 5; i++) {
		o = coinbase_out(f, i);
		draft_init(&d, f, NULL);
		draft_pay(&d, &o, 1000 * i);
		assert_string_equal(fix_submit(f, draft_seal(&d)), "");
	}
}

static void test_good_at_all_levels(void **state)
{
	struct verify_result r;
	struct block_hash before;
	char sum[65];
	struct fix f;
	int level;

	(void)state;
	setup(&f);
	before = tip_of(&f);
	strcpy(sum, fix_muhash(&f));
	for (level = 0; level <= VERIFY_LEVEL_MAX; level++) {
		r = run(&f, level, 7);
		assert_true(r.good && !r.no_data && !r.no_room);
		assert_int_equal(r.checked, 7);
		r = run(&f, level, 0);
		assert_true(r.good);
		assert_int_equal(r.checked, 110);
	}
	assert_true(block_hash_eq(&before, &chain_tip(f.chain)->hash));
	assert_string_equal(fix_muhash(&f), sum);
	fix_mine(&f, 3);
	fix_close(&f);
}

static void test_missing_coin_is_found_at_level_3(void **state)
{
	struct outpoint o;
	struct arena a = { 0 };
	struct coin coin;
	struct fix f;
	bool found;

	(void)state;
	setup(&f);
	o = coinbase_out(&f, 108);
	fix_ok(&f, coins_spend(f.chain->coins, &found, &coin, &a, &o,
			       &f.why));
	assert_true(found);
	assert_true(run(&f, 2, 0).good);
	assert_true(run(&f, 3, 2).good);         /* not that deep */
	assert_false(run(&f, 3, 3).good);
	arena_clear(&a);
	fix_close(&f);
}

static void test_changed_coin_is_found_at_level_3(void **state)
{
	struct coin coin = { .height = 110, .coinbase = true,
			     .value_sat = 1 };
	struct verify_result r;
	struct outpoint o;
	struct fix f;

	(void)state;
	setup(&f);
	o = coinbase_out(&f, 110);
	fix_ok(&f, coins_add(f.chain->coins, &o, &coin, true, &f.why));
	assert_true(run(&f, 2, 1).good);
	r = run(&f, 3, 1);
	assert_false(r.good);
	assert_non_null(strstr(r.fault.text, "height=110"));
	assert_non_null(strstr(r.fault.text, "differs"));
	fix_close(&f);
}

/* A block that breaks a rule of scripts was taken for checked. */
static void test_bad_script_is_found_at_level_4(void **state)
{
	struct block_result res;
	struct verify_result r;
	struct outpoint o = { .n = 0 };
	struct block *b;
	struct draft d;
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	draft_init(&d, &f, NULL);
	d.txs[0].out[0].script_pubkey = draft_script(&d, "00");
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	o = coinbase_out(&f, 1);
	fix_mine(&f, 100);
	draft_init(&d, &f, NULL);
	draft_pay(&d, &o, 1000);
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, true, &f.why));
	block_unref(b);
	res.node->status |= BLOCK_VALID_SCRIPTS;
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 102);
	fix_mine(&f, 2);
	assert_true(run(&f, 3, 5).good);
	assert_true(run(&f, 4, 2).good);         /* not that deep */
	r = run(&f, 4, 3);
	assert_false(r.good);
	assert_non_null(strstr(r.fault.text, "height=102"));
	assert_non_null(strstr(r.fault.text, "script-verify-flag"));
	fix_close(&f);
}

static void test_nothing_is_connected_meanwhile(void **state)
{
	struct verify *v, *second;
	struct why why;
	struct draft d;
	struct fix f;
	bool more;

	(void)state;
	setup(&f);
	fix_ok(&f, verify_begin(&v, f.chain, 3, 0, &f.why));
	fix_ok(&f, verify_step(v, &more, &f.why));
	assert_int_equal(verify_begin(&second, f.chain, 3, 0, &why),
			 ERR_STATE);
	draft_init(&d, &f, NULL);
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	assert_int_equal(chain_tip(f.chain)->height, 110);
	while (more)
		fix_ok(&f, verify_step(v, &more, &f.why));
	assert_true(verify_result(v)->good);
	verify_free(v);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 111);

	/* The owner's word moves the tip: it begins again. */
	fix_ok(&f, verify_begin(&v, f.chain, 4, 5, &f.why));
	fix_ok(&f, verify_step(v, &more, &f.why));
	fix_ok(&f, chain_invalidate(f.chain, chain_at(f.chain, 109),
				    &f.why));
	while (more)
		fix_ok(&f, verify_step(v, &more, &f.why));
	assert_true(verify_result(v)->good);
	assert_int_equal(verify_result(v)->checked, 5);
	/* And it may outlive the chain. */
	fix_close(&f);
	assert_int_equal(verify_step(v, &more, &why), ERR_STOPPED);
	verify_free(v);
}

int test_validation_verify(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_at_all_levels),
		cmocka_unit_test(test_missing_coin_is_found_at_level_3),
		cmocka_unit_test(test_changed_coin_is_found_at_level_3),
		cmocka_unit_test(test_bad_script_is_found_at_level_4),
		cmocka_unit_test(test_nothing_is_connected_meanwhile),
	};

	return cmocka_run_group_tests_name("verification", tests, NULL,
					   NULL);
}
