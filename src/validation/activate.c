/*
 * Towards the best chain, a step at a time: take the tip back while it is
 * not on the way, begin the next block while there is room in the air, land
 * the oldest one otherwise.
 */
#include "config.h"

#include "validation/prune.h"

/* Write everything at least so often, when there is something to do. */
#define FLUSH_EVERY_MS (INT64_C(60) * 60 * 1000)

static bool room_in_the_air(const struct chain *c)
{
	return c->flight_count < FLIGHTS_MAX &&
	       c->flight_bytes < FLIGHTS_MAX_BYTES && !c->flush_wanted &&
	       !c->room_wanted;
}

static enum err begin_next(struct chain *c, struct header_node *head,
			   struct header_node *target, struct why *why)
{
	struct finding f;

	struct header_node *n = header_node_ancestor(target, head->height + 1);
	enum err e = flight_begin(c, n, &f, why);

	/* Then it is no way to the target any more, until it has come. */
	return e == ERR_STATE && n->damaged ? ERR_NONE : e;
}

/* Nor is there a way back until the tip's block has come again. */
static enum err leave_tip(struct chain *c, bool *more, struct why *why)
{
	const struct header_node *tip = chain_tip(c);
	enum err e = tip->damaged ? ERR_NONE : disconnect_tip(c, why);

	if (!tip->damaged || (e && e != ERR_STATE))
		return e;
	*more = false;
	return ERR_NONE;
}

static void consider_flush(struct chain *c)
{
	c->room_wanted = coins_wants_flush(c->coins);
	if (clock_mono_ms() - c->flushed_ms > FLUSH_EVERY_MS)
		c->flush_wanted = true;
	if (prune_is_due(c))
		c->flush_wanted = c->prune_due = true;
}

static void tell_tip(struct chain *c)
{
	bool ibd = chain_in_initial_download(c);

	if (!c->tip_moved)
		return;
	c->tip_moved = false;
	if (c->opt.events.tip)
		c->opt.events.tip(c->opt.events.ctx, chain_tip(c), ibd);
}

enum err activate_step(struct chain *c, bool drain, bool *more,
		       struct why *why)
{
	struct header_node *target = candidates_best(&c->candidates);
	struct header_node *head = flight_head(c);
	bool ahead;
	enum err e = ERR_NONE;

	if (c->verify || c->scan) {
		*more = false;
		return ERR_NONE;
	}
	CHECK(target);           /* the first block, if nothing better */
	ahead = header_node_is_ancestor(head, target);
	*more = true;
	if (c->flush_wanted && !c->flight_count)
		e = chain_flush(c, why);
	else if (c->room_wanted && !c->flight_count)
		e = chain_make_room(c, why);
	else if (!ahead && !c->flight_count)
		e = leave_tip(c, more, why);
	else if (ahead && head != target && room_in_the_air(c))
		e = begin_next(c, head, target, why);
	else if (c->flight_count &&
		 (drain || !room_in_the_air(c) || !ahead || flight_ready(c)))
		e = flight_help(c) ? flight_land(c, why) : ERR_NONE;
	else
		*more = false;
	if (e)
		return e;
	if (*more)
		consider_flush(c);
	else if (!c->flight_count)
		tell_tip(c);
	tip_tell_best_header(c);
	return ERR_NONE;
}

bool chain_has_work(struct chain *c)
{
	return c->flight_count || candidates_best(&c->candidates) !=
				  chain_tip(c);
}

enum err chain_step(struct chain *c, bool *more, struct why *why)
{
	if (c->broken)
		return why_set(why, ERR_STATE, "the coins are in disorder "
			       "after earlier trouble; restart the node");
	return activate_step(c, true, more, why);
}

enum err chain_activate(struct chain *c, struct why *why)
{
	bool more = true;
	enum err e = ERR_NONE;

	while (!e && more) {
		if (c->opt.stop && c->opt.stop(c->opt.events.ctx))
			return why_set(why, ERR_STOPPED,
				       "stopped while connecting blocks");
		e = chain_step(c, &more, why);
	}
	return e;
}
