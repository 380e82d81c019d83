/*
 * Following the chain.  A commit is a batch of many blocks while an index
 * catches up, and each block once it is at the tip.
 */
#include "config.h"

#include "validation/index_priv.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"

#define COMMIT_BYTES ((size_t)1 << 20)
#define CATCH_UP_BLOCKS 20
#define LOG_EVERY_MS 30000

static const struct index_type *const types[INDEX_KINDS] = {
	[INDEX_TX] = &index_tx_type,
	[INDEX_FILTER] = &index_filter_type,
	[INDEX_STATS] = &index_stats_type,
};

const char *index_name(enum index_kind kind)
{
	return types[kind]->name;
}

struct side_index *index_get(const struct chain *c, enum index_kind kind)
{
	return c->indexes[kind];
}

bool index_enabled(const struct chain *c, enum index_kind kind)
{
	return c->indexes[kind] != NULL;
}

struct span index_key(uint8_t out[static 33], char letter,
		      const struct block_hash *h)
{
	out[0] = (uint8_t)letter;
	memcpy(out + 1, h->b, 32);
	return span_of(out, 33);
}

struct index_state index_state(const struct chain *c, enum index_kind kind)
{
	const struct side_index *x = c->indexes[kind];

	return (struct index_state){
		.synced = x->best == chain_tip(c),
		.height = x->best ? x->best->height : -1,
	};
}

/* ---- opening ---- */

static bool wanted(const struct chain *c, enum index_kind kind)
{
	switch (kind) {
	case INDEX_TX:
		return c->opt.txindex;
	case INDEX_FILTER:
		return c->opt.filterindex;
	case INDEX_STATS:
		return c->opt.statsindex;
	case INDEX_KINDS:
		break;
	}
	return false;
}

/* Blocks that it has not seen must not be pruned away, nor be. */
static enum err check_data(struct chain *c, const struct side_index *x,
			   struct why *why)
{
	int next = x->best ? header_node_fork(x->best,
					      chain_tip(c))->height + 1 : 0;

	if (next >= chain_prune_height(c))
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "%s best block of the index goes beyond "
		       "pruned data. Please disable the index or reindex "
		       "(which will download the whole blockchain again)",
		       x->type->name);
}

static enum err open_one(struct chain *c, enum index_kind kind,
			 struct why *why)
{
	struct side_index *x = xcalloc(1, sizeof *x);
	char *dir = xasprintf("%s/indexes/%s", c->dir, types[kind]->dir);
	struct block_hash best;
	enum err e;

	c->indexes[kind] = x;
	x->type = types[kind];
	muhash_init(&x->muhash);
	e = dir_make(dir, 0700, why);
	if (!e)
		e = side_db_open(&x->db, dir, why);
	if (!e && side_db_best(x->db, &best))
		x->best = header_tree_get(&c->tree, &best);
	/* Of a block that this chain never flushed, or of another: anew. */
	if (!e && x->best && x->type->load)
		e = x->type->load(x, why);
	if (!e)
		e = check_data(c, x, why);
	free(dir);
	return e;
}

enum err indexes_open(struct chain *c, struct why *why)
{
	enum err e = ERR_NONE;

	c->index_log_ms = clock_mono_ms();
	for (int k = 0; !e && k < INDEX_KINDS; k++)
		if (wanted(c, (enum index_kind)k))
			e = open_one(c, (enum index_kind)k, why);
	return e;
}

void indexes_close(struct chain *c)
{
	for (int k = 0; k < INDEX_KINDS; k++) {
		struct side_index *x = c->indexes[k];

		if (!x)
			continue;
		side_db_close(x->db);
		free(x->unfinished);
		free(x->unfinished_muhash);
		free(x);
		c->indexes[k] = NULL;
	}
}

/* ---- following ---- */

/* The block index must know the block, durably, before we speak of it. */
static enum err commit(struct chain *c, struct side_index *x, struct why *why)
{
	enum err e = ERR_NONE;

	if (!x->dirty || !x->best)
		return ERR_NONE;
	if (x->best->dirty) {
		e = block_store_sync(c->store, why);
		if (!e)
			e = chain_write_index(c, why);
	}
	if (e)
		return e;
	if (x->type->save)
		x->type->save(x);
	e = side_db_commit(x->db, &x->best->hash, why);
	x->dirty = e != ERR_NONE;
	return e;
}

