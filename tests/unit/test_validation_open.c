/*
 * Opening chains: new ones, old ones, and ones that are damaged.
 */
#include "config.h"

#include "validation_tests.h"

#include "validation_fix.h"

static void test_new_chain_is_genesis_on_every_network(void **state)
{
	static const enum chain_id ids[] = {
		CHAIN_MAIN, CHAIN_TESTNET3, CHAIN_TESTNET4, CHAIN_SIGNET,
		CHAIN_REGTEST,
	};
	struct fix f;
	size_t i;
	int round;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		fix_open(&f, ids[i], 0);
		for (round = 0; round < 3; round++) {
			struct header_node *tip = chain_tip(f.chain);

			assert_int_equal(tip->height, 0);
			assert_memory_equal(tip->hash.b,
					    f.params.genesis_hash.b, 32);
			assert_ptr_equal(chain_best_header(f.chain), tip);
			/* of the empty set: genesis brings no coin */
			assert_string_equal(fix_muhash(&f),
				"dd5ad2a105c2d29495f577245c357409002329b9f4d6"
				"182c0af3dc2f462555c8");
			if (round)
				fix_restart(&f);
			else
				fix_crash(&f);
		}
		fix_close(&f);
	}
}

int test_validation_open(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_new_chain_is_genesis_on_every_network),
	};

	return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
