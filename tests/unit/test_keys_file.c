/*
 * Key files: both forms, and every wrong kind of file in their place.
 */
#include "config.h"

#include "test_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/key_file.h"

#define KIND "onion-seed"
#define HEX \
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PLAIN "cloister-" KIND "-v1 " HEX "\n"

static void put_text(const char *path, const char *text, unsigned mode)
{
	test_keys_put(path, span_of(text, strlen(text)), mode);
}

static void check_seed(const struct key_file *k)
{
	uint8_t want[32];

	assert_true(hex_decode(want, 32, HEX));
	assert_int_equal(k->seed.n, 32);
	assert_memory_equal(k->seed.p, want, 32);
}

static void refused(const char *path, const struct secret *pass,
		    const char *words)
{
	struct key_file k;
	struct why why;
	enum err e = key_file_read(&k, path, KIND, pass, &why);

	test_keys_refused(e, &why, words);
	assert_null(k.seed.p);
	key_file_clear(&k);
}

static void check_content(const char *path, const char *text)
{
	struct bytes b = {0};
	struct why why;

	assert_int_equal(file_read(&b, path, 4096, &why), ERR_NONE);
	assert_true(span_eq(bytes_span(&b), span_of(text, strlen(text))));
	bytes_clear(&b);
}

static void plain_round_trip(void **state)
{
	char *path = path_join(*state, "a.key");
	struct key_file k;
	struct stat st;
	struct why why;

	put_text(path, PLAIN, 0600);
	assert_int_equal(key_file_read(&k, path, KIND, NULL, &why), ERR_NONE);
	check_seed(&k);
	assert_false(k.encrypted);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(key_file_write(path, KIND, &k, NULL, &why),
			 ERR_NONE);
	check_content(path, PLAIN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	key_file_clear(&k);
	free(path);
}

/* From plain to encrypted, and what it then wants. */
static void encrypted_round_trip(void **state)
{
	char *path = path_join(*state, "b.key");
	struct secret pass = test_keys_secret("correct horse");
	struct secret wrong = test_keys_secret("correct horsf"), none = {0};
	struct bytes box = {0}, after = {0};
	struct key_file k;
	struct stat st;
	struct why why;

	put_text(path, PLAIN, 0600);
	assert_int_equal(key_file_read(&k, path, KIND, &pass, &why),
			 ERR_NONE);
	assert_false(k.encrypted);
	strcpy(k.label, "address.onion");
	assert_int_equal(key_file_encrypt(path, KIND, &k, &pass, &why),
			 ERR_NONE);
	key_file_clear(&k);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(&box, path, 4096, &why), ERR_NONE);
	assert_null(memmem(box.p, box.n, HEX, 64));
	assert_int_equal(key_file_read(&k, path, KIND, &pass, &why),
			 ERR_NONE);
	check_seed(&k);
	assert_true(k.encrypted);
	assert_string_equal(k.label, "address.onion");
	key_file_clear(&k);
	refused(path, &wrong, "the passphrase is not that of");
	refused(path, NULL, "-keypassfile");
	refused(path, &none, "is encrypted");
	assert_int_equal(key_file_read(&k, path, "other", &pass, &why),
			 ERR_INPUT);
	assert_non_null(strstr(why.text, "another kind, onion-seed"));
	key_file_clear(&k);
	assert_int_equal(file_read(&after, path, 4096, &why), ERR_NONE);
	assert_true(span_eq(bytes_span(&after), bytes_span(&box)));
	bytes_clear(&box);
	bytes_clear(&after);
	secret_clear(&pass);
	secret_clear(&wrong);
	free(path);
}

