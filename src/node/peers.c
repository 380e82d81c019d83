/*
 * One entry per open connection, one per dial under way.
 */
#include "config.h"

#include "node/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/loopback.h"
#include "node/seed_names.h"
#include "p2p/messages.h"

#define TICK_MS 50               /* and up to three times that, at random */
#define SEED_NAMES_MAX 16
#define INPUT_MAX (256 * 1024)
#define OUTPUT_HIGH (1024 * 1024)
#define PLAIN_DIAL_TIMEOUT_MS 5000
/* Outbound slots, address fetches and feelers beside the inbound ones. */
#define OUTBOUND_SHARE 11

struct peer_entry {
	peer_id id;
	struct peers *owner;
	struct conn *conn;
	bool trusted;            /* over TLS, with somebody we know */
};

struct dial_entry {
	struct dial_entry *next;
	struct peers *owner;
	struct dial *dial;       /* NULL: refused on tick, unless stream */
	struct tls_stream *stream;   /* connected: the handshake */
	bool trusted;            /* host is "NAME.trusted" */
	uint64_t id;
	const char *network;
	char host[64];
	uint16_t port;
};

struct peers {
	struct peers_options opt;
	struct p2p *p2p;
	struct map entries;      /* of struct peer_entry, by id */
	struct dial_entry *dials;
	struct transport *plain; /* regtest's loopback; NULL: off */
	struct listener *onion_listener, *plain_listener;
	struct timer *tick;
	peer_id next_id;
};

uint64_t peers_services(const struct config *cfg)
{
	return SERVICE_WITNESS | (cfg->prune_bytes ? SERVICE_NETWORK_LIMITED
						   : SERVICE_NETWORK);
}

static uint64_t id_hash(const void *key, const void *ctx)
{
	(void)ctx;
	return *(const peer_id *)key * UINT64_C(0x9e3779b97f4a7c15);
}

static bool id_eq(const void *item, const void *key)
{
	return ((const struct peer_entry *)item)->id == *(const peer_id *)key;
}

static const void *id_key(const void *item)
{
	return &((const struct peer_entry *)item)->id;
}

static const struct map_type entry_type = { id_hash, id_eq, id_key };

static void tell_time(struct peers *p)
{
	p2p_set_time(p->p2p, clock_mono_ms(), clock_unix(p->opt.clock));
}

static void entry_free(struct peer_entry *e)
{
	map_take(&e->owner->entries, &e->id);
	if (e->trusted)
		trust_disconnected(e->owner->opt.trust, e->id);
	conn_free(e->conn);
	free(e);
}

/* ---- bytes ---- */

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct peer_entry *e = arg;
	struct peers *p = e->owner;
	size_t used = 0;

	(void)c;
	tell_time(p);
	p2p_peer_bytes(p->p2p, e->id, in, &used);
	return used;
}

static void on_write_paused(struct conn *c, bool paused, void *arg)
{
	struct peer_entry *e = arg;

	(void)c;
	if (paused)
		return;
	tell_time(e->owner);
	p2p_peer_drained(e->owner->p2p, e->id);
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	struct peer_entry *e = arg;
	struct peers *p = e->owner;
	peer_id id = e->id;

	(void)c;
	log_debug(LOG_NET, "peer=%llu closed%s", (unsigned long long)id,
		  end == CONN_OVERFLOW ? " (input overflow)" : "");
	entry_free(e);
	tell_time(p);
	p2p_peer_closed(p->p2p, id);
}

static const struct conn_callbacks conn_cb = {
	.on_read = on_read, .on_write_paused = on_write_paused,
	.on_end = on_end,
};
const struct conn_limits peers_conn_limits = { INPUT_MAX, OUTPUT_HIGH };

/* A stream is there: offer it to the engine. */
static void add_peer(struct peers *p, int fd, struct peer_conn *pc)
{
	struct peer_entry *e = xcalloc(1, sizeof *e);

	e->id = pc->id = ++p->next_id;
	e->owner = p;
	e->conn = conn_new(p->opt.loop, fd, &conn_cb, &peers_conn_limits, e);
	map_put(&p->entries, e);
	log_debug(LOG_NET, "peer=%llu connected %s %s",
		  (unsigned long long)e->id, pc->dial ? "to" : "from",
		  pc->addr);
	tell_time(p);
	if (!p2p_peer_connected(p->p2p, pc))
		entry_free(e);
}

