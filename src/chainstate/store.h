/*
 * The one door to LevelDB, for this module's own files.  Keys and values are
 * spans; trouble comes back as enum err with a text that names the directory
 * and says what to do.  A read that fails is never "not found".
 *
 * Every batch carries a sequence mark, which store_open checks: a batch lost
 * from the middle of LevelDB's log is noticed, while a torn last one (power
 * loss in an unfinished write) is dropped without harm.
 */
#ifndef CLOISTER_CHAINSTATE_STORE_H
#define CLOISTER_CHAINSTATE_STORE_H

#include "base/bytes.h"
#include "base/err.h"

/* Keys that begin with this byte are the store's own. */
#define STORE_RESERVED 0x00

struct store_options {
	size_t write_buffer_bytes;   /* LevelDB holds up to two of these */
	size_t block_cache_bytes;
	bool wipe;                   /* delete what is there */
	/* What mends it when it is damaged, for messages: a static string,
	 * such as "start with -reindex". */
	const char *remedy;
};

struct store;
NODISCARD enum err store_open(struct store **out, const char *dir,
			      const struct store_options *opt,
			      struct why *why);
void store_close(struct store *s);           /* NULL is fine */

/** Replace out's content by the value.  Any thread, with its own out. */
NODISCARD enum err store_get(struct store *s, struct bytes *out, bool *found,
			     struct span key, struct why *why);

/* Changes that are applied together or not at all. */
struct store_batch;
struct store_batch *store_batch_new(void);
void store_batch_free(struct store_batch *b);
void store_batch_clear(struct store_batch *b);
void store_batch_put(struct store_batch *b, struct span key,
		     struct span value);
void store_batch_delete(struct store_batch *b, struct span key);
size_t store_batch_bytes(const struct store_batch *b);
/** Write and sync; b is left as it is (with the mark added). */
NODISCARD enum err store_write(struct store *s, struct store_batch *b,
			       struct why *why);
/** Write without syncing: a crash may undo it and what follows in the same
 * way, each batch by itself, until store_settle(). */
NODISCARD enum err store_write_loose(struct store *s, struct store_batch *b,
				     struct why *why);
/**
 * Make all that store_write_loose() wrote durable.  LevelDB may have begun a
 * new log since: a synced write alone would sync that one, and survive what
 * stands in the one before.
 */
NODISCARD enum err store_settle(struct store *s, struct why *why);

/* A walk over the keys that begin with a prefix, in byte order, of the state
 * at its start. */
struct store_iter;
struct store_iter *store_iter_new(struct store *s, struct span prefix);
/** Next record (borrowed until the next call); false at the end or on
 * trouble: ask store_iter_end. */
bool store_iter_next(struct store_iter *it, struct span *key,
		     struct span *value);
/** Free, and say whether the walk met trouble. */
NODISCARD enum err store_iter_end(struct store_iter *it, struct why *why);

/** Bytes of the directory's files. */
uint64_t store_disk_bytes(const struct store *s);
const char *store_dir(const struct store *s);

#endif
