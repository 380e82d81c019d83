/*
 * The header tree: every header we know, from genesis to all tips, in memory.
 * Nodes are never freed before the tree and never move, so a pointer is good
 * for the chain's life.  Owned by the chain thread.
 */
#ifndef CLOISTER_VALIDATION_HEADER_TREE_H
#define CLOISTER_VALIDATION_HEADER_TREE_H

#include "chainstate/index_db.h"
#include "consensus/block_check.h"

struct header_node {
	struct block_hash hash;
	struct header_node *prev, *skip;
	struct u256 chain_work;
	int32_t height;
	uint32_t status;         /* BLOCK_… bits */
	uint32_t version, time, bits, nonce;
	uint32_t time_max;       /* highest time up to here */
	uint32_t tx_count;       /* 0 until the block is known */
	uint32_t sequence;       /* order of arrival; ties go to the first */
	uint64_t chain_tx_count; /* 0 until all blocks up to here are known */
	uint8_t merkle_root[32];
	struct disk_pos data, undo;
	bool dirty;              /* not yet in the index */
	bool has_child;
	bool damaged;            /* see repair.h; not in the index */
};

/** The 80 bytes again. */
void header_node_header(struct block_header *out,
			const struct header_node *n);
/** Ancestor at that height, NULL if height is out of range.  O(log n). */
struct header_node *header_node_ancestor(const struct header_node *n,
					 int height);
/** BIP113: median time of the eleven blocks that end with n. */
int64_t header_node_mtp(const struct header_node *n);
/** Last common ancestor. */
struct header_node *header_node_fork(const struct header_node *a,
				     const struct header_node *b);
static inline bool header_node_is_ancestor(const struct header_node *a,
					   const struct header_node *of)
{
	return header_node_ancestor(of, a->height) == a;
}

#endif
