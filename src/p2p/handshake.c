/*
 * The version handshake, and keeping a connection alive.
 *
 * What our version message tells: protocol, services, height and user agent,
 * as every node does.  Both addresses are zero: Tor hides them and the peer
 * has no use for them.  The time tells those who dialled us what they compare
 * clocks with, to the minute; those we dialled have no use for it and get
 * none, so that the skew of our clock ties no two connections together.  The
 * height is zero while the chain is being fetched.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define HANDSHAKE_TIMEOUT_MS (60 * SECOND_MS)
#define PING_MIN_MS MINUTE_MS    /* up to three times that, at random */
#define SILENCE_MAX_MS (20 * MINUTE_MS)
/* Of those the owner named: they are missed if their end has vanished. */
#define NAMED_PING_MIN_MS (15 * SECOND_MS)
#define NAMED_SILENCE_MAX_MS (45 * SECOND_MS)
#define VERSION_ADDRV2 70016
#define VERSION_SENDHEADERS 70012

static void send_version(struct p2p *p, struct peer *peer)
{
	struct msg m = { .type = MSG_VERSION };
	struct msg_version *v = &m.u.version;

	peer->nonce = p2p_random(p);
	v->version = P2P_VERSION;
	v->services = p->opt.services;
	v->time_unix = peer_outbound(peer) ? 0 : p2p_rounded_time(p);
	v->nonce = peer->nonce;
	v->user_agent = span_of(p->user_agent, strlen(p->user_agent));
	v->start_height = p->has_tip && !p->tip.initial_download
			  ? p->tip.tip.height : 0;
	v->has_relay = true;
	/* The same on all connections: what one is for is nobody's
	 * business. */
	v->relay = !p->opt.blocks_only;
	peer->version_sent = true;
	peer_send(p, peer, &m);
}

void handshake_start(struct p2p *p, struct peer *peer)
{
	if (peer_outbound(peer))
		send_version(p, peer);
}

/*
 * A connection to ourselves?  Asked on loopback only: by way of Tor somebody
 * we dialled could send the number he got to our onion, and see whether it
 * is the same node that hangs up.  There addresses are compared instead.
 */
static bool nonce_is_ours(const struct p2p *p, uint64_t nonce)
{
	size_t i;

	for (i = 0; i < p->peers_n; i++)
		if (!p->peers[i]->gone && peer_outbound(p->peers[i]) &&
		    !p->peers[i]->done && p->peers[i]->nonce == nonce)
			return true;
	return false;
}

/* Printable ASCII without what could confuse a terminal or a log. */
static char *sanitize(struct span text)
{
	static const char odd[] = " .,;-_/:?@()";
	char *out = xcalloc(text.n + 1, 1), c;
	size_t i, n = 0;

	for (i = 0; i < text.n; i++) {
		c = (char)text.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c && strchr(odd, c)))
			out[n++] = c;
	}
	return out;
}

static bool services_enough(const struct peer *peer, uint64_t services)
{
	if (peer->info.type != CONN_OUTBOUND)
		return true;
	return (services & SERVICE_WITNESS) &&
	       (services & (SERVICE_NETWORK | SERVICE_NETWORK_LIMITED));
}

static const char *version_objection(const struct p2p *p,
				     const struct peer *peer,
				     const struct msg_version *v)
{
	if (!peer_outbound(peer) && !peer->circuit && !peer->door &&
	    nonce_is_ours(p, v->nonce))
		return "connected to ourselves";
	if (v->version < P2P_VERSION_MIN || v->version > INT32_MAX)
		return "its protocol version is obsolete";
	if (!services_enough(peer, v->services))
		return "it does not offer the services we need";
	return NULL;
}

static void version_keep(struct p2p *p, struct peer *peer,
			 const struct msg_version *v)
{
	struct peer_info *info = &peer->info;

	info->version = v->version;
	info->services = v->services;
	free((char *)info->subver);
	info->subver = sanitize(v->user_agent);
	info->relay_txs = v->relay;
	info->start_height = v->start_height;
	info->time_offset_s = v->time_unix ? v->time_unix - p->now_unix : 0;
}

static void version_message(struct p2p *p, struct peer *peer,
			    const struct msg_version *v)
{
	const char *no;

	if (peer->version_got)
		return;          /* a second one means nothing */
	no = version_objection(p, peer, v);
	if (no) {
		peer->unfit = true;
		peer_drop(p, peer, CLOSE_UNWANTED, no);
		return;
	}
	peer->version_got = true;
	version_keep(p, peer, v);
	if (peer->has_onion)
		addrbook_good(p->book, &peer->onion, v->services);
	if (peer->info.type == CONN_FEELER && !peer->announces) {
		peer_drop(p, peer, CLOSE_DONE, "the feeler found it");
		return;
	}
	if (!peer->version_sent)
		send_version(p, peer);
	if (v->version >= VERSION_ADDRV2) {
		peer_send_plain(p, peer, MSG_WTXIDRELAY);
		peer_send_plain(p, peer, MSG_SENDADDRV2);
	}
	peer_send_plain(p, peer, MSG_VERACK);
}

