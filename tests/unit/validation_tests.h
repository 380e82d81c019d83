/*
 * The groups of tests of src/validation: each runs and returns how many
 * failed.
 */
#ifndef CLOISTER_TESTS_VALIDATION_TESTS_H
#define CLOISTER_TESTS_VALIDATION_TESTS_H

int test_validation_bip30(void);
int test_validation_chain(void);
int test_validation_headers(void);
int test_validation_import(void);
int test_validation_invalid(void);
int test_validation_open(void);
int test_validation_random(void);
int test_validation_repair(void);
int test_validation_signed(void);
int test_validation_verify(void);

#endif
