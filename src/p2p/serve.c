/*
 * Serving: headers and blocks to those who ask, one question to the chain at
 * a time per peer, and never more in a peer's send queue than its limit.
 * Announcing new tips.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include "crypto/hash.h"

#define GETBLOCKS_MAX 500

/* ---- what is asked of us ---- */

static void notfound(struct p2p *p, struct peer *peer, struct span items,
		     size_t n)
{
	struct msg m = { .type = MSG_NOTFOUND };

	if (!n)
		return;
	m.u.inv.n = n;
	m.u.inv.items = items;
	peer_send(p, peer, &m);
}

bool serve_getdata(struct p2p *p, struct peer *peer, const struct msg_inv *m)
{
	struct peer_serve *s = &peer->serve;
	struct bytes missing = { 0 };
	struct inv_item item;
	size_t i, n = 0;

	if (s->queue.n / INV_ITEM_BYTES + m->n > INV_MAX)
		return false;    /* first serve what is there */
	for (i = 0; i < m->n; i++) {
		item = inv_item_get(m, i);
		if ((item.type & ~INV_WITNESS_FLAG) == INV_BLOCK &&
		    p2p_chain_shown(p)) {
			inv_item_write(&s->queue, &item);
		} else if (!((item.type & ~INV_WITNESS_FLAG) == INV_TX ||
			     item.type == INV_WTX) ||
			   !txs_relayed(peer) ||
			   !announce_tx_serve(p, peer, &item)) {
			inv_item_write(&missing, &item);
			n++;
		}
	}
	notfound(p, peer, bytes_span(&missing), n);
	bytes_clear(&missing);
	serve_step(p, peer);
	return true;
}

bool serve_getheaders(struct p2p *p, struct peer *peer,
		      const struct msg_locator *m, bool as_inv)
{
	struct peer_serve *s = &peer->serve;
	struct msg empty = { .type = MSG_HEADERS };

	if (s->headers_wanted || s->headers_out)
		return false;
	if (!p2p_chain_shown(p)) {
		if (!as_inv)
			peer_send(p, peer, &empty);
		return true;
	}
	s->headers_wanted = true;
	s->headers_as_inv = as_inv;
	s->locator.n = 0;
	bytes_append(&s->locator, m->hashes.p, m->hashes.n);
	s->stop = m->stop;
	serve_step(p, peer);
	return true;
}

/* ---- asking the chain ---- */

static bool queue_full(const struct p2p *p, const struct peer *peer)
{
	return !(peer->info.perms & PEER_PERM_DOWNLOAD) &&
	       p->ports.queued(p->ports.ctx, peer->id) >=
	       p->opt.max_send_bytes;
}

static void ask_headers(struct p2p *p, struct peer *peer)
{
	struct peer_serve *s = &peer->serve;
	struct block_hash locator[LOCATOR_MAX];
	size_t n = s->locator.n / sizeof(locator[0]);

	CHECK(n <= LOCATOR_MAX);
	if (n)
		memcpy(locator, s->locator.p, s->locator.n);
	if (!p->ports.chain_serve_headers(p->ports.ctx, peer->id, locator, n,
					  &s->stop,
					  s->headers_as_inv ? GETBLOCKS_MAX
							    : HEADERS_MAX))
		return;
	s->headers_wanted = false;
	s->headers_out = true;
}

static void ask_block(struct p2p *p, struct peer *peer)
{
	struct peer_serve *s = &peer->serve;
	struct msg_inv m = { s->queue.n / INV_ITEM_BYTES,
			     bytes_span(&s->queue) };
	struct block_hash hash;

	s->current = inv_item_get(&m, 0);
	memcpy(hash.b, s->current.hash, sizeof hash.b);
	if (!p->ports.chain_serve_block(p->ports.ctx, peer->id, &hash,
					s->current.type & INV_WITNESS_FLAG))
		return;
	s->block_out = true;
	bytes_consume(&s->queue, INV_ITEM_BYTES);
}

void serve_step(struct p2p *p, struct peer *peer)
{
	struct peer_serve *s = &peer->serve;

	if (peer->gone)
		return;
	if (s->headers_wanted && !s->headers_out)
		ask_headers(p, peer);
	if (s->queue.n && !s->block_out && !queue_full(p, peer))
		ask_block(p, peer);
}

void serve_detach(struct peer *peer)
{
	bytes_clear(&peer->serve.queue);
	bytes_clear(&peer->serve.locator);
}

/* ---- the chain's answers ---- */

static void send_headers(struct p2p *p, struct peer *peer, struct span raw,
			 size_t n)
{
	struct msg m = { .type = MSG_HEADERS };
	struct bytes items = { 0 };
	size_t i;

	bytes_reserve(&items, n * HEADERS_ITEM_BYTES);
	for (i = 0; i < n; i++) {
		bytes_append(&items, raw.p + i * BLOCK_HEADER_BYTES,
			     BLOCK_HEADER_BYTES);
		write_u8(&items, 0);
	}
	m.u.headers.n = n;
	m.u.headers.items = bytes_span(&items);
	peer_send(p, peer, &m);
	bytes_clear(&items);
}

static void send_inv(struct p2p *p, struct peer *peer, struct span raw,
		     size_t n)
{
	struct msg m = { .type = MSG_INV };
	struct inv_item item = { INV_BLOCK, { 0 } };
	struct bytes items = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		sha256d(item.hash, raw.p + i * BLOCK_HEADER_BYTES,
			BLOCK_HEADER_BYTES);
		inv_item_write(&items, &item);
	}
	m.u.inv.n = n;
	m.u.inv.items = bytes_span(&items);
	peer_send(p, peer, &m);
	bytes_clear(&items);
}

