/*
 * LevelDB with one batch that is being filled.
 */
#include "config.h"

#include "chainstate/side_db.h"

#include <stdlib.h>

#include "chainstate/store.h"

#define BEST_KEY "B"
#define REMEDY "remove that directory to have it made again"

struct side_db {
	struct store *db;
	struct store_batch *batch;
	bool has_best;
	struct block_hash best;
};

static enum err best_load(struct side_db *db, struct why *why)
{
	struct bytes v = { 0 };
	enum err e = store_get(db->db, &v, &db->has_best, span_of(BEST_KEY, 1),
			       why);

	if (!e && db->has_best && v.n != sizeof(db->best.b))
		e = why_set(why, ERR_CORRUPT, "the index in %s is damaged; "
			    REMEDY,
			    store_dir(db->db));
	if (!e && db->has_best)
		memcpy(db->best.b, v.p, v.n);
	bytes_clear(&v);
	return e;
}

enum err side_db_open(struct side_db **out, const char *dir, struct why *why)
{
	const struct store_options opt = {
		.write_buffer_bytes = 2 << 20,
		.block_cache_bytes = 256 << 10,
		.remedy = REMEDY,
	};
	struct side_db *db = xcalloc(1, sizeof(*db));
	enum err e = store_open(&db->db, dir, &opt, why);

	db->batch = store_batch_new();
	if (!e)
		e = best_load(db, why);
	if (e) {
		side_db_close(db);
		db = NULL;
	}
	*out = db;
	return e;
}

void side_db_close(struct side_db *db)
{
	if (!db)
		return;
	store_batch_free(db->batch);
	store_close(db->db);
	free(db);
}

bool side_db_best(const struct side_db *db, struct block_hash *out)
{
	if (db->has_best)
		*out = db->best;
	return db->has_best;
}

enum err side_db_get(struct side_db *db, struct bytes *out, bool *found,
		     struct span key, struct why *why)
{
	return store_get(db->db, out, found, key, why);
}

void side_db_put(struct side_db *db, struct span key, struct span value)
{
	store_batch_put(db->batch, key, value);
}

size_t side_db_pending(const struct side_db *db)
{
	return store_batch_bytes(db->batch);
}

enum err side_db_commit(struct side_db *db, const struct block_hash *best,
			struct why *why)
{
	enum err e;

	store_batch_put(db->batch, span_of(BEST_KEY, 1),
			span_of(best->b, sizeof(best->b)));
	e = store_write(db->db, db->batch, why);
	if (e)
		return e;
	store_batch_clear(db->batch);
	db->has_best = true;
	db->best = *best;
	return ERR_NONE;
}
