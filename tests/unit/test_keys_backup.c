/*
 * Backup files: round trip, and everything that is not one.
 */
#include "config.h"

#include "test_keys.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/backup.h"

static void fill(struct backup *b, size_t n)
{
	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < n; i++) {
		struct backup_key *k = backup_add(b);

		snprintf(k->kind, sizeof k->kind, "kind-%zu", i);
		snprintf(k->name, sizeof k->name, "name%zu", i);
		snprintf(k->label, sizeof k->label, "%zu.onion", i);
		secret_init(&k->seed, 32);
		memset(k->seed.p, (int)i + 1, 32);
		k->seed.n = 32;
	}
}

static void check_equal(const struct backup *a, const struct backup *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_string_equal(a->v[i].kind, b->v[i].kind);
		assert_string_equal(a->v[i].name, b->v[i].name);
		assert_string_equal(a->v[i].label, b->v[i].label);
		assert_true(secret_equal(&a->v[i].seed, &b->v[i].seed));
	}
}

static size_t files_in(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void round_trip(void **state)
{
	char *path = path_join(*state, "backup");
	struct secret pass = test_keys_secret("one"), wrong;
	struct backup a, b;
	struct bytes file = {0};
	struct stat st;
	struct why why;

	wrong = test_keys_secret("two");
	fill(&a, BACKUP_KEYS_MAX);
	assert_int_equal(backup_write(path, &a, &pass, &why), ERR_NONE);
	assert_int_equal(files_in(*state), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(backup_check(path, &why), ERR_NONE);
	assert_int_equal(backup_read(&b, path, &pass, &why), ERR_NONE);
	check_equal(&a, &b);
	backup_clear(&b);
	test_keys_refused(backup_read(&b, path, &wrong, &why), &why,
			  "the passphrase is not that of");
	backup_clear(&b);
	/* Whose it is cannot be seen. */
	assert_int_equal(file_read(&file, path, 4096, &why), ERR_NONE);
	assert_null(memmem(file.p, file.n, "onion", 5));
	test_keys_refused(backup_write(path, &a, &pass, &why), &why,
			  "exists already");
	assert_int_equal(files_in(*state), 1);
	bytes_clear(&file);
	backup_clear(&a);
	secret_clear(&pass);
	secret_clear(&wrong);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static void cannot_be_written(void **state)
{
	char *path = path_join(*state, "no/where");
	struct secret pass = test_keys_secret("one");
	struct backup a;
	struct why why;

	fill(&a, 1);
	assert_int_equal(backup_write(path, &a, &pass, &why), ERR_IO);
	assert_non_null(strstr(why.text, "no/where"));
	/* A name that leads nowhere is taken, too. */
	free(path);
	path = path_join(*state, "dangling");
	assert_int_equal(symlink("nowhere", path), 0);
	test_keys_refused(backup_write(path, &a, &pass, &why), &why,
			  "exists already");
	assert_int_equal(files_in(*state), 1);
	assert_int_equal(unlink(path), 0);
	backup_clear(&a);
	secret_clear(&pass);
	free(path);
}

static void not_a_backup(void **state)
{
	char *path = path_join(*state, "other");
	struct keybox box = { .kind = "onion-seed", .cost = { 4, 1, 1 } };
	struct secret pass = test_keys_secret("one");
	struct bytes b = {0};
	struct why why;

	assert_int_equal(backup_check(path, &why), ERR_IO);
	test_keys_put(path, span_of("hello", 5), 0600);
	test_keys_refused(backup_check(path, &why), &why, "not a backup");
	assert_int_equal(keybox_seal(&b, &box, &pass, &pass, &why), ERR_NONE);
	test_keys_put(path, bytes_span(&b), 0600);
	test_keys_refused(backup_check(path, &why), &why,
			  "single key file (onion-seed)");
	b.p[b.n - 40] ^= 1;
	test_keys_put(path, bytes_span(&b), 0600);
	test_keys_refused(backup_check(path, &why), &why, "damaged");
	b.p[16]++;
	test_keys_put(path, bytes_span(&b), 0600);
	test_keys_refused(backup_check(path, &why), &why, "newer");
	bytes_reserve(&b, KEYBOX_SIZE_MAX + 1);
	test_keys_put(path, span_of(b.p, KEYBOX_SIZE_MAX + 1), 0600);
	test_keys_refused(backup_check(path, &why), &why, "too long");
	bytes_clear(&b);
	secret_clear(&pass);
	free(path);
}

static void payload_is_exact(void **state)
{
	struct secret text = {0}, again = {0};
	struct backup a, b;

	(void)state;
	fill(&a, 3);
	backup_payload_write(&text, &a);
	assert_true(backup_payload_read(&b, secret_span(&text)));
	check_equal(&a, &b);
	backup_clear(&b);
	for (size_t n = 0; n < text.n; n++) {
		assert_false(backup_payload_read(&b, span_of(text.p, n)));
		backup_clear(&b);
	}
	text.p[0] = 4;
	assert_false(backup_payload_read(&b, secret_span(&text)));
	backup_clear(&b);
	text.p[0] = BACKUP_KEYS_MAX + 1;
	assert_false(backup_payload_read(&b, secret_span(&text)));
	backup_clear(&b);
	text.p[0] = 2;
	assert_false(backup_payload_read(&b, secret_span(&text)));
	backup_clear(&b);
	text.p[0] = 3;
	text.p[2] = 0;               /* in the kind */
	assert_false(backup_payload_read(&b, secret_span(&text)));
	backup_clear(&b);
	secret_clear(&text);
	secret_clear(&again);
	backup_clear(&a);
}

int test_keys_backup(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(cannot_be_written),
		cmocka_unit_test(not_a_backup),
		cmocka_unit_test(payload_is_exact),
	};

	return cmocka_run_group_tests_name("keys: backup", tests,
					   test_keys_enter, test_keys_leave);
}
