/*
 * A transaction given in hex, by somebody who may mean either serialisation.
 */
#ifndef CLOISTER_RPC_RAW_TX_H
#define CLOISTER_RPC_RAW_TX_H

#include "consensus/tx.h"

struct raw_tx {
	struct tx tx;
	struct bytes raw;        /* what tx borrows from */
	struct arena arena;
};

/**
 * Decode all of hex as the BIP144 form, or as the plain one, whichever of the
 * allowed ones makes sense of it (well-formed scripts decide where both do).
 */
NODISCARD bool raw_tx_read(struct raw_tx *out, const char *hex,
			   bool try_plain, bool try_witness);
void raw_tx_clear(struct raw_tx *t);

/** No push over 520 bytes, no opcode behind OP_NOP10, well formed. */
bool script_ops_ok(struct span script);

#endif
