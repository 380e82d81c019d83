/*
 * What a transaction should pay to be mined within so many blocks: learnt
 * from those that were.  The reference node's method.  Chain thread.
 */
#ifndef CLOISTER_MEMPOOL_FEE_ESTIMATOR_H
#define CLOISTER_MEMPOOL_FEE_ESTIMATOR_H

#include "base/err.h"
#include "mempool/mempool.h"

struct fee_estimator;

struct fee_estimator *fee_estimator_new(void);
void fee_estimator_free(struct fee_estimator *f);  /* NULL is fine */

/** It came.  Only what stands alone (no parents in the pool) and came to a
 * node that follows the tip says what its own fee bought. */
void fee_estimator_added(struct fee_estimator *f,
			 const struct mempool_entry *e, bool following);
/** It left, mined ones too: those are held until the block's turn. */
void fee_estimator_removed(struct fee_estimator *f,
			   const struct mempool_entry *e, bool mined);
/** A block was connected, after what it took from the pool was told. */
void fee_estimator_block(struct fee_estimator *f, int height);

/** The longest target that can be asked for, in blocks. */
unsigned fee_estimator_reach(const struct fee_estimator *f);
/**
 * Sat per kvB; 0: not enough is known.
 *
 * target          1 to fee_estimator_reach()
 * conservative    slower to believe in falling fees
 * out_target      the target that the answer is for
 */
int64_t fee_estimate(const struct fee_estimator *f, unsigned target,
		     bool conservative, unsigned *out_target);
/**
 * From what waits now, not from what was mined: the feerate of the chunk at
 * the depth of target blocks; 0 where the pool is not as deep.
 */
int64_t fee_of_mempool(const struct mempool *m, unsigned target);

/** What was learnt; not what waits. */
void fee_estimator_write(struct bytes *out, const struct fee_estimator *f);
/** ERR_INPUT: the bytes are no such thing; f is then as new. */
NODISCARD enum err fee_estimator_read(struct fee_estimator *f,
				      struct span file, struct why *why);

#endif