typedef enum err take_fn(struct side_index *x, const struct index_block *b,
			 struct why *why);

static enum err with_block(struct chain *c, struct side_index *x,
			   const struct header_node *n, take_fn *fn,
			   struct why *why)
{
	struct index_block b = { .params = c->opt.params, .node = n };
	struct block_undo undo = { 0 };
	struct block *block = NULL;
	struct arena a = { 0 };
	enum err e = chain_read_block(c, &block, n, why);

	if (!e && x->type->needs_undo)
		e = chain_read_undo(c, &undo, &a, n, why);
	b.block = block;
	b.undo = &undo;
	if (!e)
		e = fn(x, &b, why);
	block_unref(block);
	arena_clear(&a);
	return e;
}

static enum err take_back(struct chain *c, struct side_index *x,
			  struct why *why)
{
	enum err e = commit(c, x, why);

	if (!e && x->type->remove)
		e = with_block(c, x, x->best, x->type->remove, why);
	if (e)
		return e;
	x->best = x->best->prev;
	x->dirty = true;
	return x->type->load && !x->type->remove ? x->type->load(x, why)
						 : ERR_NONE;
}

static void tell(struct chain *c, const struct side_index *x)
{
	int64_t now = clock_mono_ms();

	if (now - c->index_log_ms < LOG_EVERY_MS)
		return;
	c->index_log_ms = now;
	log_info(LOG_CHAIN, "%s is at height=%d of %d", x->type->name,
		 x->best->height, chain_tip(c)->height);
}

/* After a crash the chain starts below where it was: it comes back. */
static bool chain_will_reach(struct chain *c, const struct header_node *n)
{
	const struct header_node *target = candidates_best(&c->candidates);

	return header_node_is_ancestor(chain_tip(c), n) && target &&
	       header_node_is_ancestor(n, target);
}

/* One block; *more: there was something to do. */
static enum err follow(struct chain *c, struct side_index *x, bool *more,
		       struct why *why)
{
	struct header_node *n;
	enum err e;

	*more = x->best != chain_tip(c);
	if (!*more)
		return commit(c, x, why);
	if (x->best && !chain_contains(c, x->best)) {
		*more = !chain_will_reach(c, x->best);
		return *more ? take_back(c, x, why) : ERR_NONE;
	}
	n = chain_at(c, x->best ? x->best->height + 1 : 0);
	*more = n->status & BLOCK_HAVE_DATA &&
		(!n->prev || n->status & BLOCK_HAVE_UNDO);
	if (!*more)
		return ERR_NONE;         /* it has not come yet */
	e = with_block(c, x, n, x->type->add, why);
	if (e)
		return e;
	x->best = n;
	x->dirty = true;
	if (n == chain_tip(c))
		log_debug(LOG_CHAIN, "%s is at the tip, height=%d",
			  x->type->name, n->height);
	else
		tell(c, x);
	if (n == chain_tip(c) || side_db_pending(x->db) >= COMMIT_BYTES ||
	    x->unfinished_n == INDEX_UNFINISHED_MAX)
		return commit(c, x, why);
	return ERR_NONE;
}

static void lock_pruning(struct chain *c)
{
	int lowest = -1;

	for (int k = 0; k < INDEX_KINDS; k++) {
		const struct side_index *x = c->indexes[k];
		int height = x && x->best ? x->best->height : 0;

		if (x && (lowest < 0 || height < lowest))
			lowest = height;
	}
	if (lowest >= 0)
		chain_set_prune_lock(c, lowest);
}

enum err indexes_step(struct chain *c, bool *more, struct why *why)
{
	enum err e = ERR_NONE;

	*more = false;
	/* The chain is on a journey: it comes back. */
	if (c->verify || c->scan)
		return ERR_NONE;
	for (int k = 0; !e && !*more && k < INDEX_KINDS; k++)
		if (c->indexes[k])
			e = follow(c, c->indexes[k], more, why);
	lock_pruning(c);
	return e;
}

enum err index_catch_up(struct chain *c, enum index_kind kind,
			struct why *why)
{
	struct side_index *x = c->indexes[kind];
	bool more = true;
	enum err e = ERR_NONE;

	if (!x->best || chain_tip(c)->height - x->best->height >
				CATCH_UP_BLOCKS)
		return ERR_NONE;
	while (!e && more)
		e = follow(c, x, &more, why);
	return e;
}
