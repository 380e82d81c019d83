/*
 * A block with every output that it spends, for tests: as the vectors' .blk
 * and .prev files have it.
 */
#ifndef CLOISTER_TESTS_UNIT_SPENT_BLOCK_H
#define CLOISTER_TESTS_UNIT_SPENT_BLOCK_H

#include "consensus/tx_inputs.h"

struct spent_block {
	struct block *block;
	struct bytes prev;
	struct tx_out *spent;    /* by all but the coinbase, in order */
	struct coin_meta *meta;
	size_t n;
	struct arena arena;
};

/** blocks/FILE.blk and .prev; false if they are absent. */
NODISCARD bool spent_block_load(struct spent_block *s, const char *file);
/** chains/FILE.dat.bz2, a block in its file's frame, and .utxostore.bz2, the
 * coins in no order and compressed. */
NODISCARD bool spent_block_load_packed(struct spent_block *s,
				       const char *file);
void spent_block_clear(struct spent_block *s);

/** Fail the test unless read -> write gives the same bytes and sizes. */
void check_block_bytes(const struct block *b);
/** How many inputs of tx may spend these outputs. */
unsigned count_good_inputs(const struct tx *tx, const struct tx_out *spent,
			   uint32_t flags);
/** The same of the whole block. */
unsigned spent_block_good_inputs(const struct spent_block *s, uint32_t flags);

#endif
