/*
 * Inside: the state on disk, and the second chain.
 */
#ifndef CLOISTER_VALIDATION_BACKGROUND_PRIV_H
#define CLOISTER_VALIDATION_BACKGROUND_PRIV_H

#include "chainstate/coin_walk.h"
#include "validation/background.h"
#include "validation/chain_priv.h"

enum snapshot_status {
	SNAPSHOT_NONE,
	SNAPSHOT_UNPROVEN,       /* history is being validated */
	SNAPSHOT_PROVEN,
};

/* chainstate/snapshot.base: one line. */
struct snapshot_base {
	enum snapshot_status status;
	struct block_hash hash;
	uint8_t coins_hash[32];
	uint64_t chain_txs;
};

NODISCARD enum err snapshot_base_read(struct snapshot_base *out,
				      const char *chain_dir,
				      struct why *why);
NODISCARD enum err snapshot_base_write(const struct snapshot_base *s,
				       const char *chain_dir,
				       struct why *why);
NODISCARD enum err snapshot_base_remove(const char *chain_dir,
					struct why *why);

/** Coins that no snapshot.base speaks of. */
NODISCARD enum err snapshot_coins_remove(const char *chain_dir,
					 struct why *why);

/* The chain from the first block to the snapshot's, on its own coins.  It
 * borrows the tree from the real one for the time of each step. */
struct background {
	struct chain chain;
	struct header_node *base;
	struct coin_walk *walk;          /* at the end: are they the same? */
	struct utxo_tally *tally;
	int64_t log_ms;
};

/** Where the coins of the chain, or of the background, are: new string. */
char *coins_dir(const struct chain *c, bool snapshot);
NODISCARD enum err coins_open_in(struct coins **out, const struct chain *c,
				 bool snapshot, unsigned share, bool wipe,
				 struct why *why);
/** A background whose coins are `coins` (taken in any case). */
NODISCARD enum err background_new(struct chain *c, TAKES struct coins *coins,
				  struct header_node *base, struct why *why);
void background_free(struct background *b);
/** The chain goes. */
void snapshot_load_detach(struct snapshot_load *l);
/** The base counts as a block that is there. */
void snapshot_settle_base(struct chain *c);

#endif
