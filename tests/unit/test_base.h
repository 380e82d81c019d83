/*
 * The groups of tests of src/base; each returns how many failed.
 */
#ifndef CLOISTER_TEST_BASE_H
#define CLOISTER_TEST_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_base_actor(void);
int test_base_bytes(void);
int test_base_file(void);
int test_base_log(void);
int test_base_map(void);
int test_base_secret(void);
int test_base_workers(void);

#endif
