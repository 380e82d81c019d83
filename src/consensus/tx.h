/*
 * A transaction: decoded once, immutable afterwards.  Spans point into the
 * raw serialisation, arrays into the arena given to tx_read.
 */
#ifndef CLOISTER_CONSENSUS_TX_H
#define CLOISTER_CONSENSUS_TX_H

#include "base/amount.h"
#include "base/arena.h"
#include "base/reader.h"
#include "base/writer.h"
#include "consensus/ids.h"

#define TX_SEQUENCE_FINAL 0xffffffffu

/* Below it a lock time is a height, from it on a time. */
#define LOCKTIME_THRESHOLD 500000000u

/* BIP68: what a sequence number says of a relative lock time. */
#define SEQUENCE_DISABLE (1u << 31)
#define SEQUENCE_IS_TIME (1u << 22)
#define SEQUENCE_MASK 0xffffu
#define SEQUENCE_TIME_SHIFT 9            /* units of 512 seconds */

#define WITNESS_SCALE 4
#define MAX_BLOCK_WEIGHT_WU 4000000

struct tx_in {
	struct outpoint prevout;
	uint32_t sequence;
	uint32_t witness_count;
	struct span script_sig;
	const struct span *witness;
};

struct tx_out {
	int64_t value_sat;
	struct span script_pubkey;
};

struct tx {
	uint32_t version;
	uint32_t lock_time;
	uint32_t in_count, out_count;
	struct tx_in *in;
	struct tx_out *out;
	bool has_witness;        /* the serialisation had the BIP144 form */
	struct span raw;         /* the whole serialisation */
	uint32_t stripped_bytes; /* size without witness */
	struct txid txid;
	struct wtxid wtxid;
};

/**
 * Decode one transaction (BIP144 form or plain), computing both ids.
 *
 * out      filled; spans borrow from r's buffer, arrays from a
 * return   false on any malformed byte; r->failed is then set
 *
 * Superfluous witness records and unknown flags are refused as Core does.
 * allow_witness=false reads the plain form only (a zero input count then means
 * no inputs).  Pure.
 */
NODISCARD bool tx_read(struct tx *out, struct reader *r, struct arena *a,
		       bool allow_witness);
void tx_write(struct bytes *b, const struct tx *tx, bool with_witness);
size_t tx_size(const struct tx *tx, bool with_witness);
/** BIP141: 3 * stripped + total. */
uint64_t tx_weight(const struct tx *tx);
/** Compute both ids and sizes of a transaction built by hand (no raw). */
void tx_finish(struct tx *tx);

bool outpoint_is_null(const struct outpoint *o);
bool tx_is_coinbase(const struct tx *tx);

#endif
