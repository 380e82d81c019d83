/*
 * The groups of address tests.
 */
#ifndef CLOISTER_TESTS_UNIT_TEST_ADDRESS_H
#define CLOISTER_TESTS_UNIT_TEST_ADDRESS_H

int run_address_tests(void);
int run_script_text_tests(void);
int run_descriptor_tests(void);

#endif
