/*
 * Where the onion's key is kept: made once, never replaced by mistake,
 * encrypted, set aside, put back; and what tor is shown of it.
 */
#include "config.h"

#include "test_tor.h"

#include "base/file.h"
#include "tor/onion_store.h"
#include "tor/ram_dir.h"
#include "tor/tor_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
	struct onion_store store;
	struct secret pass;
	char *dir, *key, *addr;
	struct why why;
};

static void scene_open(struct scene *s)
{
	memset(s, 0, sizeof *s);
	s->dir = test_tor_dir_new();
	s->key = xasprintf("%s/keys/onion_public.key", s->dir);
	s->addr = xasprintf("%s/keys/onion_public.addr", s->dir);
	secret_init(&s->pass, 16);
	secret_append(&s->pass, "open sesame", 11);
	s->store = (struct onion_store){ .dir = s->dir, .name = "public" };
}

static void scene_close(struct scene *s)
{
	test_tor_dir_free(s->dir);
	free(s->key);
	free(s->addr);
	secret_clear(&s->pass);
}

static void put(const char *path, const char *text)
{
	struct why why;

	assert_int_equal(file_replace(path, span_of(text, strlen(text)), 0600,
				      &why), ERR_NONE);
}

/* It opens, and its address comes back. */
static void opens(struct scene *s, char address[ONION_TEXT_SIZE])
{
	struct onion_key k;
	enum err e = onion_store_open(&s->store, &k, &s->why);

	if (e)
		print_message("%s\n", s->why.text);
	assert_int_equal(e, ERR_NONE);
	memcpy(address, k.address, sizeof k.address);
	onion_key_clear(&k);
}

static void refused(struct scene *s, const char *words)
{
	struct onion_key k;

	assert_int_equal(onion_store_open(&s->store, &k, &s->why), ERR_INPUT);
	if (!strstr(s->why.text, words))
		print_message("%s\nwanted: %s\n", s->why.text, words);
	assert_non_null(strstr(s->why.text, words));
	assert_null(k.seed.p);
	onion_key_clear(&k);
}

/* How many files of keys/ have this in their names. */
static int count(struct scene *s, const char *part)
{
	char *path = path_join(s->dir, "keys");
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, part) != NULL;
	closedir(d);
	free(path);
	return n;
}

