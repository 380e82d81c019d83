/*
 * Transactions: heard of, asked for, judged by the chain's thread, and told
 * on once the mempool has them.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define KNOWN_MAX 5000           /* per peer */
#define REFUSED_MAX 60000
/* Those we did not choose come later, and so do announcements by txid where
 * others name the same by wtxid. */
#define STRANGER_MS (2 * SECOND_MS)
#define BY_TXID_MS (2 * SECOND_MS)
#define VERSION_FEEFILTER 70013
#define AGAIN_A_TICK 20

/* ---- the mempool's shadow ---- */

static uint64_t id_hash(const void *key, const void *ctx)
{
	const uint64_t *salt = ctx;

	return siphash_u256(salt[0], salt[1], key);
}

static bool wtxid_is(const void *item, const void *key)
{
	const struct pool_tx *t = item;

	return memcmp(t->tx->tx.wtxid.b, key, 32) == 0;
}

static const void *wtxid_of(const void *item)
{
	return ((const struct pool_tx *)item)->tx->tx.wtxid.b;
}

static bool txid_is(const void *item, const void *key)
{
	const struct pool_tx *t = item;

	return memcmp(t->tx->tx.txid.b, key, 32) == 0;
}

static const void *txid_of(const void *item)
{
	return ((const struct pool_tx *)item)->tx->tx.txid.b;
}

static const struct map_type by_wtxid = { id_hash, wtxid_is, wtxid_of };
static const struct map_type by_txid = { id_hash, txid_is, txid_of };

const struct pool_tx *pool_by_wtxid(const struct p2p *p, const uint8_t *id)
{
	return map_get(&p->txs.by_wtxid, id);
}

const struct pool_tx *pool_by_txid(const struct p2p *p, const uint8_t *id)
{
	return map_get(&p->txs.by_txid, id);
}

static void pool_tx_free(struct pool_tx *t)
{
	if (t)
		shared_tx_unref(t->tx);
	free(t);
}

void txs_init(struct p2p *p)
{
	struct p2p_txs *t = &p->txs;

	p->ports.random(p->ports.ctx, t->salt, sizeof t->salt);
	map_init(&t->by_wtxid, &by_wtxid, t->salt);
	map_init(&t->by_txid, &by_txid, t->salt);
	rolling_init(&t->refused, REFUSED_MAX, t->salt);
	rolling_init(&t->low_fee, REFUSED_MAX, t->salt);
	t->min_fee = p->opt.min_relay_sat_kvb;
	fee_filter_init(t, p->opt.min_relay_sat_kvb);
}

static void again_clear(struct p2p_txs *t)
{
	for (size_t i = 0; i < t->again_n; i++)
		shared_tx_unref(t->again[i]);
	t->again_n = 0;
}

void txs_clear(struct p2p *p)
{
	struct p2p_txs *t = &p->txs;
	struct pool_tx *e;
	size_t pos = 0;

	while ((e = map_next(&t->by_wtxid, &pos)) != NULL)
		pool_tx_free(e);
	map_clear(&t->by_wtxid);
	map_clear(&t->by_txid);
	tx_wants_clear(p);
	orphanage_clear(&t->orphans);
	rolling_clear(&t->refused);
	rolling_clear(&t->low_fee);
	again_clear(t);
	free(t->again);
	free(t->fee_steps);
}

void p2p_on_mempool_added(struct p2p *p, const struct mempool_tx *m)
{
	struct pool_tx *t = xcalloc(1, sizeof *t);

	t->tx = shared_tx_ref(m->tx);
	t->rate_sat_kvb = m->rate_sat_kvb;
	t->depth = m->depth;
	pool_tx_free(map_take(&p->txs.by_wtxid, m->tx->tx.wtxid.b));
	map_put(&p->txs.by_wtxid, t);
	map_put(&p->txs.by_txid, t);
	p->txs.min_fee = m->min_fee_sat_kvb;
	if (m->announce)
		announce_tx(p, t);
}

void p2p_on_mempool_removed(struct p2p *p, const struct wtxid *id,
			    int64_t min_fee_sat_kvb)
{
	struct pool_tx *t = map_take(&p->txs.by_wtxid, id->b);

	p->txs.min_fee = min_fee_sat_kvb;
	if (!t)
		return;
	/* A replacement of the same txid may have taken its place there. */
	if (map_get(&p->txs.by_txid, t->tx->tx.txid.b) == t)
		(void)map_take(&p->txs.by_txid, t->tx->tx.txid.b);
	pool_tx_free(t);
}

/* ---- peers ---- */

bool txs_relayed(const struct peer *peer)
{
	return peer->done && !peer->gone && !peer_passing(peer) &&
	       peer->info.relay_txs;
}

