/*
 * A block's coins taken back: of a flight that failed, from its journal, and
 * of the tip when a better chain comes, from its undo data.
 */
#include "config.h"

#include "validation/flight.h"

#include "base/log.h"

static bool coin_is_output(const struct coin *coin, const struct tx_revert *r,
			   uint32_t n)
{
	return coin->height == r->node->height &&
	       coin->coinbase == !r->undo &&
	       coin->value_sat == r->tx->out[n].value_sat &&
	       span_eq(coin->script, r->tx->out[n].script_pubkey);
}

static enum err remove_output(const struct tx_revert *r, uint32_t n,
			      struct arena *scratch, struct why *why)
{
	struct outpoint o = { .txid = r->tx->txid, .n = n };
	struct coin coin;
	char hex[65];
	bool found;
	enum err e = coins_spend(r->coins, &found, &coin, scratch, &o, why);

	if (e || !r->strict || (found && coin_is_output(&coin, r, n)))
		return e;
	hash_to_rpc_hex(hex, r->tx->txid.b);
	return why_set(why, ERR_CORRUPT, "the coins and the block files do "
		       "not agree: output %s:%u of the block at height %d "
		       "%s", hex, (unsigned)n, r->node->height,
		       found ? "differs" : "is missing");
}

/* BIP30: the coinbase had overwritten an equal one of another height. */
static enum err restore_repeated(const struct tx_revert *r, int height,
				 struct why *why)
{
	struct outpoint o = { .txid = r->tx->txid };
	struct coin coin = { .height = height, .coinbase = true };
	enum err e = ERR_NONE;

	for (; !e && o.n < r->outs; o.n++) {
		coin.value_sat = r->tx->out[o.n].value_sat;
		coin.script = r->tx->out[o.n].script_pubkey;
		if (output_is_coin(&r->tx->out[o.n]))
			e = coins_add(r->coins, &o, &coin, true, why);
	}
	return e;
}

enum err tx_revert(const struct tx_revert *r, struct arena *scratch,
		   struct why *why)
{
	int repeats = r->undo ? -1 : bip30_repeats_height(r->node);
	enum err e = ERR_NONE;
	uint32_t i;

	for (i = r->outs; !e && i-- > 0;)
		if (output_is_coin(&r->tx->out[i]))
			e = remove_output(r, i, scratch, why);
	if (!e && repeats >= 0)
		e = restore_repeated(r, repeats, why);
	for (i = r->undo ? r->undo->count : 0; !e && i-- > 0;)
		e = coins_add(r->coins, &r->tx->in[i].prevout,
			      &r->undo->coins[i], true, why);
	return e;
}

enum err flight_revert(struct flight *fl, struct why *why)
{
	struct tx_revert r = { .coins = fl->chain->coins, .node = fl->node };
	struct arena scratch = { 0 };
	enum err e = ERR_NONE;
	uint32_t i = fl->txs_done;

	if (!fl->begun)
		return ERR_NONE;
	if (i == fl->block->tx_count)
		i--;
	for (;; i--) {
		r.tx = &fl->block->tx[i];
		r.undo = i ? &fl->undo.txs[i - 1] : NULL;
		r.outs = i < fl->txs_done ? r.tx->out_count : fl->outs_done;
		e = tx_revert(&r, &scratch, why);
		if (e || i == 0)
			break;
	}
	arena_clear(&scratch);
	if (e)
		fl->chain->broken = true;
	return e;
}

enum err undo_check_shape(const struct header_node *n, const struct block *b,
			  const struct block_undo *u, struct why *why)
{
	bool ok = u->count == b->tx_count - 1;
	uint32_t i;

	for (i = 0; ok && i < u->count; i++)
		ok = u->txs[i].count == b->tx[i + 1].in_count;
	if (ok)
		return ERR_NONE;
	return why_set(why, ERR_CORRUPT, "blocks/rev%05d.dat: the undo data "
		       "at %u is not that of the block at height %d",
		       (int)n->undo.file, (unsigned)n->undo.offset,
		       n->height);
}

enum err revert_block(struct chain *c, const struct header_node *n,
		      const struct block *b, const struct block_undo *u,
		      struct why *why)
{
	struct tx_revert r = { .coins = c->coins, .node = n, .strict = true };
	struct arena scratch = { 0 };
	enum err e = ERR_NONE;
	uint32_t i;

	for (i = b->tx_count; !e && i-- > 0;) {
		r.tx = &b->tx[i];
		r.undo = i ? &u->txs[i - 1] : NULL;
		r.outs = r.tx->out_count;
		e = tx_revert(&r, &scratch, why);
	}
	arena_clear(&scratch);
	if (e)
		c->broken = true;
	return e;
}

enum err disconnect_tip(struct chain *c, struct why *why)
{
	struct header_node *n = chain_tip(c);
	struct block_hash reached;
	struct block_undo undo;
	struct block *b = NULL;
	struct arena a = { 0 };
	enum err e = ERR_NONE;

	CHECK(c->flight_count == 0 && n->prev);
	if (coins_reached(c->coins, &reached))
		e = chain_flush(c, why);
	if (!e)
		e = chain_load_block(c, &b, n, false, why);
	if (!e)
		e = chain_read_undo(c, &undo, &a, n, why);
	if (!e)
		e = undo_check_shape(n, b, &undo, why);
	if (!e)
		e = revert_block(c, n, b, &undo, why);
	if (!e) {
		tip_pop(c);
		c->tip_moved = true;
		block_cache_put(&c->cache, n, b);
		log_debug(LOG_CHAIN, "disconnected height=%d", n->height);
		if (c->opt.events.disconnected)
			c->opt.events.disconnected(c->opt.events.ctx, n, b);
	}
	block_unref(b);
	arena_clear(&a);
	return e;
}
