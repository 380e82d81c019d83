/*
 * Flights: begun one on top of the other, landed in the same order.  When
 * one fails, those above it are taken back too, newest first.
 */
#include "config.h"

#include "validation/flight.h"

#include <stdlib.h>

#include "base/log.h"

struct header_node *flight_head(const struct chain *c)
{
	return c->flight_count ? c->flights[c->flight_count - 1]->node
			       : chain_tip(c);
}

void flight_free(struct flight *fl)
{
	script_checks_clear(&fl->checks);
	arena_clear(&fl->arena);
	block_unref(fl->block);
	free(fl);
}

/* Scripts were checked before, or need not be. */
static bool needs_scripts(const struct chain *c, const struct header_node *n)
{
	return (n->status & BLOCK_VALID_MASK) < BLOCK_VALID_SCRIPTS &&
	       !scripts_assumed_valid(c, n);
}

static void failed(struct chain *c, struct header_node *n,
		   const struct finding *f)
{
	block_unref(block_cache_take(&c->cache, n));
	tip_mark_failed(c, n, f);
	tip_tell_checked(c, n, f);
}

enum err flight_begin(struct chain *c, struct header_node *n,
		      struct finding *f, struct why *why)
{
	struct flight *fl = xcalloc(1, sizeof *fl);
	enum err e, again;

	CHECK(c->flight_count < FLIGHTS_MAX && n->prev == flight_head(c));
	fl->chain = c;
	fl->node = n;
	fl->flags = block_script_flags(c->opt.params, n->height, &n->hash);
	fl->check_scripts = needs_scripts(c, n);
	e = chain_load_block(c, &fl->block, n, true, why);
	if (!e)
		e = flight_apply(fl, f, why);
	if (!e && !f->verdict) {
		fl->bytes = fl->block->raw.n + fl->block->arena.size_bytes +
			    fl->arena.size_bytes;
		c->flight_bytes += fl->bytes;
		c->flights[c->flight_count++] = fl;
		return ERR_NONE;
	}
	script_checks_clear(&fl->checks);
	if (fl->block) {
		again = flight_revert(fl, e ? NULL : why);
		if (!e)
			e = again;
	}
	if (!e)
		failed(c, n, f);
	flight_free(fl);
	return e;
}

bool flight_ready(const struct chain *c)
{
	return c->flight_count &&
	       script_checks_finished(&c->flights[0]->checks);
}

bool flight_help(struct chain *c)
{
	return script_checks_help(&c->flights[0]->checks);
}

/* Take back the newest flight. */
static enum err pop_newest(struct chain *c, struct why *why)
{
	struct flight *fl = c->flights[--c->flight_count];
	enum err e;

	script_checks_clear(&fl->checks);
	c->flight_bytes -= fl->bytes;
	e = flight_revert(fl, why);
	if (!e)
		block_cache_put(&c->cache, fl->node, fl->block);
	flight_free(fl);
	return e;
}

enum err flights_cancel(struct chain *c, struct why *why)
{
	enum err e = ERR_NONE;

	while (!e && c->flight_count)
		e = pop_newest(c, why);
	return e;
}

/* There from an earlier time, and sound: else it is made again. */
static bool undo_stands(struct chain *c, const struct header_node *n)
{
	struct bytes raw = { 0 };
	bool ok = n->status & BLOCK_HAVE_UNDO &&
		  !block_store_read_undo(c->store, &raw, n->undo,
					 &n->prev->hash, NULL);

	bytes_clear(&raw);
	return ok;
}

static enum err write_undo(struct chain *c, struct flight *fl,
			   struct why *why)
{
	struct header_node *n = fl->node;
	struct bytes b = { 0 };
	enum err e;

	if (undo_stands(c, n))
		return ERR_NONE;
	block_undo_write(&b, &fl->undo);
	e = block_store_append_undo(c->store, &n->undo, n->data.file,
				    bytes_span(&b), &n->prev->hash, why);
	bytes_clear(&b);
	if (e)
		return e;
	n->status |= BLOCK_HAVE_UNDO;
	header_tree_touch(&c->tree, n);
	return ERR_NONE;
}

static void became_tip(struct chain *c, struct flight *fl,
		       const struct finding *f)
{
	struct header_node *n = fl->node;

	if ((n->status & BLOCK_VALID_MASK) < BLOCK_VALID_SCRIPTS) {
		n->status = (n->status & ~(uint32_t)BLOCK_VALID_MASK) |
			    BLOCK_VALID_SCRIPTS;
		header_tree_touch(&c->tree, n);
	}
	tip_push(c, n);
	c->tip_moved = true;
	candidates_trim(&c->candidates, n);
	log_debug(LOG_CHAIN, "connected height=%d txs=%u", n->height,
		  (unsigned)n->tx_count);
	tip_tell_checked(c, n, f);
	if (c->opt.events.connected)
		c->opt.events.connected(c->opt.events.ctx, n, fl->block);
}

enum err flight_land(struct chain *c, struct why *why)
{
	struct flight *fl = c->flights[0];
	struct header_node *n = fl->node;
	struct finding f;
	enum err e;

	script_checks_wait(&fl->checks, &f);
	if (f.verdict) {
		e = flights_cancel(c, why);
		if (!e)
			failed(c, n, &f);
		return e;
	}
	e = write_undo(c, fl, why);
	if (e)
		return e;
	c->flight_count--;
	c->flight_bytes -= fl->bytes;
	memmove(c->flights, c->flights + 1,
		c->flight_count * sizeof c->flights[0]);
	became_tip(c, fl, &f);
	flight_free(fl);
	return ERR_NONE;
}

/* The oldest flight that touched the coin knows what it was before. */
void flights_find_coin(const struct chain *c, bool *known, bool *found,
		       struct coin *coin, const struct outpoint *o)
{
	size_t i;
	uint32_t t, j;

	*known = true;
	for (i = 0; i < c->flight_count; i++) {
		const struct flight *fl = c->flights[i];

		for (t = 0; t < fl->block->tx_count; t++) {
			const struct tx *tx = &fl->block->tx[t];

			*found = false;
			if (txid_eq(&tx->txid, &o->txid))
				return;
			for (j = 0; t && j < tx->in_count; j++) {
				if (!outpoint_eq(&tx->in[j].prevout, o))
					continue;
				*found = true;
				*coin = fl->undo.txs[t - 1].coins[j];
				return;
			}
		}
	}
	*known = false;
}
