/*
 * The active chain as an array by height, and the marks that blocks get when
 * they arrive or fail.
 */
#include "config.h"

#include "validation/chain_priv.h"

#include <stdlib.h>

#include "base/log.h"

void tip_set(struct chain *c, struct header_node *n)
{
	c->active_count = (size_t)n->height + 1;
	c->active_cap = 2 * c->active_count;
	free(c->active);
	c->active = xcalloc(c->active_cap, sizeof *c->active);
	for (; n; n = n->prev)
		c->active[n->height] = n;
}

void tip_push(struct chain *c, struct header_node *n)
{
	CHECK((size_t)n->height == c->active_count);
	if (c->active_count == c->active_cap) {
		c->active_cap = c->active_cap ? c->active_cap * 2 : 1024;
		c->active = xrealloc(c->active,
				     c->active_cap * sizeof *c->active);
	}
	c->active[c->active_count++] = n;
}

void tip_pop(struct chain *c)
{
	CHECK(c->active_count > 1);
	c->active_count--;
}

static void became_candidate(struct chain *c, struct header_node *n)
{
	n->chain_tx_count = n->tx_count;
	if (n->prev)
		n->chain_tx_count += n->prev->chain_tx_count;
	if (!n->sequence)
		n->sequence = c->next_sequence++;
	if (!header_node_failed(n))
		candidates_add(&c->candidates, n);
}

void tip_block_arrived(struct chain *c, struct header_node *n)
{
	struct header_node **todo = NULL;
	size_t count = 0, cap = 0;

	if (n->prev && !n->prev->chain_tx_count) {
		waiting_add(&c->waiting, n);
		return;
	}
	while (n) {
		struct waiting_kids *k = NULL;

		/* While it waited it may have been pruned. */
		if (n->status & BLOCK_HAVE_DATA) {
			k = waiting_take(&c->waiting, n);
			became_candidate(c, n);
		}
		if (k && count + k->count > cap) {
			cap = 2 * (count + k->count);
			todo = xrealloc(todo, cap * sizeof *todo);
		}
		if (k) {
			memcpy(todo + count, k->nodes,
			       k->count * sizeof *todo);
			count += k->count;
		}
		waiting_kids_free(k);
		n = count ? todo[--count] : NULL;
	}
	free(todo);
}

void tip_find_best_header(struct chain *c)
{
	struct header_node *best = c->active[0];
	size_t i;

	for (i = 0; i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];

		if (!header_node_failed(n) &&
		    u256_cmp(&n->chain_work, &best->chain_work) > 0)
			best = n;
	}
	c->best_header = best;
}

void tip_tell_best_header(struct chain *c)
{
	if (c->best_header == c->best_header_told)
		return;
	c->best_header_told = c->best_header;
	if (c->opt.events.best_header)
		c->opt.events.best_header(c->opt.events.ctx, c->best_header);
}

void tip_find_candidates(struct chain *c)
{
	const struct header_node *tip = chain_tip(c);
	/* A tip that has failed must give way to whatever there is. */
	bool any = header_node_failed(tip);
	size_t i;

	candidates_clear(&c->candidates);
	for (i = 0; i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];

		if (n->chain_tx_count && !header_node_failed(n) &&
		    (any || u256_cmp(&n->chain_work, &tip->chain_work) >= 0))
			candidates_add(&c->candidates, n);
	}
}

/* Parents stand before children in the tree's list, and a child of n cannot
 * be older than n: walk from the end down to n, then up again. */
void tip_fail_children(struct chain *c, struct header_node *n)
{
	size_t i = c->tree.count;

	while (i > 0 && c->tree.nodes[i - 1] != n)
		i--;
	for (; i < c->tree.count; i++) {
		struct header_node *k = c->tree.nodes[i];

		if (!k->prev || !header_node_failed(k->prev) ||
		    header_node_failed(k))
			continue;
		k->status |= BLOCK_FAILED_CHILD;
		header_tree_touch(&c->tree, k);
	}
	if (header_node_failed(c->best_header))
		tip_find_best_header(c);
}

void tip_mark_failed(struct chain *c, struct header_node *n,
		     const struct finding *f)
{
	char hex[65], text[160];

	hash_to_rpc_hex(hex, n->hash.b);
	finding_text(text, f, true);
	log_warn(LOG_CHAIN, "block=%s height=%d is invalid: %s", hex,
		 n->height, text);
	n->status |= BLOCK_FAILED;
	header_tree_touch(&c->tree, n);
	tip_fail_children(c, n);
}

void tip_tell_checked(struct chain *c, const struct header_node *n,
		      const struct finding *f)
{
	if (n == c->watch)
		c->watch_finding = *f;
	if (c->opt.events.checked)
		c->opt.events.checked(c->opt.events.ctx, n, f);
}
