/*
 * Unit tests of tor/.  No tor is needed: programs and sockets at the other
 * end are ours.
 */
#include "config.h"

#include "test_tor.h"

#include "base/file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *test_tor_dir_new(void)
{
	char *dir = xstrdup("/tmp/cloister-tor-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void test_tor_dir_free(char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

char *test_tor_script(const char *dir, const char *name, const char *body)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\n%s", body) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

void test_tor_put_key(const char *dir)
{
	static const char line[] = "cloister-onion-seed-v1 " TEST_TOR_SEED
				   "\n";
	char *keys = xasprintf("%s/keys", dir);
	char *path = xasprintf("%s/onion_public.key", keys);
	struct why why;

	assert_int_equal(dir_make(keys, 0700, &why), ERR_NONE);
	assert_int_equal(file_replace(path, span_of(line, strlen(line)), 0600,
				      &why), ERR_NONE);
	free(path);
	free(keys);
}

int main(void)
{
	if (getenv("CLOISTER_FDS"))
		return test_tor_node_main();
	return test_tor_control() + test_tor_link() + test_tor_onion() +
	       test_tor_doors() + test_tor_health() + test_tor_keys() +
	       test_tor_socks5() + test_tor_text() + test_tor_watch() +
	       test_tor_transport() + test_tor_process() +
	       test_tor_warden() != 0;
}
