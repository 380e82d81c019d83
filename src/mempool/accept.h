/*
 * What acceptance of one and of several share.
 */
#ifndef CLOISTER_MEMPOOL_ACCEPT_H
#define CLOISTER_MEMPOOL_ACCEPT_H

#include "mempool/candidate.h"
#include "mempool/mempool_priv.h"

/** A candidate (fresh) on its own; if accepted, its entry is the pool's. */
NODISCARD enum err accept_one(const struct attempt *a,
			      struct accept_result *out,
			      struct tx_list *replaced, struct candidate *c,
			      struct why *why);
/** Fee, size and rate of c alone. */
void accept_fill(struct accept_result *out, const struct candidate *c);
/** Is its txid in the pool?  Then status, fee, size and wtxid of that. */
bool accept_known(const struct mempool *m, struct accept_result *out,
		  const struct tx *tx);
void accept_list_removed(struct tx_list *out, const struct change *ch);
void accept_log(const struct candidate *c, const struct accept_result *out);

#endif
