/*
 * A map from a parent to its children whose blocks came too early.
 */
#include "config.h"

#include "validation/waiting.h"

#include <stdlib.h>

static uint64_t parent_hash(const void *key, const void *ctx)
{
	uint64_t x = (uintptr_t)key;

	(void)ctx;
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	return x ^ x >> 33;
}

static bool parent_eq(const void *item, const void *key)
{
	const struct waiting_kids *k = item;

	return k->parent == key;
}

static const void *parent_of(const void *item)
{
	const struct waiting_kids *k = item;

	return k->parent;
}

static const struct map_type by_parent_type = {
	parent_hash, parent_eq, parent_of
};

void waiting_init(struct waiting *w)
{
	map_init(&w->by_parent, &by_parent_type, NULL);
}

void waiting_clear(struct waiting *w)
{
	struct waiting_kids *k;
	size_t pos = 0;

	if (!w->by_parent.type)
		return;
	while ((k = map_next(&w->by_parent, &pos)))
		waiting_kids_free(k);
	map_clear(&w->by_parent);
}

void waiting_kids_free(struct waiting_kids *k)
{
	if (!k)
		return;
	free(k->nodes);
	free(k);
}

void waiting_add(struct waiting *w, struct header_node *n)
{
	struct waiting_kids *k = map_get(&w->by_parent, n->prev);

	if (!k) {
		k = xcalloc(1, sizeof *k);
		k->parent = n->prev;
		map_put(&w->by_parent, k);
	}
	if (k->count == k->cap) {
		k->cap = k->cap ? k->cap * 2 : 1;
		k->nodes = xrealloc(k->nodes, k->cap * sizeof *k->nodes);
	}
	k->nodes[k->count++] = n;
}

struct waiting_kids *waiting_take(struct waiting *w,
				  const struct header_node *parent)
{
	return map_take(&w->by_parent, parent);
}
