/*
 * Import: blocks from files (-loadblock), in any order, with garbage between
 * them, obfuscated or not.
 */
#ifndef CLOISTER_VALIDATION_IMPORT_H
#define CLOISTER_VALIDATION_IMPORT_H

#include "validation/chain.h"

struct import_progress {
	uint64_t bytes_done, bytes_total;
	uint64_t blocks_new, blocks_known, blocks_bad;
	uint64_t blocks_waiting;         /* their parent has not come */
	uint64_t garbage_bytes;
	int tip_height;
};

struct import;
/**
 * path     a block file, a blocks/ directory, or a directory above one; a
 *          file's xor.dat is looked for beside it
 *
 * ERR_INPUT when nothing there can be read as block files.
 */
NODISCARD enum err import_open(struct import **out, struct chain *c,
			       const char *path, struct why *why);
/**
 * The chain's own block files, while chain_reindexing(): their blocks become
 * known where they are.
 */
NODISCARD enum err import_open_own(struct import **out, struct chain *c,
				   struct why *why);
/**
 * Do a small part (some blocks), then return, so that the owner can answer
 * questions in between.  *more: call again.  Blocks whose parent is not known
 * yet are found again once it is.
 *
 * Connects what it brings, leaving blocks in flight between calls: a
 * chain_step() in between is allowed but makes the pool wait.  At the end,
 * ERR_INPUT if not one block of this chain was found.
 */
NODISCARD enum err import_step(struct import *im, bool *more,
			       struct why *why);
const struct import_progress *import_progress(const struct import *im);
void import_free(struct import *im);

#endif