void p2p_on_served_headers(struct p2p *p, peer_id id, struct span raw,
			   size_t n)
{
	struct peer *peer = peer_get(p, id);
	struct peer_headers *h;

	if (!peer || !peer->serve.headers_out)
		return;
	CHECK(raw.n == n * BLOCK_HEADER_BYTES && n <= HEADERS_MAX);
	peer->serve.headers_out = false;
	if (!peer->serve.headers_as_inv) {
		send_headers(p, peer, raw, n);
		h = &peer->headers;
		if (n)
			sha256d(h->announced.b,
				raw.p + (n - 1) * BLOCK_HEADER_BYTES,
				BLOCK_HEADER_BYTES);
		else
			h->announced = p->tip.tip.hash;
		if (block_hash_eq(&h->announced, &p->tip.tip.hash))
			h->announced_height = p->tip.tip.height;
	} else if (n) {
		send_inv(p, peer, raw, n);
	}
	peer_resume(p, peer);
	serve_step(p, peer);
	peers_reap(p);
}

void p2p_on_served_block(struct p2p *p, peer_id id,
			 const struct block_hash *hash,
			 struct bytes *raw TAKES)
{
	struct peer *peer = peer_get(p, id);
	struct bytes item = { 0 };
	struct msg m = { .type = MSG_BLOCK };

	if (peer && peer->serve.block_out &&
	    memcmp(hash->b, peer->serve.current.hash, sizeof hash->b) == 0) {
		peer->serve.block_out = false;
		if (raw->n) {
			m.u.raw = bytes_span(raw);
			peer_send(p, peer, &m);
		} else {
			inv_item_write(&item, &peer->serve.current);
			notfound(p, peer, bytes_span(&item), 1);
			bytes_clear(&item);
		}
		peer_resume(p, peer);
		serve_step(p, peer);
		peers_reap(p);
	}
	bytes_clear(raw);
}

void p2p_peer_drained(struct p2p *p, peer_id id)
{
	struct peer *peer = peer_get(p, id);

	if (peer) {
		peer_resume(p, peer);
		serve_step(p, peer);
	}
	peers_reap(p);
}

/* ---- new tips ---- */

static bool peer_has(const struct peer *peer, const struct block_hash *hash,
		     int height)
{
	const struct peer_headers *h = &peer->headers;

	return h->common_height >= height || h->announced_height >= height ||
	       (h->has_best && block_hash_eq(&h->best.hash, hash)) ||
	       block_hash_eq(&h->announced, hash);
}

static void announce_to(struct p2p *p, struct peer *peer,
			const struct tip_event *e, struct span raw,
			const struct block_hash *hashes)
{
	size_t n = e->connected_n, from = n;
	int first = e->tip.height - (int)n + 1;
	const struct block_hash *parent;

	/* From the newest down to one whose parent the peer has. */
	if (!n || peer_has(peer, &hashes[n - 1], e->tip.height))
		return;
	do {
		from--;
		parent = from ? &hashes[from - 1] : &e->connected[0].prev;
	} while (from && !peer_has(peer, parent, first + (int)from - 1));
	if (peer->info.prefers_headers &&
	    peer_has(peer, parent, first + (int)from - 1))
		send_headers(p, peer,
			     span_of(raw.p + from * BLOCK_HEADER_BYTES,
				     (n - from) * BLOCK_HEADER_BYTES),
			     n - from);
	else
		send_inv(p, peer,
			 span_of(raw.p + (n - 1) * BLOCK_HEADER_BYTES,
				 BLOCK_HEADER_BYTES), 1);
	peer->headers.announced = hashes[n - 1];
	peer->headers.announced_height = e->tip.height;
}

/* What we told peers of before may not be on our chain any more. */
static void clip_announced(struct p2p *p, const struct tip_event *e,
			   const struct block_hash *old_tip)
{
	int fork = e->tip.height - (int)e->connected_n;
	struct peer_headers *h;
	size_t i;

	if (!e->connected_n ||
	    block_hash_eq(&e->connected[0].prev, old_tip))
		return;
	/* The list may be cut short: then the fork is unknown. */
	if (e->connected_n == P2P_ANNOUNCE_MAX)
		fork = -1;
	for (i = 0; i < p->peers_n; i++) {
		h = &p->peers[i]->headers;
		h->announced_height = MIN_OF(h->announced_height, fork);
	}
}

void serve_announce(struct p2p *p, const struct tip_event *e,
		    const struct block_hash *old_tip)
{
	struct block_hash hashes[P2P_ANNOUNCE_MAX];
	struct bytes raw = { 0 };
	size_t i;

	CHECK(e->connected_n <= P2P_ANNOUNCE_MAX);
	clip_announced(p, e, old_tip);
	if (e->initial_download)
		return;
	for (i = 0; i < e->connected_n; i++) {
		block_header_hash(&hashes[i], &e->connected[i]);
		block_header_write(&raw, &e->connected[i]);
	}
	for (i = 0; i < p->peers_n; i++)
		if (p->peers[i]->done && !p->peers[i]->gone &&
		    !peer_passing(p->peers[i]))
			announce_to(p, p->peers[i], e, bytes_span(&raw),
				    hashes);
	bytes_clear(&raw);
}
