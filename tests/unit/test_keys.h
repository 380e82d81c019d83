/*
 * The groups of tests of src/keys; each returns how many failed.
 */
#ifndef CLOISTER_TEST_KEYS_H
#define CLOISTER_TEST_KEYS_H

#include "tests/unit/keys_rig.h"

int test_keys_backup(void);
int test_keys_box(void);
int test_keys_file(void);
int test_keys_passphrase(void);

#endif
