/*
 * The groups of tests of src/net; each returns how many failed.
 */
#ifndef CLOISTER_TEST_NET_H
#define CLOISTER_TEST_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/loop.h"

int test_net_conn(void);
int test_net_listener(void);
int test_net_loop(void);
int test_net_loopback(void);
int test_net_pair(void);

/** Run the loop until *flag, failing the test after ten seconds. */
void run_until(struct loop *l, const bool *flag);
/** Run the loop for about ms. */
void run_for(struct loop *l, int64_t ms);

#endif
