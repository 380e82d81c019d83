/*
 * Making blocks: for regtest (generate…) and tests.
 */
#ifndef CLOISTER_VALIDATION_MINER_H
#define CLOISTER_VALIDATION_MINER_H

#include "validation/chain.h"

/**
 * Assemble the next block on the tip: coinbase to script (height, subsidy and
 * fees of txs, witness commitment), given transactions in order, time after
 * the median, and grind its nonce.
 *
 * txs      decoded, not checked here
 * out      one reference
 */
NODISCARD enum err miner_make_block(struct chain *c, struct block **out,
				    struct span script,
				    const struct tx *txs, size_t n,
				    struct why *why);

#endif
