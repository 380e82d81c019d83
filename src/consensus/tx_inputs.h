/*
 * Transaction rules that need the spent coins.  Pure; any thread.
 */
#ifndef CLOISTER_CONSENSUS_TX_INPUTS_H
#define CLOISTER_CONSENSUS_TX_INPUTS_H

#include "consensus/params.h"
#include "consensus/verdict.h"

#define COINBASE_MATURITY 100
#define MAX_BLOCK_SIGOPS_COST 80000

/* What is known of a spent output besides value and script. */
struct coin_meta {
	int height;
	bool coinbase;
};

/** Core CheckTxInputs: maturity, values, fee.  spent/meta: one per input. */
enum verdict tx_check_inputs(int64_t *fee_sat, const struct tx *tx,
			     const struct tx_out *spent,
			     const struct coin_meta *meta, int spend_height);

/** BIP141 sigop cost with P2SH and witness counted under flags. */
uint64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent,
		       uint32_t flags);
unsigned tx_legacy_sigops(const struct tx *tx);

/** MTP of the block before `height` on the branch at hand. */
typedef int64_t mtp_fn(int height, void *arg);

/**
 * BIP68: may tx be in a block at `height` whose parent's MTP is
 * prev_mtp?  Core SequenceLocks.  Call it only where BIP68 is active.
 */
bool tx_sequence_locks_ok(const struct tx *tx, const struct coin_meta *meta,
			  int height, int64_t prev_mtp, mtp_fn *mtp,
			  void *arg);

#endif
