/*
 * Block and transaction rules that need no coins.  Pure; any thread.
 */
#ifndef CLOISTER_CONSENSUS_BLOCK_CHECK_H
#define CLOISTER_CONSENSUS_BLOCK_CHECK_H

#include "consensus/params.h"
#include "consensus/verdict.h"

/* What a header's rules need to know of the blocks before it. */
struct header_context {
	int height;                      /* of the header being checked */
	uint32_t expected_bits;          /* from next_bits() */
	int64_t median_time_past;        /* of the previous block (BIP113) */
	uint32_t prev_time;              /* of the previous block */
	int64_t now_unix;                /* 0: skip the future limit */
};

/** Walk back: header at `height` on this branch (an ancestor of the tip). */
typedef bool ancestor_fn(struct block_header *out, int height, void *arg);

/**
 * The nBits that the block after `prev` (at prev_height) must have: Core
 * GetNextWorkRequired, with the min-difficulty and BIP94 rules.
 */
uint32_t next_bits(const struct chain_params *p,
		   const struct block_header *prev, int prev_height,
		   uint32_t new_time, ancestor_fn *ancestor, void *arg);
/** May bits follow old_bits at this height, whatever the times were?  Core
 * PermittedDifficultyTransition; for headers not stored yet. */
bool difficulty_step_ok(const struct chain_params *p, int height,
			uint32_t old_bits, uint32_t bits);
/** Hash below target, target within the limit. */
bool pow_ok(const struct chain_params *p, const struct block_hash *hash,
	    uint32_t bits);

/** Core ContextualCheckBlockHeader (the proof of work is pow_ok()). */
void header_check(struct finding *f, const struct chain_params *p,
		  const struct block_header *h,
		  const struct header_context *ctx);

/** Core CheckTransaction. */
enum verdict tx_check(const struct tx *tx);
/** Core IsFinalTx: lock_time against height and time (MTP after BIP113). */
bool tx_is_final(const struct tx *tx, int height, int64_t time_unix);

/**
 * Merkle root of the block's txids; *mutated says a duplicated subtree was
 * seen (CVE-2012-2459).
 */
void block_merkle_root(uint8_t out[static 32], bool *mutated,
		       const struct block *b);
void block_witness_merkle_root(uint8_t out[static 32],
			       const struct block *b);
/** The root of any n leaves (not changed). */
void merkle_root(uint8_t out[static 32], const uint8_t (*leaves)[32],
		 size_t n);

/** Core CheckBlock without proof of work: merkle root, sizes, coinbase
 * shape, every tx_check, legacy sigops, the signet solution. */
void block_check(struct finding *f, const struct chain_params *p,
		 const struct block *b);
/** Core ContextualCheckBlock: finality, BIP34, witness commitment, weight.
 * median_time_past is the previous block's. */
void block_check_context(struct finding *f, const struct chain_params *p,
			 const struct block *b, int height,
			 int64_t median_time_past);
/**
 * Is this copy of the block damaged on the way, though another copy of the
 * same header may be good?  Core IsBlockMutated.
 */
bool block_is_mutated(const struct block *b, bool witness_expected);
/** BIP325. */
bool signet_solution_ok(const struct chain_params *p, const struct block *b);

#endif