void txs_handshaken(struct p2p *p, struct peer *peer)
{
	if (!txs_relayed(peer))
		return;
	rolling_init(&peer->txs.known, KNOWN_MAX, p->txs.salt);
	rolling_init(&peer->txs.told, KNOWN_MAX, p->txs.salt);
	announce_tx_schedule(p, peer);
}

void txs_detach(struct p2p *p, struct peer *peer)
{
	struct peer_txs *t = &peer->txs;

	tx_wants_detach(p, peer);
	orphanage_peer_gone(&p->txs.orphans, peer->id);
	rolling_clear(&t->known);
	rolling_clear(&t->told);
	bytes_clear(&t->asking);
	free(t->queue);
	t->queue = NULL;
	t->queue_n = t->queue_cap = 0;
}

void txs_tick(struct p2p *p)
{
	struct p2p_txs *t = &p->txs;

	for (size_t i = 0; i < p->peers_n; i++) {
		struct peer *peer = p->peers[i];

		if (!txs_relayed(peer))
			continue;
		announce_tx_tick(p, peer);
		if (peer->info.version >= VERSION_FEEFILTER)
			fee_filter_tick(p, peer);
	}
	for (int i = 0; i < AGAIN_A_TICK && t->again_n; i++) {
		if (!p->ports.chain_tx(p->ports.ctx, 0,
				       t->again[t->again_n - 1], NULL))
			break;
		shared_tx_unref(t->again[--t->again_n]);
	}
	tx_wants_tick(p);
}

void txs_new_tip(struct p2p *p)
{
	rolling_empty(&p->txs.refused);
	rolling_empty(&p->txs.low_fee);
}

/* ---- heard of ---- */

static bool is_known(const struct p2p *p, const uint8_t *hash, bool wtxid)
{
	struct wtxid w;
	struct txid t;

	memcpy(w.b, hash, sizeof w.b);
	memcpy(t.b, hash, sizeof t.b);
	if (rolling_has(&p->txs.refused, hash) ||
	    rolling_has(&p->txs.low_fee, hash))
		return true;
	if (wtxid)
		return pool_by_wtxid(p, hash) ||
		       orphanage_has(&p->txs.orphans, &w);
	return pool_by_txid(p, hash) ||
	       orphanage_has_txid(&p->txs.orphans, &t);
}

static bool listens(const struct p2p *p)
{
	return !p->opt.blocks_only && p->has_tip && !p->tip.initial_download;
}

void txs_inv(struct p2p *p, struct peer *peer, const struct msg_inv *m)
{
	bool chosen = peer_outbound(peer) || peer->door;

	if (!listens(p) || !txs_relayed(peer))
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct inv_item item = inv_item_get(m, i);
		bool wtxid = item.type == INV_WTX;
		int64_t delay = chosen ? 0 : STRANGER_MS;

		if (item.type != (peer->txs.wtxid_relay ? INV_WTX : INV_TX))
			continue;
		rolling_add(&peer->txs.known, item.hash);
		/* Looking for an orphan takes its time. */
		if (tx_wants_full(peer) || is_known(p, item.hash, wtxid))
			continue;
		if (!wtxid)
			delay += BY_TXID_MS;
		tx_want(p, peer, item.hash, wtxid, delay);
	}
}

void txs_mempool(struct p2p *p, struct peer *peer)
{
	const struct pool_tx *t;
	size_t pos = 0;

	if (!peer->door) {
		peer_drop(p, peer, CLOSE_UNWANTED,
			  "it asks for the mempool, which only trusted peers "
			  "may");
		return;
	}
	if (!txs_relayed(peer))
		return;
	/* Once, however often it asks before the next round. */
	peer->txs.queue_n = 0;
	while ((t = map_next(&p->txs.by_wtxid, &pos)) != NULL)
		announce_tx_queue(peer, &t->tx->tx.wtxid);
}

/* ---- got ---- */

/* A parent that was refused for its fee alone, and a child that waits for it:
 * judged together. */
static struct shared_tx *paying_child(const struct p2p *p,
				      const struct shared_tx *parent)
{
	size_t at = 0;
	const struct orphan *o =
		orphanage_child(&p->txs.orphans, &at, &parent->tx.txid);

	return o ? o->tx : NULL;
}

