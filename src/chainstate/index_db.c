/*
 * The block index, with the reference node's keys and values: 'b' + hash,
 * 'f' + u32 file number, 'l'.
 */
#include "config.h"

#include "chainstate/index_db_priv.h"

#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/coin_record_priv.h"
#include "chainstate/store.h"

#include <stdlib.h>

#define REMEDY "start with -reindex"
#define KEY_BLOCK 'b'
#define KEY_FILE 'f'
#define KEY_LAST_FILE 'l'
/* A version that readers skip; the reference node writes this one. */
#define RECORD_VERSION 259900
/* More than 2^17 files of 128 MiB is no block store. */
#define FILES_MAX (1 << 17)

struct index_db {
	struct store *db;
	struct bytes value;
	/* What the database has of the files: only changes are written. */
	struct block_file_info *files;
	size_t file_count;
};

enum err index_db_open(struct index_db **out, const char *dir, bool wipe,
		       struct why *why)
{
	const struct store_options opt = {
		.write_buffer_bytes = 1 << 20,
		.block_cache_bytes = 256 << 10,
		.wipe = wipe,
		.remedy = REMEDY,
	};
	struct index_db *db = xcalloc(1, sizeof(*db));
	enum err e = store_open(&db->db, dir, &opt, why);

	if (e) {
		free(db);
		db = NULL;
	}
	*out = db;
	return e;
}

void index_db_close(struct index_db *db)
{
	if (!db)
		return;
	store_close(db->db);
	bytes_clear(&db->value);
	free(db->files);
	free(db);
}

void index_record_write(struct bytes *b, const struct index_record *rec)
{
	varint_write(b, RECORD_VERSION);
	varint_write(b, (uint64_t)rec->height);
	varint_write(b, rec->status);
	varint_write(b, rec->tx_count);
	if (rec->status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO))
		varint_write(b, (uint64_t)(rec->status & BLOCK_HAVE_DATA
						   ? rec->data.file
						   : rec->undo.file));
	if (rec->status & BLOCK_HAVE_DATA)
		varint_write(b, rec->data.offset);
	if (rec->status & BLOCK_HAVE_UNDO)
		varint_write(b, rec->undo.offset);
	block_header_write(b, &rec->header);
}

/* A number that must fit an int32_t. */
static int32_t varint_read_i32(struct reader *r)
{
	uint64_t v = varint_read(r);

	if (v <= INT32_MAX)
		return (int32_t)v;
	r->failed = true;
	return 0;
}

bool index_record_read(struct index_record *rec, struct span key,
		       struct span value)
{
	struct reader r = reader_of(value);
	int32_t file = -1;

	*rec = (struct index_record){ 0 };
	if (key.n != 33)
		return false;
	(void)varint_read(&r);
	rec->height = varint_read_i32(&r);
	rec->status = varint_read_u32(&r);
	rec->tx_count = varint_read_u32(&r);
	if (rec->status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO))
		file = varint_read_i32(&r);
	rec->data.file = rec->status & BLOCK_HAVE_DATA ? file : -1;
	rec->undo.file = rec->status & BLOCK_HAVE_UNDO ? file : -1;
	if (rec->status & BLOCK_HAVE_DATA)
		rec->data.offset = varint_read_u32(&r);
	if (rec->status & BLOCK_HAVE_UNDO)
		rec->undo.offset = varint_read_u32(&r);
	if (!block_header_read(&rec->header, &r) || reader_left(&r))
		return false;
	block_header_hash(&rec->hash, &rec->header);
	return memcmp(rec->hash.b, key.p + 1, 32) == 0;
}

static enum err damaged(const struct index_db *db, const char *what,
			struct why *why)
{
	return why_set(why, ERR_CORRUPT,
		       "the block index in %s is damaged (%s): " REMEDY,
		       store_dir(db->db), what);
}

enum err index_db_load(struct index_db *db, index_visit_fn *fn, void *arg,
		       struct why *why)
{
	const uint8_t prefix = KEY_BLOCK;
	struct store_iter *it = store_iter_new(db->db, span_of(&prefix, 1));
	struct index_record rec;
	struct span key, value;
	enum err e = ERR_NONE, end;

	while (!e && store_iter_next(it, &key, &value)) {
		if (!index_record_read(&rec, key, value))
			e = damaged(db, "a block's record does not decode",
				    why);
		else if (!fn(&rec, arg))
			e = why_set(why, ERR_STOPPED, "stopped");
	}
	end = store_iter_end(it, e ? NULL : why);
	return e ? e : end;
}

static void file_key(uint8_t out[static 5], uint32_t i)
{
	out[0] = KEY_FILE;
	for (int k = 0; k < 4; k++)
		out[1 + k] = (uint8_t)(i >> (8 * k));
}

void file_info_write(struct bytes *b, const struct block_file_info *f)
{
	varint_write(b, f->blocks);
	varint_write(b, f->size_bytes);
	varint_write(b, f->undo_bytes);
	varint_write(b, f->height_first);
	varint_write(b, f->height_last);
	varint_write(b, f->time_first);
	varint_write(b, f->time_last);
}

