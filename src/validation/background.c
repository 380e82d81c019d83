/*
 * The second chain uses the code of the first: flights on coins of its own.
 * Both share the tree, which is lent for a step and given back.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "validation/background_priv.h"
#include "validation/flight.h"

#define FLUSH_EVERY_MS (INT64_C(60) * 60 * 1000)
#define LOG_EVERY_MS 30000
#define WALK_MS 5
#define WALK_COINS 256
#define DB_CACHE_MAX ((size_t)8 << 20)

char *coins_dir(const struct chain *c, bool snapshot)
{
	return xasprintf("%s/chainstate%s", c->dir,
			 snapshot ? "/snapshot" : "");
}

enum err coins_open_in(struct coins **out, const struct chain *c,
		       bool snapshot, unsigned share, bool wipe,
		       struct why *why)
{
	char *dir = coins_dir(c, snapshot);
	size_t all = c->opt.dbcache_bytes / share;
	size_t db = MIN_OF(all / 2, DB_CACHE_MAX);
	const struct coins_options o = { .cache_bytes = all - db,
					 .db_cache_bytes = db,
					 .wipe = wipe };
	enum err e = dir_make(dir, 0700, why);

	if (!e)
		e = coins_open(out, dir, &o, why);
	free(dir);
	return e;
}

const struct header_node *chain_snapshot_base(const struct chain *c)
{
	return c->background ? c->snapshot_base : NULL;
}

const struct header_node *chain_background_tip(const struct chain *c)
{
	return c->background ? chain_tip(&c->background->chain) : NULL;
}

double chain_background_progress(const struct chain *c)
{
	const struct header_node *tip = chain_background_tip(c);

	if (!tip || !c->background->base->chain_tx_count)
		return 1;
	return (double)tip->chain_tx_count /
	       (double)c->background->base->chain_tx_count;
}

size_t chain_coins_cache_bytes(const struct chain *c, bool background)
{
	return coins_cache_bytes(background ? c->background->chain.coins
					    : c->coins);
}

void snapshot_settle_base(struct chain *c)
{
	struct header_node *n = header_tree_get(&c->tree,
						&c->snapshot->hash);

	if (n && !n->chain_tx_count)
		n->chain_tx_count = c->snapshot->chain_txs;
	c->snapshot_base = n;
}

/* ---- life ---- */

static void tree_lend(struct chain *c)
{
	struct chain *b = &c->background->chain;

	b->tree = c->tree;
	b->best_header = c->best_header;
}

static void tree_return(struct chain *c)
{
	c->tree = c->background->chain.tree;
}

enum err background_new(struct chain *c, TAKES struct coins *coins,
			struct header_node *base, struct why *why)
{
	struct background *b = xcalloc(1, sizeof *b);
	struct header_node *tip = c->tree.nodes[0];
	struct block_hash h;

	b->base = base;
	b->log_ms = clock_mono_ms();
	b->chain = (struct chain){
		.opt = c->opt, .dir = c->dir, .workers = c->workers,
		.index = c->index, .store = c->store, .coins = coins,
		.flushed_ms = clock_mono_ms(), .prune_lock = -1,
	};
	b->chain.opt.events = (struct chain_events){ 0 };
	b->chain.stored_at.file = -1;
	c->background = b;
	if (coins_tip(coins, &h))
		tip = header_tree_get(&c->tree, &h);
	if (!tip || header_node_ancestor(base, tip->height) != tip)
		return why_set(why, ERR_CORRUPT, "%s/chainstate is not at a "
			       "block before its snapshot; start with "
			       "-reindex-chainstate", c->dir);
	tip_set(&b->chain, tip);
	tree_lend(c);
	return ERR_NONE;
}

void background_free(struct background *b)
{
	if (!b)
		return;
	if (b->chain.flight_count && flights_cancel(&b->chain, NULL))
		log_debug(LOG_CHAIN, "closing with history in flight");
	coin_walk_free(b->walk);
	utxo_tally_free(b->tally);
	coins_close(b->chain.coins);
	block_cache_clear(&b->chain.cache);
	candidates_clear(&b->chain.candidates);
	free(b->chain.active);
	free(b);
}

/* ---- steps ---- */

enum err background_flush(struct chain *c, struct why *why)
{
	struct chain *b = &c->background->chain;
	enum err e = ERR_NONE;

	tree_lend(c);
	while (!e && b->flight_count)
		e = flight_land(b, why);
	tree_return(c);
	if (!e)
		e = block_store_sync(c->store, why);
	if (!e)
		e = chain_write_index(c, why);
	if (!e)
		e = coins_flush(b->coins, &chain_tip(b)->hash, true, why);
	b->flush_wanted = false;
	b->flushed_ms = clock_mono_ms();
	return e;
}

/* The history does not lead to what the snapshot says. */
static enum err disproven(struct chain *c, const char *text, struct why *why)
{
	enum err e = snapshot_base_remove(c->dir, why);

	if (e)
		return e;
	return why_set(why, ERR_CORRUPT, "the snapshot of the coins does not "
		       "follow from the chain's history (%.150s): it is given "
		       "up; start again to go on without it", text);
}

