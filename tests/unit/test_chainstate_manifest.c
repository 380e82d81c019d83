/*
 * A power cut in LevelDB's manifest: a torn last record is dropped where the
 * state before it is all there; any other damage is refused.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/file.h"
#include "chainstate/store.h"
#include "chainstate/store_crc.h"
#include "chainstate/store_manifest_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYS 3
#define BLOCK 32768

static const struct store_options options = { .write_buffer_bytes = 1 << 20,
					      .block_cache_bytes = 1 << 20 };

/* A database whose last table was just made, with the log it was made from
 * still there, as at a power cut. */
struct scene {
	char *dir, *manifest, *table, *log;
	struct bytes bytes;       /* the manifest, whole */
	size_t good;              /* all but its last record */
};

static void put(struct store *s, uint8_t key)
{
	struct store_batch *b = store_batch_new();
	struct why why;

	store_batch_put(b, span_of(&key, 1), span_of("value", 5));
	need_ok(store_write(s, b, &why), &why);
	store_batch_free(b);
}

static char *named(const char *dir, const char *like)
{
	char *cmd = xasprintf("ls %s/%s | tail -1", dir, like);
	char line[300] = "";
	FILE *p = popen(cmd, "r");

	assert_non_null(p);
	assert_non_null(fgets(line, sizeof(line), p));
	pclose(p);
	free(cmd);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static void contents(struct bytes *out, const char *path)
{
	struct why why;

	need_ok(file_read(out, path, 1 << 20, &why), &why);
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void scene_make(struct scene *sc, void **state)
{
	struct bytes log = { 0 };
	struct store *s;
	struct why why;

	*sc = (struct scene){ .dir = in_dir(state, "db") };
	need_ok(store_open(&s, sc->dir, &options, &why), &why);
	for (uint8_t k = 1; k <= KEYS; k++) {
		free(sc->log);
		sc->log = named(sc->dir, "*.log");
		put(s, k);
		log.n = 0;
		contents(&log, sc->log);
		free(sc->manifest);
		sc->manifest = named(sc->dir, "MANIFEST-*");
		sc->good = (size_t)file_bytes(sc->manifest);
		need_ok(store_settle(s, &why), &why);
	}
	store_close(s);
	sc->table = named(sc->dir, "*.ldb");
	contents(&sc->bytes, sc->manifest);
	assert_true(sc->bytes.n > sc->good + 20);
	assert_false(file_exists(sc->log));
	write_file(sc->log, log.p, log.n);
	bytes_clear(&log);
}

static void scene_clear(struct scene *sc)
{
	bytes_clear(&sc->bytes);
	free(sc->dir);
	free(sc->manifest);
	free(sc->table);
	free(sc->log);
}

/* As a file system may: from `from` on lost, zeros, or other bytes. */
enum tear { TEAR_GONE, TEAR_ZEROS, TEAR_OTHER, TEAR_ONE, TEARS };

static void tear(const struct scene *sc, size_t from, enum tear how)
{
	struct bytes b = { 0 };

	bytes_append(&b, sc->bytes.p, sc->bytes.n);
	if (how == TEAR_GONE)
		b.n = from;
	for (size_t i = from; i < b.n; i++) {
		b.p[i] = how == TEAR_ZEROS ? 0 : b.p[i] ^ 0x5a;
		if (how == TEAR_ONE)
			break;
	}
	write_file(sc->manifest, b.p, b.n);
	bytes_clear(&b);
}

static bool mend(const struct scene *sc)
{
	struct why why;
	bool mended;

	need_ok(store_manifest_mend(sc->dir, &mended, &why), &why);
	return mended;
}

static bool manifest_is(const struct scene *sc, size_t n)
{
	struct bytes b = { 0 };
	bool same;

	contents(&b, sc->manifest);
	same = b.n == n && memcmp(b.p, sc->bytes.p, n) == 0;
	bytes_clear(&b);
	return same;
}

static void test_every_byte(void **state)
{
	struct scene sc;

	scene_make(&sc, state);
	for (size_t at = sc.good; at < sc.bytes.n; at++) {
		for (enum tear how = 0; how < TEARS; how++) {
			tear(&sc, at, how);
			/* A record all gone leaves nothing to mend; a last
			 * byte may be zero as it was. */
			if (file_bytes(sc.manifest) == (long)sc.good ||
			    manifest_is(&sc, sc.bytes.n)) {
				assert_false(mend(&sc));
				continue;
			}
			assert_true(mend(&sc));
			assert_true(manifest_is(&sc, sc.good));
			assert_false(mend(&sc));
		}
	}
	scene_clear(&sc);
}

static void test_opens_with_all(void **state)
{
	struct bytes value = { 0 };
	struct scene sc;
	struct store *s;
	struct why why;

	scene_make(&sc, state);
	tear(&sc, sc.good + 12, TEAR_ZEROS);
	need_ok(store_open(&s, sc.dir, &options, &why), &why);
	for (uint8_t k = 1; k <= KEYS; k++) {
		bool found;

		need_ok(store_get(s, &value, &found, span_of(&k, 1), &why),
			&why);
		assert_true(found);
	}
	put(s, KEYS + 1);
	store_close(s);
	need_ok(store_open(&s, sc.dir, &options, &why), &why);
	store_close(s);
	bytes_clear(&value);
	scene_clear(&sc);
}

static void refused(const struct scene *sc)
{
	struct bytes before = { 0 }, after = { 0 };
	struct store *s;
	struct why why;

	contents(&before, sc->manifest);
	assert_false(mend(sc));
	assert_int_equal(store_open(&s, sc->dir, &options, &why),
			 ERR_CORRUPT);
	contents(&after, sc->manifest);
	assert_true(span_eq(bytes_span(&before), bytes_span(&after)));
	bytes_clear(&before);
	bytes_clear(&after);
}

static void test_middle_is_refused(void **state)
{
	struct scene sc;
	struct why why;

	scene_make(&sc, state);
	for (size_t at = 0; at < sc.good; at++) {
		bool mended;

		tear(&sc, at, TEAR_ONE);
		need_ok(store_manifest_mend(sc.dir, &mended, &why), &why);
		assert_false(mended);
	}
	tear(&sc, sc.good - 1, TEAR_ONE);
	refused(&sc);
	scene_clear(&sc);
}

static void test_missing_files_are_refused(void **state)
{
	char *oldest;
	struct scene sc;

	scene_make(&sc, state);
	/* The torn record's own table may be missing, ... */
	tear(&sc, sc.bytes.n - 1, TEAR_ONE);
	assert_int_equal(unlink(sc.table), 0);
	assert_true(mend(&sc));
	/* ... the log it was made from may not, ... */
	tear(&sc, sc.bytes.n - 1, TEAR_ONE);
	assert_int_equal(rename(sc.log, sc.table), 0);
	refused(&sc);
	assert_int_equal(rename(sc.table, sc.log), 0);
	/* ... nor may an older table. */
	oldest = named(sc.dir, "*.ldb");
	assert_int_equal(unlink(oldest), 0);
	refused(&sc);
	free(oldest);
	scene_clear(&sc);
}

static void piece(struct bytes *out, uint8_t type, const void *p, size_t n)
{
	uint8_t head[7] = { 0, 0, 0, 0, (uint8_t)n, (uint8_t)(n >> 8), type };
	uint32_t crc = store_crc(store_crc(0, (char *)&type, 1), p, n);

	crc = (crc >> 15 | crc << 17) + 0xa282ead8u;
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(crc >> (8 * i));
	bytes_append(out, head, sizeof(head));
	bytes_append(out, p, n);
}

/* A whole state, then a record over two blocks, of which either is torn. */
static void test_record_over_blocks(void **state)
{
	static const uint8_t whole[] = { 1, 1, 'c', 2, 5, 3, 9, 4, 7 };
	static const uint8_t pad[BLOCK];
	const size_t first = BLOCK - 100;
	struct bytes b = { 0 };
	struct manifest m;
	size_t good, n;

	(void)state;
	piece(&b, 1, whole, sizeof(whole));
	n = b.n;
	piece(&b, 2, pad, BLOCK - n - 7);
	assert_int_equal(b.n, BLOCK);
	piece(&b, 4, pad, first);
	for (size_t at = n; at < b.n; at += 997) {
		b.p[at] ^= 1;
		assert_true(manifest_read(&m, &good, bytes_span(&b)));
		assert_int_equal(good, n);
		assert_int_equal(m.log, 5);
		manifest_clear(&m);
		b.p[at] ^= 1;
	}
	/* Behind a torn record a good one. */
	piece(&b, 1, whole, sizeof(whole));
	b.p[n + 50] ^= 1;
	assert_false(manifest_read(&m, &good, bytes_span(&b)));
	manifest_clear(&m);
	bytes_clear(&b);
}

int run_manifest_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_byte, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(test_opens_with_all,
						dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(test_middle_is_refused,
						dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(
			test_missing_files_are_refused, dir_setup,
			dir_teardown),
		cmocka_unit_test(test_record_over_blocks),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