static void test_made_once(void **state)
{
	char a[ONION_TEXT_SIZE], b[ONION_TEXT_SIZE];
	uint8_t key[ONION_KEY_BYTES];
	struct onion_key k;
	struct scene s;
	struct stat st;

	(void)state;
	scene_open(&s);
	assert_int_equal(onion_store_load(&s.store, &k, &s.why), ERR_INPUT);
	assert_non_null(strstr(s.why.text, "no key yet"));
	assert_false(file_exists(s.key));
	opens(&s, a);
	assert_true(onion_parse(key, a));
	assert_int_equal(stat(s.key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	opens(&s, b);
	assert_string_equal(a, b);
	scene_close(&s);
}

static void test_known_seed(void **state)
{
	char a[ONION_TEXT_SIZE];
	struct scene s;

	(void)state;
	scene_open(&s);
	test_tor_put_key(s.dir);
	opens(&s, a);
	assert_string_equal(a, TEST_TOR_ADDRESS);
	assert_true(file_exists(s.addr));
	opens(&s, a);
	assert_string_equal(a, TEST_TOR_ADDRESS);
	scene_close(&s);
}

/* Missing, damaged and foreign keys are refused, and nothing is replaced. */
static void test_never_replaced(void **state)
{
	char a[ONION_TEXT_SIZE], b[ONION_TEXT_SIZE];
	struct bytes good = {0};
	struct scene s;

	(void)state;
	scene_open(&s);
	opens(&s, a);
	assert_int_equal(file_read(&good, s.key, 1024, &s.why), ERR_NONE);
	test_tor_put_key(s.dir);
	refused(&s, TEST_TOR_ADDRESS);
	put(s.key, "cloister-onion-seed-v1 " TEST_TOR_SEED);
	refused(&s, "onion_public.key");
	assert_int_equal(unlink(s.key), 0);
	refused(&s, "-newonion");
	refused(&s, a);
	assert_false(file_exists(s.key));
	/* A link that leads nowhere is no missing key. */
	assert_int_equal(unlink(s.addr), 0);
	assert_int_equal(symlink("nowhere", s.key), 0);
	refused(&s, "symbolic link");
	assert_int_equal(unlink(s.key), 0);
	put(s.addr, "rubbish\n");
	refused(&s, "-newonion");
	put(s.addr, a);
	assert_int_equal(file_replace(s.key, bytes_span(&good), 0600, &s.why),
			 ERR_NONE);
	opens(&s, b);
	assert_string_equal(a, b);
	assert_int_equal(chmod(s.key, 0644), 0);
	refused(&s, "chmod 600");
	assert_int_equal(count(&s, ""), 4);
	bytes_clear(&good);
	scene_close(&s);
}

static void test_encrypted(void **state)
{
	char a[ONION_TEXT_SIZE];
	struct bytes before = {0}, after = {0};
	struct onion_key k;
	struct scene s;

	(void)state;
	scene_open(&s);
	test_tor_put_key(s.dir);
	opens(&s, a);
	s.store.passphrase = &s.pass;
	/* Looking at it does not change it. */
	assert_int_equal(onion_store_load(&s.store, &k, &s.why), ERR_NONE);
	assert_false(k.encrypted);
	onion_key_clear(&k);
	opens(&s, a);
	assert_int_equal(onion_store_load(&s.store, &k, &s.why), ERR_NONE);
	assert_true(k.encrypted);
	onion_key_clear(&k);
	assert_int_equal(file_read(&before, s.key, 4096, &s.why), ERR_NONE);
	assert_null(memmem(before.p, before.n, TEST_TOR_SEED, 64));
	opens(&s, a);
	assert_string_equal(a, TEST_TOR_ADDRESS);
	s.store.passphrase = NULL;
	refused(&s, "is encrypted");
	assert_int_equal(onion_store_load(&s.store, &k, &s.why), ERR_INPUT);
	assert_true(k.encrypted);
	onion_key_clear(&k);
	s.store.passphrase = &s.pass;
	s.pass.p[0] ^= 1;
	refused(&s, "the passphrase is not that of");
	assert_int_equal(file_read(&after, s.key, 4096, &s.why), ERR_NONE);
	assert_true(span_eq(bytes_span(&before), bytes_span(&after)));
	assert_int_equal(count(&s, ""), 4);
	bytes_clear(&before);
	bytes_clear(&after);
	scene_close(&s);
}

static void test_set_aside(void **state)
{
	char a[ONION_TEXT_SIZE], b[ONION_TEXT_SIZE];
	struct scene s;

	(void)state;
	scene_open(&s);
	/* Nothing there is nothing to do. */
	assert_int_equal(onion_store_set_aside(&s.store, &s.why), ERR_NONE);
	opens(&s, a);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(onion_store_set_aside(&s.store, &s.why),
				 ERR_NONE);
		opens(&s, b);
		assert_string_not_equal(a, b);
		memcpy(a, b, sizeof a);
		assert_int_equal(count(&s, ".key.old-"), i);
		assert_int_equal(count(&s, ".addr.old-"), i);
	}
	/* Of a lost key only the address is left. */
	assert_int_equal(unlink(s.key), 0);
	assert_int_equal(onion_store_set_aside(&s.store, &s.why), ERR_NONE);
	opens(&s, b);
	assert_int_equal(count(&s, ".key.old-"), 3);
	assert_int_equal(count(&s, ".addr.old-"), 4);
	scene_close(&s);
}

static void test_restore(void **state)
{
	char a[ONION_TEXT_SIZE];
	uint8_t seed[32];
	struct onion_key k;
	struct scene s;
	bool changed;

	(void)state;
	scene_open(&s);
	assert_true(hex_decode(seed, 32, TEST_TOR_SEED));
	assert_true(onion_key_from_seed(&k, seed));
	/* where nothing is */
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_NONE);
	assert_true(changed);
	opens(&s, a);
	assert_string_equal(a, TEST_TOR_ADDRESS);
	/* where it is */
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_NONE);
	assert_false(changed);
	/* where it is damaged or lost, and its address known */
	put(s.key, "rubbish");
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_NONE);
	assert_true(changed);
	opens(&s, a);
	assert_int_equal(count(&s, ".key.old-"), 1);
	/* where something is that does not tell */
	put(s.key, "rubbish");
	assert_int_equal(unlink(s.addr), 0);
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_INPUT);
	assert_non_null(strstr(s.why.text, "-restoreforce"));
	assert_int_equal(unlink(s.key), 0);
	/* where another is */
	opens(&s, a);
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_INPUT);
	assert_non_null(strstr(s.why.text, a));
	assert_int_equal(unlink(s.key), 0);
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_INPUT);
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, true,
					     &s.why), ERR_NONE);
	assert_true(changed);
	opens(&s, a);
	assert_string_equal(a, TEST_TOR_ADDRESS);
	onion_key_clear(&k);
	scene_close(&s);
}

