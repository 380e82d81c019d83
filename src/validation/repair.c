/*
 * Damaged blocks.  Their records in the index stay as they are, so that a
 * disk which only gives wrong bytes for a while costs nothing but a restart.
 */
#include "config.h"

#include "validation/repair.h"

#include <stdlib.h>

#include "base/log.h"
#include "validation/prune.h"

enum err repair_lose(struct chain *c, const struct header_node *node,
		     struct why *why)
{
	struct header_node *n = header_tree_get(&c->tree, &node->hash);

	log_warn(LOG_CHAIN, "%s; it will be asked of peers again", why->text);
	why->err = ERR_STATE;
	n->damaged = true;
	n->status &= ~(uint32_t)BLOCK_HAVE_DATA;
	c->lost = xrealloc(c->lost, (c->lost_count + 1) * sizeof *c->lost);
	c->lost[c->lost_count++] = n;
	c->lost_untold = true;
	if (!chain_contains(c, n)) {
		prune_unlink_branches(c);
		tip_find_candidates(c);
	}
	return ERR_STATE;
}

void repair_forget(struct chain *c, struct header_node *n)
{
	size_t i;

	n->damaged = false;
	for (i = 0; i < c->lost_count; i++)
		if (c->lost[i] == n)
			c->lost[i] = c->lost[--c->lost_count];
}

enum err repair_store(struct chain *c, struct header_node *n,
		      const struct block *b, struct why *why)
{
	enum err e = block_store_rewrite(c->store, n->data, b->raw, why);

	if (!e)
		e = block_store_sync(c->store, why);
	if (e)
		return e;
	repair_forget(c, n);
	log_info(LOG_CHAIN, "the block at height %d is mended in "
		 "blocks/blk%05d.dat", n->height, (int)n->data.file);
	return ERR_NONE;
}

static int by_height(const void *a, const void *b)
{
	const struct header_node *const *x = a, *const *y = b;

	return ((*x)->height > (*y)->height) - ((*x)->height < (*y)->height);
}

size_t repair_wanted(const struct chain *c, struct header_node **out,
		     size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < c->lost_count && n < max; i++)
		if (chain_contains(c, c->lost[i]))
			out[n++] = c->lost[i];
	qsort(out, n, sizeof *out, by_height);
	return n;
}

bool chain_take_lost(struct chain *c)
{
	bool any = c->lost_untold;

	c->lost_untold = false;
	return any;
}
