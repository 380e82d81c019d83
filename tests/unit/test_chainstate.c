/*
 * Tests of src/chainstate: the shared parts and main.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int dir_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xasprintf("%s/cloister-test-XXXXXX", tmp ? tmp : "/tmp");

	*state = path;
	return mkdtemp(path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int dir_teardown(void **state)
{
	int rc = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

char *in_dir(void **state, const char *name)
{
	return path_join(*state, name);
}

char *vector_path(const char *name)
{
	const char *root = getenv("CLOISTER_VECTORS");
	const char *src = getenv("srcdir");
	char *dir, *path;

	if (root)
		dir = xstrdup(root);
	else if (src)
		dir = xasprintf("%s/../shared/vectors", src);
	else
		dir = xstrdup("../shared/vectors");
	path = path_join(dir, name);
	free(dir);
	if (access(path, R_OK) != 0) {
		print_message("%s is absent: skipped\n", path);
		free(path);
		skip();
	}
	return path;
}

void file_flip(const char *path, long at)
{
	int fd = open(path, O_RDWR);
	uint8_t c;

	assert_true(fd >= 0);
	if (at < 0)
		at += file_bytes(path);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 0x41;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

void file_cut(const char *path, long new_size)
{
	assert_int_equal(truncate(path, new_size), 0);
}

long file_bytes(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (long)st.st_size;
}

char *file_like(const char *dir, const char *suffix)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	char *best = NULL;

	assert_non_null(d);
	while ((ent = readdir(d)) != NULL) {
		size_t n = strlen(ent->d_name), m = strlen(suffix);
		char *path;

		if (n < m || strcmp(ent->d_name + n - m, suffix) != 0)
			continue;
		path = path_join(dir, ent->d_name);
		if (best && file_bytes(path) <= file_bytes(best)) {
			free(path);
			continue;
		}
		free(best);
		best = path;
	}
	closedir(d);
	return best;
}

void need_ok(enum err e, const struct why *why)
{
	if (e)
		fail_msg("%s: %s", err_name(e), why->text);
}

static size_t script_from(uint8_t *s, struct prng *p)
{
	static const uint8_t heads[][3] = {
		{ 0x76, 0xa9, 20 }, { 0xa9, 20 }, { 0, 20 }, { 0, 32 },
		{ 0x51, 32 },
	};
	static const size_t sizes[] = { 25, 23, 22, 34, 34 };
	size_t kind = (size_t)prng_below(p, 8), n;

	for (size_t i = 0; i < COIN_SCRIPT_MAX; i++)
		s[i] = (uint8_t)prng_u64(p);
	if (kind < 5) {
		memcpy(s, heads[kind], kind == 0 ? 3 : 2);
		n = sizes[kind];
		if (kind == 0)
			memcpy(s + 23, "\x88\xac", 2);
		if (kind == 1)
			s[22] = 0x87;
		return n;
	}
	if (kind == 5)   /* nearly a template */
		return sizes[prng_below(p, 5)];
	return (size_t)prng_below(p, kind == 6 ? 100 : COIN_SCRIPT_MAX);
}

void coin_from_seed(struct coin *out, uint8_t script_buf[COIN_SCRIPT_MAX],
		    uint64_t seed)
{
	struct prng p;

	prng_seed(&p, seed);
	out->value_sat = (int64_t)prng_below(&p, (uint64_t)MAX_MONEY_SAT + 1);
	if (prng_below(&p, 2))
		out->value_sat -= out->value_sat % 100000;
	out->height = (int)prng_below(&p, 1000000);
	out->coinbase = prng_below(&p, 2);
	out->script = span_of(script_buf, script_from(script_buf, &p));
}

void outpoint_from_seed(struct outpoint *out, uint64_t seed)
{
	struct prng p;

	/* Four outputs for each transaction, and some far ones. */
	prng_seed(&p, seed / 4);
	for (size_t i = 0; i < 32; i += 8) {
		uint64_t v = prng_u64(&p);

		memcpy(out->txid.b + i, &v, 8);
	}
	out->n = (uint32_t)(seed % 4) * (uint32_t)(1 + prng_below(&p, 20000));
}

void assert_coin_eq(const struct coin *a, const struct coin *b)
{
	assert_int_equal(a->value_sat, b->value_sat);
	assert_int_equal(a->height, b->height);
	assert_int_equal(a->coinbase, b->coinbase);
	assert_int_equal(a->script.n, b->script.n);
	if (a->script.n)
		assert_memory_equal(a->script.p, b->script.p, a->script.n);
}

struct block_hash hash_from_seed(uint64_t seed)
{
	struct block_hash h = { { 0 } };

	memcpy(h.b, &seed, sizeof(seed));
	return h;
}

/* Optional argument: a pattern of test names to run. */
int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 6 && strcmp(argv[1], "--child") == 0)
		return crash_child(argv + 2);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed += run_record_tests();
	failed += run_coins_tests();
	failed += run_crash_tests();
	failed += run_manifest_tests();
	failed += run_block_store_tests();
	failed += run_index_tests();
	failed += run_chain_tests();
	return failed != 0;
}