/* What is restored is encrypted if there is a passphrase for it. */
static void test_restore_encrypted(void **state)
{
	uint8_t seed[32];
	struct onion_key k, got;
	struct scene s;
	bool changed;

	(void)state;
	scene_open(&s);
	assert_true(hex_decode(seed, 32, TEST_TOR_SEED));
	assert_true(onion_key_from_seed(&k, seed));
	s.store.passphrase = &s.pass;
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_NONE);
	assert_int_equal(onion_store_load(&s.store, &got, &s.why), ERR_NONE);
	assert_true(got.encrypted);
	onion_key_clear(&got);
	/* Its passphrase is forgotten: its label tells that it may go. */
	assert_int_equal(unlink(s.addr), 0);
	s.store.passphrase = NULL;
	assert_int_equal(onion_store_restore(&s.store, &changed, &k, false,
					     &s.why), ERR_NONE);
	assert_true(changed);
	assert_int_equal(count(&s, ".key.old-"), 1);
	assert_int_equal(onion_store_load(&s.store, &got, &s.why), ERR_NONE);
	assert_false(got.encrypted);
	onion_key_clear(&got);
	onion_key_clear(&k);
	scene_close(&s);
}

static char *tor_key_in(const char *dir)
{
	return path_join(dir, "hs_ed25519_secret_key");
}

/* Tor's copy of an encrypted key is in memory, and goes when tor ends. */
static void test_tor_copy(void **state)
{
	struct tor_process_options o = { .public_onion = true };
	struct tor_files f;
	struct scene s;
	char *ram, *plain, *hidden, *socks;

	(void)state;
	scene_open(&s);
	test_tor_put_key(s.dir);
	ram = ram_dir_path(s.dir);
	if (!ram) {
		print_message("no file system in memory here\n");
		scene_close(&s);
		skip();
	}
	socks = path_join(s.dir, "socks");
	plain = xasprintf("%s/tor/public/hs_ed25519_secret_key", s.dir);
	hidden = tor_key_in(ram);
	o.dir = s.dir;
	o.socks_path = o.public_path = socks;
	o.onion_ram = ram;
	assert_int_equal(tor_files_prepare(&f, &o, &s.why), ERR_NONE);
	assert_true(file_exists(plain));
	assert_false(file_exists(ram));
	assert_non_null(strstr(f.onion_dir, "tor/public"));
	tor_files_clear(&f);
	/* From now on with a passphrase: the plain copy goes at once. */
	o.passphrase = &s.pass;
	assert_int_equal(tor_files_prepare(&f, &o, &s.why), ERR_NONE);
	assert_string_equal(f.address, TEST_TOR_ADDRESS);
	assert_string_equal(f.onion_dir, ram);
	assert_false(file_exists(plain));
	assert_true(file_exists(hidden));
	tor_files_clear(&f);
	tor_files_hide(&o);
	assert_false(file_exists(ram));
	/* A key that cannot be opened: no onion, and why. */
	o.passphrase = NULL;
	assert_int_equal(tor_files_prepare(&f, &o, &s.why), ERR_NONE);
	assert_int_equal(f.onion_trouble.err, ERR_INPUT);
	assert_null(f.onion_dir);
	assert_string_equal(f.address, "");
	tor_files_clear(&f);
	free(plain);
	free(hidden);
	free(socks);
	free(ram);
	scene_close(&s);
}

static void test_ram_dir(void **state)
{
	char *a = ram_dir_path("/a"), *b = ram_dir_path("/b"), *inner;
	struct why why;
	struct stat st;

	(void)state;
	if (!a) {
		print_message("no file system in memory here\n");
		skip();
	}
	assert_string_not_equal(a, b);
	free(a);
	a = xasprintf("%s-test-%ld", b, (long)getpid());
	inner = path_join(a, "file");
	assert_int_equal(ram_dir_make(a, &why), ERR_NONE);
	assert_int_equal(stat(a, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	put(inner, "x");
	assert_int_equal(ram_dir_make(a, &why), ERR_NONE);
	assert_int_equal(chmod(a, 0750), 0);
	assert_int_equal(ram_dir_make(a, &why), ERR_INPUT);
	ram_dir_remove(a);
	assert_false(file_exists(a));
	ram_dir_remove(a);
	assert_int_equal(symlink("/tmp", a), 0);
	assert_int_equal(ram_dir_make(a, &why), ERR_INPUT);
	ram_dir_remove(a);
	assert_true(file_exists("/tmp"));
	assert_int_equal(unlink(a), 0);
	free(inner);
	free(a);
	free(b);
}

int test_tor_keys(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_once),
		cmocka_unit_test(test_known_seed),
		cmocka_unit_test(test_never_replaced),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_set_aside),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_encrypted),
		cmocka_unit_test(test_tor_copy),
		cmocka_unit_test(test_ram_dir),
	};

	return cmocka_run_group_tests_name("tor: keys", tests, NULL, NULL);
}
