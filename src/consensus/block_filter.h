/*
 * BIP158 basic block filters: which scripts a block creates or spends, as a
 * Golomb-coded set keyed by the block's hash.  Pure; any thread.
 */
#ifndef CLOISTER_CONSENSUS_BLOCK_FILTER_H
#define CLOISTER_CONSENSUS_BLOCK_FILTER_H

#include "consensus/block.h"

/**
 * Append the filter of a block.
 *
 * spent    scripts of the outputs that its inputs spend, in any order
 */
void block_filter_write(struct bytes *out, const struct block *b,
			const struct span *spent, size_t spent_n);
/** BIP157: sha256d(sha256d(filter), previous header). */
void block_filter_header(uint8_t out[static 32], struct span filter,
			 const uint8_t prev[static 32]);
/** sha256d of the filter. */
void block_filter_hash(uint8_t out[static 32], struct span filter);

/**
 * May any of the scripts be in the filter?
 *
 * match    out, valid if the filter is well-formed
 * return   false if the filter is malformed
 */
NODISCARD bool block_filter_match(bool *match, struct span filter,
				  const struct block_hash *hash,
				  const struct span *scripts, size_t n);

#endif