/* The same, over TLS. */
static void add_secured(struct peers *p, const struct tls_result *r,
			struct peer_conn *pc)
{
	struct peer_entry *e;
	bool outbound = pc->dial != 0;

	if (!trust_admit(p->opt.trust, r, outbound)) {
		conn_free(r->conn);
		tell_time(p);
		if (outbound)
			p2p_dial_failed(p->p2p, pc->dial, FAILURE_OTHER,
					"connected the other way round");
		return;
	}
	e = xcalloc(1, sizeof *e);
	e->id = pc->id = ++p->next_id;
	e->owner = p;
	e->conn = r->conn;
	map_put(&p->entries, e);
	pc->witness = trust_roles(p->opt.trust, &r->id) & ROLE_WITNESS;
	tell_time(p);
	if (!p2p_peer_connected(p->p2p, pc)) {
		entry_free(e);
		return;
	}
	e->trusted = true;
	trust_connected(p->opt.trust, &r->id, e->id, outbound);
	conn_set_callbacks(r->conn, &conn_cb, e);
	conn_resume_reading(r->conn);
}

void peers_add_trusted(struct peers *p, const struct tls_result *r,
		       const char *name)
{
	char addr[64];
	struct peer_conn pc = { .addr = addr, .network = "onion",
				.transport = "tls", .door = true,
				.perms = PEER_PERM_DOWNLOAD };

	snprintf(addr, sizeof addr, "%s.trusted:0", name);
	add_secured(p, r, &pc);
}

/* ---- ports: connections ---- */

static void port_send(void *ctx, peer_id id, struct bytes *data)
{
	struct peers *p = ctx;
	struct peer_entry *e = map_get(&p->entries, &id);

	if (e)
		conn_write(e->conn, bytes_span(data));
	bytes_clear(data);
}

static size_t port_queued(void *ctx, peer_id id)
{
	struct peers *p = ctx;
	struct peer_entry *e = map_get(&p->entries, &id);

	return e ? conn_queued(e->conn) : 0;
}

static void port_close(void *ctx, peer_id id, enum close_reason reason,
		       const char *text)
{
	struct peers *p = ctx;
	struct peer_entry *e = map_get(&p->entries, &id);

	if (!e)
		return;
	log_debug(LOG_NET, "closing peer=%llu: %s: %s",
		  (unsigned long long)id, close_reason_name(reason), text);
	entry_free(e);
}

static void port_close_circuit(void *ctx, uint32_t circuit)
{
	struct peers *p = ctx;

	if (p->opt.close_circuit)
		p->opt.close_circuit(p->opt.ctx, circuit);
}

static void port_refresh(void *ctx, const char *host)
{
	struct peers *p = ctx;

	if (p->opt.refresh)
		p->opt.refresh(p->opt.ctx, host);
}

static void port_set_reading(void *ctx, peer_id id, bool on)
{
	struct peers *p = ctx;
	struct peer_entry *e = map_get(&p->entries, &id);

	if (!e)
		return;
	if (on)
		conn_resume_reading(e->conn);
	else
		conn_pause_reading(e->conn);
}

static void dial_forget(struct dial_entry *d)
{
	struct dial_entry **at = &d->owner->dials;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d);
}

static void dial_failed(struct dial_entry *d, enum dial_failure failure,
			const char *why)
{
	struct peers *p = d->owner;

	log_debug(LOG_NET, "cannot connect to %s:%u: %s", d->host,
		  (unsigned)d->port, why);
	if (d->trusted) {
		const char *way = trust_way(p->opt.trust, d->host);

		if (way && p->opt.refresh && failure == FAILURE_TIMEOUT)
			p->opt.refresh(p->opt.ctx, way);
		trust_dial_failed(p->opt.trust, d->host, why);
	}
	tell_time(p);
	p2p_dial_failed(p->p2p, d->id, failure, why);
}

