/*
 * How long transactions of each feerate waited for a block, over one
 * horizon: sums that fade.  Pure; the chain thread's.
 */
#ifndef CLOISTER_MEMPOOL_FEE_STATS_H
#define CLOISTER_MEMPOOL_FEE_STATS_H

#include "base/reader.h"
#include "base/writer.h"

/* Buckets of feerates, each 5 % above the one before: from 0.1 sat/vB to
 * 10,000 sat/vB, and one without an upper end. */
#define FEE_BUCKETS_MAX 256

struct fee_buckets {
	double upper[FEE_BUCKETS_MAX];   /* sat per kvB; the last: infinite */
	unsigned n;
};

void fee_buckets_init(struct fee_buckets *b);
unsigned fee_bucket_of(const struct fee_buckets *b, double rate_sat_kvb);

struct fee_stats;

/**
 * periods of scale blocks each are told apart; what was seen loses a part
 * 1 - decay of its weight with each block.
 */
struct fee_stats *fee_stats_new(unsigned buckets, unsigned periods,
				unsigned scale, double decay);
void fee_stats_free(struct fee_stats *s);          /* NULL is fine */
/** The longest wait it can tell of, in blocks. */
unsigned fee_stats_reach(const struct fee_stats *s);

/** A block came: let the past fade.  Before what it mined is told. */
void fee_stats_new_block(struct fee_stats *s, int height);
/** A transaction of this bucket came at this height. */
void fee_stats_added(struct fee_stats *s, int height, unsigned bucket);
/** … was mined, or left for another reason, best blocks being known. */
void fee_stats_removed(struct fee_stats *s, int came, int best,
		       unsigned bucket, bool mined);
/** … was mined after so many blocks (1 is the next). */
void fee_stats_mined(struct fee_stats *s, unsigned blocks, unsigned bucket,
		     double rate_sat_kvb);

/**
 * The lowest feerate of which at least `success` of the transactions were
 * mined within target blocks.
 *
 * target    1 to fee_stats_reach()
 * enough    transactions a block that a range of buckets must have seen
 * best      the tip's height: those still waiting count as failures
 * return    the median feerate of the range, sat per kvB; -1: not known
 */
double fee_stats_estimate(const struct fee_stats *s, unsigned target,
			  double enough, double success, int best);

void fee_stats_write(struct bytes *out, const struct fee_stats *s);
/** False: r is not what was written for these sizes; s is then as new. */
NODISCARD bool fee_stats_read(struct fee_stats *s, struct reader *r);

#endif
