/*
 * Peers: adding, finding, sending, dropping.  A peer that is dropped stays in
 * memory, marked gone, until the public call at hand ends.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

static const char *const type_names[CONN_TYPE_COUNT] = {
	[CONN_INBOUND] = "inbound",
	[CONN_OUTBOUND] = "outbound-full-relay",
	[CONN_MANUAL] = "manual",
	[CONN_ADDR_FETCH] = "addr-fetch",
	[CONN_FEELER] = "feeler",
};

const char *conn_type_name(enum conn_type t)
{
	return type_names[t];
}

static const char *const reason_names[CLOSE_REASON_COUNT] = {
	[CLOSE_ASKED] = "asked",
	[CLOSE_MISBEHAVED] = "misbehaved",
	[CLOSE_TIMEOUT] = "timeout",
	[CLOSE_STALLED] = "stalled",
	[CLOSE_UNWANTED] = "unwanted",
	[CLOSE_DONE] = "done",
};

const char *close_reason_name(enum close_reason r)
{
	return reason_names[r];
}

/* First place whose id is not below id. */
static size_t place(const struct p2p *p, peer_id id)
{
	size_t lo = 0, hi = p->peers_n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (p->peers[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct peer *peer_get(const struct p2p *p, peer_id id)
{
	size_t i = place(p, id);

	if (i == p->peers_n || p->peers[i]->id != id || p->peers[i]->gone)
		return NULL;
	return p->peers[i];
}

struct peer *peer_add(struct p2p *p, const struct peer_conn *c)
{
	struct peer *peer = xcalloc(1, sizeof *peer);
	size_t i = place(p, c->id);

	CHECK(c->id && (i == p->peers_n || p->peers[i]->id != c->id));
	peer->id = peer->info.id = c->id;
	peer->info.addr = xstrdup(c->addr ? c->addr : "");
	peer->info.addr_bind = c->addr_bind ? xstrdup(c->addr_bind) : NULL;
	peer->info.network = xstrdup(c->network ? c->network : "onion");
	peer->info.transport = xstrdup(c->transport ? c->transport : "v1");
	peer->info.subver = xstrdup("");
	peer->info.perms = c->perms;
	peer->info.conn_time = p->now_unix;
	peer->info.ping_ms = peer->info.min_ping_ms = -1;
	peer->info.relay_txs = true;
	peer->connected_ms = peer->last_recv_ms = p->now_ms;
	peer->headers.common_height = -1;
	peer->headers.announced_height = -1;
	peer->addrs.tokens = 1;
	peer->addrs.tokens_ms = p->now_ms;
	p->peers = xrealloc(p->peers, (p->peers_n + 1) * sizeof(*p->peers));
	memmove(p->peers + i + 1, p->peers + i,
		(p->peers_n - i) * sizeof(*p->peers));
	p->peers[i] = peer;
	p->peers_n++;
	return peer;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	headers_detach(peer);
	serve_detach(peer);
	gossip_detach(peer);
	wire_clear(&peer->wire);
	bytes_clear(&peer->fetch.ask);
	free(peer->fetch.asked);
	free((char *)peer->info.addr);
	free((char *)peer->info.addr_bind);
	free((char *)peer->info.network);
	free((char *)peer->info.transport);
	free((char *)peer->info.subver);
	free(peer->host);
	free(peer);
}

void peer_send(struct p2p *p, struct peer *peer, const struct msg *m)
{
	struct bytes out = { 0 };
	size_t at;

	if (peer->gone)
		return;
	bytes_reserve(&out, WIRE_HEADER_BYTES + msg_size(m));
	at = wire_begin(&out, p->opt.params->magic, m->type);
	msg_write(&out, m);
	wire_end(&out, at);
	peer->info.bytes_sent += out.n;
	peer->info.sent_by_type[m->type] += out.n;
	peer->info.last_send = p->now_unix;
	p->bytes_sent += out.n;
	p->ports.send(p->ports.ctx, peer->id, &out);
	bytes_clear(&out);
}

void peer_send_plain(struct p2p *p, struct peer *peer, enum msg_type type)
{
	struct msg m = { .type = type };

	peer_send(p, peer, &m);
}

void peer_detach(struct p2p *p, struct peer *peer)
{
	if (peer->gone)
		return;
	peer->gone = true;
	p->reap = true;
	if (peer->circuit)
		peer->circuit->peers--;
	fetch_detach(p, peer);
	txs_detach(p, peer);
	conns_closed(p, peer);
}

void peer_drop(struct p2p *p, struct peer *peer, enum close_reason reason,
	       const char *text)
{
	if (peer->gone)
		return;
	log_debug(LOG_P2P, "closing peer=%llu (%s): %s",
		  (unsigned long long)peer->id, close_reason_name(reason),
		  text);
	if (reason == CLOSE_TIMEOUT)
		redial_lost(p, peer);
	peer_detach(p, peer);
	p->ports.close(p->ports.ctx, peer->id, reason, text);
	if (reason == CLOSE_MISBEHAVED && peer->circuit)
		circuit_ban(p, peer->circuit, text);
}

void peer_misbehaved(struct p2p *p, struct peer *peer, const char *text)
{
	if (peer->info.perms & PEER_PERM_NOBAN) {
		log_debug(LOG_P2P, "peer=%llu misbehaves, but may: %s",
			  (unsigned long long)peer->id, text);
		return;
	}
	if (peer->door)
		log_warn(LOG_P2P, "trusted peer %s (peer=%llu) breaks the "
			 "rules, and is disconnected: %s", peer->info.addr,
			 (unsigned long long)peer->id, text);
	if (peer->has_onion && peer->info.type != CONN_MANUAL)
		addrbook_remove(p->book, &peer->onion);
	peer_drop(p, peer, CLOSE_MISBEHAVED, text);
}

void peers_reap(struct p2p *p)
{
	size_t i, kept = 0;

	if (!p->reap)
		return;
	p->reap = false;
	for (i = 0; i < p->peers_n; i++) {
		if (p->peers[i]->gone)
			peer_free(p->peers[i]);
		else
			p->peers[kept++] = p->peers[i];
	}
	p->peers_n = kept;
}