static enum dial_failure failure_of(enum dial_result r)
{
	switch (r) {
	case DIAL_REFUSED:
		return FAILURE_REFUSED;
	case DIAL_UNREACHABLE:
		return FAILURE_UNREACHABLE;
	case DIAL_TIMEOUT:
		return FAILURE_TIMEOUT;
	case DIAL_NOT_FOUND:
		return FAILURE_NOT_FOUND;
	case DIAL_BAD_ADDRESS:
		return FAILURE_BAD_ADDRESS;
	case DIAL_AUTH_REQUIRED:
		return FAILURE_AUTH;
	case DIAL_PROXY_DOWN:
		return FAILURE_NO_TOR;
	case DIAL_OK:
	case DIAL_OTHER:
		break;
	}
	return FAILURE_OTHER;
}

/* The handshake at a trusted peer's door is over. */
static void on_secured(const struct tls_result *r, void *arg)
{
	struct dial_entry *d = arg;
	struct peers *p = d->owner;
	char addr[80];
	struct peer_conn pc = {
		.dial = d->id,
		.addr = addr,
		.network = "onion",
		.transport = "tls",
		.door = true,
		.perms = PEER_PERM_DOWNLOAD,
	};

	d->stream = NULL;
	snprintf(addr, sizeof addr, "%s:%u", d->host, (unsigned)d->port);
	if (r->fail)
		dial_failed(d, FAILURE_OTHER, tls_fail_text(r->fail));
	else
		add_secured(p, r, &pc);
	dial_forget(d);
}

static void on_door_dialled(struct dial_entry *d, int fd)
{
	struct peers *p = d->owner;

	d->stream = trust_connect(p->opt.trust, d->host, fd, on_secured, d);
	if (d->stream)
		return;
	dial_failed(d, FAILURE_OTHER, "not trusted any more");
	dial_forget(d);
}

void peers_cancel_dials(struct peers *p, const char *host)
{
	struct dial_entry *d = p->dials, *next;

	for (; d; d = next) {
		next = d->next;
		if (strcmp(d->host, host) != 0)
			continue;
		dial_cancel(d->dial);
		tls_stream_cancel(d->stream);
		dial_failed(d, FAILURE_OTHER, "cancelled");
		dial_forget(d);
	}
}

static void on_dialled(enum dial_result result, int fd, void *arg)
{
	struct dial_entry *d = arg;
	struct peers *p = d->owner;
	char addr[80];
	struct peer_conn pc = {
		.dial = d->id,
		.addr = addr,
		.network = d->network,
	};

	d->dial = NULL;
	snprintf(addr, sizeof addr, "%s:%u", d->host, (unsigned)d->port);
	if (result == DIAL_OK && d->trusted) {
		on_door_dialled(d, fd);
		return;
	}
	if (result == DIAL_OK)
		add_peer(p, fd, &pc);
	else
		dial_failed(d, failure_of(result), dial_result_name(result));
	dial_forget(d);
}

/* Dials that could not even begin are answered from the loop, too. */
static void answer_refused(struct peers *p)
{
	struct dial_entry *d = p->dials;

	while (d) {
		struct dial_entry *next = d->next;

		if (!d->dial && !d->stream)
			on_dialled(DIAL_PROXY_DOWN, -1, d);
		d = next;
	}
}

static void port_dial(void *ctx, const struct dial_request *req)
{
	struct peers *p = ctx;
	bool plain = !req->seed_name && loopback_address_ok(req->host);
	struct transport *t = plain ? p->plain : p->opt.tor;
	const char *way = p->opt.trust ? trust_way(p->opt.trust, req->host)
				       : NULL;
	struct dial_entry *d;
	char isolation[48];
	struct dial_target target = {
		.host = way ? way : req->host,
		.port = req->port,
		.isolation = isolation,
		.timeout_ms = plain ? PLAIN_DIAL_TIMEOUT_MS
				    : req->timeout_ms,
		.seed_name = req->seed_name,
	};

	/* Never used twice, so no two streams share a circuit. */
	snprintf(isolation, sizeof isolation, "%llu-%016llx",
		 (unsigned long long)req->id,
		 (unsigned long long)random_u64());
	log_debug(LOG_NET, "connecting to %s:%u (%s)", req->host,
		  (unsigned)req->port, conn_type_name(req->type));
	d = xcalloc(1, sizeof *d);
	d->owner = p;
	d->id = req->id;
	d->trusted = way != NULL;
	/* A name outside of Tor: by an exit relay. */
	d->network = plain ? "not_publicly_routable" :
		     req->seed_name ? "exit" : "onion";
	snprintf(d->host, sizeof d->host, "%s", req->host);
	d->port = req->port;
	d->next = p->dials;
	p->dials = d;
	if (t)
		d->dial = transport_dial(t, &target, on_dialled, d);
}

