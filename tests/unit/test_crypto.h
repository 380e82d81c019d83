/*
 * The groups of tests of src/crypto; each returns how many failed.
 */
#ifndef CLOISTER_TEST_CRYPTO_H
#define CLOISTER_TEST_CRYPTO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_crypto_hash(void);
int test_crypto_muhash(void);
int test_crypto_secp(void);
int test_crypto_siphash(void);

/** Fail unless the n bytes at p are those of hex. */
void assert_hex(const uint8_t *p, size_t n, const char *hex);

#endif
