/*
 * The engine: its life, connections, time, and the owner's questions.  The
 * other files do the work; p2p_priv.h is their map.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define USER_AGENT "/Cloister:" PACKAGE_VERSION "/"

static void set_defaults(struct p2p_options *o)
{
	if (!o->services)
		o->services = SERVICE_NETWORK | SERVICE_WITNESS;
	if (!o->max_inbound)
		o->max_inbound = 114;
	if (!o->max_outbound)
		o->max_outbound = 10;
	if (!o->min_relay_sat_kvb)
		o->min_relay_sat_kvb = 100;
	if (!o->max_send_bytes)
		o->max_send_bytes = 4000000;
}

struct p2p *p2p_new(const struct p2p_options *opt,
		    const struct p2p_ports *ports)
{
	struct p2p *p = xcalloc(1, sizeof *p);

	p->opt = *opt;
	p->ports = *ports;
	set_defaults(&p->opt);
	p->user_agent = xstrdup(opt->user_agent ? opt->user_agent
						: USER_AGENT);
	p->active = true;
	p->book = addrbook_new(ports->random, ports->ctx);
	ports->random(ports->ctx, p->gossip_secret, sizeof p->gossip_secret);
	fetch_init(p);
	conns_init(p);
	txs_init(p);
	/* The lists were copied; the caller's may go. */
	p->opt.connect = p->opt.addnode = p->opt.seed = NULL;
	p->opt.seed_name = NULL;
	p->opt.user_agent = NULL;
	return p;
}

void p2p_free(struct p2p *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->peers_n; i++) {
		txs_detach(p, p->peers[i]);
		peer_free(p->peers[i]);
	}
	free(p->peers);
	txs_clear(p);
	fetch_clear(p);
	conns_clear(p);
	circuits_clear(p);
	addrbook_free(p->book);
	free(p->addr_cache);
	free(p->user_agent);
	free(p);
}

/* ---- time ---- */

void p2p_set_time(struct p2p *p, int64_t mono_ms, int64_t time_unix)
{
	p->now_ms = mono_ms;
	p->now_unix = time_unix;
	addrbook_set_time(p->book, time_unix);
}

static void peers_tick(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer->gone)
			continue;
		keepalive_tick(p, peer);
		headers_retry(p, peer);
		peer_resume(p, peer);
		serve_step(p, peer);
		gossip_tick(p, peer);
	}
}

void p2p_tick(struct p2p *p, int64_t mono_ms, int64_t time_unix)
{
	p2p_set_time(p, mono_ms, time_unix);
	peers_tick(p);
	headers_tick(p);
	fetch_tick(p);
	tip_watch_tick(p);
	conns_tick(p);
	txs_tick(p);
	peers_reap(p);
}

void peers_retry(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer->gone)
			continue;
		headers_retry(p, peer);
		peer_resume(p, peer);
		serve_step(p, peer);
	}
}

void p2p_chain_ready(struct p2p *p)
{
	peers_retry(p);
	fetch_tick(p);
	peers_reap(p);
}

/* ---- connections ---- */

static bool let_in(struct p2p *p, struct circuit **circuit,
		   const struct peer_conn *c)
{
	if (!p->active)
		return false;
	if (c->door)
		return true;
	if (c->circuit) {
		*circuit = circuit_admit(p, c->circuit);
		if (!*circuit)
			return false;
	}
	return inbound_room(p);
}

bool p2p_peer_connected(struct p2p *p, const struct peer_conn *c)
{
	struct circuit *circuit = NULL;
	struct dial d = { 0 };
	struct peer *peer;

	if (c->dial ? !dial_take(p, &d, c->dial) : !let_in(p, &circuit, c)) {
		peers_reap(p);
		return false;
	}
	peer = peer_add(p, c);
	peer->info.type = CONN_INBOUND;
	peer->circuit = circuit;
	peer->door = c->door;
	peer->witness = c->door && c->witness;
	if (circuit)
		circuit->peers++;
	if (c->dial)
		conns_connected(p, peer, &d);
	log_debug(LOG_P2P, "peer=%llu connected, %s",
		  (unsigned long long)peer->id,
		  conn_type_name(peer->info.type));
	handshake_start(p, peer);
	peers_reap(p);
	return true;
}

void p2p_peer_closed(struct p2p *p, peer_id id)
{
	struct peer *peer = peer_get(p, id);

	if (!peer)
		return;
	log_debug(LOG_P2P, "peer=%llu has closed", (unsigned long long)id);
	redial_lost(p, peer);
	peer_detach(p, peer);
	fetch_assign(p);
	peers_reap(p);
}

/* ---- the chain's events ---- */

static bool in_locator(const struct tip_event *e,
		       const struct block_hash *hash)
{
	size_t i;

	for (i = 0; i < e->locator_n; i++)
		if (block_hash_eq(&e->locator[i], hash))
			return true;
	return false;
}

