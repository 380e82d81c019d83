/*
 * Looking again at what is stored: the newest blocks, their undo data, and
 * whether the coins are what follows from them.  In steps; nothing is
 * changed.  While one is under way, no block is connected.
 */
#ifndef CLOISTER_VALIDATION_VERIFY_H
#define CLOISTER_VALIDATION_VERIFY_H

#include "validation/chain.h"

/*
 * What is done with each block.  A level includes those below it.
 * 0 read it, 1 its own rules, 2 read its undo data, 3 take it back (in
 * memory), 4 connect it again, scripts and all.
 */
#define VERIFY_LEVEL_MAX 4
#define VERIFY_LEVEL_DEFAULT 3
#define VERIFY_BLOCKS_DEFAULT 6

struct verify_result {
	bool good;               /* as far as it went */
	int checked;             /* blocks */
	bool no_data;            /* ended at a block that is not stored */
	bool no_room;            /* level 3 ended early: dbcache is too small */
	bool mendable;           /* a damaged block, asked of peers again */
	struct why fault;        /* if it is not good */
};

struct verify;
/** The newest `blocks` blocks, 0: all.  ERR_STATE if one is under way. */
NODISCARD enum err verify_begin(struct verify **out, struct chain *c,
				int level, int blocks, struct why *why);
/** A block.  A fault found is no trouble: it ends in the result. */
NODISCARD enum err verify_step(struct verify *v, bool *more,
			       struct why *why);
const struct verify_result *verify_result(const struct verify *v);
/** Also after the chain was closed.  NULL is fine. */
void verify_free(struct verify *v);
/** The chain goes: what is under way ends. */
void verify_detach(struct verify *v);

/** All of it at once: at the start.  ERR_CORRUPT if it is neither good nor
 * mended by a block from a peer. */
NODISCARD enum err verify_all(struct chain *c, int level, int blocks,
			      struct why *why);

#endif
