/*
 * Making blocks: for regtest (generate…) and tests.
 */
#ifndef CLOISTER_VALIDATION_MINER_H
#define CLOISTER_VALIDATION_MINER_H

#include "validation/chain.h"

/* What to build.  Zero means: choose. */
struct miner_job {
	const struct header_node *parent;   /* NULL: the tip */
	struct span script;                 /* of the coinbase's output */
	const struct tx *txs;               /* in order, not checked here */
	size_t tx_count;
	uint32_t time;                      /* 0: now, after the median */
	uint32_t version;                   /* 0: 0x20000000 */
	uint32_t extra_nonce;               /* makes equal blocks differ */
	int64_t fees_sat;                   /* what txs pay together */
};

/**
 * Assemble the block after job->parent: coinbase (height, subsidy and fees,
 * witness commitment), the transactions, proof of work ground.
 *
 * out      one reference
 * return   ERR_LIMIT when no nonce of the chosen time will do
 */
NODISCARD enum err miner_build(struct chain *c, struct block **out,
			       const struct miner_job *job, struct why *why);

/**
 * The same on the tip with the fees looked up: inputs come from the tip's
 * coins or from earlier ones of txs; ERR_INPUT where they do not.
 */
NODISCARD enum err miner_make_block(struct chain *c, struct block **out,
				    struct span script,
				    const struct tx *txs, size_t n,
				    struct why *why);

/** Grind h's nonce until its hash is below its target; false: none is. */
NODISCARD bool miner_grind(const struct chain_params *p,
			   struct block_header *h);
/** Header (its merkle root filled in here, nonce ground) and transactions
 * as a block; NULL if no nonce does. */
struct block *miner_seal(const struct chain_params *p,
			 struct block_header *h, const struct tx *txs,
			 size_t n);

#endif
