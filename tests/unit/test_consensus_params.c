/*
 * The chains' parameters: genesis blocks hash to what they must, heights and
 * exceptions give the right flags.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_check.h"
#include "consensus/script_flags.h"
#include "tests/unit/test_consensus.h"

#define ALWAYS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | \
		SCRIPT_VERIFY_TAPROOT)
#define ALL_BURIED (SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | \
		    SCRIPT_VERIFY_CHECKSEQUENCEVERIFY | \
		    SCRIPT_VERIFY_NULLDUMMY)

static void check_genesis(const struct chain_params *p)
{
	struct bytes raw = { 0 };
	struct block *b;
	struct finding f;

	genesis_block_write(&raw, p);
	b = block_decode(&raw);
	assert_non_null(b);
	assert_memory_equal(b->hash.b, p->genesis_hash.b, 32);
	assert_true(pow_ok(p, &b->hash, b->header.bits));
	block_check(&f, p, b);
	assert_int_equal(f.verdict, VERDICT_OK);
	assert_int_equal(b->tx[0].out[0].value_sat,
			 block_subsidy_sat(p, 0));
	assert_int_equal(u256_to_compact(&p->pow_limit), p->genesis.bits);
	block_unref(b);
}

static void test_genesis(void **state)
{
	(void)state;
	for (int id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
		struct chain_params p = chain_params_get((enum chain_id)id);
		struct chain_params named;

		assert_int_equal(p.id, id);
		check_genesis(&p);
		assert_true(chain_params_by_name(&named, p.name));
		assert_int_equal(named.id, id);
	}
	assert_false(chain_params_by_name(&(struct chain_params){ 0 },
					  "mainnet"));
}

static void test_subsidy(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	int64_t total = 0;

	(void)state;
	assert_int_equal(block_subsidy_sat(&p, 209999), 50 * COIN_SAT);
	assert_int_equal(block_subsidy_sat(&p, 210000), 25 * COIN_SAT);
	assert_int_equal(block_subsidy_sat(&p, 840000), 312500000);
	assert_int_equal(block_subsidy_sat(&p, 33 * 210000 - 1), 1);
	assert_int_equal(block_subsidy_sat(&p, 33 * 210000), 0);
	assert_int_equal(block_subsidy_sat(&p, 64 * 210000), 0);
	for (int h = 0; h < 14000000; h += 1000)
		total += 1000 * block_subsidy_sat(&p, h);
	assert_int_equal(total, INT64_C(2099999997690000));
	p = chain_params_get(CHAIN_REGTEST);
	assert_int_equal(block_subsidy_sat(&p, 149), 50 * COIN_SAT);
	assert_int_equal(block_subsidy_sat(&p, 150), 25 * COIN_SAT);
}

static void assert_exception(const struct chain_params *p, const char *hex,
			     int height, uint32_t flags)
{
	struct block_hash h;

	assert_true(hash_from_rpc_hex(h.b, hex));
	assert_int_equal(block_script_flags(p, height, &h), flags);
}

static void test_flag_exceptions(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);

	(void)state;
	assert_exception(&p, "00000000000002dc756eebf4f49723ed"
			     "8d30cc28a5f108eb94b1ba88ac4f9c22",
			 170060, SCRIPT_VERIFY_NONE);
	assert_exception(&p, "0000000000000000000f14c35b2d841e"
			     "986ab5441de8c585d5ffe55ea1e395ad", 692261,
			 (ALWAYS & ~SCRIPT_VERIFY_TAPROOT) | ALL_BURIED);
	p = chain_params_get(CHAIN_TESTNET3);
	assert_exception(&p, "00000000dd30457c001f4095d208cc12"
			     "96b0eed002427aa599874af7a432b105",
			 514, SCRIPT_VERIFY_NONE);
}

static void test_flags_by_height(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct block_hash h = { { 1 } };
	uint32_t flags = ALWAYS;

	(void)state;
	assert_int_equal(block_script_flags(&p, 0, &h), flags);
	assert_int_equal(block_script_flags(&p, 363724, &h), flags);
	flags |= SCRIPT_VERIFY_DERSIG;
	assert_int_equal(block_script_flags(&p, 363725, &h), flags);
	assert_int_equal(block_script_flags(&p, 388380, &h), flags);
	flags |= SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
	assert_int_equal(block_script_flags(&p, 388381, &h), flags);
	assert_int_equal(block_script_flags(&p, 419327, &h), flags);
	flags |= SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
	assert_int_equal(block_script_flags(&p, 419328, &h), flags);
	assert_int_equal(block_script_flags(&p, 481823, &h), flags);
	flags |= SCRIPT_VERIFY_NULLDUMMY;
	assert_int_equal(block_script_flags(&p, 481824, &h), flags);
	p = chain_params_get(CHAIN_REGTEST);
	assert_int_equal(block_script_flags(&p, 1, &h), ALWAYS | ALL_BURIED);
	assert_int_equal(block_script_flags(&p, 0, &h),
			 ALWAYS | SCRIPT_VERIFY_NULLDUMMY);
}

static void test_signet_magic(void **state)
{
	static const uint8_t magic[] = { 0x0a, 0x03, 0xcf, 0x40 };
	static const uint8_t op_true[] = { 0x51 };
	struct chain_params p = chain_params_get(CHAIN_SIGNET);

	(void)state;
	assert_memory_equal(p.magic, magic, 4);
	assert_false(u256_is_zero(&p.minimum_chain_work));
	assert_false(hash_is_zero(p.assume_valid.b));
	chain_params_set_signet(&p, span_of(op_true, 1));
	/* sha256d(01 51) */
	assert_memory_equal(p.magic, "\x54\xd2\x6f\xbd", 4);
	assert_true(u256_is_zero(&p.minimum_chain_work));
	assert_true(hash_is_zero(p.assume_valid.b));
	assert_int_equal(p.signet_challenge_n, 1);
}

int run_params_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genesis),
		cmocka_unit_test(test_subsidy),
		cmocka_unit_test(test_flag_exceptions),
		cmocka_unit_test(test_flags_by_height),
		cmocka_unit_test(test_signet_magic),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
