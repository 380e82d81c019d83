/*
 * Pruning, as the chain's own files see it.
 */
#ifndef CLOISTER_VALIDATION_PRUNE_H
#define CLOISTER_VALIDATION_PRUNE_H

#include "validation/chain_priv.h"

/* Of -fastprune. */
#define FAST_PRUNE_FILE_BYTES 0x10000u

/** May this data directory be opened so?  Removes what an interrupted
 * pruning left. */
NODISCARD enum err prune_open(struct chain *c, struct why *why);
/** A node from the index: pruning may have been interrupted between the two
 * halves of telling the index of it. */
void prune_settle_node(struct chain *c, struct header_node *n);
/** A new block file was begun, and some old ones can go: flush soon. */
bool prune_is_due(struct chain *c);
/** Go below -prune's target, as far as possible; everything is flushed. */
NODISCARD enum err prune_by_size(struct chain *c, struct why *why);
/** Blocks off the active chain that lack data, or an ancestor's: they wait
 * for it. */
void prune_unlink_branches(struct chain *c);

#endif
