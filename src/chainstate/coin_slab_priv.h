/*
 * Memory for many small entries: 2 MiB chunks cut from the front, and a list
 * of freed entries for each size.  An entry is named by 32 bits.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_SLAB_PRIV_H
#define CLOISTER_CHAINSTATE_COIN_SLAB_PRIV_H

#include "base/base.h"

#define SLAB_UNIT 8
#define SLAB_CHUNK_SHIFT 18
#define SLAB_CHUNK_UNITS (1u << SLAB_CHUNK_SHIFT)
#define SLAB_CHUNK_BYTES ((size_t)SLAB_CHUNK_UNITS * SLAB_UNIT)
#define SLAB_MIN 48              /* bytes of the smallest entry */
#define SLAB_MAX 128             /* of the largest */
#define SLAB_CLASSES ((SLAB_MAX - SLAB_MIN) / SLAB_UNIT + 1)

struct coin_slab {
	uint8_t **chunks;
	uint32_t n_chunks;
	uint32_t next;           /* never handed out, from here */
	uint32_t free[SLAB_CLASSES];
	size_t free_bytes;       /* in those lists */
	bool huge;               /* ask for huge pages */
};

void slab_init(struct coin_slab *s, bool huge);
void slab_clear(struct coin_slab *s);      /* back to empty; memory too */
/** size: SLAB_MIN to SLAB_MAX; 0 when the system gives no memory. */
uint32_t slab_alloc(struct coin_slab *s, size_t size);
void slab_release(struct coin_slab *s, uint32_t ref, size_t size);

static inline void *slab_at(const struct coin_slab *s, uint32_t ref)
{
	return s->chunks[ref >> SLAB_CHUNK_SHIFT] +
	       (size_t)(ref & (SLAB_CHUNK_UNITS - 1)) * SLAB_UNIT;
}

/** Memory taken from the system: what has been touched. */
static inline size_t slab_bytes(const struct coin_slab *s)
{
	return (size_t)s->next * SLAB_UNIT;
}

/** Zeroed pages, aligned to 2 MiB when huge; NULL if there are none. */
void *pages_new(size_t n, bool huge);
void pages_free(void *p, size_t n);

#endif
