/*
 * What the indexes share: each is a type that takes blocks.
 */
#ifndef CLOISTER_VALIDATION_INDEX_PRIV_H
#define CLOISTER_VALIDATION_INDEX_PRIV_H

#include "chainstate/side_db.h"
#include "crypto/muhash.h"
#include "validation/chain_priv.h"
#include "validation/indexes.h"

/* A block on its way into an index. */
struct index_block {
	const struct chain_params *params;
	const struct header_node *node;
	const struct block *block;
	const struct block_undo *undo;
};

struct side_index {
	const struct index_type *type;
	struct side_db *db;
	struct header_node *best;        /* taken so far; NULL: none */
	bool dirty;                      /* best is not committed */
	/* Of the type's own: */
	uint8_t filter_header[32];       /* of best */
	struct coin_sums sums;           /* up to best */
	struct muhash muhash;
	/* Blocks whose MuHash is not finished: that is cheap for many. */
	struct stats_block {
		struct block_hash hash;
		struct coin_sums sums;
	} *unfinished;
	struct muhash *unfinished_muhash;
	size_t unfinished_n;
};

#define INDEX_UNFINISHED_MAX 256

struct index_type {
	const char *name, *dir;
	bool needs_undo;
	/** best is set: read what goes on from there. */
	enum err (*load)(struct side_index *x, struct why *why);
	enum err (*add)(struct side_index *x, const struct index_block *b,
			struct why *why);
	/** Before the commit. */
	void (*save)(struct side_index *x);
	/** best left the active chain; best->prev follows.  May be NULL. */
	enum err (*remove)(struct side_index *x, const struct index_block *b,
			   struct why *why);
};

extern const struct index_type index_tx_type, index_filter_type,
	index_stats_type;

struct side_index *index_get(const struct chain *c, enum index_kind kind);
/** Letter and block hash. */
struct span index_key(uint8_t out[static 33], char letter,
		      const struct block_hash *h);

/** Those that the options name; the tip is known. */
NODISCARD enum err indexes_open(struct chain *c, struct why *why);
void indexes_close(struct chain *c);

#endif
