/*
 * A chain that stands on a snapshot of the coins, while its history is
 * validated in the background, from the first block up to the snapshot's, on
 * coins of their own.  Chain thread.
 */
#ifndef CLOISTER_VALIDATION_BACKGROUND_H
#define CLOISTER_VALIDATION_BACKGROUND_H

#include "validation/chain.h"

/* ---- loading ---- */

struct snapshot_load;
/**
 * Check the file's head against the parameters, and the chain.  ERR_INPUT
 * with the reference node's words where it is refused.
 */
NODISCARD enum err snapshot_load_begin(struct snapshot_load **out,
				       struct chain *c, const char *path,
				       struct why *why);
/** Some milliseconds; at the end of the last one the chain stands on it. */
NODISCARD enum err snapshot_load_step(struct snapshot_load *l, bool *more,
				      struct why *why);
uint64_t snapshot_load_coins(const struct snapshot_load *l);
const struct header_node *snapshot_load_base(const struct snapshot_load *l);
/** Also after the chain was closed.  NULL is fine. */
void snapshot_load_free(struct snapshot_load *l);

/* ---- what there is ---- */

/** The block of the snapshot that the chain stands on, while its history is
 * not validated; or NULL. */
const struct header_node *chain_snapshot_base(const struct chain *c);
/** The background's tip; NULL: no history is being validated. */
const struct header_node *chain_background_tip(const struct chain *c);
/** 0 … 1 of the way to the snapshot. */
double chain_background_progress(const struct chain *c);
size_t chain_coins_cache_bytes(const struct chain *c, bool background);

/** Make what was validated of history durable. */
NODISCARD enum err background_flush(struct chain *c, struct why *why);
/** A block more of history, if it is here.  *more: call again. */
NODISCARD enum err background_step(struct chain *c, bool *more,
				   struct why *why);

#endif
