/*
 * -reindex, as opening and import see it.
 */
#ifndef CLOISTER_VALIDATION_REINDEX_H
#define CLOISTER_VALIDATION_REINDEX_H

#include "validation/chain_priv.h"

/** Is a rebuild wanted or under way?  Then c->rebuilding; *wipe: coins, then
 * index must be emptied first. */
NODISCARD enum err reindex_begin(struct chain *c, bool *wipe,
				 struct why *why);
/** They are empty. */
NODISCARD enum err reindex_wiped(struct chain *c, struct why *why);
/** The first block is there. */
void reindex_found_genesis(struct chain *c, struct disk_pos pos);
/** All block files were read. */
NODISCARD enum err reindex_end(struct chain *c, struct why *why);

#endif
