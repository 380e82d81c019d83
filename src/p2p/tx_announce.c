/*
 * Telling peers of transactions.  What came in between two rounds is told
 * together, in an order that follows from the transactions and not from when
 * they came; rounds come at random times.  All strangers have their rounds
 * at the same moment, so that many connections see no more than one does.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <math.h>
#include <stdlib.h>

#define INBOUND_MEAN_MS (5 * SECOND_MS)
#define OUTBOUND_MEAN_MS (2 * SECOND_MS)
#define TELL_TARGET 70           /* of one round; more where many wait */
#define TELL_MAX 1000
#define QUEUE_MAX 100000
#define FEE_MEAN_MS (10 * MINUTE_MS)
#define FEE_SOON_MS (5 * MINUTE_MS)
#define FEE_STEP 1.1
#define FEE_MOST 1e7

static int64_t exponential(const struct p2p *p, int64_t mean_ms)
{
	double u = (double)(p2p_random(p) >> 11) * 0x1p-53;

	return (int64_t)(-log1p(-u) * (double)mean_ms) + 1;
}

/* ---- transactions ---- */

void announce_tx_queue(struct peer *peer, const struct wtxid *id)
{
	struct peer_txs *t = &peer->txs;

	if (t->queue_n == QUEUE_MAX)
		return;
	if (t->queue_n == t->queue_cap) {
		t->queue_cap = t->queue_cap ? 2 * t->queue_cap : 32;
		t->queue = xrealloc(t->queue,
				    t->queue_cap * sizeof *t->queue);
	}
	t->queue[t->queue_n++] = *id;
}

void announce_tx(struct p2p *p, const struct pool_tx *t)
{
	for (size_t i = 0; i < p->peers_n; i++) {
		struct peer *peer = p->peers[i];

		if (txs_relayed(peer))
			announce_tx_queue(peer, &t->tx->tx.wtxid);
	}
}

/* Parents first, then what pays more, then anything but the order in which
 * they came. */
static int by_worth(const void *a, const void *b)
{
	const struct pool_tx *x = *(const struct pool_tx *const *)a;
	const struct pool_tx *y = *(const struct pool_tx *const *)b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->rate_sat_kvb != y->rate_sat_kvb)
		return x->rate_sat_kvb > y->rate_sat_kvb ? -1 : 1;
	return memcmp(x->tx->tx.wtxid.b, y->tx->tx.wtxid.b, 32);
}

static bool has_it(const struct peer *peer, const struct pool_tx *t)
{
	return rolling_has(&peer->txs.known, t->tx->tx.wtxid.b) ||
	       rolling_has(&peer->txs.known, t->tx->tx.txid.b);
}

/* What of the queue is worth telling: it is in the pool still, the peer wants
 * to hear of such fees, and has it not. */
static size_t choose(const struct p2p *p, const struct peer *peer,
		     const struct pool_tx **out)
{
	size_t n = 0;

	for (size_t i = 0; i < peer->txs.queue_n; i++) {
		const struct pool_tx *t =
			pool_by_wtxid(p, peer->txs.queue[i].b);

		if (t && !has_it(peer, t) &&
		    (uint64_t)t->rate_sat_kvb >=
			    peer->info.fee_filter_sat_kvb)
			out[n++] = t;
	}
	qsort(out, n, sizeof(*out), by_worth);
	return n;
}

static void tell(struct p2p *p, struct peer *peer,
		 const struct pool_tx *const *list, size_t n)
{
	struct msg m = { .type = MSG_INV };
	struct bytes items = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct tx *tx = &list[i]->tx->tx;
		struct inv_item item = { .type = peer->txs.wtxid_relay ?
						 INV_WTX : INV_TX };

		memcpy(item.hash, peer->txs.wtxid_relay ? tx->wtxid.b :
							 tx->txid.b, 32);
		inv_item_write(&items, &item);
		rolling_add(&peer->txs.known, tx->wtxid.b);
		rolling_add(&peer->txs.told, tx->wtxid.b);
	}
	m.u.inv.n = n;
	m.u.inv.items = bytes_span(&items);
	if (n)
		peer_send(p, peer, &m);
	bytes_clear(&items);
}

static void round_of(struct p2p *p, struct peer *peer)
{
	struct peer_txs *t = &peer->txs;
	const struct pool_tx **list = xcalloc(t->queue_n, sizeof(*list));
	size_t n = choose(p, peer, list), told;

	told = MIN_OF(n, MIN_OF((size_t)TELL_MAX, TELL_TARGET +
						  t->queue_n / 200));
	if (peer->door)
		told = MIN_OF(n, (size_t)INV_MAX);
	tell(p, peer, list, told);
	for (size_t i = told; i < n; i++)
		t->queue[i - told] = list[i]->tx->tx.wtxid;
	t->queue_n = n - told;
	free(list);
}

