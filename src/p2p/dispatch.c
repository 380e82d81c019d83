/*
 * Bytes of a peer to messages, messages to whoever handles them.  A message
 * that cannot be handled now (the chain's queue is full, an answer is still
 * awaited) stays in the peer's wire reader and reading stops.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdio.h>

static void count_received(struct peer *peer, enum msg_type type, size_t n)
{
	peer->info.received_by_type[type] += WIRE_HEADER_BYTES + n;
}

static void inv_message(struct p2p *p, struct peer *peer,
			const struct msg_inv *m)
{
	struct block_hash hash;
	struct inv_item item;
	bool any = false;
	size_t i;

	for (i = 0; i < m->n; i++) {
		item = inv_item_get(m, i);
		if ((item.type & ~INV_WITNESS_FLAG) != INV_BLOCK)
			continue;
		memcpy(hash.b, item.hash, sizeof hash.b);
		any = true;
	}
	txs_inv(p, peer, m);
	/* Headers up to the last one bring the others too. */
	if (any)
		headers_inv(p, peer, &hash);
}

static void sendcmpct_message(struct peer *peer,
			      const struct msg_sendcmpct *m)
{
	if (m->version != 2)
		return;
	peer->info.bip152_version = 2;
	peer->info.bip152_to = m->announce;
}

/* false: keep the message.  Everything here comes after the handshake. */
static bool handle(struct p2p *p, struct peer *peer, const struct msg *m)
{
	switch (m->type) {
	case MSG_HEADERS:
		return headers_message(p, peer, &m->u.headers);
	case MSG_BLOCK:
		return fetch_block_message(p, peer, &peer->wire.payload);
	case MSG_GETHEADERS:
		return serve_getheaders(p, peer, &m->u.locator, false);
	case MSG_GETBLOCKS:
		return serve_getheaders(p, peer, &m->u.locator, true);
	case MSG_GETDATA:
		return serve_getdata(p, peer, &m->u.inv);
	case MSG_INV:
		inv_message(p, peer, &m->u.inv);
		return true;
	case MSG_NOTFOUND:
		fetch_notfound(p, peer, &m->u.inv);
		tx_wants_notfound(p, peer, &m->u.inv);
		return true;
	case MSG_ADDRV2:
		addrs_message(p, peer, &m->u.addrv2);
		return true;
	case MSG_ADDR:
		addrs_legacy(p, peer, m->u.addr.n);
		return true;
	case MSG_GETADDR:
		addrs_getaddr(p, peer);
		return true;
	case MSG_SENDCMPCT:
		sendcmpct_message(peer, &m->u.sendcmpct);
		return true;
	case MSG_FEEFILTER:
		if (m->u.fee_filter <= (uint64_t)MAX_MONEY_SAT)
			peer->info.fee_filter_sat_kvb = m->u.fee_filter;
		return true;
	case MSG_TX:
		return txs_message(p, peer, m->u.raw);
	case MSG_MEMPOOL:
		txs_mempool(p, peer);
		return true;
	case MSG_UNKNOWN:
	case MSG_VERSION:
	case MSG_VERACK:
	case MSG_PING:
	case MSG_PONG:
	case MSG_WTXIDRELAY:
	case MSG_SENDADDRV2:
	case MSG_SENDHEADERS:
	case MSG_TYPE_COUNT:
		return true;
	}
	return true;
}

static void malformed(struct p2p *p, struct peer *peer)
{
	char text[64];

	/* As the reference node: an unreadable message is ignored, except
	 * where a limit is broken on purpose; we end the connection, for a
	 * peer that writes nonsense has nothing to give. */
	snprintf(text, sizeof text, "its %s message is malformed",
		 msg_type_name(peer->wire.type));
	peer_misbehaved(p, peer, text);
}

/* It asks and asks and does not read the answers.  Serving stops long before
 * (at half of this), so that two nodes that serve each other never both wait
 * for the other to read. */
static bool floods(const struct p2p *p, const struct peer *peer)
{
	return peer->done && p->ports.queued(p->ports.ctx, peer->id) >=
				     2 * p->opt.max_send_bytes;
}

/* The complete message in the wire reader; false: keep it. */
static bool message(struct p2p *p, struct peer *peer)
{
	struct msg m;

	if (floods(p, peer))
		return false;
	if (!msg_read(&m, NULL, peer->wire.type,
		      bytes_span(&peer->wire.payload))) {
		malformed(p, peer);
		return true;
	}
	log_trace(LOG_P2P, "peer=%llu: %s, %zu bytes",
		  (unsigned long long)peer->id, msg_type_name(m.type),
		  peer->wire.payload.n);
	return handshake_message(p, peer, &m) || handle(p, peer, &m);
}

void peer_reading(struct p2p *p, struct peer *peer)
{
	bool unread = peer->held || peer->slow;

	if (peer->gone || peer->unread == unread)
		return;
	peer->unread = unread;
	p->ports.set_reading(p->ports.ctx, peer->id, !unread);
}

static void hold(struct p2p *p, struct peer *peer)
{
	peer->held = true;
	peer_reading(p, peer);
}

void peer_resume(struct p2p *p, struct peer *peer)
{
	if (peer->gone)
		return;
	if (peer->slow)
		peer->slow = circuit_slow(p, peer->circuit);
	if (peer->held && message(p, peer))
		peer->held = false;
	peer_reading(p, peer);
}

static void wire_event(struct p2p *p, struct peer *peer, enum wire_result r)
{
	switch (r) {
	case WIRE_MORE:
		break;
	case WIRE_MESSAGE:
		count_received(peer, peer->wire.type, peer->wire.payload.n);
		if (peer->circuit && !circuit_message(p, peer->circuit))
			break;
		if (!message(p, peer))
			hold(p, peer);
		break;
	case WIRE_DROPPED:
		count_received(peer, MSG_UNKNOWN, peer->wire.payload.n);
		if (peer->circuit && !circuit_message(p, peer->circuit))
			break;
		log_debug(LOG_P2P, "peer=%llu: bad checksum or command",
			  (unsigned long long)peer->id);
		break;
	case WIRE_BAD_MAGIC:
		peer_drop(p, peer, CLOSE_MISBEHAVED,
			  "it does not speak this network's protocol");
		break;
	case WIRE_OVERSIZE:
		peer_drop(p, peer, CLOSE_MISBEHAVED,
			  "its message is too long");
		break;
	}
}

void p2p_peer_bytes(struct p2p *p, peer_id id, struct span data,
		    size_t *consumed)
{
	struct peer *peer = peer_get(p, id);
	struct span in = data;

	*consumed = 0;
	if (!peer)
		return;
	while (in.n && !peer->gone && !peer->unread)
		wire_event(p, peer, wire_feed(&peer->wire, &in,
					      p->opt.params->magic));
	*consumed = data.n - in.n;
	if (*consumed) {
		peer->last_recv_ms = p->now_ms;
		peer->info.last_recv = p->now_unix;
		peer->info.bytes_received += *consumed;
		p->bytes_received += *consumed;
	}
	if (peer->circuit && !peer->gone) {
		circuit_bytes(p, peer->circuit, *consumed);
		peer->slow = circuit_slow(p, peer->circuit);
		peer_reading(p, peer);
	}
	peers_reap(p);
}
