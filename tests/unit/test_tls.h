/*
 * The groups of tests of tls/; each returns how many failed.
 */
#ifndef CLOISTER_TEST_TLS_H
#define CLOISTER_TEST_TLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_tls_ca(void);
int test_tls_cert(void);
int test_tls_id(void);
int test_tls_identity(void);
int test_tls_only(void);
int test_tls_peers(void);
int test_tls_stream(void);

#endif