static void verack_message(struct p2p *p, struct peer *peer)
{
	if (peer->done)
		return;
	peer->done = peer->info.handshaken = true;
	peer->ping_now = true;
	if (peer->circuit)
		p->stranger_unix = p->now_unix;
	log_debug(LOG_P2P, "peer=%llu is version %u %s, blocks=%d, %s",
		  (unsigned long long)peer->id, peer->info.version,
		  peer->info.subver, peer->info.start_height,
		  conn_type_name(peer->info.type));
	conns_handshaken(p, peer);
	addrs_handshaken(p, peer);
	txs_handshaken(p, peer);
	keepalive_tick(p, peer);
}

static void ping_message(struct p2p *p, struct peer *peer,
			 const struct msg_nonce *n)
{
	struct msg m = { .type = MSG_PONG };

	if (!n->has_nonce)
		return;
	m.u.nonce = *n;
	peer_send(p, peer, &m);
}

static void pong_message(struct p2p *p, struct peer *peer,
			 const struct msg_nonce *n)
{
	struct peer_info *info = &peer->info;

	if (!peer->ping_out || !n->has_nonce ||
	    n->nonce != peer->ping_nonce)
		return;
	peer->ping_out = false;
	info->ping_ms = p->now_ms - peer->ping_ms;
	if (info->min_ping_ms < 0 || info->ping_ms < info->min_ping_ms)
		info->min_ping_ms = info->ping_ms;
	if (peer->announces)
		peer_drop(p, peer, CLOSE_DONE, "it has heard our address");
}

/* What must come between version and verack, if at all. */
static void early_message(struct p2p *p, struct peer *peer,
			  enum msg_type type)
{
	if (peer->done) {
		peer_drop(p, peer, CLOSE_MISBEHAVED,
			  "it negotiates after the handshake");
		return;
	}
	if (type == MSG_WTXIDRELAY)
		peer->txs.wtxid_relay = true;
	if (type == MSG_SENDADDRV2)
		peer->wants_addrv2 = peer->info.wants_addrv2 = true;
}

bool handshake_message(struct p2p *p, struct peer *peer,
		       const struct msg *m)
{
	if (m->type == MSG_VERSION) {
		version_message(p, peer, &m->u.version);
		return true;
	}
	if (!peer->version_got)
		return true;     /* nothing counts before it */
	if (m->type == MSG_VERACK) {
		verack_message(p, peer);
		return true;
	}
	if (m->type == MSG_WTXIDRELAY || m->type == MSG_SENDADDRV2) {
		early_message(p, peer, m->type);
		return true;
	}
	if (!peer->done)
		return true;
	if (m->type == MSG_PING) {
		ping_message(p, peer, &m->u.nonce);
		return true;
	}
	if (m->type == MSG_PONG) {
		pong_message(p, peer, &m->u.nonce);
		return true;
	}
	if (m->type == MSG_SENDHEADERS) {
		peer->info.prefers_headers = true;
		return true;
	}
	return false;
}

static bool named(const struct peer *peer)
{
	return peer->info.type == CONN_MANUAL && peer->has_onion;
}

static void ping_send(struct p2p *p, struct peer *peer)
{
	int64_t min_ms = named(peer) ? NAMED_PING_MIN_MS : PING_MIN_MS;
	struct msg m = { .type = MSG_PING };

	peer->ping_now = false;
	peer->ping_out = true;
	peer->ping_nonce = p2p_random(p);
	peer->ping_ms = p->now_ms;
	/* Not in step with our other connections. */
	peer->ping_next_ms = p->now_ms + min_ms +
		(int64_t)(p2p_random(p) % (uint64_t)(2 * min_ms));
	m.u.nonce.has_nonce = true;
	m.u.nonce.nonce = peer->ping_nonce;
	peer_send(p, peer, &m);
}

/* Not before its chain is worth following: announcements of a chain we do not
 * have yet would only make us ask. */
static void maybe_sendheaders(struct p2p *p, struct peer *peer)
{
	if (peer->sendheaders_sent || !peer->headers.has_best ||
	    peer->info.version < VERSION_SENDHEADERS ||
	    u256_cmp(&peer->headers.best.work,
		     &p->opt.minimum_chain_work) < 0)
		return;
	peer->sendheaders_sent = true;
	peer_send_plain(p, peer, MSG_SENDHEADERS);
}

/* How long to wait for a pong. */
static int64_t pong_max_ms(const struct peer *peer)
{
	return named(peer) && peer->last_recv_ms <= peer->ping_ms
		? NAMED_SILENCE_MAX_MS : SILENCE_MAX_MS;
}

void keepalive_tick(struct p2p *p, struct peer *peer)
{
	if (!peer->done) {
		if (p->now_ms - peer->connected_ms > HANDSHAKE_TIMEOUT_MS)
			peer_drop(p, peer, CLOSE_TIMEOUT,
				  "no handshake within a minute");
		return;
	}
	/* While we are not reading, its silence is ours. */
	if (peer->unread)
		peer->last_recv_ms = p->now_ms;
	if (p->now_ms - peer->last_recv_ms > SILENCE_MAX_MS) {
		peer_drop(p, peer, CLOSE_TIMEOUT, "silent for 20 minutes");
		return;
	}
	if (peer->ping_out && !peer->unread &&
	    p->now_ms - peer->ping_ms > pong_max_ms(peer)) {
		peer_drop(p, peer, CLOSE_TIMEOUT, "no answer to a ping");
		return;
	}
	if (peer->ping_now ||
	    (!peer->ping_out && p->now_ms >= peer->ping_next_ms))
		ping_send(p, peer);
	maybe_sendheaders(p, peer);
}
