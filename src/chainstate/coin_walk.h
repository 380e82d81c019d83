/*
 * A walk over all coins of the flushed state, in pieces: it stands on the
 * state at its start, whatever is flushed meanwhile.  Chain thread.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_WALK_H
#define CLOISTER_CHAINSTATE_COIN_WALK_H

#include "chainstate/coins.h"

struct coin_walk;
/** Flush first. */
struct coin_walk *coin_walk_new(struct coins *c);
/**
 * Call fn for the next coins, at most max of them, in key order (txid bytes,
 * then n).  *more: there are others.  fn returns false to end the walk
 * (ERR_STOPPED).  ERR_STOPPED too once the coins were closed.
 */
NODISCARD enum err coin_walk_step(struct coin_walk *w, bool *more, size_t max,
				  coins_visit_fn *fn, void *arg,
				  struct why *why);
void coin_walk_free(struct coin_walk *w);

#endif
