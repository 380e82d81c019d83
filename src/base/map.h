/*
 * A hash map from keys embedded in items to those items: open addressing,
 * pointers only, grows by doubling.  The caller's hash function is keyed with
 * a secret wherever outsiders choose keys.
 */
#ifndef CLOISTER_BASE_MAP_H
#define CLOISTER_BASE_MAP_H

#include "base/base.h"

struct map_type {
	uint64_t (*hash)(const void *key, const void *ctx);
	bool (*eq)(const void *item, const void *key);
	const void *(*key)(const void *item);
};

struct map {
	const struct map_type *type;
	const void *ctx;         /* for hash(): a salt, say */
	void **slots;
	size_t cap, count;
};

void map_init(struct map *m, const struct map_type *type, const void *ctx);
void map_clear(struct map *m);             /* items are the caller's */
void *map_get(const struct map *m, const void *key);      /* or NULL */
/** Make room for n items in all. */
void map_reserve(struct map *m, size_t n);
/** Insert; an item of the same key is replaced and returned. */
void *map_put(struct map *m, void *item);
void *map_take(struct map *m, const void *key);            /* or NULL */
/** Iterate: start with *pos = 0; NULL at the end.  No changes meanwhile. */
void *map_next(const struct map *m, size_t *pos);

#endif