void announce_tx_schedule(struct p2p *p, struct peer *peer)
{
	if (peer_outbound(peer)) {
		peer->txs.tell_ms = p->now_ms +
				    exponential(p, OUTBOUND_MEAN_MS);
		return;
	}
	if (p->now_ms >= p->txs.inbound_tell_ms)
		p->txs.inbound_tell_ms = p->now_ms +
					 exponential(p, INBOUND_MEAN_MS);
	peer->txs.tell_ms = p->txs.inbound_tell_ms;
}

void announce_tx_tick(struct p2p *p, struct peer *peer)
{
	if (p->now_ms < peer->txs.tell_ms && !peer->door)
		return;
	announce_tx_schedule(p, peer);
	if (peer->txs.queue_n)
		round_of(p, peer);
}

bool announce_tx_serve(struct p2p *p, struct peer *peer,
		       const struct inv_item *item)
{
	const struct pool_tx *t = item->type == INV_WTX ?
				  pool_by_wtxid(p, item->hash) :
				  pool_by_txid(p, item->hash);
	struct msg m = { .type = MSG_TX };
	struct bytes plain = { 0 };

	/* Asking for what it was not told would tell it when we got it. */
	if (!t || !rolling_has(&peer->txs.told, t->tx->tx.wtxid.b))
		return false;
	m.u.raw = t->tx->tx.raw;
	if (item->type == INV_TX) {
		tx_write(&plain, &t->tx->tx, false);
		m.u.raw = bytes_span(&plain);
	}
	peer_send(p, peer, &m);
	bytes_clear(&plain);
	return true;
}

/* ---- which fees we want to hear of (BIP133) ---- */

/* Only some numbers are ever said: what our pool asks for exactly would tell
 * our connections from others'. */
void fee_filter_init(struct p2p_txs *t, int64_t least)
{
	size_t n = 1;

	for (double v = (double)MAX_OF(least / 2, INT64_C(1)); v <= FEE_MOST;
	     v *= FEE_STEP)
		n++;
	t->fee_steps = xcalloc(n, sizeof *t->fee_steps);
	t->fee_steps_n = 1;      /* the first is 0 */
	for (double v = (double)MAX_OF(least / 2, INT64_C(1)); v <= FEE_MOST;
	     v *= FEE_STEP)
		t->fee_steps[t->fee_steps_n++] = (uint64_t)v;
}

/* The step above, or more often the one below. */
static uint64_t rounded(const struct p2p *p, uint64_t fee)
{
	const struct p2p_txs *t = &p->txs;
	size_t i = 0;

	while (i < t->fee_steps_n && t->fee_steps[i] < fee)
		i++;
	if (i == t->fee_steps_n || (i && p2p_random(p) % 3))
		i--;
	return t->fee_steps[i];
}

static uint64_t wanted_fee(const struct p2p *p)
{
	uint64_t fee;

	/* While the chain is fetched no transaction can be judged. */
	if (!p->has_tip || p->tip.initial_download)
		return MAX_MONEY_SAT;
	fee = rounded(p, (uint64_t)p->txs.min_fee);
	return MAX_OF(fee, (uint64_t)p->opt.min_relay_sat_kvb);
}

void fee_filter_tick(struct p2p *p, struct peer *peer)
{
	struct peer_txs *t = &peer->txs;
	struct msg m = { .type = MSG_FEEFILTER };
	uint64_t now = (uint64_t)MAX_OF(p->txs.min_fee,
					p->opt.min_relay_sat_kvb);
	bool ready = t->fee_sent == MAX_MONEY_SAT && p->has_tip &&
		     !p->tip.initial_download;

	if (p->now_ms < t->fee_ms && !ready) {
		/* A big change is told before its time. */
		if (t->fee_sent != MAX_MONEY_SAT &&
		    t->fee_ms > p->now_ms + FEE_SOON_MS &&
		    (now < t->fee_sent * 3 / 4 || now > t->fee_sent * 4 / 3))
			t->fee_ms = p->now_ms + (int64_t)(p2p_random(p) %
							  FEE_SOON_MS);
		return;
	}
	t->fee_ms = p->now_ms + exponential(p, FEE_MEAN_MS);
	m.u.fee_filter = wanted_fee(p);
	if (m.u.fee_filter == t->fee_sent)
		return;
	t->fee_sent = m.u.fee_filter;
	peer_send(p, peer, &m);
}