bool txs_message(struct p2p *p, struct peer *peer, struct span raw)
{
	struct shared_tx *tx, *child = NULL;
	bool taken;

	if (!listens(p) || !txs_relayed(peer))
		return true;
	tx = shared_tx_decode(raw);
	if (!tx) {
		peer_misbehaved(p, peer, "its transaction is malformed");
		return true;
	}
	rolling_add(&peer->txs.known, tx->tx.wtxid.b);
	if (pool_by_wtxid(p, tx->tx.wtxid.b) ||
	    rolling_has(&p->txs.refused, tx->tx.wtxid.b)) {
		tx_unwant(p, tx->tx.wtxid.b);
		tx_want_failed(p, peer, tx->tx.txid.b);
		shared_tx_unref(tx);
		return true;
	}
	if (rolling_has(&p->txs.low_fee, tx->tx.wtxid.b))
		child = paying_child(p, tx);
	taken = p->ports.chain_tx(p->ports.ctx, peer->id, tx, child);
	shared_tx_unref(tx);
	return taken;
}

/* ---- judged ---- */

static bool woken(const struct p2p_txs *t, const struct shared_tx *tx)
{
	for (size_t i = 0; i < t->again_n; i++)
		if (t->again[i] == tx)
			return true;
	return false;
}

/* Those that waited for it may go now. */
static void wake_children(struct p2p *p, const struct shared_tx *parent)
{
	struct p2p_txs *t = &p->txs;
	const struct orphan *o;
	size_t at = 0;

	while ((o = orphanage_child(&t->orphans, &at, &parent->tx.txid))) {
		if (woken(t, o->tx))
			continue;
		if (t->again_n == t->again_cap) {
			t->again_cap = t->again_cap ? 2 * t->again_cap : 16;
			t->again = xrealloc(t->again, t->again_cap *
						      sizeof(*t->again));
		}
		t->again[t->again_n++] = shared_tx_ref(o->tx);
	}
}

static void done_with(struct p2p *p, const struct shared_tx *tx)
{
	tx_unwant(p, tx->tx.wtxid.b);
	tx_unwant(p, tx->tx.txid.b);
	orphanage_remove(&p->txs.orphans, &tx->tx.wtxid);
}

/* It may have been given with a witness that is no good: another copy of the
 * same txid may come from others, so only this wtxid is refused. */
static void refuse(struct p2p *p, struct peer *peer,
		   const struct shared_tx *tx, struct rolling *in)
{
	rolling_add(in, tx->tx.wtxid.b);
	tx_unwant(p, tx->tx.wtxid.b);
	if (peer)
		tx_want_failed(p, peer, tx->tx.txid.b);
	orphanage_remove(&p->txs.orphans, &tx->tx.wtxid);
}

static void keep_orphan(struct p2p *p, struct peer *peer,
			const struct tx_reply *r)
{
	bool hopeless = r->missing_n == 0;

	for (size_t i = 0; i < r->missing_n; i++)
		hopeless = hopeless ||
			   rolling_has(&p->txs.refused, r->missing[i].b);
	tx_unwant(p, r->tx->tx.wtxid.b);
	if (peer)
		tx_want_failed(p, peer, r->tx->tx.txid.b);
	if (hopeless) {
		rolling_add(&p->txs.refused, r->tx->tx.wtxid.b);
		orphanage_remove(&p->txs.orphans, &r->tx->tx.wtxid);
		return;
	}
	if (!peer)
		return;
	orphanage_add(&p->txs.orphans, r->tx, peer->id, p->peers_n);
	for (size_t i = 0; i < r->missing_n; i++)
		if (!pool_by_txid(p, r->missing[i].b))
			tx_want(p, peer, r->missing[i].b, false, 0);
}

static void low_fee(struct p2p *p, struct peer *peer,
		    const struct tx_reply *r)
{
	struct shared_tx *child = r->with_child ? NULL :
				  paying_child(p, r->tx);

	refuse(p, peer, r->tx, &p->txs.low_fee);
	if (child)
		(void)!p->ports.chain_tx(p->ports.ctx, peer ? peer->id : 0,
					 r->tx, child);
}

void p2p_on_tx_result(struct p2p *p, const struct tx_reply *r)
{
	struct peer *peer = peer_get(p, r->peer);

	switch (r->outcome) {
	case TX_TAKEN:
	case TX_HAD:
		done_with(p, r->tx);
		wake_children(p, r->tx);
		break;
	case TX_STRIPPED:
		if (peer) {
			tx_want_failed(p, peer, r->tx->tx.wtxid.b);
			tx_want_failed(p, peer, r->tx->tx.txid.b);
		}
		break;
	case TX_NO_INPUTS:
		keep_orphan(p, peer, r);
		break;
	case TX_LOW_FEE:
		low_fee(p, peer, r);
		break;
	case TX_REFUSED:
		log_debug(LOG_P2P, "peer=%llu: transaction refused: %s",
			  (unsigned long long)r->peer, r->reason);
		refuse(p, peer, r->tx, &p->txs.refused);
		break;
	}
	if (peer)
		peer_resume(p, peer);
	peers_reap(p);
}
