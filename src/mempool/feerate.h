/*
 * Fees and sizes as fractions, compared exactly; and rates per thousand
 * virtual bytes, as options and RPC give them.  Pure.
 */
#ifndef CLOISTER_MEMPOOL_FEERATE_H
#define CLOISTER_MEMPOOL_FEERATE_H

#include "base/base.h"

/* A set of transactions: what it pays, and its weight (with sigops). */
struct feerate {
	int64_t fee_sat;         /* may be negative (prioritisetransaction) */
	int64_t weight_wu;       /* > 0, except in an empty sum */
};

/** < 0, 0, > 0: a pays less, the same, more per weight than b. */
int feerate_cmp(struct feerate a, struct feerate b);

static inline struct feerate feerate_add(struct feerate a, struct feerate b)
{
	return (struct feerate){ a.fee_sat + b.fee_sat,
				 a.weight_wu + b.weight_wu };
}

static inline int64_t vsize_of_weight(int64_t weight_wu)
{
	return (weight_wu + 3) / 4;
}

/** What vsize bytes cost at the rate, rounded up. */
int64_t fee_at_rate(int64_t rate_sat_kvb, int64_t vsize);
/** The rate of a fee, rounded down; 0 for no bytes. */
int64_t rate_of_fee(int64_t fee_sat, int64_t vsize);

/*
 * Feerate diagrams: the pool's best use of each size, as corner points from
 * chunks sorted from the best to the worst.
 *
 * return   -2 neither covers the other, -1 a is worse, 0 equal, 1 better
 */
int diagram_cmp(const struct feerate *a, size_t a_n,
		const struct feerate *b, size_t b_n);

#endif
