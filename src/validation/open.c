/*
 * Opening a chain: the index is read into the tree, the coins say where the
 * tip stands, and what does not belong together is named.
 */
#include "config.h"

#include "validation/background_priv.h"
#include "validation/coin_scan.h"
#include "validation/index_priv.h"
#include "validation/prune.h"
#include "validation/reindex.h"
#include "validation/verify.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

/* Arrival numbers: those read from disk come before those of this run, and
 * preciousblock goes below all of them. */
#define SEQUENCE_BASE 0x80000000u
enum { SEQUENCE_TIP, SEQUENCE_VALID, SEQUENCE_OTHER, SEQUENCE_NEW };

#define DB_CACHE_MAX ((size_t)40 << 20)
#define SCRIPT_CACHE_MAX ((size_t)8 << 20)

static uint64_t first_file_bytes(const char *dir)
{
	char *path = xasprintf("%s/blocks/blk00000.dat", dir);
	struct stat st;
	uint64_t n = stat(path, &st) ? 0 : (uint64_t)st.st_size;

	free(path);
	return n;
}

static bool pos_ok(const struct chain *c, struct disk_pos pos, bool undo)
{
	const struct block_file_info *f;

	if (pos.file < 0 ||
	    (size_t)pos.file >= block_store_file_count(c->store))
		return false;
	f = block_store_file(c->store, (size_t)pos.file);
	return pos.offset < (undo ? f->undo_bytes : f->size_bytes);
}

/* What follows from the records: counts, arrival order, inherited marks. */
static enum err settle_node(struct chain *c, struct header_node *n,
			    struct why *why)
{
	if (n->prev && header_node_failed(n->prev) && !header_node_failed(n)) {
		n->status |= BLOCK_FAILED_CHILD;
		header_tree_touch(&c->tree, n);
	}
	prune_settle_node(c, n);
	if (n->status & BLOCK_HAVE_UNDO && !pos_ok(c, n->undo, true))
		return why_set(why, ERR_CORRUPT, "the index points outside "
			       "blocks/rev%05d.dat", (int)n->undo.file);
	if (n->status & BLOCK_HAVE_DATA &&
	    (!pos_ok(c, n->data, false) || !n->tx_count))
		return why_set(why, ERR_CORRUPT, "the index points outside "
			       "blocks/blk%05d.dat", (int)n->data.file);
	/* Known once, even if it was pruned since. */
	if (!n->tx_count)
		return ERR_NONE;
	n->sequence = SEQUENCE_BASE +
		      ((n->status & BLOCK_VALID_MASK) == BLOCK_VALID_SCRIPTS
			       ? SEQUENCE_VALID : SEQUENCE_OTHER);
	if (n->prev && !n->prev->chain_tx_count)
		waiting_add(&c->waiting, n);
	else
		n->chain_tx_count = n->tx_count +
			(n->prev ? n->prev->chain_tx_count : 0);
	return ERR_NONE;
}

static enum err settle(struct chain *c, struct why *why)
{
	const struct chain_params *p = c->opt.params;
	enum err e = ERR_NONE;
	size_t i;

	if (!block_hash_eq(&c->tree.nodes[0]->hash, &p->genesis_hash))
		return why_set(why, ERR_INPUT, "%s holds another chain than "
			       "%s: its first block differs", c->dir,
			       p->name);
	if (!c->tree.nodes[0]->tx_count)
		return why_set(why, ERR_CORRUPT, "%s/blocks/index does not "
			       "know the first block's data", c->dir);
	for (i = 0; !e && i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];

		e = settle_node(c, n, why);
		if (c->snapshot->status != SNAPSHOT_NONE &&
		    block_hash_eq(&n->hash, &c->snapshot->hash))
			snapshot_settle_base(c);
	}
	return e;
}

static enum err make_genesis(struct chain *c, struct why *why)
{
	const struct chain_params *p = c->opt.params;
	struct bytes raw = { 0 };
	struct header_node *n;
	enum err e;

