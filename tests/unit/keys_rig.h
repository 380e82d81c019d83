/*
 * What tests of keys need.
 */
#ifndef CLOISTER_TEST_KEYS_RIG_H
#define CLOISTER_TEST_KEYS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/secret.h"

/** A directory of its own for a test, and its end. */
int test_keys_enter(void **state);
int test_keys_leave(void **state);

/** A secret with this text. */
struct secret test_keys_secret(const char *text);
/** Write a file of this mode, over what was there. */
void test_keys_put(const char *path, struct span content, unsigned mode);
/** It was refused, as the owner's to mend, with these words. */
void test_keys_refused(enum err e, const struct why *why, const char *words);

#endif
