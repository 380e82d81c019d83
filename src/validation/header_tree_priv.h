/*
 * Inside of the header tree: storage that never moves, the table by hash,
 * and the list of what the index on disk does not know yet.
 */
#ifndef CLOISTER_VALIDATION_HEADER_TREE_PRIV_H
#define CLOISTER_VALIDATION_HEADER_TREE_PRIV_H

#include "base/map.h"
#include "validation/header_tree.h"

struct header_slab;

struct header_tree {
	struct map by_hash;
	uint64_t salt[2];
	struct header_slab *slabs;
	struct header_node **nodes;      /* parents before children */
	size_t count, cap;
	struct header_node **dirty;
	size_t dirty_count, dirty_cap;
};

void header_tree_init(struct header_tree *t);
void header_tree_clear(struct header_tree *t);
struct header_node *header_tree_get(const struct header_tree *t,
				    const struct block_hash *h);
/** A new node below prev (NULL for genesis); its hash must be new. */
struct header_node *header_tree_add(struct header_tree *t,
				    const struct block_header *h,
				    const struct block_hash *hash,
				    struct header_node *prev);
/** The index must be told of n. */
void header_tree_touch(struct header_tree *t, struct header_node *n);
/** Fill an empty tree from the index; ERR_CORRUPT where it has gaps. */
NODISCARD enum err header_tree_load(struct header_tree *t,
				    struct index_db *db, struct why *why);

#endif