static void port_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_bytes(out, n);
}

/* ---- ports: the chain ---- */

static bool port_chain_headers(void *ctx, peer_id peer,
			       const struct block_header *h, size_t n,
			       bool vouched)
{
	struct peers *p = ctx;

	return chain_port_headers(p->opt.chain, peer, h, n, vouched);
}

static bool port_chain_block(void *ctx, peer_id peer,
			     const struct block_hash *hash,
			     struct bytes *raw, bool requested)
{
	struct peers *p = ctx;

	return chain_port_block(p->opt.chain, peer, hash, raw, requested);
}

static bool port_chain_plan(void *ctx, const struct plan_request *req)
{
	struct peers *p = ctx;

	return chain_port_plan(p->opt.chain, req);
}

static bool port_serve_headers(void *ctx, peer_id peer,
			       const struct block_hash *locator, size_t n,
			       const struct block_hash *stop, size_t max)
{
	struct peers *p = ctx;
	struct serve_headers_request req = { locator, n, stop, max };

	return chain_port_serve_headers(p->opt.chain, peer, &req);
}

static bool port_serve_block(void *ctx, peer_id peer,
			     const struct block_hash *hash, bool with_witness)
{
	struct peers *p = ctx;

	return chain_port_serve_block(p->opt.chain, peer, hash, with_witness);
}

static bool port_tx(void *ctx, peer_id peer, struct shared_tx *tx,
		    struct shared_tx *child)
{
	struct peers *p = ctx;

	return chain_port_tx(p->opt.chain, peer, tx, child);
}

/* ---- inbound ---- */

static void on_onion_accept(const struct accepted *a, void *arg)
{
	char addr[32];
	struct peer_conn pc = { .addr = addr, .network = "onion",
				.circuit = a->circuit };

	/* Who it is Tor does not tell; the circuit is all there is. */
	snprintf(addr, sizeof addr, "circuit-%u:0", (unsigned)a->circuit);
	add_peer(arg, a->fd, &pc);
}

static void sock_text(char out[static 32], int fd, bool peer)
{
	struct sockaddr_in sin;
	socklen_t n = sizeof sin;
	char ip[INET_ADDRSTRLEN];

	strcpy(out, "127.0.0.1:0");
	if ((peer ? getpeername(fd, (struct sockaddr *)&sin, &n)
		  : getsockname(fd, (struct sockaddr *)&sin, &n)) ||
	    sin.sin_family != AF_INET ||
	    !inet_ntop(AF_INET, &sin.sin_addr, ip, sizeof ip))
		return;
	snprintf(out, 32, "%s:%u", ip, (unsigned)ntohs(sin.sin_port));
}

static void on_plain_accept(const struct accepted *a, void *arg)
{
	char addr[32], bind[32];
	struct peer_conn pc = { .addr = addr, .addr_bind = bind,
				.network = "not_publicly_routable" };

	sock_text(addr, a->fd, true);
	sock_text(bind, a->fd, false);
	add_peer(arg, a->fd, &pc);
}

/* ---- life ---- */

static struct p2p_host *hosts_of(const struct host_list *l)
{
	struct p2p_host *v = xcalloc(l->n + 1, sizeof *v);

	for (size_t i = 0; i < l->n; i++) {
		v[i].host = l->v[i].host;
		v[i].port = l->v[i].port;
	}
	return v;
}

static size_t name_hosts(struct p2p_host out[static SEED_NAMES_MAX],
			 const struct config *cfg)
{
	const char *const *names = seed_names(cfg->params.id);
	size_t n;

	for (n = 0; names[n] && n < SEED_NAMES_MAX; n++)
		out[n] = (struct p2p_host){ names[n], cfg->params.p2p_port };
	return n;
}

