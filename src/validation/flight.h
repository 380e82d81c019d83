/*
 * A block in flight: its coins have moved, with a journal that can take them
 * back; its scripts are being checked.
 */
#ifndef CLOISTER_VALIDATION_FLIGHT_H
#define CLOISTER_VALIDATION_FLIGHT_H

#include "consensus/tx_inputs.h"
#include "validation/chain_priv.h"
#include "validation/script_checks.h"

struct flight {
	struct chain *chain;
	struct header_node *node;
	struct block *block;             /* one reference */
	struct arena arena;
	struct block_undo undo;          /* the journal: coins spent so far */
	uint32_t txs_done;               /* transactions wholly applied */
	uint32_t outs_done;              /* outputs of the one after those */
	struct tx_out *spent;            /* of all inputs, in block order */
	struct coin_meta *meta;
	size_t spent_count;
	struct script_checks checks;
	uint32_t flags;
	bool check_scripts, begun;
	size_t bytes;
};

void flight_free(struct flight *fl);
/** An output that goes into the coins: not provably unspendable. */
bool output_is_coin(const struct tx_out *out);
/** Height whose coinbase this block's coinbase repeats (BIP30), or -1. */
int bip30_repeats_height(const struct header_node *n);
/** Must the block's outputs be new to the coins (BIP30)? */
bool bip30_applies(const struct chain_params *p, const struct header_node *n);
/** Scripts of n need not be checked: an ancestor of the assumed valid. */
bool scripts_assumed_valid(const struct chain *c,
			   const struct header_node *n);

/** Move the coins.  On a verdict or trouble, what was done stays done. */
NODISCARD enum err flight_apply(struct flight *fl, struct finding *f,
				struct why *why);
/** Take back what flight_apply did, as far as it came. */
NODISCARD enum err flight_revert(struct flight *fl, struct why *why);

/** Is it the undo data of that block?  ERR_CORRUPT. */
NODISCARD enum err undo_check_shape(const struct header_node *n,
				    const struct block *b,
				    const struct block_undo *u,
				    struct why *why);
/** Take a connected block's coins back; ERR_CORRUPT where they are not what
 * it left. */
NODISCARD enum err revert_block(struct chain *c, const struct header_node *n,
				const struct block *b,
				const struct block_undo *u, struct why *why);

/**
 * Take back one transaction: its first `outs` outputs, then its inputs.
 * strict: outputs that are not there are ERR_CORRUPT.
 */
struct tx_revert {
	struct coins *coins;
	const struct header_node *node;
	const struct tx *tx;
	const struct tx_undo *undo;      /* NULL for the coinbase */
	uint32_t outs;
	bool strict;
};
NODISCARD enum err tx_revert(const struct tx_revert *r, struct arena *scratch,
			     struct why *why);

#endif
