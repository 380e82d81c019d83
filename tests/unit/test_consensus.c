/*
 * Runs every group of consensus tests.
 */
#include "config.h"

#include "tests/unit/test_consensus.h"

int main(void)
{
	int failed = 0;

	failed += run_numbers_tests();
	failed += run_params_tests();
	failed += run_headers_tests();
	failed += run_tx_tests();
	failed += run_blocks_tests();
	failed += run_filters_tests();
	failed += run_real_blocks_tests();
	failed += run_chain_tests();
	failed += run_worst_tests();
	failed += run_corners_tests();
	failed += run_script_tests();
	failed += run_script_edges_tests();
	failed += run_script_vectors_tests();
	failed += run_script_assets_tests();
	failed += run_sighash_tests();
	failed += run_tapscript_tests();
	failed += run_tx_vectors_tests();
	return failed ? 1 : 0;
}
