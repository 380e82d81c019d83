/*
 * A database beside the chain, for an optional index: records, and the block
 * up to which they stand, written together in synced atomic batches.  What
 * is put is not seen by get before the commit.  Chain thread.
 */
#ifndef CLOISTER_CHAINSTATE_SIDE_DB_H
#define CLOISTER_CHAINSTATE_SIDE_DB_H

#include "base/bytes.h"
#include "base/err.h"
#include "consensus/ids.h"

struct side_db;
NODISCARD enum err side_db_open(struct side_db **out, const char *dir,
				struct why *why);
void side_db_close(struct side_db *db);      /* NULL is fine */

/** The block of the last commit; false: there was none. */
bool side_db_best(const struct side_db *db, struct block_hash *out);
/** Keys begin with a letter, not with 'B', which is the block's. */
NODISCARD enum err side_db_get(struct side_db *db, struct bytes *out,
			       bool *found, struct span key,
			       struct why *why);
void side_db_put(struct side_db *db, struct span key, struct span value);
/** Bytes that wait for a commit. */
size_t side_db_pending(const struct side_db *db);
NODISCARD enum err side_db_commit(struct side_db *db,
				  const struct block_hash *best,
				  struct why *why);

#endif