bool file_info_read(struct block_file_info *f, struct span value)
{
	struct reader r = reader_of(value);

	f->blocks = varint_read_u32(&r);
	f->size_bytes = varint_read_u32(&r);
	f->undo_bytes = varint_read_u32(&r);
	f->height_first = varint_read_u32(&r);
	f->height_last = varint_read_u32(&r);
	f->time_first = varint_read(&r);
	f->time_last = varint_read(&r);
	return !r.failed && reader_left(&r) == 0;
}

static enum err file_load(struct index_db *db, struct block_file_info *f,
			  uint32_t i, struct why *why)
{
	uint8_t key[5];
	bool found;
	enum err e;

	file_key(key, i);
	e = store_get(db->db, &db->value, &found, span_of(key, 5), why);
	if (e)
		return e;
	if (!found)
		return damaged(db, "a block file's record is missing", why);
	if (!file_info_read(f, bytes_span(&db->value)))
		return damaged(db, "a block file's record does not decode",
			       why);
	return ERR_NONE;
}

enum err index_db_load_files(struct index_db *db,
			     struct block_file_info **files, size_t *count,
			     struct why *why)
{
	const uint8_t key = KEY_LAST_FILE;
	struct reader r;
	uint32_t last;
	bool found;
	enum err e;

	*files = NULL;
	*count = 0;
	e = store_get(db->db, &db->value, &found, span_of(&key, 1), why);
	if (e || !found)
		return e;
	r = reader_of(bytes_span(&db->value));
	last = read_u32(&r);
	if (r.failed || reader_left(&r) || last >= FILES_MAX)
		return damaged(db, "the last file's number does not decode",
			       why);
	*files = xcalloc(last + 1, sizeof(**files));
	for (uint32_t i = 0; i <= last && !e; i++)
		e = file_load(db, &(*files)[i], i, why);
	if (e) {
		free(*files);
		*files = NULL;
		return e;
	}
	*count = last + 1;
	return ERR_NONE;
}

static void files_put(struct index_db *db, struct store_batch *b,
		      const struct block_store *store)
{
	const size_t n = block_store_file_count(store);
	const uint8_t last = KEY_LAST_FILE;
	struct bytes *value = &db->value;
	uint8_t key[5];

	for (size_t i = 0; i < n; i++) {
		const struct block_file_info *f = block_store_file(store, i);

		if (i < db->file_count &&
		    memcmp(f, &db->files[i], sizeof(*f)) == 0)
			continue;
		value->n = 0;
		file_info_write(value, f);
		file_key(key, (uint32_t)i);
		store_batch_put(b, span_of(key, 5), bytes_span(value));
	}
	if (n == 0)
		return;
	value->n = 0;
	write_u32(value, (uint32_t)(n - 1));
	store_batch_put(b, span_of(&last, 1), bytes_span(value));
}

static void files_remember(struct index_db *db,
			   const struct block_store *store)
{
	const size_t n = block_store_file_count(store);

	if (n == 0)
		return;
	db->files = xrealloc(db->files, n * sizeof(*db->files));
	for (size_t i = 0; i < n; i++)
		db->files[i] = *block_store_file(store, i);
	db->file_count = n;
}

/* The reference node's flag: 'F', the name's length and the name. */
static const char pruned_key[] = "F\x10prunedblockfiles";

static struct span pruned_key_span(void)
{
	return span_of(pruned_key, sizeof(pruned_key) - 1);
}

enum err index_db_pruned(struct index_db *db, bool *pruned, struct why *why)
{
	bool found;
	enum err e = store_get(db->db, &db->value, &found, pruned_key_span(),
			       why);

	*pruned = !e && found && db->value.n == 1 && db->value.p[0] == '1';
	return e;
}

enum err index_db_set_pruned(struct index_db *db, struct why *why)
{
	struct store_batch *b = store_batch_new();
	enum err e;

	store_batch_put(b, pruned_key_span(), span_of("1", 1));
	e = store_write(db->db, b, why);
	store_batch_free(b);
	return e;
}

enum err index_db_write(struct index_db *db, const struct index_record *recs,
			size_t n, const struct block_store *store,
			struct why *why)
{
	struct store_batch *b = store_batch_new();
	struct bytes *value = &db->value;
	uint8_t key[33] = { KEY_BLOCK };
	enum err e;

	for (size_t i = 0; i < n; i++) {
		CHECK(recs[i].height >= 0);
		memcpy(key + 1, recs[i].hash.b, 32);
		value->n = 0;
		index_record_write(value, &recs[i]);
		store_batch_put(b, span_of(key, 33), bytes_span(value));
	}
	if (store)
		files_put(db, b, store);
	e = store_write(db->db, b, why);
	if (!e && store)
		files_remember(db, store);
	store_batch_free(b);
	return e;
}
