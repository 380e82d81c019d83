/*
 * A snapshot file becomes the chain's coins: loaded beside them, hashed,
 * compared with what the parameters say; only then does the chain change.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "chainstate/snapshot.h"
#include "validation/background_priv.h"

#define STEP_MS 5
#define STEP_GROUPS 64

struct snapshot_load {
	struct chain *chain;             /* NULL: closed meanwhile */
	struct snapshot_reader *reader;  /* until all is read */
	const struct snapshot_params *known;
	struct header_node *base;
	struct coins *coins;
	struct coin_walk *walk;          /* afterwards */
	struct utxo_tally *tally;
	uint64_t count;
	enum err add_err;
	struct why add_why;
};

/* ---- may it be loaded? ---- */

static const struct snapshot_params *find_known(const struct chain *c,
						const struct block_hash *h)
{
	const struct chain_params *p = c->opt.params;

	for (size_t i = 0; i < p->snapshot_count; i++)
		if (block_hash_eq(&p->snapshots[i].hash, h))
			return &p->snapshots[i];
	return NULL;
}

static enum err not_recognized(const struct chain *c,
			       const struct block_hash *h, struct why *why)
{
	const struct chain_params *p = c->opt.params;
	char hex[65], list[160] = "";
	size_t n = 0;

	hash_to_rpc_hex(hex, h->b);
	for (size_t i = 0; i < p->snapshot_count && n < sizeof list; i++)
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%d",
				      i ? ", " : "",
				      p->snapshots[i].height);
	return why_set(why, ERR_INPUT, "assumeutxo block hash in snapshot "
		       "metadata not recognized (hash: %s). The following "
		       "snapshot heights are available: %s", hex,
		       n ? list : "none");
}

static enum err check_base(struct snapshot_load *l,
			   const struct block_hash *h, struct why *why)
{
	struct chain *c = l->chain;
	char hex[65];

	if (c->background || c->snapshot->status != SNAPSHOT_NONE)
		return why_set(why, ERR_INPUT, "Can't activate a "
			       "snapshot-based chainstate more than once");
	l->known = find_known(c, h);
	if (!l->known)
		return not_recognized(c, h, why);
	l->base = header_tree_get(&c->tree, h);
	hash_to_rpc_hex(hex, h->b);
	if (!l->base || l->base->height != l->known->height)
		return why_set(why, ERR_INPUT, "The base block header (%s) "
			       "must appear in the headers chain. Make sure "
			       "all headers are syncing, and call "
			       "loadtxoutset again", hex);
	if (header_node_failed(l->base))
		return why_set(why, ERR_INPUT, "The base block header (%s) is "
			       "part of an invalid chain", hex);
	if (!header_node_is_ancestor(l->base, c->best_header))
		return why_set(why, ERR_INPUT, "A forked headers-chain with "
			       "more work than the chain with the snapshot "
			       "base block header exists. Please proceed to "
			       "sync without AssumeUtxo.");
	if (u256_cmp(&l->base->chain_work, &chain_tip(c)->chain_work) <= 0)
		return why_set(why, ERR_INPUT, "work does not exceed active "
			       "chainstate");
	return ERR_NONE;
}

enum err snapshot_load_begin(struct snapshot_load **out, struct chain *c,
			     const char *path, struct why *why)
{
	struct snapshot_load *l;
	struct block_hash base;
	enum err e;

	if (c->loading)
		return why_set(why, ERR_INPUT, "a snapshot is being loaded "
			       "already");
	l = xcalloc(1, sizeof *l);
	l->chain = c;
	c->loading = l;
	e = snapshot_reader_open(&l->reader, path, c->opt.params->magic,
				 &base, why);
	if (!e)
		e = check_base(l, &base, why);
	if (!e)
		e = coins_open_in(&l->coins, c, true, 2, true, why);
	if (e) {
		snapshot_load_free(l);
		return e;
	}
	l->tally = utxo_tally_new(UTXO_HASH_SERIALIZED);
	*out = l;
	return ERR_NONE;
}

void snapshot_load_detach(struct snapshot_load *l)
{
	if (!l || !l->chain)
		return;
	l->chain->loading = NULL;
	l->chain = NULL;
}

void snapshot_load_free(struct snapshot_load *l)
{
	struct chain *c;
	struct why why;

	if (!l)
		return;
	c = l->chain;
	snapshot_load_detach(l);
	snapshot_reader_close(l->reader);
	coin_walk_free(l->walk);
	utxo_tally_free(l->tally);
	coins_close(l->coins);
	/* What was refused takes no space. */
	if (l->coins && c && snapshot_coins_remove(c->dir, &why))
		log_warn(LOG_CHAIN, "%s", why.text);
	free(l);
}

