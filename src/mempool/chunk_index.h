/*
 * All chunks of the pool in the order in which they are worth mining: a
 * treap whose nodes live in the chunks.
 */
#ifndef CLOISTER_MEMPOOL_CHUNK_INDEX_H
#define CLOISTER_MEMPOOL_CHUNK_INDEX_H

#include "base/random.h"
#include "mempool/feerate.h"

struct cluster;

struct chunk {
	struct cluster *cluster;
	struct feerate rate;
	struct chunk *up, *left, *right;
	uint32_t heat;                   /* above those that have less */
	uint8_t index, first, count;     /* of the cluster's chunks, order */
};

struct chunk_index {
	struct chunk *root;
	struct prng prng;
};

void chunk_index_init(struct chunk_index *x);
void chunk_index_add(struct chunk_index *x, struct chunk *k);
void chunk_index_remove(struct chunk_index *x, struct chunk *k);
/** NULL if there are none. */
struct chunk *chunk_index_best(const struct chunk_index *x);
struct chunk *chunk_index_worst(const struct chunk_index *x);

#endif
