/*
 * The script checks of one block, handed to the pool in pieces while the
 * block's coins are still being moved.
 */
#ifndef CLOISTER_VALIDATION_SCRIPT_CHECKS_H
#define CLOISTER_VALIDATION_SCRIPT_CHECKS_H

#include "base/workers.h"
#include "consensus/block.h"
#include "consensus/script_verify.h"
#include "consensus/verdict.h"

/* Some inputs of one transaction, checked in one go. */
struct script_check {
	const struct tx *tx;
	const struct tx_out *spent;
	const struct sighash_cache *cache;   /* NULL: make one */
	uint32_t flags, tx_index, first, count;
	enum script_error error;
	uint32_t error_in;
};

struct script_checks {
	struct batch *batch;
	struct script_check *items;
	size_t count, cap, added;
	size_t cost_pending;     /* of what was not handed over yet */
	uint32_t flags;
	struct arena *arena;
};

/** Room for a block with so many inputs; arena outlives the checks. */
void script_checks_init(struct script_checks *s, struct workers *w,
			struct arena *arena, const struct block *b,
			uint32_t flags);
/** spent: one per input, unchanged until the checks are done. */
void script_checks_add(struct script_checks *s, const struct tx *tx,
		       uint32_t tx_index, const struct tx_out *spent);
/** All transactions were added: let the pool have the rest. */
void script_checks_flush(struct script_checks *s);
bool script_checks_finished(const struct script_checks *s);
/** Help with a part; true when nothing is left. */
bool script_checks_help(struct script_checks *s);
/** Help until all is done.  The first failure in the block's order. */
void script_checks_wait(struct script_checks *s, struct finding *f);
/** Drop what is not begun, wait for the rest; after this s is empty. */
void script_checks_clear(struct script_checks *s);

#endif
