/*
 * A walk over all coins of a block, in steps, for statistics and snapshot
 * files.  At the tip it stands on a state of the database, and blocks go on
 * being connected.  At an earlier block the chain is first taken back to it,
 * a block a step, and goes forward again as soon as the walk has begun.
 */
#ifndef CLOISTER_VALIDATION_COIN_SCAN_H
#define CLOISTER_VALIDATION_COIN_SCAN_H

#include "validation/chain.h"

struct coin_scan_options {
	enum utxo_hash_type type;
	const struct header_node *at;    /* on the active chain; NULL: tip */
	const char *path;                /* write a snapshot file; or NULL */
};

struct coin_scan_result {
	const struct header_node *at;
	struct utxo_stats stats;
};

struct coin_scan;
/** ERR_INPUT: the file exists or cannot be made.  ERR_STATE: another one is
 * taking the chain back. */
NODISCARD enum err coin_scan_begin(struct coin_scan **out, struct chain *c,
				   const struct coin_scan_options *opt,
				   struct why *why);
/** Some milliseconds of work. */
NODISCARD enum err coin_scan_step(struct coin_scan *s, bool *more,
				  struct why *why);
/** When there is no more. */
const struct coin_scan_result *coin_scan_result(const struct coin_scan *s);
/** Also after the chain was closed.  NULL is fine. */
void coin_scan_free(struct coin_scan *s);
/** The chain goes. */
void coin_scan_detach(struct coin_scan *s);

#endif
