/*
 * Block files: our own, damaged ones, and the reference node's.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/file.h"
#include "chainstate/block_store.h"
#include "chainstate/xor_key.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t magic[4] = { 0xfa, 0xbf, 0xb5, 0xda };

struct stored {
	struct disk_pos data, undo;
	struct bytes raw, undo_raw;
	struct block_hash prev;
};

static void stored_append(struct block_store *s, struct stored *b, int height,
			  size_t size)
{
	struct prng p;
	struct why why;

	prng_seed(&p, (uint64_t)height);
	bytes_reserve(&b->raw, size);
	for (size_t i = 0; i < size; i++)
		b->raw.p[i] = (uint8_t)prng_u64(&p);
	b->raw.n = size;
	bytes_append(&b->undo_raw, b->raw.p, size / 3);
	b->prev = hash_from_seed((uint64_t)height);
	need_ok(block_store_append(s, &b->data, bytes_span(&b->raw), height,
				   (uint32_t)(1000 - height), &why), &why);
	need_ok(block_store_append_undo(s, &b->undo, b->data.file,
					bytes_span(&b->undo_raw), &b->prev,
					&why), &why);
}

static void stored_check(struct block_store *s, const struct stored *b)
{
	struct bytes out = { 0 };
	struct why why;

	bytes_append(&out, "x", 1);
	need_ok(block_store_read(s, &out, b->data, &why), &why);
	assert_int_equal(out.n, b->raw.n + 1);
	assert_memory_equal(out.p + 1, b->raw.p, b->raw.n);
	out.n = 0;
	need_ok(block_store_read_undo(s, &out, b->undo, &b->prev, &why),
		&why);
	assert_true(span_eq(bytes_span(&out), bytes_span(&b->undo_raw)));
	bytes_clear(&out);
}

static void stored_clear(struct stored *b)
{
	bytes_clear(&b->raw);
	bytes_clear(&b->undo_raw);
}

static void files_round(const char *dir)
{
	struct block_file_info info;
	struct stored b[10] = { 0 };
	struct block_store *s;
	struct why why;

	need_ok(block_store_open(&s, dir, magic, NULL, 0, &why), &why);
	for (int i = 0; i < 5; i++)
		stored_append(s, &b[i], i, 100 + (size_t)i * 70001);
	need_ok(block_store_sync(s, &why), &why);
	assert_int_equal(block_store_file_count(s), 1);
	info = *block_store_file(s, 0);
	assert_int_equal(info.blocks, 5);
	assert_int_equal(info.height_first, 0);
	assert_int_equal(info.height_last, 4);
	assert_int_equal(info.time_first, 996);
	assert_int_equal(info.time_last, 1000);
	assert_int_equal(block_store_disk_bytes(s),
			 info.size_bytes + info.undo_bytes);
	/* These two are not in the index when the process dies. */
	stored_append(s, &b[5], 5, 5000);
	stored_append(s, &b[6], 6, 5000);
	block_store_close(s);
	stored_clear(&b[5]);
	stored_clear(&b[6]);

	need_ok(block_store_open(&s, dir, magic, &info, 1, &why), &why);
	for (int i = 5; i < 10; i++)
		stored_append(s, &b[i], i, 300);
	for (int i = 0; i < 10; i++)
		stored_check(s, &b[i]);
	block_store_close(s);
	for (int i = 0; i < 10; i++)
		stored_clear(&b[i]);
}

static void test_plain_files(void **state)
{
	char *dir = in_dir(state, "plain");
	char *key = path_join(dir, "xor.dat");
	char *path = path_join(dir, "blk00000.dat");
	struct bytes head = { 0 };
	struct why why;

	files_round(dir);
	assert_false(file_exists(key));
	need_ok(file_read(&head, path, 1 << 20, &why), &why);
	assert_memory_equal(head.p, magic, 4);
	bytes_clear(&head);
	free(key);
	free(path);
	free(dir);
}

static void test_obfuscated_files(void **state)
{
	char *dir = in_dir(state, "turned");
	char *key = path_join(dir, "xor.dat");
	char *path = path_join(dir, "blk00000.dat");
	struct bytes head = { 0 };
	struct block_store *s;
	struct why why;

	need_ok(dir_make(dir, 0700, &why), &why);
	need_ok(file_replace(key, span_of("\1\2\3\4\5\6\7\10", 8), 0600,
			     &why), &why);
	files_round(dir);
	need_ok(file_read(&head, path, 1 << 20, &why), &why);
	for (int i = 0; i < 4; i++)
		assert_int_equal(head.p[i], magic[i] ^ (i + 1));
	file_cut(key, 7);
	assert_int_equal(block_store_open(&s, dir, magic, NULL, 0, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "xor.dat"));
	bytes_clear(&head);
	free(key);
	free(path);
	free(dir);
}

static void test_xor_at_any_offset(void **state)
{
	struct xor_key k = { { 1, 2, 3, 4, 5, 6, 7, 8 }, true };
	uint8_t a[40], b[40];

	(void)state;
	for (size_t offset = 0; offset < 17; offset++) {
		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = b[i] = (uint8_t)(i * 7);
		xor_key_apply(&k, a, sizeof(a), offset);
		for (size_t i = 0; i < sizeof(b); i++)
			b[i] ^= k.b[(i + offset) % 8];
		assert_memory_equal(a, b, sizeof(a));
	}
}

