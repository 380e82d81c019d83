/*
 * An arena: many small allocations, freed together.  Parse results live in
 * one.  Not thread-safe; one owner at a time.
 */
#ifndef CLOISTER_BASE_ARENA_H
#define CLOISTER_BASE_ARENA_H

#include "base/bytes.h"

struct arena_chunk;

/* {0} is an empty arena. */
struct arena {
	struct arena_chunk *chunks;
	size_t size_bytes;      /* all memory taken from the system */
};

/** Aligned for any type, not zeroed; lives until arena_clear. */
void *arena_alloc(struct arena *a, size_t n);
/** Zeroed array; stops the process on overflow of count * size. */
void *arena_calloc(struct arena *a, size_t count, size_t size);
struct span arena_copy(struct arena *a, struct span s);
void arena_clear(struct arena *a);

#endif