uint64_t snapshot_load_coins(const struct snapshot_load *l)
{
	return l->count;
}

const struct header_node *snapshot_load_base(const struct snapshot_load *l)
{
	return l->base;
}

/* ---- reading ---- */

static bool take_coin(const struct outpoint *o, const struct coin *coin,
		      void *arg)
{
	struct snapshot_load *l = arg;

	if (coin->height > l->base->height || o->n == UINT32_MAX)
		l->add_err = why_set(&l->add_why, ERR_INPUT, "Bad snapshot "
				     "data after deserializing %llu coins",
				     (unsigned long long)l->count);
	else
		/* An entry may come twice: then it is not what it should be,
		 * which the hash will show. */
		l->add_err = coins_add(l->coins, o, coin, true, &l->add_why);
	l->count += !l->add_err;
	return !l->add_err;
}

static enum err read_some(struct snapshot_load *l, struct why *why)
{
	int64_t until_ms = clock_mono_ms() + STEP_MS;
	bool more = true;
	enum err e = ERR_NONE;

	while (!e && more && clock_mono_ms() < until_ms)
		e = snapshot_reader_step(l->reader, &more, STEP_GROUPS,
					 take_coin, l, why);
	if (l->add_err) {
		*why = l->add_why;
		return l->add_err;
	}
	if (e == ERR_INPUT && snapshot_reader_left(l->reader))
		return why_set(why, ERR_INPUT, "Bad snapshot format or "
			       "truncated snapshot after deserializing %llu "
			       "coins", (unsigned long long)l->count);
	if (e == ERR_INPUT)
		return why_set(why, ERR_INPUT, "Bad snapshot - coins left "
			       "over after deserializing %llu coins",
			       (unsigned long long)l->count);
	if (!e && (!more || coins_wants_flush(l->coins)))
		e = coins_flush(l->coins, &l->base->hash, false, why);
	if (e || more)
		return e;
	snapshot_reader_close(l->reader);
	l->reader = NULL;
	l->walk = coin_walk_new(l->coins);
	return ERR_NONE;
}

/* ---- the change ---- */

static void base_arrived(struct chain *c, struct header_node *base)
{
	struct waiting_kids *k = waiting_take(&c->waiting, base);

	for (size_t i = 0; k && i < k->count; i++)
		tip_block_arrived(c, k->nodes[i]);
	waiting_kids_free(k);
}

static enum err activate(struct snapshot_load *l, struct why *why)
{
	struct chain *c = l->chain;
	struct coins *old = NULL;
	enum err e = chain_flush(c, why);

	if (e)
		return e;
	*c->snapshot = (struct snapshot_base){
		.status = SNAPSHOT_UNPROVEN, .hash = l->base->hash,
		.chain_txs = l->known->chain_txs,
	};
	memcpy(c->snapshot->coins_hash, l->known->coins_hash, 32);
	e = snapshot_base_write(c->snapshot, c->dir, why);
	if (e)
		return e;
	/* The coins so far go on with half the memory. */
	coins_close(c->coins);
	c->coins = l->coins;
	l->coins = NULL;
	snapshot_settle_base(c);
	e = coins_open_in(&old, c, false, 2, false, why);
	if (!e)
		e = background_new(c, old, l->base, why);
	if (e)
		return e;
	tip_set(c, l->base);
	base_arrived(c, l->base);
	tip_find_candidates(c);
	candidates_add(&c->candidates, l->base);
	c->tip_moved = true;
	log_info(LOG_CHAIN, "the chain stands on a snapshot at height=%d, %llu"
		 " coins; its history is validated in the background",
		 l->base->height, (unsigned long long)l->count);
	return ERR_NONE;
}

static enum err compare(struct snapshot_load *l, bool *more, struct why *why)
{
	int64_t until_ms = clock_mono_ms() + STEP_MS;
	struct utxo_stats s;
	char have[65], want[65];
	enum err e;

	do
		e = coin_walk_step(l->walk, more, 256, utxo_tally_coin,
				   l->tally, why);
	while (!e && *more && clock_mono_ms() < until_ms);
	if (e || *more)
		return e;
	utxo_tally_end(l->tally, &s);
	if (memcmp(s.hash, l->known->coins_hash, sizeof s.hash) == 0)
		return activate(l, why);
	hash_to_rpc_hex(have, s.hash);
	hash_to_rpc_hex(want, l->known->coins_hash);
	return why_set(why, ERR_INPUT, "Bad snapshot content hash: expected "
		       "%s, got %s", want, have);
}

enum err snapshot_load_step(struct snapshot_load *l, bool *more,
			    struct why *why)
{
	*more = true;
	if (!l->chain)
		return why_set(why, ERR_STOPPED, "stopped");
	return l->walk ? compare(l, more, why) : read_some(l, why);
}