static bool has_block(const struct header_node *n)
{
	return n->status & BLOCK_HAVE_DATA;
}

/* Read for the first chain, which knows what to do about a damaged one. */
static enum err begin(struct chain *c, struct header_node *n, bool *more,
		      struct why *why)
{
	struct chain *bc = &c->background->chain;
	struct finding f;
	struct block *b;
	enum err e = chain_load_block(c, &b, n, true, why);

	if (e == ERR_STATE && n->damaged) {
		*more = false;           /* until it has come again */
		return ERR_NONE;
	}
	if (e)
		return e;
	block_cache_put(&bc->cache, n, b);
	block_unref(b);
	tree_lend(c);
	e = flight_begin(bc, n, &f, why);
	tree_return(c);
	return e;
}

static enum err land(struct chain *c, struct why *why)
{
	struct chain *bc = &c->background->chain;
	enum err e;

	tree_lend(c);
	e = flight_help(bc) ? flight_land(bc, why) : ERR_NONE;
	tree_return(c);
	return e;
}

static enum err move(struct chain *c, bool *more, struct why *why)
{
	struct background *b = c->background;
	struct chain *bc = &b->chain;
	struct header_node *head = flight_head(bc), *next;
	bool room = bc->flight_count < FLIGHTS_MAX &&
		    bc->flight_bytes < FLIGHTS_MAX_BYTES;
	enum err e = ERR_NONE;

	next = head == b->base ? NULL
			       : header_node_ancestor(b->base,
						      head->height + 1);
	if (next && room && has_block(next))
		e = begin(c, next, more, why);
	else if (bc->flight_count)
		e = land(c, why);
	else
		*more = false;           /* the block has not come yet */
	if (!e && header_node_failed(b->base))
		e = disproven(c, "a block on the way to it is invalid", why);
	return e;
}

static bool add_coin(const struct outpoint *o, const struct coin *coin,
		     void *arg)
{
	return utxo_tally_coin(o, coin, arg);
}

static enum err walk_begin(struct chain *c, struct why *why)
{
	struct background *b = c->background;
	enum err e = background_flush(c, why);

	if (e)
		return e;
	b->tally = utxo_tally_new(UTXO_HASH_SERIALIZED);
	b->walk = coin_walk_new(b->chain.coins);
	return ERR_NONE;
}

static enum err drop_old_coins(struct chain *c, struct why *why)
{
	struct coins *old;
	enum err e = coins_open_in(&old, c, false, 8, true, why);

	if (!e)
		coins_close(old);
	return e;
}

/* Both are at the same block, and the same: history is behind us. */
static enum err proven(struct chain *c, struct why *why)
{
	enum err e;

	c->snapshot->status = SNAPSHOT_PROVEN;
	e = snapshot_base_write(c->snapshot, c->dir, why);
	if (e)
		return e;
	log_info(LOG_CHAIN, "the chain's history up to height=%d is "
		 "validated: the snapshot was right",
		 c->background->base->height);
	background_free(c->background);
	c->background = NULL;
	return drop_old_coins(c, why);
}

static enum err compare(struct chain *c, bool *more, struct why *why)
{
	struct background *b = c->background;
	int64_t until_ms = clock_mono_ms() + WALK_MS;
	struct utxo_stats s;
	char text[200], have[65], want[65];
	enum err e;

	do
		e = coin_walk_step(b->walk, more, WALK_COINS, add_coin,
				   b->tally, why);
	while (!e && *more && clock_mono_ms() < until_ms);
	if (e || *more)
		return e;
	utxo_tally_end(b->tally, &s);
	if (memcmp(s.hash, c->snapshot->coins_hash, sizeof s.hash) == 0)
		return proven(c, why);
	hash_to_rpc_hex(have, s.hash);
	hash_to_rpc_hex(want, c->snapshot->coins_hash);
	snprintf(text, sizeof text, "expected %s, got %s", want, have);
	return disproven(c, text, why);
}

static void tell(struct chain *c)
{
	struct background *b = c->background;
	int64_t now = clock_mono_ms();

	if (now - b->log_ms < LOG_EVERY_MS)
		return;
	b->log_ms = now;
	log_info(LOG_CHAIN, "validating history: height=%d of %d, %.1f %%",
		 chain_tip(&b->chain)->height, b->base->height,
		 100 * chain_background_progress(c));
}

enum err background_step(struct chain *c, bool *more, struct why *why)
{
	struct background *b = c->background;

	*more = b && !c->verify && !c->scan;
	if (!*more)
		return ERR_NONE;
	tell(c);
	if (b->walk)
		return compare(c, more, why);
	if (chain_tip(&b->chain) == b->base && !b->chain.flight_count)
		return walk_begin(c, why);
	if (coins_wants_flush(b->chain.coins) ||
	    clock_mono_ms() - b->chain.flushed_ms > FLUSH_EVERY_MS)
		return background_flush(c, why);
	return move(c, more, why);
}