void p2p_on_tip(struct p2p *p, const struct tip_event *e)
{
	struct block_hash old_tip = p->tip.tip.hash;
	bool best_changed = !p->has_tip ||
		!block_hash_eq(&p->tip.best_header.hash,
			       &e->best_header.hash);

	/* Where the old best header is not seen to be below the new one,
	 * what peers have in common with us must be asked again. */
	if (p->has_tip && best_changed &&
	    !in_locator(e, &p->tip.best_header.hash))
		headers_common_unknown(p);
	p->tip = *e;
	p->tip.locator = NULL;
	p->tip.connected = NULL;
	p->locator_n = MIN_OF(e->locator_n, (size_t)LOCATOR_MAX);
	if (p->locator_n)
		memcpy(p->locator, e->locator,
		       p->locator_n * sizeof(*p->locator));
	p->has_tip = true;
	p->fetch.dirty |= best_changed || e->lost_blocks;
	if (!block_hash_eq(&old_tip, &e->tip.hash))
		txs_new_tip(p);
	serve_announce(p, e, &old_tip);
	headers_tick(p);
	fetch_tick(p);
	peers_reap(p);
}

/* ---- the owner's commands ---- */

bool p2p_disconnect(struct p2p *p, peer_id id)
{
	struct peer *peer = peer_get(p, id);

	if (!peer)
		return false;
	peer_drop(p, peer, CLOSE_ASKED, "disconnected by the owner");
	peers_reap(p);
	return true;
}

static bool addr_matches(const struct peer *peer, const char *addr)
{
	size_t n = strlen(addr);

	if (peer->host && strcmp(peer->host, addr) == 0)
		return true;
	return strncmp(peer->info.addr, addr, n) == 0 &&
	       (peer->info.addr[n] == 0 || peer->info.addr[n] == ':');
}

bool p2p_disconnect_addr(struct p2p *p, const char *addr)
{
	bool any = false;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		if (p->peers[i]->gone || !addr_matches(p->peers[i], addr))
			continue;
		any = true;
		peer_drop(p, p->peers[i], CLOSE_ASKED,
			  "disconnected by the owner");
	}
	peers_reap(p);
	return any;
}

void p2p_set_active(struct p2p *p, bool active)
{
	size_t i;

	p->active = active;
	if (active)
		return;
	for (i = 0; i < p->peers_n; i++)
		peer_drop(p, p->peers[i], CLOSE_ASKED,
			  "the network was switched off");
	dials_forget(p);
	peers_reap(p);
}

bool p2p_active(const struct p2p *p)
{
	return p->active;
}

void p2p_ping_all(struct p2p *p)
{
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		if (!p->peers[i]->done)
			continue;
		p->peers[i]->ping_now = true;
		keepalive_tick(p, p->peers[i]);
	}
	peers_reap(p);
}

/* ---- questions ---- */

void p2p_totals(const struct p2p *p, struct p2p_totals *out)
{
	const struct presync *s;
	size_t i;

	*out = (struct p2p_totals){ .presync_height = -1 };
	out->inbound = inbound_count(p);
	out->outbound = (unsigned)p->peers_n - out->inbound;
	out->bytes_sent = p->bytes_sent;
	out->bytes_received = p->bytes_received;
	out->blocks_in_flight = p->fetch.asked_n;
	out->stranger_unix = p->stranger_unix;
	out->addresses = addrbook_count(p->book);
	out->addresses_tried = addrbook_tried_count(p->book);
	for (i = 0; i < p->peers_n; i++) {
		s = p->peers[i]->headers.presync;
		if (!s || presync_height(s) <= out->presync_height)
			continue;
		out->presync_height = presync_height(s);
		out->presync_time = presync_time(s);
	}
}

static void info_fill(const struct p2p *p, struct peer_info *info,
		      const struct peer *peer, int *heights)
{
	const struct peer_headers *h = &peer->headers;

	*info = peer->info;
	info->ping_wait_ms = peer->ping_out ? p->now_ms - peer->ping_ms : -1;
	info->presync_height = h->presync ? presync_height(h->presync) : -1;
	info->synced_headers = h->has_best ? h->best.height : -1;
	info->synced_blocks = MIN_OF(h->common_height, p->has_tip ?
				     p->tip.tip.height : -1);
	fetch_info(peer, heights);
	info->inflight = heights;
	info->inflight_n = peer->fetch.asked_n;
}

void p2p_peers_visit(const struct p2p *p, peer_info_fn *fn, void *arg)
{
	struct peer_info info;
	int *heights;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		heights = xcalloc(p->peers[i]->fetch.asked_n + 1,
				  sizeof *heights);
		info_fill(p, &info, p->peers[i], heights);
		fn(&info, arg);
		free(heights);
	}
}
