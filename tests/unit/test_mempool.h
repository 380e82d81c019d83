/*
 * The groups of tests of src/mempool: each runs and returns how many failed.
 */
#ifndef CLOISTER_TESTS_TEST_MEMPOOL_H
#define CLOISTER_TESTS_TEST_MEMPOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_mempool_fees(void);
int test_mempool_linearize(void);
int test_mempool_policy(void);
int test_mempool_pool(void);
int test_mempool_reorg(void);

#endif
