/*
 * The block index on disk.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "chainstate/index_db.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS 300

static void record_from_seed(struct index_record *rec, uint64_t seed)
{
	struct prng p;

	prng_seed(&p, seed);
	*rec = (struct index_record){ 0 };
	rec->header.version = (uint32_t)prng_u64(&p);
	rec->header.prev = hash_from_seed(prng_u64(&p));
	rec->header.time = (uint32_t)prng_u64(&p);
	rec->header.bits = (uint32_t)prng_u64(&p);
	rec->header.nonce = (uint32_t)prng_u64(&p);
	block_header_hash(&rec->hash, &rec->header);
	rec->height = (int32_t)prng_below(&p, 2000000);
	rec->tx_count = (uint32_t)prng_below(&p, 9000);
	rec->status = (uint32_t)prng_below(&p, 128);
	rec->data.file = rec->undo.file = -1;
	if (rec->status & BLOCK_HAVE_DATA)
		rec->data = (struct disk_pos){ (int32_t)seed,
					       (uint32_t)prng_u64(&p) };
	if (rec->status & BLOCK_HAVE_UNDO)
		rec->undo = (struct disk_pos){ (int32_t)seed,
					       (uint32_t)prng_u64(&p) };
}

struct seen {
	const struct index_record *recs;
	int count[RECORDS];
	int left;                /* visits before a stop; < 0: all */
};

static bool see(const struct index_record *rec, void *arg)
{
	struct seen *s = arg;

	for (size_t i = 0; i < RECORDS; i++) {
		const struct index_record *want = &s->recs[i];

		if (!block_hash_eq(&rec->hash, &want->hash))
			continue;
		s->count[i]++;
		assert_int_equal(rec->height, want->height);
		assert_int_equal(rec->status, want->status);
		assert_int_equal(rec->tx_count, want->tx_count);
		assert_int_equal(rec->data.file, want->data.file);
		assert_int_equal(rec->data.offset, want->data.offset);
		assert_int_equal(rec->undo.file, want->undo.file);
		assert_int_equal(rec->undo.offset, want->undo.offset);
		assert_int_equal(rec->header.nonce, want->header.nonce);
	}
	return --s->left != 0;
}

static void test_records_and_files(void **state)
{
	static const uint8_t magic[4] = { 1, 2, 3, 4 };
	char *dir = in_dir(state, "index"), *blocks = in_dir(state, "blocks");
	struct index_record recs[RECORDS];
	struct block_file_info *files, in[3] = { { 0 } };
	struct block_store *store;
	struct index_db *db;
	struct seen seen = { .recs = recs, .left = -1 };
	struct why why;
	size_t count;

	for (size_t i = 0; i < RECORDS; i++)
		record_from_seed(&recs[i], i);
	in[1].time_last = UINT64_C(1) << 33;
	in[1].height_last = 7;
	need_ok(block_store_open(&store, blocks, magic, in, 3, &why), &why);
	need_ok(index_db_open(&db, dir, true, &why), &why);
	need_ok(index_db_load_files(db, &files, &count, &why), &why);
	assert_int_equal(count, 0);
	need_ok(index_db_write(db, recs, RECORDS, store, &why), &why);
	/* Written again with other content: the newer one counts. */
	recs[5].height++;
	recs[5].status ^= BLOCK_FAILED;
	need_ok(index_db_write(db, &recs[5], 1, store, &why), &why);
	index_db_close(db);
	block_store_close(store);

	need_ok(index_db_open(&db, dir, false, &why), &why);
	need_ok(index_db_load(db, see, &seen, &why), &why);
	for (size_t i = 0; i < RECORDS; i++)
		assert_int_equal(seen.count[i], 1);
	need_ok(index_db_load_files(db, &files, &count, &why), &why);
	assert_int_equal(count, 3);
	assert_int_equal(files[1].time_last, in[1].time_last);
	assert_int_equal(files[1].height_last, 7);
	assert_int_equal(files[2].blocks, 0);
	free(files);
	seen.left = 3;
	assert_int_equal(index_db_load(db, see, &seen, &why), ERR_STOPPED);
	index_db_close(db);
	need_ok(index_db_open(&db, dir, true, &why), &why);
	memset(seen.count, 0, sizeof(seen.count));
	need_ok(index_db_load(db, see, &seen, &why), &why);
	assert_int_equal(seen.count[0], 0);
	index_db_close(db);
	free(dir);
	free(blocks);
}

static void test_damaged_index(void **state)
{
	char *dir = in_dir(state, "bad-index");
	struct index_record recs[RECORDS];
	struct seen seen = { .recs = recs, .left = -1 };
	struct index_db *db;
	struct why why;
	char *table;
	enum err e;

	for (size_t i = 0; i < RECORDS; i++)
		record_from_seed(&recs[i], i);
	need_ok(index_db_open(&db, dir, true, &why), &why);
	/* A record under a wrong name is as good as damaged. */
	recs[7].hash.b[3] ^= 1;
	need_ok(index_db_write(db, recs, RECORDS, NULL, &why), &why);
	e = index_db_load(db, see, &seen, &why);
	assert_int_equal(e, ERR_CORRUPT);
	assert_non_null(strstr(why.text, dir));
	index_db_close(db);

	need_ok(index_db_open(&db, dir, true, &why), &why);
	need_ok(index_db_write(db, recs, 7, NULL, &why), &why);
	index_db_close(db);
	need_ok(index_db_open(&db, dir, false, &why), &why);
	index_db_close(db);
	table = file_like(dir, ".ldb");
	assert_non_null(table);
	file_flip(table, 50);
	e = index_db_open(&db, dir, false, &why);
	if (!e)
		e = index_db_load(db, see, &seen, &why);
	assert_int_equal(e, ERR_CORRUPT);
	index_db_close(db);
	free(table);
	free(dir);
}

int run_index_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_and_files),
		cmocka_unit_test(test_damaged_index),
	};

	return cmocka_run_group_tests_name("block index", tests, dir_setup,
					   dir_teardown);
}
