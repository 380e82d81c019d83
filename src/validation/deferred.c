/*
 * A table of lists: per parent, the places of its children.
 */
#include "config.h"

#include "validation/deferred.h"

#include <stdlib.h>

#include "base/random.h"
#include "crypto/hash.h"

static uint64_t parent_hash(const void *key, const void *ctx)
{
	const struct block_hash *h = key;
	const uint64_t *salt = ctx;

	return siphash_u256(salt[0], salt[1], h->b);
}

static bool parent_eq(const void *item, const void *key)
{
	const struct deferred_block *b = item;

	return block_hash_eq(&b->parent, key);
}

static const void *parent_of(const void *item)
{
	const struct deferred_block *b = item;

	return &b->parent;
}

static const struct map_type by_parent_type = {
	parent_hash, parent_eq, parent_of
};

void deferred_init(struct deferred *d)
{
	memset(d, 0, sizeof *d);
	d->salt[0] = random_u64();
	d->salt[1] = random_u64();
	map_init(&d->by_parent, &by_parent_type, d->salt);
}

static void free_list(struct deferred_block *b)
{
	while (b) {
		struct deferred_block *next = b->next;

		free(b);
		b = next;
	}
}

void deferred_clear(struct deferred *d)
{
	struct deferred_block *b;
	size_t pos = 0;

	while ((b = map_next(&d->by_parent, &pos)))
		free_list(b);
	map_clear(&d->by_parent);
	free_list(d->ready);
	d->ready = NULL;
	d->count = 0;
}

bool deferred_add(struct deferred *d, const struct block_hash *parent,
		  size_t file, struct scan_record rec)
{
	struct deferred_block *b;

	if (d->count == DEFERRED_MAX)
		return false;
	b = xcalloc(1, sizeof *b);
	b->parent = *parent;
	b->file = file;
	b->rec = rec;
	b->next = map_put(&d->by_parent, b);
	d->count++;
	return true;
}

void deferred_release(struct deferred *d, const struct block_hash *parent)
{
	struct deferred_block *b = map_take(&d->by_parent, parent);

	while (b) {
		struct deferred_block *next = b->next;

		b->next = d->ready;
		d->ready = b;
		b = next;
	}
}

struct deferred_block *deferred_take(struct deferred *d)
{
	struct deferred_block *b = d->ready;

	if (b) {
		d->ready = b->next;
		d->count--;
	}
	return b;
}
