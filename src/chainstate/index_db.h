/*
 * The block index on disk: one record per known header, one per block file,
 * in blocks/index (LevelDB), written in synced atomic batches.
 */
#ifndef CLOISTER_CHAINSTATE_INDEX_DB_H
#define CLOISTER_CHAINSTATE_INDEX_DB_H

#include "chainstate/block_store.h"

/* Status bits, with the reference node's values. */
enum {
	BLOCK_VALID_MASK = 7,
	BLOCK_VALID_TREE = 2,         /* header and all before it are fine */
	BLOCK_VALID_TRANSACTIONS = 3, /* context-free checks passed */
	BLOCK_VALID_CHAIN = 4,
	BLOCK_VALID_SCRIPTS = 5,      /* fully valid */
	BLOCK_HAVE_DATA = 8,
	BLOCK_HAVE_UNDO = 16,
	BLOCK_FAILED = 32,            /* breaks a rule itself */
	BLOCK_FAILED_CHILD = 64,      /* descends from one that does */
};

struct index_record {
	struct block_header header;
	struct block_hash hash;
	int32_t height;
	uint32_t status;
	uint32_t tx_count;           /* 0 until the block is known */
	struct disk_pos data, undo;
};

struct index_db;
NODISCARD enum err index_db_open(struct index_db **out, const char *dir,
				 bool wipe, struct why *why);
void index_db_close(struct index_db *db);

/** Every record, in no useful order; fn returns false to stop (trouble). */
typedef bool index_visit_fn(const struct index_record *rec, void *arg);
NODISCARD enum err index_db_load(struct index_db *db, index_visit_fn *fn,
				 void *arg, struct why *why);
/** New array (free() it) of what index_db_write stored. */
NODISCARD enum err index_db_load_files(struct index_db *db,
				       struct block_file_info **files,
				       size_t *count, struct why *why);
/** Were some block files pruned away? */
NODISCARD enum err index_db_pruned(struct index_db *db, bool *pruned,
				   struct why *why);
/** From now on, yes; synced. */
NODISCARD enum err index_db_set_pruned(struct index_db *db, struct why *why);
/** One synced batch: records, and the file infos of the store (those that
 * changed; store may be NULL). */
NODISCARD enum err index_db_write(struct index_db *db,
				  const struct index_record *recs, size_t n,
				  const struct block_store *store,
				  struct why *why);

#endif