static void test_next_file(void **state)
{
	char *dir = in_dir(state, "many");
	struct block_file_info infos[2];
	struct stored b[2] = { 0 };
	struct block_store *s;
	struct why why;
	char *path;

	/* As if the first file were nearly full. */
	need_ok(block_store_open(&s, dir, magic, NULL, 0, &why), &why);
	stored_append(s, &b[0], 0, 1000);
	infos[0] = *block_store_file(s, 0);
	block_store_close(s);
	path = path_join(dir, "blk00000.dat");
	infos[0].size_bytes = (128 << 20) - 500;
	file_cut(path, infos[0].size_bytes);
	need_ok(block_store_open(&s, dir, magic, infos, 1, &why), &why);
	stored_append(s, &b[1], 1, 1000);
	assert_int_equal(b[1].data.file, 1);
	assert_int_equal(b[1].data.offset, 8);
	assert_int_equal(b[1].undo.file, 1);
	/* Undo of an older block, still in the older block's file. */
	need_ok(block_store_append_undo(s, &b[0].undo, 0,
					bytes_span(&b[0].undo_raw),
					&b[0].prev, &why), &why);
	need_ok(block_store_sync(s, &why), &why);
	assert_int_equal(b[0].undo.file, 0);
	stored_check(s, &b[0]);
	stored_check(s, &b[1]);
	block_store_close(s);
	stored_clear(&b[0]);
	stored_clear(&b[1]);
	free(path);
	free(dir);
}

static void test_damage_is_named(void **state)
{
	char *dir = in_dir(state, "damage");
	char *blk = path_join(dir, "blk00000.dat");
	char *rev = path_join(dir, "rev00000.dat");
	struct block_file_info info;
	struct bytes out = { 0 };
	struct stored b = { 0 };
	struct block_store *s;
	struct disk_pos pos;
	struct why why;

	need_ok(block_store_open(&s, dir, magic, NULL, 0, &why), &why);
	stored_append(s, &b, 0, 3000);
	info = *block_store_file(s, 0);

	/* Any byte of undo data: magic, length, payload, checksum. */
	for (long at = 0; at < file_bytes(rev); at += 101) {
		file_flip(rev, at);
		assert_int_equal(block_store_read_undo(s, &out, b.undo,
						       &b.prev, &why),
				 ERR_CORRUPT);
		assert_non_null(strstr(why.text, "rev00000.dat"));
		assert_int_equal(out.n, 0);
		file_flip(rev, at);
	}
	/* Of another block. */
	b.prev.b[0] ^= 1;
	assert_int_equal(block_store_read_undo(s, &out, b.undo, &b.prev,
					       &why), ERR_CORRUPT);
	b.prev.b[0] ^= 1;
	stored_check(s, &b);

	file_flip(blk, 2);
	assert_int_equal(block_store_read(s, &out, b.data, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "blk00000.dat"));
	file_flip(blk, 2);
	file_flip(blk, 7);
	assert_int_equal(block_store_read(s, &out, b.data, &why),
			 ERR_CORRUPT);
	file_flip(blk, 7);
	pos = b.data;
	pos.offset = 3;
	assert_int_equal(block_store_read(s, &out, pos, &why), ERR_CORRUPT);
	pos.offset = 1 << 30;
	assert_int_equal(block_store_read(s, &out, pos, &why), ERR_CORRUPT);
	stored_check(s, &b);

	file_cut(blk, 2000);
	assert_int_equal(block_store_read(s, &out, b.data, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "blk00000.dat"));
	block_store_close(s);
	assert_int_equal(block_store_open(&s, dir, magic, &info, 1, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "blk00000.dat"));
	assert_int_equal(unlink(blk), 0);
	assert_int_equal(block_store_open(&s, dir, magic, &info, 1, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "blk00000.dat"));
	bytes_clear(&out);
	stored_clear(&b);
	free(blk);
	free(rev);
	free(dir);
}

struct reading {
	struct block_store *s;
	struct stored *b;
	bool ok;
};

static void read_one(void *item, void *arg)
{
	struct reading *r = item;
	struct bytes out = { 0 };
	struct why why;

	(void)arg;
	r->ok = !block_store_read(r->s, &out, r->b->data, &why) &&
		span_eq(bytes_span(&out), bytes_span(&r->b->raw));
	bytes_clear(&out);
}

static void test_reads_while_appending(void **state)
{
	char *dir = in_dir(state, "parallel");
	struct workers *w = workers_new(2);
	struct batch *batch = batch_new(w, read_one, NULL);
	struct stored b[200] = { 0 };
	struct reading r[200];
	struct block_store *s;
	struct why why;

	need_ok(block_store_open(&s, dir, magic, NULL, 0, &why), &why);
	for (int i = 0; i < 200; i++) {
		stored_append(s, &b[i], i, 2000);
		r[i] = (struct reading){ s, &b[i], false };
		batch_add(batch, &r[i], 1, sizeof(r[i]));
	}
	batch_wait(batch);
	batch_free(batch);
	for (int i = 0; i < 200; i++) {
		assert_true(r[i].ok);
		stored_clear(&b[i]);
	}
	block_store_close(s);
	workers_free(w);
	free(dir);
}

int run_block_store_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_files),
		cmocka_unit_test(test_obfuscated_files),
		cmocka_unit_test(test_xor_at_any_offset),
		cmocka_unit_test(test_next_file),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_reads_while_appending),
	};

	return cmocka_run_group_tests_name("block files", tests, dir_setup,
					   dir_teardown);
}
