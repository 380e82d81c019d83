/*
 * Optional indexes over the active chain: transactions, BIP158 filters,
 * statistics of the coins at each height.  They follow the chain a block at
 * a time when there is nothing else to do, can be switched on at any time,
 * and after a crash go on from their last commit.  Chain thread.
 */
#ifndef CLOISTER_VALIDATION_INDEXES_H
#define CLOISTER_VALIDATION_INDEXES_H

#include "validation/chain.h"

enum index_kind {
	INDEX_TX,
	INDEX_FILTER,
	INDEX_STATS,
	INDEX_KINDS,
};

/** As getindexinfo names it. */
const char *index_name(enum index_kind kind);
bool index_enabled(const struct chain *c, enum index_kind kind);

struct index_state {
	bool synced;             /* at the tip */
	int height;              /* -1: nothing yet */
};
struct index_state index_state(const struct chain *c, enum index_kind kind);

/** One block for one of them.  *more: call again. */
NODISCARD enum err indexes_step(struct chain *c, bool *more,
				struct why *why);
/** If an index lacks some few blocks only, have it take them now. */
NODISCARD enum err index_catch_up(struct chain *c, enum index_kind kind,
				  struct why *why);

/** Where a transaction is, and its block: one reference.  n NULL: it is not
 * there. */
NODISCARD enum err index_find_tx(struct chain *c, struct header_node **n,
				 struct block **b, uint32_t *i,
				 const struct txid *id, struct why *why);
/** filter: replaced.  *found false: no filter of that block. */
NODISCARD enum err index_filter(struct chain *c, bool *found,
				struct bytes *filter,
				uint8_t header[static 32],
				const struct header_node *n,
				struct why *why);

/* Sums over all blocks up to one, in satoshi. */
struct coin_sums {
	uint8_t muhash[32];
	uint64_t outputs, bogosize;
	int64_t total;                   /* of the outputs */
	int64_t subsidy;
	int64_t prevouts_spent, new_outputs, coinbase;
	/* Never to be spent, by reason. */
	int64_t genesis, bip30, scripts, unclaimed;
};
int64_t coin_sums_unspendable(const struct coin_sums *s);
/** *found false: nothing is known of that block. */
NODISCARD enum err index_coin_sums(struct chain *c, bool *found,
				   struct coin_sums *out,
				   const struct header_node *n,
				   struct why *why);

#endif
