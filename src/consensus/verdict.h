/*
 * Verdicts: what rule a header, block or transaction breaks.  0 is fine.  One
 * table gives the reference node's reject string and how the failure is to be
 * treated.
 */
#ifndef CLOISTER_CONSENSUS_VERDICT_H
#define CLOISTER_CONSENSUS_VERDICT_H

#include "base/base.h"
#include "consensus/script_error.h"

enum verdict {
	VERDICT_OK = 0,

	/* headers */
	VERDICT_HIGH_HASH,
	VERDICT_BAD_DIFFBITS,
	VERDICT_TIME_TOO_OLD,
	VERDICT_TIME_TIMEWARP,           /* BIP94: time-timewarp-attack */
	VERDICT_TIME_TOO_NEW,
	VERDICT_BAD_VERSION,             /* bad-version(0x%08x) */
	VERDICT_PREV_NOT_FOUND,          /* prev-blk-not-found */
	VERDICT_BAD_PREV,                /* bad-prevblk */
	VERDICT_DUPLICATE_INVALID,       /* duplicate-invalid */
	VERDICT_TOO_LITTLE_CHAINWORK,    /* too-little-chainwork */

	/* blocks, no context */
	VERDICT_MALFORMED,               /* does not decode */
	VERDICT_BAD_MERKLE_ROOT,         /* bad-txnmrklroot */
	VERDICT_BAD_TXNS_DUPLICATE,      /* CVE-2012-2459 */
	VERDICT_BAD_BLOCK_LENGTH,        /* bad-blk-length */
	VERDICT_COINBASE_MISSING,        /* bad-cb-missing */
	VERDICT_COINBASE_MULTIPLE,       /* bad-cb-multiple */
	VERDICT_BAD_BLOCK_SIGOPS,        /* bad-blk-sigops */
	VERDICT_BAD_SIGNET_SOLUTION,     /* bad-signet-blksig */

	/* blocks, in their place */
	VERDICT_TXNS_NONFINAL,           /* bad-txns-nonfinal */
	VERDICT_BAD_COINBASE_HEIGHT,     /* bad-cb-height */
	VERDICT_BAD_WITNESS_NONCE_SIZE,
	VERDICT_BAD_WITNESS_MERKLE_MATCH,
	VERDICT_UNEXPECTED_WITNESS,
	VERDICT_BAD_BLOCK_WEIGHT,        /* bad-blk-weight */
	VERDICT_BIP30,                   /* bad-txns-BIP30 */
	VERDICT_BAD_COINBASE_AMOUNT,     /* bad-cb-amount */

	/* transactions, no context */
	VERDICT_VIN_EMPTY,               /* bad-txns-vin-empty */
	VERDICT_VOUT_EMPTY,
	VERDICT_TX_OVERSIZE,             /* bad-txns-oversize */
	VERDICT_VOUT_NEGATIVE,
	VERDICT_VOUT_TOOLARGE,
	VERDICT_TXOUT_TOTAL_TOOLARGE,    /* bad-txns-txouttotal-toolarge */
	VERDICT_INPUTS_DUPLICATE,        /* CVE-2018-17144 */
	VERDICT_COINBASE_LENGTH,         /* bad-cb-length */
	VERDICT_PREVOUT_NULL,            /* bad-txns-prevout-null */

	/* transactions and their inputs */
	VERDICT_INPUTS_MISSING,          /* bad-txns-inputs-missingorspent */
	VERDICT_PREMATURE_COINBASE,      /* …premature-spend-of-coinbase */
	VERDICT_INPUT_VALUES,            /* bad-txns-inputvalues-outofrange */
	VERDICT_IN_BELOW_OUT,            /* bad-txns-in-belowout */
	VERDICT_FEE_OUT_OF_RANGE,        /* bad-txns-fee-outofrange */
	VERDICT_ACCUMULATED_FEE,         /* bad-txns-accumulated-fee-outofrange */
	VERDICT_SCRIPT,                  /* block-script-verify-flag-failed (…) */
	VERDICT_COUNT,
};

/* How a failure is to be treated, as the reference node's results do. */
enum verdict_class {
	VERDICT_CLASS_OK,
	VERDICT_CLASS_CONSENSUS,   /* the block is invalid for ever */
	VERDICT_CLASS_MUTATED,     /* this copy is bad; another may be good */
	VERDICT_CLASS_HEADER,      /* the header is invalid */
	VERDICT_CLASS_FUTURE,      /* too new: may be valid later */
	VERDICT_CLASS_MISSING_PREV,
	VERDICT_CLASS_INVALID_PREV,
	VERDICT_CLASS_LOW_WORK,    /* not wrong, not wanted */
};

/* A verdict with what a log line or reject reason adds to it. */
struct finding {
	enum verdict verdict;
	enum script_error script;  /* for VERDICT_SCRIPT */
	int32_t tx;                /* index in the block, -1: none */
	int32_t in;                /* input of that transaction, -1: none */
	uint32_t version;          /* for VERDICT_BAD_VERSION */
};

/** A finding about a header, block or transaction as a whole. */
static inline void finding_set(struct finding *f, enum verdict v)
{
	*f = (struct finding){ .verdict = v, .tx = -1, .in = -1 };
}

enum verdict_class verdict_class(enum verdict v);
/** The bare reject reason: "bad-cb-amount"; "" for VERDICT_OK. */
const char *verdict_reason(enum verdict v);
/**
 * The reject reason with its detail, as submitblock answers it:
 * "bad-version(0x00000001)", "block-script-verify-flag-failed (…)" or, on a
 * transaction of its own, "mempool-script-verify-flag-failed (…)".
 */
void finding_text(char out[static 160], const struct finding *f,
		  bool in_block);

#endif