/* The plain bytes go, but not those of a copy that somebody linked. */
static void encrypting_overwrites(void **state)
{
	char *path = path_join(*state, "c.key"), *copy = path_join(*state, "d");
	struct secret pass = test_keys_secret("x");
	struct key_file k;
	struct bytes old = {0};
	struct why why;
	FILE *f;

	put_text(path, PLAIN, 0600);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(key_file_read(&k, path, KIND, NULL, &why), ERR_NONE);
	assert_int_equal(key_file_encrypt(path, KIND, &k, &pass, &why),
			 ERR_NONE);
	for (size_t i = 0; i < strlen(PLAIN); i++)
		assert_int_equal(fgetc(f), 0);
	fclose(f);
	put_text(path, PLAIN, 0600);
	assert_int_equal(link(path, copy), 0);
	assert_int_equal(key_file_encrypt(path, KIND, &k, &pass, &why),
			 ERR_NONE);
	check_content(copy, PLAIN);
	key_file_erase(copy);
	assert_false(file_exists(copy));
	key_file_erase(copy);
	bytes_clear(&old);
	key_file_clear(&k);
	secret_clear(&pass);
	free(path);
	free(copy);
}

static void wrong_kinds(void **state)
{
	char *path = path_join(*state, "e.key"), *link = path_join(*state, "l");
	char *chmod_words = xasprintf("chmod 600 '%s'", path);
	struct bytes box = {0};
	struct secret pass = test_keys_secret("x");
	struct key_file k = {0};
	struct why why;

	refused(path, NULL, "cannot open");
	assert_int_equal(mkdir(path, 0700), 0);
	refused(path, NULL, "is a directory");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(path, NULL, "not a regular file");
	put_text(path, "", 0600);
	refused(path, NULL, "does not begin as a key file does");
	put_text(path, "cloister-onion-seed-v2 " HEX "\n", 0600);
	refused(path, NULL, "does not begin");
	put_text(path, "cloister-onion-seed-v1 " HEX, 0600);
	refused(path, NULL, "has 87 bytes, and should have 88");
	put_text(path, PLAIN "\n", 0600);
	refused(path, NULL, "has 89 bytes");
	put_text(path, "cloister-onion-seed-v1 g" HEX, 0600);
	refused(path, NULL, "no 64 hex digits");
	put_text(path, PLAIN, 0640);
	refused(path, NULL, chmod_words);
	put_text(path, PLAIN, 0602);
	refused(path, NULL, chmod_words);
	put_text(path, PLAIN, 0600);
	assert_int_equal(symlink(path, link), 0);
	refused(link, NULL, "symbolic link");
	assert_int_equal(key_file_read(&k, path, KIND, NULL, &why), ERR_NONE);
	assert_int_equal(key_file_write(path, KIND, &k, &pass, &why),
			 ERR_NONE);
	key_file_clear(&k);
	assert_int_equal(file_read(&box, path, 4096, &why), ERR_NONE);
	test_keys_put(path, span_of(box.p, box.n - 1), 0600);
	refused(path, &pass, "is damaged");
	box.p[16] = 9;
	test_keys_put(path, bytes_span(&box), 0600);
	refused(path, &pass, "newer version");
	bytes_reserve(&box, KEYBOX_SIZE_MAX + 1);
	memset(box.p, ' ', KEYBOX_SIZE_MAX + 1);
	test_keys_put(path, span_of(box.p, KEYBOX_SIZE_MAX + 1), 0600);
	refused(path, &pass, "longer than");
	bytes_clear(&box);
	secret_clear(&pass);
	free(path);
	free(link);
	free(chmod_words);
}

static void another_owner(void **state)
{
	char *path = path_join(*state, "f.key");

	put_text(path, PLAIN, 0600);
	if (chown(path, 4242, 4242)) {
		print_message("not root: cannot give a file away\n");
		free(path);
		skip();
	}
	refused(path, NULL, "belongs to another user (4242");
	refused(path, NULL, "chown 0 '");
	free(path);
}

int test_keys_file(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_round_trip),
		cmocka_unit_test(encrypted_round_trip),
		cmocka_unit_test(encrypting_overwrites),
		cmocka_unit_test(wrong_kinds),
		cmocka_unit_test(another_owner),
	};

	return cmocka_run_group_tests_name("keys: file", tests,
					   test_keys_enter, test_keys_leave);
}
