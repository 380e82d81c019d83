/*
 * A cluster: transactions that hang together by spending each other, in the
 * order in which they are to be mined.  Never changed once made: a change
 * makes new ones (change.c).
 */
#ifndef CLOISTER_MEMPOOL_CLUSTER_H
#define CLOISTER_MEMPOOL_CLUSTER_H

#include "mempool/chunk_index.h"
#include "mempool/linearize.h"
#include "mempool/mempool.h"

struct cluster {
	uint64_t id;                     /* counts up: older ones are less */
	int64_t weight_wu;
	size_t memory_bytes;
	/* Of a change under way: which are to go, and that it knows us. */
	uint64_t doomed;
	bool touched;
	uint8_t count, chunk_count;
	uint8_t *order;                  /* slots */
	uint8_t *chunk_of;               /* by slot */
	struct mempool_entry **entry;    /* by slot */
	uint64_t *parents, *ancestors;   /* by slot; ancestors with itself */
	struct chunk *chunks;
};

/* Transactions that are to be a cluster. */
struct draft {
	unsigned n;
	int64_t weight_wu;
	struct mempool_entry *entry[CLUSTER_TXS_MAX];
	uint64_t parents[CLUSTER_TXS_MAX];
	bool linearized;
	struct depgraph graph;
	struct linearization line;
};

void draft_linearize(struct draft *d);
/** The entries move in: their cluster and slot are set, the chunks are in
 * the index. */
struct cluster *cluster_new(struct draft *d, uint64_t id,
			    struct chunk_index *index);
/** Its chunks leave the index; its entries are not looked at. */
void cluster_free(struct cluster *c, struct chunk_index *index);
/** The set and all that spend from it. */
uint64_t cluster_with_descendants(const struct cluster *c, uint64_t set);

#endif
