/*
 * Undo data: for each transaction but the coinbase, the coins it spent, in
 * input order, in the reference node's serialisation (compressed coins).
 */
#ifndef CLOISTER_CHAINSTATE_UNDO_H
#define CLOISTER_CHAINSTATE_UNDO_H

#include "chainstate/coins.h"

struct tx_undo {
	uint32_t count;
	struct coin *coins;
};

struct block_undo {
	uint32_t count;          /* transactions without the coinbase */
	struct tx_undo *txs;
};

void block_undo_write(struct bytes *b, const struct block_undo *u);
/** Arrays and scripts live in the arena. */
NODISCARD bool block_undo_read(struct block_undo *out, struct reader *r,
			       struct arena *a);

/* The parts, used by the coins database and snapshots too. */
void varint_write(struct bytes *b, uint64_t v);    /* base-128, Core VARINT */
uint64_t varint_read(struct reader *r);
uint64_t amount_compress(uint64_t sat);
uint64_t amount_decompress(uint64_t x);
/** Core ScriptCompression: P2PKH, P2SH and P2PK shortened. */
void script_compress(struct bytes *b, struct span script);
/** The decompressed script, in the arena; r->failed on bad data. */
struct span script_decompress(struct reader *r, struct arena *a);

#endif
