/*
 * The check walks down from the tip, taking blocks back from an overlay over
 * the coins, then up again, with the same code that moves the real ones.
 */
#include "config.h"

#include "validation/verify.h"

#include <stdlib.h>

#include "base/log.h"
#include "validation/flight.h"
#include "validation/repair.h"

struct verify {
	struct chain *chain;             /* NULL: closed meanwhile */
	struct chain shadow;             /* the same, over the overlay */
	struct coins *overlay;
	int level, blocks;
	const struct header_node *tip;   /* when it began */
	struct header_node *at;          /* looked at next, going down */
	bool up;                         /* on the way up, from `at` */
	bool taken_back;                 /* every one so far */
	struct verify_result result;
};

static void start_over(struct verify *v)
{
	struct chain *c = v->chain;

	coins_close(v->overlay);
	v->overlay = coins_overlay_new(c->coins, c->opt.dbcache_bytes);
	v->shadow = *c;
	v->shadow.coins = v->overlay;
	v->shadow.scripts = NULL;        /* check them all again */
	v->tip = v->at = chain_tip(c);
	v->up = false;
	v->taken_back = v->level >= 3;
	v->result = (struct verify_result){ .good = true };
}

enum err verify_begin(struct verify **out, struct chain *c, int level,
		      int blocks, struct why *why)
{
	struct verify *v;
	enum err e = ERR_NONE;

	if (c->verify)
		return why_set(why, ERR_STATE,
			       "a verification is under way already");
	while (!e && c->flight_count)
		e = flight_land(c, why);
	if (e)
		return e;
	v = xcalloc(1, sizeof *v);
	v->chain = c;
	v->level = level;
	v->blocks = blocks > 0 ? blocks : chain_tip(c)->height;
	start_over(v);
	c->verify = v;
	*out = v;
	return ERR_NONE;
}

void verify_detach(struct verify *v)
{
	if (!v)
		return;
	coins_close(v->overlay);
	v->overlay = NULL;
	v->chain = NULL;
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	if (v->chain)
		v->chain->verify = NULL;
	verify_detach(v);
	free(v);
}

const struct verify_result *verify_result(const struct verify *v)
{
	return &v->result;
}

/* ---- one block ---- */

static void fault(struct verify *v, const struct header_node *n,
		  const char *text)
{
	char hex[65];

	hash_to_rpc_hex(hex, n->hash.b);
	v->result.good = false;
	why_set(&v->result.fault, ERR_CORRUPT, "block=%s height=%d: %s", hex,
		n->height, text);
	log_error(LOG_CHAIN, "verification: %s", v->result.fault.text);
}

static bool room(const struct verify *v)
{
	return coins_cache_bytes(v->overlay) +
		       coins_cache_bytes(v->chain->coins) <
	       v->chain->opt.dbcache_bytes;
}

/* As much of the block as the level asks for; trouble is the fault. */
static enum err look_down(struct verify *v, struct header_node *n,
			  struct why *why)
{
	struct chain *c = v->chain;
	struct block_undo undo = { 0 };
	struct block *b = NULL;
	struct arena a = { 0 };
	enum err e = chain_read_stored(c, &b, n, v->level >= 1, why);

	if (e == ERR_CORRUPT)
		return repair_lose(c, n, why);
	if (!e && v->level >= 2)
		e = chain_read_undo(c, &undo, &a, n, why);
	if (!e && v->level >= 2)
		e = undo_check_shape(n, b, &undo, why);
	if (!e && v->taken_back && !room(v)) {
		v->taken_back = false;
		v->result.no_room = true;
	}
	if (!e && v->taken_back)
		e = revert_block(&v->shadow, n, b, &undo, why);
	block_unref(b);
	arena_clear(&a);
	return e;
}

static enum err look_up(struct verify *v, struct header_node *n,
			struct why *why)
{
	struct flight fl = { .chain = &v->shadow, .node = n };
	struct finding f;
	char text[160];
	enum err e;

	fl.flags = block_script_flags(v->shadow.opt.params, n->height,
				      &n->hash);
	fl.check_scripts = true;
	e = chain_read_stored(v->chain, &fl.block, n, true, why);
	if (!e)
		e = flight_apply(&fl, &f, why);
	if (!e && !f.verdict)
		script_checks_wait(&fl.checks, &f);
	if (!e && f.verdict) {
		finding_text(text, &f, true);
		e = why_set(why, ERR_CORRUPT, "it does not connect: %s",
			    text);
	}
	script_checks_clear(&fl.checks);
	arena_clear(&fl.arena);
	block_unref(fl.block);
	return e;
}

/* The last one on the way down was v->at's child. */
static void turn(struct verify *v, bool *more)
{
	*more = v->level >= 4 && v->at != v->tip && !v->result.no_room;
	v->up = true;
}

static enum err down(struct verify *v, bool *more, struct why *why)
{
	struct header_node *n = v->at;
	enum err e;

	if (!n->prev || v->result.checked >= v->blocks) {
		turn(v, more);
		return ERR_NONE;
	}
	if (!(n->status & BLOCK_HAVE_DATA)) {
		v->result.no_data = true;
		log_info(LOG_CHAIN, "verification ends at height=%d: it is "
			 "not stored", n->height);
		turn(v, more);
		return ERR_NONE;
	}
	e = look_down(v, n, why);
	v->at = n->prev;
	v->result.checked++;
	v->result.mendable = n->damaged;
	if (e)
		fault(v, n, why->text);
	return e;
}

static enum err up(struct verify *v, bool *more, struct why *why)
{
	struct header_node *n = chain_at(v->chain, v->at->height + 1);
	enum err e = look_up(v, n, why);

	v->at = n;
	*more = n != v->tip;
	if (e)
		fault(v, n, why->text);
	return e;
}

enum err verify_step(struct verify *v, bool *more, struct why *why)
{
	struct why found = { 0 };
	enum err e;

	*more = true;
	if (!v->chain)
		return why_set(why, ERR_STOPPED, "stopped");
	/* The owner's word moved it: what we know is about another state. */
	if (chain_tip(v->chain) != v->tip)
		start_over(v);
	e = v->up ? up(v, more, &found) : down(v, more, &found);
	if (!e)
		return ERR_NONE;
	*more = false;
	if (e == ERR_CORRUPT || e == ERR_STATE)
		return ERR_NONE;         /* told as the result */
	*why = found;
	return e;
}

enum err verify_all(struct chain *c, int level, int blocks, struct why *why)
{
	struct verify *v;
	bool more = true;
	enum err e = verify_begin(&v, c, level, blocks, why);

	if (e)
		return e;
	while (!e && more) {
		if (c->opt.stop && c->opt.stop(c->opt.events.ctx))
			e = why_set(why, ERR_STOPPED, "stopped");
		else
			e = verify_step(v, &more, why);
	}
	if (!e && !v->result.good && !v->result.mendable)
		e = why_set(why, ERR_CORRUPT, "Corrupted block database "
			    "detected: %s%s", v->result.fault.text,
			    strstr(v->result.fault.text, "-reindex") ? "" :
			    ". Start with -reindex to make index and coins "
			    "again from the block files");
	if (!e)
		log_info(LOG_CHAIN, "verified the newest %d blocks, level %d",
			 v->result.checked, level);
	verify_free(v);
	return e;
}
