/*
 * Does this input's script allow the spend?  The door to the interpreter.
 */
#ifndef CLOISTER_CONSENSUS_SCRIPT_VERIFY_H
#define CLOISTER_CONSENSUS_SCRIPT_VERIFY_H

#include "consensus/script_error.h"
#include "consensus/script_flags.h"
#include "consensus/tx.h"

/*
 * Hashes of a transaction that all its signatures share (BIP143, BIP341).
 * Made once per transaction, read-only afterwards: any thread.
 */
struct sighash_cache {
	bool has_bip143, has_bip341;
	uint8_t prevouts_sha[32], sequences_sha[32], outputs_sha[32];
	uint8_t amounts_sha[32], scripts_sha[32];
	uint8_t prevouts_d[32], sequences_d[32], outputs_d[32];
};

/**
 * spent    one output per input of tx, in order (in_count of them)
 *
 * Computes only what the spent outputs' types can need.
 */
void sighash_cache_init(struct sighash_cache *c, const struct tx *tx,
			const struct tx_out *spent);
/** The same for a transaction that is yet to be signed: what is asked for. */
void sighash_cache_fill(struct sighash_cache *c, const struct tx *tx,
			const struct tx_out *spent, bool bip143, bool bip341);

/**
 * Verify input `in` of tx.
 *
 * spent    outputs spent by all inputs, in order
 * flags    SCRIPT_VERIFY_… bits
 * cache    of this transaction and these outputs
 * err      out: SCRIPT_OK, or the first error
 * return   true if the spend is allowed
 *
 * Pure; any thread; no allocation outlives the call.
 */
NODISCARD bool script_verify(const struct tx *tx, uint32_t in,
			     const struct tx_out *spent, uint32_t flags,
			     const struct sighash_cache *cache,
			     enum script_error *err);

#endif
