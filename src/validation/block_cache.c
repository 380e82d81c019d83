/*
 * Decoded blocks by node.  So few that a walk over all of them is cheap
 * beside anything one does with a block.
 */
#include "config.h"

#include "validation/block_cache.h"

static size_t block_bytes(const struct block *b)
{
	return sizeof *b + b->own.cap + b->arena.size_bytes;
}

static size_t find(const struct block_cache *c, const struct header_node *n)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->blocks[i].node == n)
			break;
	return i;
}

static struct block *take_at(struct block_cache *c, size_t i)
{
	struct block *b = c->blocks[i].block;

	c->bytes -= block_bytes(b);
	c->blocks[i] = c->blocks[--c->count];
	return b;
}

void block_cache_clear(struct block_cache *c)
{
	while (c->count)
		block_unref(take_at(c, 0));
}

/* The highest block is the one that will be wanted last. */
static void drop_highest(struct block_cache *c)
{
	size_t i, top = 0;

	for (i = 1; i < c->count; i++)
		if (c->blocks[i].node->height > c->blocks[top].node->height)
			top = i;
	block_unref(take_at(c, top));
}

void block_cache_put(struct block_cache *c, const struct header_node *n,
		     struct block *b)
{
	if (find(c, n) < c->count)
		return;
	if (c->count == BLOCK_CACHE_COUNT)
		drop_highest(c);
	c->blocks[c->count++] = (struct cached_block){ n, block_ref(b) };
	c->bytes += block_bytes(b);
	while (c->bytes > BLOCK_CACHE_BYTES)
		drop_highest(c);
}

struct block *block_cache_take(struct block_cache *c,
			       const struct header_node *n)
{
	size_t i = find(c, n);

	return i < c->count ? take_at(c, i) : NULL;
}

struct block *block_cache_get(const struct block_cache *c,
			      const struct header_node *n)
{
	size_t i = find(c, n);

	return i < c->count ? c->blocks[i].block : NULL;
}
