/*
 * A stored block whose bytes are not what was stored is taken for not there,
 * without telling the index: it is asked of peers again, and written over
 * the damage.  Until then all else goes on.
 */
#ifndef CLOISTER_VALIDATION_REPAIR_H
#define CLOISTER_VALIDATION_REPAIR_H

#include "validation/chain_priv.h"

/** n's copy is damaged (why says how).  Returns ERR_STATE: no trouble. */
NODISCARD enum err repair_lose(struct chain *c, const struct header_node *n,
			       struct why *why);
/** Write a good copy over the damaged one; synced. */
NODISCARD enum err repair_store(struct chain *c, struct header_node *n,
				const struct block *b, struct why *why);
/** Those of the active chain to ask for, at most max. */
size_t repair_wanted(const struct chain *c, struct header_node **out,
		     size_t max);
/** It was pruned, or has been mended. */
void repair_forget(struct chain *c, struct header_node *n);

#endif
