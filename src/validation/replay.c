/*
 * After a crash between two flushes: some coins are on disk as later blocks
 * left them.  Going over these blocks once more, without a look at what is
 * there, makes each coin they touch what it is after the last of them.
 */
#include "config.h"

#include "validation/flight.h"

#include "base/log.h"

static enum err replay_tx(struct chain *c, const struct header_node *n,
			  const struct tx *tx, bool coinbase, struct why *why)
{
	struct coin coin = { .height = n->height, .coinbase = coinbase };
	struct outpoint o = { .txid = tx->txid };
	enum err e = ERR_NONE;
	uint32_t i;

	for (i = 0; !coinbase && !e && i < tx->in_count; i++)
		e = coins_remove(c->coins, &tx->in[i].prevout, why);
	for (; !e && o.n < tx->out_count; o.n++) {
		if (!output_is_coin(&tx->out[o.n]))
			continue;
		coin.value_sat = tx->out[o.n].value_sat;
		coin.script = tx->out[o.n].script_pubkey;
		e = coins_add(c->coins, &o, &coin, true, why);
	}
	return e;
}

static enum err replay_block(struct chain *c, const struct header_node *n,
			     struct why *why)
{
	struct block *b;
	enum err e = chain_read_stored(c, &b, n, false, why);
	uint32_t i;

	if (e)
		return e;
	for (i = 0; !e && i < b->tx_count; i++)
		e = replay_tx(c, n, &b->tx[i], i == 0, why);
	block_unref(b);
	return e;
}

/* The blocks from the coins' tip up to the one they reached are stored. */
static bool way_is_there(const struct header_node *from,
			 const struct header_node *to)
{
	if (!to || !header_node_is_ancestor(from, to))
		return false;
	for (; to != from; to = to->prev)
		if (!(to->status & BLOCK_HAVE_DATA))
			return false;
	return true;
}

enum err replay_blocks(struct chain *c, struct why *why)
{
	struct block_hash h;
	struct header_node *from = chain_tip(c), *to;
	enum err e = ERR_NONE;
	int height;

	if (!coins_reached(c->coins, &h))
		return ERR_NONE;
	to = header_tree_get(&c->tree, &h);
	if (!way_is_there(from, to))
		return why_set(why, ERR_CORRUPT, "%s/chainstate was being "
			       "written, and blocks that it needs are not "
			       "there; start with -reindex-chainstate",
			       c->dir);
	log_info(LOG_CHAIN, "the last run did not end cleanly: going over "
		 "blocks %d to %d again", from->height + 1, to->height);
	for (height = from->height + 1; !e && height <= to->height; height++) {
		if (c->opt.stop && c->opt.stop(c->opt.events.ctx))
			return why_set(why, ERR_STOPPED,
				       "stopped while going over blocks");
		e = replay_block(c, header_node_ancestor(to, height), why);
		if (!e && coins_wants_flush(c->coins))
			e = coins_make_room(c->coins, &h, why);
	}
	if (e)
		return e;
	tip_set(c, to);
	return chain_flush(c, why);
}
