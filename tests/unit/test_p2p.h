/*
 * Unit tests of src/p2p: one function per file, each returns failures.
 */
#ifndef CLOISTER_TEST_P2P_H
#define CLOISTER_TEST_P2P_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_p2p_wire(void);
int test_p2p_messages(void);
int test_p2p_addrbook(void);
int test_p2p_addrs(void);
int test_p2p_presync(void);
int test_p2p_redial(void);
int test_p2p_peer(void);
int test_p2p_conns(void);
int test_p2p_door(void);
int test_p2p_links(void);
int test_p2p_sync(void);
int test_p2p_tip_watch(void);

#endif
