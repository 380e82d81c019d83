/*
 * Questions to the chain.
 */
#include "config.h"

#include "validation/background.h"
#include "validation/repair.h"
#include "validation/coin_scan.h"

#include <stdlib.h>

#define MAX_TIP_AGE_S (INT64_C(24) * 60 * 60)
#define LOCATOR_DENSE 10

const struct chain_params *chain_params(const struct chain *c)
{
	return c->opt.params;
}

int64_t chain_now(const struct chain *c)
{
	return clock_unix(c->opt.clock);
}

struct header_node *chain_tip(const struct chain *c)
{
	return c->active[c->active_count - 1];
}

struct header_node *chain_best_header(const struct chain *c)
{
	return c->best_header;
}

struct header_node *chain_lookup(const struct chain *c,
				 const struct block_hash *h)
{
	return header_tree_get(&c->tree, h);
}

struct header_node *chain_at(const struct chain *c, int height)
{
	if (height < 0 || (size_t)height >= c->active_count)
		return NULL;
	return c->active[height];
}

bool chain_contains(const struct chain *c, const struct header_node *n)
{
	return chain_at(c, n->height) == n;
}

struct script_cache *chain_script_cache(struct chain *c)
{
	return c->scripts;
}

uint32_t chain_next_script_flags(const struct chain *c)
{
	static const struct block_hash none;

	return block_script_flags(c->opt.params, chain_tip(c)->height + 1,
				  &none);
}

bool chain_in_initial_download(struct chain *c)
{
	const struct header_node *tip = chain_tip(c);

	if (!c->initial_download)
		return false;
	if (u256_cmp(&tip->chain_work,
		     &c->opt.params->minimum_chain_work) >= 0 &&
	    tip->time >= clock_unix(c->opt.clock) - MAX_TIP_AGE_S)
		c->initial_download = false;
	return c->initial_download;
}

uint64_t chain_disk_bytes(const struct chain *c)
{
	return block_store_disk_bytes(c->store);
}

struct header_node *chain_find_locator(const struct chain *c,
				       const struct block_hash *hashes,
				       size_t n)
{
	struct header_node *tip = chain_tip(c);
	size_t i;

	for (i = 0; i < n; i++) {
		struct header_node *at = chain_lookup(c, &hashes[i]);

		if (at && chain_contains(c, at))
			return at;
		if (at && header_node_is_ancestor(tip, at))
			return tip;
	}
	return chain_at(c, 0);
}

size_t chain_locator(const struct header_node *n,
		     struct block_hash out[static CHAIN_LOCATOR_MAX])
{
	size_t count = 0;
	int step = 1;

	while (count < CHAIN_LOCATOR_MAX) {
		out[count++] = n->hash;
		if (n->height == 0)
			break;
		n = header_node_ancestor(n, MAX_OF(n->height - step, 0));
		if (count > LOCATOR_DENSE)
			step *= 2;
	}
	return count;
}

/* Having all blocks up to a node implies having them up to its ancestors. */
static int first_gap(const struct header_node *fork,
		     const struct header_node *best)
{
	int have = fork->height, lack = best->height;

	while (lack - have > 1) {
		int mid = have + (lack - have) / 2;

		if (header_node_ancestor(best, mid)->chain_tx_count)
			have = mid;
		else
			lack = mid;
	}
	return lack;
}

/* What the background will want next. */
static size_t missing_history(const struct chain *c, struct header_node **out,
			      size_t max, int window)
{
	const struct header_node *tip = chain_background_tip(c);
	size_t count = 0;

	if (!tip)
		return 0;
	for (int h = tip->height + 1;
	     count < max && h <= c->snapshot_base->height &&
	     h <= tip->height + window; h++)
		if (!(c->active[h]->status & BLOCK_HAVE_DATA))
			out[count++] = c->active[h];
	return count;
}

size_t chain_missing_blocks(const struct chain *c, struct header_node **out,
			    size_t max, int window)
{
	size_t n = repair_wanted(c, out, max);

	n += chain_missing_towards(c, c->best_header, out + n, max - n,
				   window);
	return n + missing_history(c, out + n, max - n, window);
}

size_t chain_missing_towards(const struct chain *c,
			     const struct header_node *best,
			     struct header_node **out, size_t max, int window)
{
	struct header_node **path, *n;
	size_t count = 0;
	int low, high, h;

	if (!max || window < 0 || best->chain_tx_count ||
	    header_node_failed(best))
		return 0;
	low = first_gap(header_node_fork(chain_tip(c), best), best);
	high = best->height - low > window ? low + window : best->height;
	path = xcalloc((size_t)(high - low) + 1, sizeof *path);
	n = header_node_ancestor(best, high);
	for (h = high; h >= low; h--, n = n->prev)
		path[h - low] = n;
	for (h = low; h <= high && count < max; h++)
		if (!(path[h - low]->status & BLOCK_HAVE_DATA))
			out[count++] = path[h - low];
	free(path);
	return count;
}

size_t chain_tips(const struct chain *c, struct header_node ***out)
{
	struct header_node **list = NULL, *tip = chain_tip(c);
	size_t count = 0, cap = 0, i;

	for (i = 0; i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];

		if (n->has_child && n != tip)
			continue;
		if (count == cap) {
			cap = cap ? 2 * cap : 16;
			list = xrealloc(list, cap * sizeof *list);
		}
		list[count++] = n;
	}
	*out = list;
	return count;
}

enum err chain_get_coin(struct chain *c, bool *found, struct coin *coin,
			const struct outpoint *o, struct why *why)
{
	bool known;
	enum err e;

	flights_find_coin(c, &known, found, coin, o);
	if (known)
		return ERR_NONE;
	e = coins_get(c->coins, found, coin, o, why);
	/* Who asks for many, and be it peers, fills no memory with them. */
	if (!c->room_wanted)
		c->room_wanted = coins_wants_flush(c->coins);
	return e;
}

enum err chain_utxo_stats(struct chain *c, struct utxo_stats *out,
			  enum utxo_hash_type type, struct why *why)
{
	const struct coin_scan_options opt = { .type = type };
	struct coin_scan *s;
	bool more = true;
	enum err e = coin_scan_begin(&s, c, &opt, why);

	if (e)
		return e;
	while (!e && more)
		e = coin_scan_step(s, &more, why);
	*out = coin_scan_result(s)->stats;
	coin_scan_free(s);
	return e;
}
