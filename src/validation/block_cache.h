/*
 * Decoded blocks that were accepted lately and wait to be connected, so
 * that they need not be read and decoded again.  Bounded.
 */
#ifndef CLOISTER_VALIDATION_BLOCK_CACHE_H
#define CLOISTER_VALIDATION_BLOCK_CACHE_H

#include "validation/header_tree.h"

#define BLOCK_CACHE_COUNT 512
#define BLOCK_CACHE_BYTES ((size_t)32 << 20)

struct block_cache {
	struct cached_block {
		const struct header_node *node;
		struct block *block;
	} blocks[BLOCK_CACHE_COUNT];
	size_t count, bytes;
};

void block_cache_clear(struct block_cache *c);
/** Keeps a reference; lets the highest blocks go when full. */
void block_cache_put(struct block_cache *c, const struct header_node *n,
		     struct block *b);
/** Move the reference out; NULL if it is not here. */
struct block *block_cache_take(struct block_cache *c,
			       const struct header_node *n);
/** Borrow until the next call; NULL if it is not here. */
struct block *block_cache_get(const struct block_cache *c,
			      const struct header_node *n);

#endif
