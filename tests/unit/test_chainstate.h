/*
 * What the chainstate tests share: a directory of their own, damage to
 * files, and the places of vectors.
 */
#ifndef CLOISTER_TEST_CHAINSTATE_H
#define CLOISTER_TEST_CHAINSTATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "chainstate/coins.h"

/* Setup and teardown: *state is the path of an empty directory. */
int dir_setup(void **state);
int dir_teardown(void **state);

/** New string dir/name. */
char *in_dir(void **state, const char *name);
/** New string in the vectors, or the test is skipped. */
char *vector_path(const char *name);

/** XOR one byte of a file; at < 0: from its end. */
void file_flip(const char *path, long at);
void file_cut(const char *path, long new_size);
long file_bytes(const char *path);
/** New path of the only (or largest) file of dir that ends so; NULL: none. */
char *file_like(const char *dir, const char *suffix);

/** Fail with the text of why if e. */
void need_ok(enum err e, const struct why *why);

/** A coin that depends on `seed` only; script_buf backs its script. */
#define COIN_SCRIPT_MAX 400
void coin_from_seed(struct coin *out, uint8_t script_buf[COIN_SCRIPT_MAX],
		    uint64_t seed);
void outpoint_from_seed(struct outpoint *out, uint64_t seed);
void assert_coin_eq(const struct coin *a, const struct coin *b);
struct block_hash hash_from_seed(uint64_t seed);

/** What a child process of the crash tests does; its exit status. */
int crash_child(char **args);

int run_record_tests(void);
int run_coins_tests(void);
int run_crash_tests(void);
int run_manifest_tests(void);
int run_block_store_tests(void);
int run_index_tests(void);
int run_chain_tests(void);

#endif