	genesis_block_write(&raw, p);
	if (!c->rebuilding && first_file_bytes(c->dir) > raw.n + 8) {
		bytes_clear(&raw);
		return why_set(why, ERR_CORRUPT, "%s/blocks holds block files"
			       " but blocks/index is empty; start with "
			       "-reindex to make it again from them", c->dir);
	}
	n = header_tree_add(&c->tree, &p->genesis, &p->genesis_hash, NULL);
	n->tx_count = 1;
	n->status = BLOCK_VALID_SCRIPTS;
	if (c->rebuilding) {             /* the files have it, surely */
		bytes_clear(&raw);
		return ERR_NONE;
	}
	n->status |= BLOCK_HAVE_DATA;
	e = block_store_append(c->store, &n->data, bytes_span(&raw), 0,
			       p->genesis.time, why);
	bytes_clear(&raw);
	return e;
}

static enum err find_tip(struct chain *c, struct why *why)
{
	struct block_hash h;
	struct header_node *n = c->tree.nodes[0];
	char hex[65];

	if (coins_tip(c->coins, &h)) {
		n = header_tree_get(&c->tree, &h);
		hash_to_rpc_hex(hex, h.b);
	} else if (c->have_pruned) {
		return why_set(why, ERR_CORRUPT, "%s/chainstate is empty, and "
			       "blocks that it could be made from are pruned "
			       "away; start with -reindex, which downloads "
			       "the chain again", c->dir);
	} else if (c->tree.count > 1 && !c->rebuilding &&
		   !c->opt.reindex_chainstate) {
		log_warn(LOG_CHAIN, "%s/chainstate is empty: making the coins"
			 " again from the block files", c->dir);
	}
	if (!n || !n->chain_tx_count ||
	    (n->height && n != c->snapshot_base &&
	     !(n->status & BLOCK_HAVE_UNDO)))
		return why_set(why, ERR_CORRUPT, "%s/chainstate is at block "
			       "%s, which blocks/index %s; start with "
			       "-reindex",
			       c->dir, hex, n ? "knows without its data"
					      : "does not know");
	tip_set(c, n);
	for (; n; n = n->prev)
		n->sequence = SEQUENCE_BASE + SEQUENCE_TIP;
	return ERR_NONE;
}

/* A look at the newest block and its undo data, where damage is likeliest. */
static enum err check_tip(struct chain *c, struct why *why)
{
	const struct header_node *tip = chain_tip(c);
	struct block_undo undo;
	struct arena a = { 0 };
	struct block *b = NULL;
	enum err e = chain_read_block(c, &b, tip, why);

	/* It can be had again. */
	if (tip->damaged)
		return ERR_NONE;

	if (!e)
		e = chain_read_undo(c, &undo, &a, tip, why);
	block_unref(b);
	arena_clear(&a);
	return e;
}

static enum err open_index(struct chain *c, bool wipe, struct why *why)
{
	char *blocks = path_join(c->dir, "blocks");
	char *index = path_join(blocks, "index");
	struct block_file_info *files = NULL;
	size_t count = 0;
	enum err e = dir_make(index, 0700, why);

	if (!e)
		e = index_db_open(&c->index, index, wipe, why);
	if (!e)
		e = index_db_pruned(c->index, &c->have_pruned, why);
	if (!e)
		e = index_db_load_files(c->index, &files, &count, why);
	if (!e)
		e = block_store_open(&c->store, blocks, c->opt.params->magic,
				     files, count, why);
	if (!e)
		e = prune_open(c, why);
	if (!e && c->rebuilding)
		e = block_store_adopt(c->store, chain_prune_mode(c) &&
				      wipe, why);
	if (!e)
		e = header_tree_load(&c->tree, c->index, why);
	if (!e && c->opt.fast_prune)
		block_store_set_file_bytes(c->store, FAST_PRUNE_FILE_BYTES);
	free(files);
	free(index);
	free(blocks);
	return e;
}

static enum err open_coins(struct chain *c, bool wipe, struct why *why)
{
	bool snapshot;
	enum err e;

	/* What is made anew does not begin with a snapshot. */
	if (wipe) {
		e = snapshot_base_remove(c->dir, why);
		if (e)
			return e;
	}
	e = snapshot_base_read(c->snapshot, c->dir, why);
	if (e)
		return e;
	snapshot = c->snapshot->status != SNAPSHOT_NONE;
	if (!snapshot)
		e = snapshot_coins_remove(c->dir, why);
	if (e)
		return e;
	return coins_open_in(&c->coins, c, snapshot,
			     c->snapshot->status == SNAPSHOT_UNPROVEN ? 2 : 1,
			     wipe, why);
}

