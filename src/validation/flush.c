/*
 * Making the chain durable.  The order is what makes every instant safe:
 *
 *   1. block and undo files are synced;
 *   2. the index learns where blocks and undo data are (one synced batch);
 *   3. the coins move, with the hash of their tip (one synced batch).
 *
 * So the index never points at what is not there, and the coins' tip is
 * always in the index with the undo data that leads back from it.  After a
 * crash the coins may be behind the blocks, or on a branch that was left:
 * activation connects or takes back from where they stand.
 *
 * When memory runs short before it is time for that, 3 is: some coins move,
 * together with the hash of the block up to which they have.  After a crash
 * going over the blocks between (replay.c) makes them one state again.  For
 * that these blocks must be one line: so no block is taken back before all
 * coins are flushed.
 */
#include "config.h"

#include "validation/flight.h"
#include "validation/prune.h"

#include <stdlib.h>

#include "base/log.h"

#define RECORDS_PER_BATCH 20000

static void fill_record(struct index_record *rec, const struct header_node *n)
{
	header_node_header(&rec->header, n);
	rec->hash = n->hash;
	rec->height = n->height;
	rec->status = n->status | (n->damaged ? BLOCK_HAVE_DATA : 0u);
	rec->tx_count = n->tx_count;
	rec->data = n->data;
	rec->undo = n->undo;
}

/* New nodes are touched after their parents, so an interrupted series of
 * batches never leaves a node without its parent. */
enum err chain_write_index(struct chain *c, struct why *why)
{
	struct header_tree *t = &c->tree;
	size_t done = 0, i, n = MIN_OF(t->dirty_count,
				       (size_t)RECORDS_PER_BATCH);
	struct index_record *recs = xcalloc(n ? n : 1, sizeof *recs);
	enum err e = ERR_NONE;

	while (!e && done < t->dirty_count) {
		n = MIN_OF(t->dirty_count - done, (size_t)RECORDS_PER_BATCH);
		for (i = 0; i < n; i++)
			fill_record(&recs[i], t->dirty[done + i]);
		e = index_db_write(c->index, recs, n, c->store, why);
		done += n;
	}
	free(recs);
	if (e)
		return e;
	for (i = 0; i < t->dirty_count; i++)
		t->dirty[i]->dirty = false;
	t->dirty_count = 0;
	return ERR_NONE;
}

/* Steps 1 and 2, with nothing in the air. */
static enum err write_blocks(struct chain *c, struct why *why)
{
	enum err e = ERR_NONE;

	if (c->broken)
		return why_set(why, ERR_STATE, "the coins are in disorder "
			       "after earlier trouble; restart the node");
	while (!e && c->flight_count)
		e = flight_land(c, why);
	if (!e)
		e = block_store_sync(c->store, why);
	return e ? e : chain_write_index(c, why);
}

enum err chain_flush(struct chain *c, struct why *why)
{
	const struct header_node *tip;
	enum err e = write_blocks(c, why);

	tip = chain_tip(c);
	if (!e)
		e = coins_flush(c->coins, &tip->hash, true, why);
	if (e)
		return e;
	c->flush_wanted = false;
	c->flushed_ms = clock_mono_ms();
	log_debug(LOG_CHAIN, "flushed at height=%d", tip->height);
	if (!c->prune_due)
		return ERR_NONE;
	c->prune_due = false;
	return prune_by_size(c, why);
}

/* Going over the blocks from the flushed tip on must lead here. */
static bool flushed_below(const struct chain *c)
{
	struct block_hash h;
	const struct header_node *n = coins_tip(c->coins, &h)
					     ? header_tree_get(&c->tree, &h)
					     : NULL;

	return n && header_node_is_ancestor(n, chain_tip(c));
}

enum err chain_make_room(struct chain *c, struct why *why)
{
	enum err e = ERR_NONE;

	if (flushed_below(c)) {
		e = write_blocks(c, why);
		if (!e)
			e = coins_make_room(c->coins, &chain_tip(c)->hash,
					    why);
	}
	if (!e && coins_wants_flush(c->coins))
		e = chain_flush(c, why);
	return e;
}
