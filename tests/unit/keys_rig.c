/*
 * Directories and secrets for tests of keys.
 */
#include "config.h"

#include "tests/unit/keys_rig.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int test_keys_enter(void **state)
{
	char *dir = xstrdup("/tmp/cloister-keys-XXXXXX");

	if (!mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

int test_keys_leave(void **state)
{
	int rc = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

struct secret test_keys_secret(const char *text)
{
	struct secret s = {0};

	secret_init(&s, strlen(text) + 1);
	secret_append(&s, text, strlen(text));
	return s;
}

void test_keys_put(const char *path, struct span content, unsigned mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content.p, content.n), content.n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

void test_keys_refused(enum err e, const struct why *why, const char *words)
{
	if (e != ERR_INPUT || !strstr(why->text, words))
		print_message("%s, wanted: %s\n", e ? why->text : "accepted",
			      words);
	assert_int_equal(e, ERR_INPUT);
	assert_non_null(strstr(why->text, words));
}
