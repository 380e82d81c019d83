/*
 * The groups of consensus tests: each runs its cmocka group and returns the
 * number of failures.
 */
#ifndef CLOISTER_TESTS_UNIT_TEST_CONSENSUS_H
#define CLOISTER_TESTS_UNIT_TEST_CONSENSUS_H

int run_numbers_tests(void);
int run_params_tests(void);
int run_headers_tests(void);
int run_tx_tests(void);
int run_blocks_tests(void);
int run_filters_tests(void);
int run_real_blocks_tests(void);
int run_chain_tests(void);
int run_worst_tests(void);
int run_corners_tests(void);
int run_script_tests(void);
int run_script_edges_tests(void);
int run_script_vectors_tests(void);
int run_script_assets_tests(void);
int run_sighash_tests(void);
int run_tapscript_tests(void);
int run_tx_vectors_tests(void);

#endif
