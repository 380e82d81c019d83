/*
 * The owner's word against the rules': blocks declared invalid, and taken
 * back into favour.
 */
#include "config.h"

#include "validation/chain_priv.h"

/* Everything the marks decide, after they have changed. */
static enum err marks_changed(struct chain *c, struct why *why)
{
	tip_find_best_header(c);
	tip_find_candidates(c);
	return chain_activate(c, why);
}

static enum err land_all(struct chain *c, struct why *why)
{
	enum err e = ERR_NONE;

	if (c->broken)
		return why_set(why, ERR_STATE, "the coins are in disorder "
			       "after earlier trouble; restart the node");
	while (!e && c->flight_count)
		e = flight_land(c, why);
	return e;
}

enum err chain_invalidate(struct chain *c, struct header_node *n,
			  struct why *why)
{
	enum err e = land_all(c, why);

	if (!n->prev)
		return why_set(why, ERR_INPUT,
			       "the first block cannot be invalidated");
	if (!e && c->background && chain_contains(c, n) &&
	    n->height <= c->snapshot_base->height)
		return why_set(why, ERR_INPUT, "the chain stands on a snapshot "
			       "above height %d", n->height);
	if (!e && chain_contains(c, n) && n->height < chain_prune_height(c))
		return why_set(why, ERR_INPUT, "the way back to the block at "
			       "height %d is pruned away", n->height);
	while (!e && chain_contains(c, n))
		e = disconnect_tip(c, why);
	if (e)
		return e;
	n->status |= BLOCK_FAILED;
	header_tree_touch(&c->tree, n);
	tip_fail_children(c, n);
	return marks_changed(c, why);
}

enum err chain_reconsider(struct chain *c, struct header_node *n,
			  struct why *why)
{
	enum err e = land_all(c, why);
	size_t i;

	if (e)
		return e;
	/* Parents come first in the list: what is inherited follows. */
	for (i = 0; i < c->tree.count; i++) {
		struct header_node *k = c->tree.nodes[i];
		uint32_t clear = 0;

		if (!header_node_failed(k))
			continue;
		if (header_node_is_ancestor(k, n) ||
		    header_node_is_ancestor(n, k))
			clear |= BLOCK_FAILED;
		if (k->prev && !header_node_failed(k->prev))
			clear |= BLOCK_FAILED_CHILD;
		if (!(k->status & clear))
			continue;
		k->status &= ~clear;
		header_tree_touch(&c->tree, k);
	}
	return marks_changed(c, why);
}

enum err chain_prefer(struct chain *c, struct header_node *n,
		      struct why *why)
{
	enum err e = land_all(c, why);

	if (e)
		return e;
	if (!n->chain_tx_count)
		return ERR_NONE;
	n->sequence = c->next_precious--;
	return marks_changed(c, why);
}