/* The coins of the history that is still being validated. */
static enum err open_background(struct chain *c, struct why *why)
{
	struct coins *coins;
	enum err e;

	if (c->snapshot->status != SNAPSHOT_UNPROVEN)
		return ERR_NONE;
	if (!c->snapshot_base)
		return why_set(why, ERR_CORRUPT, "%s/blocks/index does not "
			       "know the snapshot's block; start with "
			       "-reindex", c->dir);
	e = coins_open_in(&coins, c, false, 2, false, why);
	return e ? e : background_new(c, coins, c->snapshot_base, why);
}


static enum err open_all(struct chain *c, struct why *why)
{
	struct block_hash reached;
	bool fresh, wipe;
	enum err e = reindex_begin(c, &wipe, why);

	/* Coins without an index are worse than an index without coins. */
	if (!e && wipe)
		e = open_coins(c, true, why);
	if (!e)
		e = open_index(c, wipe, why);
	if (!e && wipe)
		e = reindex_wiped(c, why);
	if (!e && !wipe)
		e = open_coins(c, c->opt.reindex_chainstate, why);
	if (e)
		return e;
	fresh = c->tree.count == 0;
	if (fresh)
		e = make_genesis(c, why);
	if (!e)
		e = settle(c, why);
	if (!e)
		e = find_tip(c, why);
	if (!e && coins_reached(c->coins, &reached)) {
		e = replay_blocks(c, why);
		if (!e)
			e = find_tip(c, why);
	}
	if (!e && chain_tip(c)->status & BLOCK_HAVE_DATA &&
	    chain_tip(c) != c->snapshot_base)
		e = check_tip(c, why);
	if (!e)
		e = open_background(c, why);
	if (e)
		return e;
	prune_unlink_branches(c);
	c->best_header = chain_tip(c);
	tip_find_best_header(c);
	c->best_header_told = c->best_header;
	tip_find_candidates(c);
	e = indexes_open(c, why);
	if (e)
		return e;
	if (fresh)
		return chain_flush(c, why);
	if (!c->opt.verify_blocks || c->rebuilding)
		return ERR_NONE;
	return verify_all(c, c->opt.verify_level, c->opt.verify_blocks, why);
}

enum err chain_open(struct chain **out, const struct chain_options *opt,
		    struct why *why)
{
	struct chain *c = xcalloc(1, sizeof *c);
	enum err e;

	c->opt = *opt;
	c->dir = xstrdup(opt->dir);
	c->opt.dir = c->dir;
	if (!c->opt.clock)
		c->opt.clock = &c->own_clock;
	c->scripts = script_cache_new(MIN_OF(opt->dbcache_bytes / 32,
					     SCRIPT_CACHE_MAX));
	c->own_workers = !opt->workers;
	c->workers = opt->workers ? opt->workers : workers_new(0);
	header_tree_init(&c->tree);
	waiting_init(&c->waiting);
	c->next_sequence = SEQUENCE_BASE + SEQUENCE_NEW;
	c->next_precious = SEQUENCE_BASE - 1;
	c->initial_download = true;
	c->prune_lock = -1;
	c->stored_at.file = -1;
	c->snapshot = xcalloc(1, sizeof *c->snapshot);
	c->flushed_ms = clock_mono_ms();
	e = open_all(c, why);
	if (e) {
		chain_close(c);
		return e;
	}
	*out = c;
	return ERR_NONE;
}

void chain_close(struct chain *c)
{
	if (!c)
		return;
	verify_detach(c->verify);
	coin_scan_detach(c->scan);
	snapshot_load_detach(c->loading);
	background_free(c->background);
	free(c->snapshot);
	indexes_close(c);
	/* What is in flight was never flushed: the disk does not know it. */
	c->broken = c->flight_count > 0;
	if (c->broken && flights_cancel(c, NULL))
		log_debug(LOG_CHAIN, "closing with blocks in flight");
	coins_close(c->coins);
	block_store_close(c->store);
	index_db_close(c->index);
	block_cache_clear(&c->cache);
	script_cache_free(c->scripts);
	candidates_clear(&c->candidates);
	waiting_clear(&c->waiting);
	header_tree_clear(&c->tree);
	if (c->own_workers)
		workers_free(c->workers);
	free(c->lost);
	free(c->active);
	free(c->dir);
	free(c);
}
