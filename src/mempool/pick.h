/*
 * The transactions of the next block: the best chunks that fit.  Chain
 * thread.
 */
#ifndef CLOISTER_MEMPOOL_PICK_H
#define CLOISTER_MEMPOOL_PICK_H

#include "mempool/mempool.h"

struct pick_options {
	int64_t max_weight_wu;           /* of all picked; real weight */
	uint64_t max_sigops_cost;
	int64_t min_rate_sat_kvb;        /* chunks that pay less stay */
};

/* Room for a block's head, coinbase and commitment. */
#define PICK_RESERVED_WEIGHT 8000
#define PICK_RESERVED_SIGOPS 400

/* What a block without wishes takes. */
static const struct pick_options pick_defaults = {
	.max_weight_wu = MAX_BLOCK_WEIGHT_WU - PICK_RESERVED_WEIGHT,
	.max_sigops_cost = 80000 - PICK_RESERVED_SIGOPS,
};

struct pick {
	const struct mempool_entry **v;  /* parents before children */
	size_t n, cap;
	int64_t weight_wu, fee_sat;      /* real weight, base fees */
	uint64_t sigops_cost;
};

/** Good until the pool changes. */
void pick_make(struct pick *out, const struct mempool *m,
	       const struct pick_options *opt);
void pick_clear(struct pick *p);

#endif
