/*
 * What a process had been told to be durable when the power went: from the
 * marks of its log.
 */
#ifndef CLOISTER_TESTS_CRASH_PROMISE_H
#define CLOISTER_TESTS_CRASH_PROMISE_H

#include "consensus/ids.h"

#define PROMISE_INVALID_MAX 64
#define PROMISE_TIPS_MAX 256
#define PROMISE_FILES_MAX 16

struct promise {
	/* Where the coins may stand: tips[0] is that of the last completed
	 * flush (if any), the others those of flushes begun since, and where
	 * old coins were written. */
	struct block_hash tips[PROMISE_TIPS_MAX];
	size_t tip_n;
	bool any;                        /* a flush was completed */
	size_t blocks;                   /* arrived before it */
	size_t next_blocks;              /* before the one begun last */
	size_t arrived;                  /* of all blocks */
	/* Blocks connected and disconnected since the completed flush, in
	 * the longest life. */
	unsigned moves, life_moves;
	/* Versions of the small file: files[0] was completed last (0: none
	 * was), the others were begun since. */
	unsigned files[PROMISE_FILES_MAX];
	size_t file_n;                   /* how many others */
	struct block_hash invalid[PROMISE_INVALID_MAX];
	size_t invalid_n;
};

void promise_read(struct promise *p, const char *mark);

#endif
