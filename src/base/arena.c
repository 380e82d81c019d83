/*
 * An arena as a list of chunks, the newest first.  Chunks double in size, so
 * that a small transaction stays small and a block takes few of them.
 */
#include "config.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_FIRST 512
#define CHUNK_LARGEST (64 * 1024)
#define ALIGN alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, cap;        /* of data */
	alignas(max_align_t) uint8_t data[];
};

static void arena_grow(struct arena *a, size_t n)
{
	struct arena_chunk *c;
	size_t size = CHUNK_FIRST;

	if (a->chunks)
		size = MIN_OF(2 * (a->chunks->cap + sizeof(*c)),
			      (size_t)CHUNK_LARGEST);
	CHECK(n < SIZE_MAX / 2);
	size = MAX_OF(size, n + sizeof(*c));
	c = xmalloc(size);
	c->next = a->chunks;
	c->used = 0;
	c->cap = size - sizeof(*c);
	a->chunks = c;
	a->size_bytes += size;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	CHECK(n < SIZE_MAX / 2);
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->cap - c->used < n) {
		arena_grow(a, n);
		c = a->chunks;
	}
	p = c->data + c->used;
	c->used += n;
	return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t n;
	void *p;

	CHECK(!__builtin_mul_overflow(count, size, &n));
	p = arena_alloc(a, n);
	memset(p, 0, n);
	return p;
}

struct span arena_copy(struct arena *a, struct span s)
{
	uint8_t *p = arena_alloc(a, s.n);

	if (s.n)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *c = a->chunks, *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
