/*
 * The best order in which to mine a cluster: optimal, whatever its shape.
 * Pure; any thread.
 */
#ifndef CLOISTER_MEMPOOL_LINEARIZE_H
#define CLOISTER_MEMPOOL_LINEARIZE_H

#include "mempool/feerate.h"

#define LINEARIZE_MAX 64

/* Transactions and what they spend of each other, as sets of bits. */
struct depgraph {
	unsigned n;
	struct feerate rate[LINEARIZE_MAX];
	uint64_t ancestors[LINEARIZE_MAX];       /* each with itself */
};

/* An order, cut into chunks of falling feerate. */
struct linearization {
	unsigned n, chunk_count;
	uint8_t order[LINEARIZE_MAX];
	uint8_t chunk_end[LINEARIZE_MAX];        /* past its last place */
	struct feerate chunk_rate[LINEARIZE_MAX];
};

/**
 * No order has a better diagram anywhere.  Chunks are as small as they can
 * be: none falls into parts of the same feerate.
 */
void linearize(struct linearization *out, const struct depgraph *g);

/** ancestors[] (each with itself) from parents[]: parents may be any subset
 * of the ancestors that holds all direct ones, in any order of slots. */
void depgraph_close(uint64_t *ancestors, const uint64_t *parents, unsigned n);

static inline unsigned bit_first(uint64_t set)
{
	return (unsigned)__builtin_ctzll(set);
}

static inline unsigned bit_count(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

static inline uint64_t bits_below(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

#endif