static struct p2p *engine_new(struct peers *p)
{
	const struct config *cfg = p->opt.cfg;
	struct p2p_ports ports = {
		.ctx = p,
		.send = port_send,
		.queued = port_queued,
		.close = port_close,
		.close_circuit = port_close_circuit,
		.refresh = port_refresh,
		.set_reading = port_set_reading,
		.dial = port_dial,
		.random = port_random,
		.chain_headers = port_chain_headers,
		.chain_block = port_chain_block,
		.chain_plan = port_chain_plan,
		.chain_serve_headers = port_serve_headers,
		.chain_serve_block = port_serve_block,
		.chain_tx = port_tx,
	};
	struct p2p_host *connect = hosts_of(&cfg->connect);
	struct p2p_host *addnode = hosts_of(&cfg->addnode);
	struct p2p_host *seed = hosts_of(&cfg->seednode);
	struct p2p_host names[SEED_NAMES_MAX];
	struct p2p_options o = {
		.params = &cfg->params,
		.minimum_chain_work = cfg->params.minimum_chain_work,
		.services = peers_services(cfg),
		.blocks_only = cfg->blocks_only,
		.min_relay_sat_kvb = cfg->policy.min_relay_sat_kvb,
		.max_inbound = cfg->max_connections > OUTBOUND_SHARE
			       ? cfg->max_connections - OUTBOUND_SHARE : 1,
		.no_outbound = cfg->no_outbound,
		.connect = connect,
		.connect_n = cfg->connect.n,
		.connect_only = cfg->connect_only,
		.addnode = addnode,
		.addnode_n = cfg->addnode.n,
		.seed = seed,
		.seed_n = cfg->seednode.n,
		.seed_name = names,
		.seed_name_n = cfg->dns_seed ? name_hosts(names, cfg) : 0,
	};
	struct p2p *p2p = p2p_new(&o, &ports);

	free(connect);
	free(addnode);
	free(seed);
	return p2p;
}

struct peers *peers_new(const struct peers_options *opt)
{
	struct peers *p = xcalloc(1, sizeof *p);

	p->opt = *opt;
	map_init(&p->entries, &entry_type, NULL);
	if (opt->cfg->plain)
		p->plain = loopback_transport_new(opt->loop);
	p->p2p = engine_new(p);
	chain_port_set_engine(opt->chain, p->p2p);
	tell_time(p);
	return p;
}

struct p2p *peers_engine(struct peers *p)
{
	return p->p2p;
}

static void on_tick(void *arg)
{
	struct peers *p = arg;

	/* An even beat would be heard on all connections. */
	timer_set(p->tick, TICK_MS + (int64_t)random_below(2 * TICK_MS));
	answer_refused(p);
	p2p_tick(p->p2p, clock_mono_ms(), clock_unix(p->opt.clock));
}

void peers_start(struct peers *p)
{
	const struct listener_options onion = { .proxy_line = true };
	const struct listener_options plain = { 0 };

	if (p->opt.onion_listener >= 0)
		p->onion_listener = listener_new(p->opt.loop,
						 p->opt.onion_listener,
						 &onion, on_onion_accept, p);
	if (p->opt.plain_listener >= 0)
		p->plain_listener = listener_new(p->opt.loop,
						 p->opt.plain_listener,
						 &plain, on_plain_accept, p);
	p->tick = timer_new(p->opt.loop, on_tick, p);
	timer_set(p->tick, TICK_MS);
}

void peers_free(struct peers *p)
{
	struct peer_entry *e;
	size_t pos;

	if (!p)
		return;
	chain_port_set_engine(p->opt.chain, NULL);
	timer_free(p->tick);
	listener_free(p->onion_listener);
	listener_free(p->plain_listener);
	while (p->dials) {
		dial_cancel(p->dials->dial);
		tls_stream_cancel(p->dials->stream);
		dial_forget(p->dials);
	}
	while (pos = 0, (e = map_next(&p->entries, &pos)) != NULL)
		entry_free(e);
	map_clear(&p->entries);
	p2p_free(p->p2p);
	transport_free(p->plain);
	free(p);
}
