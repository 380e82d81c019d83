/*
 * Entries are only ever cut from the newest chunk or taken from the list of
 * their size, so one allocation is a few instructions.
 */
#include "config.h"

#include "chainstate/coin_slab_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *pages_new(size_t n, bool huge)
{
	const size_t align = huge ? SLAB_CHUNK_BYTES : 0;
	uint8_t *p = mmap(NULL, n + align, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t skip;

	if (p == MAP_FAILED)
		return NULL;
	if (!huge)
		return p;
	skip = -(uintptr_t)p & (align - 1);
	if (skip)
		munmap(p, skip);
	if (skip < align)
		munmap(p + skip + n, align - skip);
	p += skip;
	/* A wish: without huge pages all works, slower. */
	(void)madvise(p, n, MADV_HUGEPAGE);
	return p;
}

void pages_free(void *p, size_t n)
{
	if (p)
		munmap(p, n);
}

void slab_init(struct coin_slab *s, bool huge)
{
	*s = (struct coin_slab){ .huge = huge };
	s->next = 1;     /* 0 means none */
}

void slab_clear(struct coin_slab *s)
{
	for (uint32_t i = 0; i < s->n_chunks; i++)
		pages_free(s->chunks[i], SLAB_CHUNK_BYTES);
	free(s->chunks);
	slab_init(s, s->huge);
}

static bool chunk_add(struct coin_slab *s)
{
	uint8_t *p;

	if (s->n_chunks == UINT32_MAX >> SLAB_CHUNK_SHIFT)
		return false;
	p = pages_new(SLAB_CHUNK_BYTES, s->huge);
	if (!p)
		return false;
	if (s->n_chunks % 64 == 0)
		s->chunks = xrealloc(s->chunks, (s->n_chunks + 64) *
						sizeof(*s->chunks));
	s->chunks[s->n_chunks++] = p;
	return true;
}

static size_t class_of(size_t size)
{
	return (size - SLAB_MIN + SLAB_UNIT - 1) / SLAB_UNIT;
}

uint32_t slab_alloc(struct coin_slab *s, size_t size)
{
	size_t class = class_of(size);
	uint32_t units = (uint32_t)(SLAB_MIN / SLAB_UNIT + class);
	uint32_t ref = s->free[class];

	if (ref) {
		memcpy(&s->free[class], slab_at(s, ref), sizeof(ref));
		s->free_bytes -= (size_t)units * SLAB_UNIT;
		return ref;
	}
	ref = s->next;
	if ((ref & (SLAB_CHUNK_UNITS - 1)) + units > SLAB_CHUNK_UNITS)
		ref = (ref | (SLAB_CHUNK_UNITS - 1)) + 1;
	if (ref >> SLAB_CHUNK_SHIFT >= s->n_chunks && !chunk_add(s))
		return 0;
	s->next = ref + units;
	return ref;
}

void slab_release(struct coin_slab *s, uint32_t ref, size_t size)
{
	size_t class = class_of(size);

	memcpy(slab_at(s, ref), &s->free[class], sizeof(ref));
	s->free[class] = ref;
	s->free_bytes += SLAB_MIN + class * SLAB_UNIT;
}
