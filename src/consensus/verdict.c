/*
 * Reject reasons, in the reference node's words, and the class of each.
 */
#include "config.h"

#include "consensus/verdict.h"

#include <stdio.h>

struct verdict_info {
	enum verdict_class class;
	const char *reason;
};

#define CONSENSUS VERDICT_CLASS_CONSENSUS
#define MUTATED VERDICT_CLASS_MUTATED
#define HEADER VERDICT_CLASS_HEADER

static const struct verdict_info verdicts[VERDICT_COUNT] = {
	[VERDICT_OK] = { VERDICT_CLASS_OK, "" },

	[VERDICT_HIGH_HASH] = { HEADER, "high-hash" },
	[VERDICT_BAD_DIFFBITS] = { HEADER, "bad-diffbits" },
	[VERDICT_TIME_TOO_OLD] = { HEADER, "time-too-old" },
	[VERDICT_TIME_TIMEWARP] = { HEADER, "time-timewarp-attack" },
	[VERDICT_TIME_TOO_NEW] = { VERDICT_CLASS_FUTURE, "time-too-new" },
	[VERDICT_BAD_VERSION] = { HEADER, "bad-version" },
	[VERDICT_PREV_NOT_FOUND] = { VERDICT_CLASS_MISSING_PREV,
				     "prev-blk-not-found" },
	[VERDICT_BAD_PREV] = { VERDICT_CLASS_INVALID_PREV, "bad-prevblk" },
	[VERDICT_DUPLICATE_INVALID] = { CONSENSUS, "duplicate-invalid" },
	[VERDICT_TOO_LITTLE_CHAINWORK] = { VERDICT_CLASS_LOW_WORK,
					   "too-little-chainwork" },

	[VERDICT_MALFORMED] = { MUTATED, "malformed" },
	[VERDICT_BAD_MERKLE_ROOT] = { MUTATED, "bad-txnmrklroot" },
	[VERDICT_BAD_TXNS_DUPLICATE] = { MUTATED, "bad-txns-duplicate" },
	[VERDICT_BAD_BLOCK_LENGTH] = { CONSENSUS, "bad-blk-length" },
	[VERDICT_COINBASE_MISSING] = { CONSENSUS, "bad-cb-missing" },
	[VERDICT_COINBASE_MULTIPLE] = { CONSENSUS, "bad-cb-multiple" },
	[VERDICT_BAD_BLOCK_SIGOPS] = { CONSENSUS, "bad-blk-sigops" },
	[VERDICT_BAD_SIGNET_SOLUTION] = { CONSENSUS, "bad-signet-blksig" },

	[VERDICT_TXNS_NONFINAL] = { CONSENSUS, "bad-txns-nonfinal" },
	[VERDICT_BAD_COINBASE_HEIGHT] = { CONSENSUS, "bad-cb-height" },
	[VERDICT_BAD_WITNESS_NONCE_SIZE] = { MUTATED,
					     "bad-witness-nonce-size" },
	[VERDICT_BAD_WITNESS_MERKLE_MATCH] = { MUTATED,
					       "bad-witness-merkle-match" },
	[VERDICT_UNEXPECTED_WITNESS] = { MUTATED, "unexpected-witness" },
	[VERDICT_BAD_BLOCK_WEIGHT] = { CONSENSUS, "bad-blk-weight" },
	[VERDICT_BIP30] = { CONSENSUS, "bad-txns-BIP30" },
	[VERDICT_BAD_COINBASE_AMOUNT] = { CONSENSUS, "bad-cb-amount" },

	[VERDICT_VIN_EMPTY] = { CONSENSUS, "bad-txns-vin-empty" },
	[VERDICT_VOUT_EMPTY] = { CONSENSUS, "bad-txns-vout-empty" },
	[VERDICT_TX_OVERSIZE] = { CONSENSUS, "bad-txns-oversize" },
	[VERDICT_VOUT_NEGATIVE] = { CONSENSUS, "bad-txns-vout-negative" },
	[VERDICT_VOUT_TOOLARGE] = { CONSENSUS, "bad-txns-vout-toolarge" },
	[VERDICT_TXOUT_TOTAL_TOOLARGE] = { CONSENSUS,
					   "bad-txns-txouttotal-toolarge" },
	[VERDICT_INPUTS_DUPLICATE] = { CONSENSUS,
				       "bad-txns-inputs-duplicate" },
	[VERDICT_COINBASE_LENGTH] = { CONSENSUS, "bad-cb-length" },
	[VERDICT_PREVOUT_NULL] = { CONSENSUS, "bad-txns-prevout-null" },

	[VERDICT_INPUTS_MISSING] = { CONSENSUS,
				     "bad-txns-inputs-missingorspent" },
	[VERDICT_PREMATURE_COINBASE] = {
		CONSENSUS, "bad-txns-premature-spend-of-coinbase" },
	[VERDICT_INPUT_VALUES] = { CONSENSUS,
				   "bad-txns-inputvalues-outofrange" },
	[VERDICT_IN_BELOW_OUT] = { CONSENSUS, "bad-txns-in-belowout" },
	[VERDICT_FEE_OUT_OF_RANGE] = { CONSENSUS, "bad-txns-fee-outofrange" },
	[VERDICT_ACCUMULATED_FEE] = {
		CONSENSUS, "bad-txns-accumulated-fee-outofrange" },
	[VERDICT_SCRIPT] = { CONSENSUS, "block-script-verify-flag-failed" },
};

static const struct verdict_info *info(enum verdict v)
{
	CHECK((unsigned)v < VERDICT_COUNT && verdicts[v].reason);
	return &verdicts[v];
}

enum verdict_class verdict_class(enum verdict v)
{
	return info(v)->class;
}

const char *verdict_reason(enum verdict v)
{
	return info(v)->reason;
}

void finding_text(char out[static 160], const struct finding *f,
		  bool in_block)
{
	if (f->verdict == VERDICT_SCRIPT)
		snprintf(out, 160, "%s-script-verify-flag-failed (%s)",
			 in_block ? "block" : "mempool",
			 script_error_text(f->script));
	else if (f->verdict == VERDICT_BAD_VERSION)
		snprintf(out, 160, "bad-version(0x%08x)",
			 (unsigned)f->version);
	else
		snprintf(out, 160, "%s", verdict_reason(f->verdict));
}
