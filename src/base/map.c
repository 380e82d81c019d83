/*
 * Linear probing over a power of two of slots; removal moves the items that
 * follow back, so there are no tombstones.
 */
#include "config.h"

#include "base/map.h"

#include <stdlib.h>

#define CAP_FIRST 16

void map_init(struct map *m, const struct map_type *type, const void *ctx)
{
	*m = (struct map){ .type = type, .ctx = ctx };
}

void map_clear(struct map *m)
{
	free(m->slots);
	map_init(m, m->type, m->ctx);
}

static size_t slot_home(const struct map *m, const void *key)
{
	uint64_t h = m->type->hash(key, m->ctx) *
		     UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h ^ h >> 32) & (m->cap - 1);
}

static size_t slot_next(const struct map *m, size_t i)
{
	return (i + 1) & (m->cap - 1);
}

/* The slot that holds key, or the free one where it belongs. */
static size_t slot_find(const struct map *m, const void *key)
{
	size_t i = slot_home(m, key);

	while (m->slots[i] && !m->type->eq(m->slots[i], key))
		i = slot_next(m, i);
	return i;
}

static void map_resize(struct map *m, size_t cap)
{
	void **old = m->slots;
	size_t old_cap = m->cap, i, at;

	CHECK(cap <= SIZE_MAX / sizeof(*old));
	m->cap = cap;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (i = 0; i < old_cap; i++) {
		if (!old[i])
			continue;
		at = slot_home(m, m->type->key(old[i]));
		while (m->slots[at])
			at = slot_next(m, at);
		m->slots[at] = old[i];
	}
	free(old);
}

void *map_get(const struct map *m, const void *key)
{
	return m->count ? m->slots[slot_find(m, key)] : NULL;
}

/* At most five eighths full. */
static bool map_has_room(size_t count, size_t cap)
{
	return count <= cap / 8 * 5;
}

void map_reserve(struct map *m, size_t n)
{
	size_t cap = m->cap ? m->cap : CAP_FIRST;

	while (!map_has_room(n, cap))
		cap *= 2;
	if (cap != m->cap)
		map_resize(m, cap);
}

void *map_put(struct map *m, void *item)
{
	void **slot, *old;

	map_reserve(m, m->count + 1);
	slot = &m->slots[slot_find(m, m->type->key(item))];
	old = *slot;
	*slot = item;
	if (!old)
		m->count++;
	return old;
}

void *map_take(struct map *m, const void *key)
{
	size_t hole, i, home;
	void *item;

	if (!m->count)
		return NULL;
	hole = slot_find(m, key);
	item = m->slots[hole];
	if (!item)
		return NULL;
	for (i = slot_next(m, hole); m->slots[i]; i = slot_next(m, i)) {
		home = slot_home(m, m->type->key(m->slots[i]));
		/* Movable unless its home lies after the hole. */
		if (((i - home) & (m->cap - 1)) < ((i - hole) & (m->cap - 1)))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = NULL;
	m->count--;
	return item;
}

void *map_next(const struct map *m, size_t *pos)
{
	while (*pos < m->cap) {
		void *item = m->slots[(*pos)++];

		if (item)
			return item;
	}
	return NULL;
}
