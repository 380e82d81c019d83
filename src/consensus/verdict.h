/*
 * Verdicts: what rule a header, block or transaction breaks.  0 is fine.  The
 * table in verdict.c gives the reference node's reject string and how the
 * failure is to be treated.
 */
#ifndef CLOISTER_CONSENSUS_VERDICT_H
#define CLOISTER_CONSENSUS_VERDICT_H

#include "base/base.h"
#include "consensus/script_error.h"

enum verdict {
	VERDICT_OK = 0,

	/* headers: Core CheckBlockHeader, ContextualCheckBlockHeader */
	VERDICT_HIGH_HASH,               /* too little work for its bits */
	VERDICT_BAD_DIFFBITS,            /* not the bits due here */
	VERDICT_TIME_TOO_OLD,            /* not after the median of eleven */
	VERDICT_TIME_TIMEWARP,           /* BIP94 */
	VERDICT_TIME_TOO_NEW,            /* two hours ahead */
	VERDICT_BAD_VERSION,             /* BIP34, BIP66, BIP65 */
	/* Core AcceptBlockHeader */
	VERDICT_PREV_NOT_FOUND,
	VERDICT_BAD_PREV,                /* on an invalid block */
	VERDICT_DUPLICATE_INVALID,       /* known to be invalid */
	VERDICT_TOO_LITTLE_CHAINWORK,

	/* blocks, no context: Core CheckBlock */
	VERDICT_MALFORMED,               /* does not decode */
	VERDICT_BAD_MERKLE_ROOT,
	VERDICT_BAD_TXNS_DUPLICATE,      /* CVE-2012-2459 */
	VERDICT_BAD_BLOCK_LENGTH,        /* 1,000,000 bytes without witness */
	VERDICT_COINBASE_MISSING,
	VERDICT_COINBASE_MULTIPLE,
	VERDICT_BAD_BLOCK_SIGOPS,        /* BIP141's limit, everywhere */
	VERDICT_BAD_SIGNET_SOLUTION,     /* BIP325 */

	/* blocks, in their place: Core ContextualCheckBlock */
	VERDICT_TXNS_NONFINAL,           /* BIP113's clock */
	VERDICT_BAD_COINBASE_HEIGHT,     /* BIP34 */
	VERDICT_BAD_WITNESS_NONCE_SIZE,  /* BIP141 */
	VERDICT_BAD_WITNESS_MERKLE_MATCH, /* BIP141 */
	VERDICT_UNEXPECTED_WITNESS,      /* BIP141 */
	VERDICT_BAD_BLOCK_WEIGHT,        /* BIP141 */
	/* Core ConnectBlock; validation applies them */
	VERDICT_BIP30,
	VERDICT_BAD_COINBASE_AMOUNT,

	/* transactions, no context: Core CheckTransaction */
	VERDICT_VIN_EMPTY,
	VERDICT_VOUT_EMPTY,
	VERDICT_TX_OVERSIZE,
	VERDICT_VOUT_NEGATIVE,
	VERDICT_VOUT_TOOLARGE,
	VERDICT_TXOUT_TOTAL_TOOLARGE,    /* CVE-2010-5139 */
	VERDICT_INPUTS_DUPLICATE,        /* CVE-2018-17144 */
	VERDICT_COINBASE_LENGTH,
	VERDICT_PREVOUT_NULL,

	/* transactions and their inputs: Core CheckTxInputs, ConnectBlock */
	VERDICT_INPUTS_MISSING,
	VERDICT_PREMATURE_COINBASE,
	VERDICT_INPUT_VALUES,
	VERDICT_IN_BELOW_OUT,
	VERDICT_FEE_OUT_OF_RANGE,
	VERDICT_ACCUMULATED_FEE,
	VERDICT_SCRIPT,                  /* see enum script_error */
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
