/*
 * All chunks of the pool in the order in which they are worth mining: pages
 * of pointers, sorted, with the worth beside each, so that finding a place
 * touches few lines of memory.
 */
#ifndef CLOISTER_MEMPOOL_CHUNK_INDEX_H
#define CLOISTER_MEMPOOL_CHUNK_INDEX_H

#include "mempool/feerate.h"

struct cluster;
struct chunk_page;

struct chunk {
	struct cluster *cluster;
	struct feerate rate;
	struct chunk_page *page;         /* where the index has it */
	uint8_t index, first, count;     /* of the cluster's chunks, order */
};

/* {0} is an empty one. */
struct chunk_index {
	struct chunk_page **pages;       /* none empty; the best first */
	double *firsts;                  /* of each: its first one's worth */
	size_t n, cap;
};

void chunk_index_clear(struct chunk_index *x);
void chunk_index_add(struct chunk_index *x, struct chunk *k);
void chunk_index_remove(struct chunk_index *x, struct chunk *k);
/** NULL if there are none. */
struct chunk *chunk_index_best(const struct chunk_index *x);
struct chunk *chunk_index_worst(const struct chunk_index *x);
size_t chunk_index_memory(const struct chunk_index *x);

#endif
