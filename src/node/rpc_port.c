/*
 * The engine's and the link's state in RPC's own structures.
 */
#include "config.h"

#include "node/rpc_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/loopback.h"
#include "node/node.h"
#include "node/trust_port.h"
#include "p2p/messages.h"
#include "tor/warden.h"

/* What an address added by hand is taken to offer. */
#define SERVICES (SERVICE_NETWORK | SERVICE_WITNESS)

static struct p2p *engine(struct node *n)
{
	return peers_engine(n->peers);
}

static bool onion_up(const struct node *n)
{
	return n->link && node_link_tor_state(n->link)->phase == TOR_READY;
}

static void port_network(void *ctx, struct rpc_network *out)
{
	struct node *n = ctx;
	const struct link_door *door;
	struct p2p_totals t;

	memset(out, 0, sizeof *out);
	p2p_totals(engine(n), &t);
	out->local_services = peers_services(n->cfg);
	out->local_relay = true;
	out->active = p2p_active(engine(n));
	out->connections_in = (int)t.inbound;
	out->connections_out = (int)t.outbound;
	out->plain_reachable = n->cfg->plain;
	if (!n->cfg->use_tor)
		return;
	out->onion_reachable = onion_up(n);
	snprintf(out->onion_proxy, sizeof out->onion_proxy, "unix:%s/%s",
		 n->cfg->chain_dir, WARDEN_SOCKS_PATH);
	door = node_link_public_door(n->link);
	if (door->state == DOOR_REACHABLE) {
		snprintf(out->local[0].address, sizeof out->local[0].address,
			 "%s", door->address);
		out->local[0].port = door->port;
		out->local[0].score = 4;
		out->local_count = 1;
	}
}

struct peer_list {
	struct rpc_peer *v;
	size_t n, cap;
};

static void copy_messages(struct rpc_msg_bytes *out, size_t *count,
			  const uint64_t *by_type)
{
	*count = 0;
	for (int i = 0; i < MSG_TYPE_COUNT && *count < RPC_PEER_MSGS_MAX;
	     i++) {
		if (!by_type[i])
			continue;
		snprintf(out[*count].name, sizeof out[*count].name, "%s",
			 i == MSG_UNKNOWN ? "*other*"
					  : msg_type_name((enum msg_type)i));
		out[(*count)++].bytes = by_type[i];
	}
}

static int64_t ms_to_us(int64_t ms)
{
	return ms < 0 ? -1 : ms * 1000;
}

static void copy_peer(struct rpc_peer *r, const struct peer_info *i)
{
	r->id = (int64_t)i->id;
	snprintf(r->addr, sizeof r->addr, "%s", i->addr);
	snprintf(r->addr_bind, sizeof r->addr_bind, "%s",
		 i->addr_bind ? i->addr_bind : "");
	r->network = i->network;
	r->services = i->services;
	r->relay_txs = i->relay_txs;
	r->last_send = i->last_send;
	r->last_recv = i->last_recv;
	r->last_block = i->last_block;
	r->bytes_sent = i->bytes_sent;
	r->bytes_recv = i->bytes_received;
	r->connected_at = i->conn_time;
	r->time_offset_s = i->time_offset_s;
	r->ping_us = ms_to_us(i->ping_ms);
	r->min_ping_us = ms_to_us(i->min_ping_ms);
	r->ping_wait_us = ms_to_us(i->ping_wait_ms);
	r->version = i->version;
	snprintf(r->subver, sizeof r->subver, "%s", i->subver);
	r->inbound = i->type == CONN_INBOUND;
	r->hb_to = i->bip152_to;
	r->hb_from = i->bip152_from;
	r->starting_height = i->start_height;
	r->presynced_headers = i->presync_height;
	r->synced_headers = i->synced_headers;
	r->synced_blocks = i->synced_blocks;
	r->inflight_count = MIN_OF(i->inflight_n, RPC_PEER_INFLIGHT_MAX);
	for (size_t k = 0; k < r->inflight_count; k++)
		r->inflight[k] = i->inflight[k];
	r->addr_relay_enabled = i->addr_relay;
	r->addr_processed = i->addr_processed;
	r->addr_rate_limited = i->addr_rate_limited;
	if (i->perms & PEER_PERM_NOBAN)
		r->permissions[r->permission_count++] = "noban";
	if (i->perms & PEER_PERM_DOWNLOAD)
		r->permissions[r->permission_count++] = "download";
	r->min_fee_filter_sat = (int64_t)i->fee_filter_sat_kvb;
	copy_messages(r->sent, &r->sent_count, i->sent_by_type);
	copy_messages(r->recv, &r->recv_count, i->received_by_type);
	r->connection_type = conn_type_name(i->type);
	r->transport = i->transport;
}

static void visit_peer(const struct peer_info *info, void *arg)
{
	struct peer_list *l = arg;

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	memset(&l->v[l->n], 0, sizeof *l->v);
	copy_peer(&l->v[l->n++], info);
}

static size_t port_peers(void *ctx, struct rpc_peer **out)
{
	struct node *n = ctx;
	struct peer_list l = { 0 };

	p2p_peers_visit(engine(n), visit_peer, &l);
	*out = l.v;
	return l.n;
}

static size_t port_connection_count(void *ctx)
{
	struct node *n = ctx;
	struct p2p_totals t;

	p2p_totals(engine(n), &t);
	return t.inbound + t.outbound;
}

static enum rpc_answer port_addnode(void *ctx, enum rpc_addnode what,
				    const char *node, bool v2,
				    struct why *why)
{
	struct node *n = ctx;
	struct host_port hp;

	(void)v2; /* connections go through Tor; there is no v1 or v2 */
	if (!host_port_parse(&hp, node, n->cfg->params.p2p_port) ||
	    (!host_is_onion(hp.host) &&
	     !(n->cfg->plain && loopback_address_ok(hp.host)))) {
		(void)why_set(why, ERR_INPUT, "\"%s\" is no v3 onion address%s",
			      node, n->cfg->params.id == CHAIN_REGTEST &&
				    !n->cfg->plain
			      ? "; loopback works on a node started with "
				"-bind=127.0.0.1" : "");
		return RPC_REFUSED;
	}
	switch (what) {
	case RPC_ADDNODE_ADD:
		return p2p_addnode(engine(n), hp.host, hp.port)
		       ? RPC_DONE : RPC_ALREADY;
	case RPC_ADDNODE_REMOVE:
		return p2p_addnode_remove(engine(n), hp.host, hp.port)
		       ? RPC_DONE : RPC_MISSING;
	case RPC_ADDNODE_ONETRY:
		p2p_try_once(engine(n), hp.host, hp.port, CONN_MANUAL);
		return RPC_DONE;
	}
	return RPC_MISSING;
}

struct added_list {
	struct node *node;
	struct rpc_added_node *v;
	size_t n, cap;
};

struct find_peer {
	peer_id id;
	struct rpc_added_node *out;
};

static void visit_addr(const struct peer_info *info, void *arg)
{
	struct find_peer *f = arg;

	if (info->id == f->id)
		snprintf(f->out->addr, sizeof f->out->addr, "%s", info->addr);
}

static void visit_added(const struct added_node *a, void *arg)
{
	struct added_list *l = arg;
	struct rpc_added_node *r;

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 8;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	r = &l->v[l->n++];
	memset(r, 0, sizeof *r);
	snprintf(r->node, sizeof r->node, "%s:%u", a->host,
		 (unsigned)a->port);
	r->connected = a->peer != 0;
	if (a->peer) {
		struct find_peer f = { a->peer, r };

		p2p_peers_visit(engine(l->node), visit_addr, &f);
	}
}

static size_t port_added_nodes(void *ctx, struct rpc_added_node **out)
{
	struct added_list l = { .node = ctx };

	p2p_added_visit(engine(ctx), visit_added, &l);
	*out = l.v;
	return l.n;
}

static enum rpc_answer port_disconnect(void *ctx, const char *addr,
				       int64_t id)
{
	bool there = addr && *addr ? p2p_disconnect_addr(engine(ctx), addr)
				   : p2p_disconnect(engine(ctx), (peer_id)id);

	return there ? RPC_DONE : RPC_MISSING;
}

struct address_list {
	struct rpc_address *v;
	size_t n;
};

static void visit_address(const struct addr_info *a, void *arg)
{
	struct address_list *l = arg;
	struct rpc_address *r = &l->v[l->n++];

	snprintf(r->address, sizeof r->address, "%s", a->onion);
	r->port = a->port;
	r->services = a->services;
	r->time = a->time_unix;
}

static size_t port_addresses(void *ctx, struct rpc_address **out, size_t max)
{
	struct address_list l = { 0 };
	struct p2p_totals t;

	p2p_totals(engine(ctx), &t);
	max = MIN_OF(max, t.addresses);
	l.v = xcalloc(max + 1, sizeof *l.v);
	p2p_addrs_visit(engine(ctx), max, visit_address, &l);
	*out = l.v;
	return l.n;
}

static void port_address_count(void *ctx, size_t *untried, size_t *tried)
{
	struct p2p_totals t;

	p2p_totals(engine(ctx), &t);
	*untried = t.addresses - t.addresses_tried;
	*tried = t.addresses_tried;
}

static enum rpc_answer port_add_address(void *ctx, const char *address,
					uint16_t port, bool tried)
{
	switch (p2p_addr_add(engine(ctx), address, port, SERVICES, tried)) {
	case ADDR_ADDED:
		return RPC_DONE;
	case ADDR_KNOWN:
		return RPC_ALREADY;
	case ADDR_BAD:
		break;
	}
	return RPC_REFUSED;
}

static const char *port_fetch_block(void *ctx, int64_t peer,
				    const struct block_hash *hash)
{
	return peer > 0 && p2p_fetch_block(engine(ctx), (peer_id)peer, hash)
	       ? NULL : "Peer does not exist";
}

static void port_set_network_active(void *ctx, bool active)
{
	p2p_set_active(engine(ctx), active);
}

static void port_ping(void *ctx)
{
	p2p_ping_all(engine(ctx));
}

/* clock_mono_ms() to unix seconds. */
static int64_t when(const struct node *n, int64_t mono_ms)
{
	if (!mono_ms)
		return 0;
	return clock_unix(&n->clock) - (clock_mono_ms() - mono_ms) / 1000;
}

#define STRANGERS_S (6 * 60 * 60)    /* one came in so lately */

/* The warden's checks, and ours: does anybody come in?  That nobody does is
 * no proof of anything: the dials of our own onion are. */
static void tor_checks(struct node *n, struct rpc_tor *out)
{
	const struct health *h = node_link_health(n->link);
	struct p2p_totals t = { 0 };

	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		const struct health_item *i = &h->item[c];

		out->checks[out->check_count++] = (struct rpc_tor_check){
			.name = health_check_name((enum health_check)c),
			.state = health_state_name(i->state),
			.since = when(n, i->since_ms),
			.bad_ms = i->bad_ms,
			.repairs = i->repairs,
			.repair = repair_name(i->last),
			.repair_at = when(n, i->repaired_ms),
		};
	}
	if (n->peers)
		p2p_totals(engine(n), &t);
	out->checks[out->check_count++] = (struct rpc_tor_check){
		.name = "inbound",
		.state = health_state_name(t.stranger_unix &&
			clock_unix(&n->clock) - t.stranger_unix < STRANGERS_S
			? HEALTH_GOOD : HEALTH_UNKNOWN),
		.since = t.stranger_unix,
	};
	out->ready_ms = h->ready_ms;
	out->recovery_ms = h->recovery_ms;
}

static void port_tor(void *ctx, struct rpc_tor *out)
{
	struct node *n = ctx;
	const struct link_tor_state *s;
	const struct link_door *d;

	memset(out, 0, sizeof *out);
	out->wanted = n->cfg->use_tor;
	if (!n->link)
		return;
	s = node_link_tor_state(n->link);
	d = node_link_public_door(n->link);
	snprintf(out->phase, sizeof out->phase, "%s",
		 out->wanted ? tor_phase_name(s->phase) : "off");
	out->bootstrap_percent = s->bootstrap_percent;
	snprintf(out->bootstrap_summary, sizeof out->bootstrap_summary,
		 "%.*s", (int)sizeof out->bootstrap_summary - 1, s->summary);
	snprintf(out->version, sizeof out->version, "%s", s->version);
	snprintf(out->onion, sizeof out->onion, "%s", d->address);
	out->onion_port = d->port;
	snprintf(out->descriptor, sizeof out->descriptor, "%s",
		 door_state_name(d->state));
	out->uploads = (int)d->uploads;
	out->self_check = self_dial_state_name(
		n->self_dial ? self_dial_state(n->self_dial) : SELF_DIAL_NONE);
	if (n->self_dial && self_dial_at_ms(n->self_dial)) {
		out->self_check_at = when(n, self_dial_at_ms(n->self_dial));
		out->self_check_ms = self_dial_took_ms(n->self_dial);
	}
	out->circuits = (int)s->circuits;
	out->clock_skew_known = s->clock_skew_s != 0;
	out->clock_skew_s = s->clock_skew_s;
	out->restarts = (int)s->restarts;
	snprintf(out->problem, sizeof out->problem, "%.*s",
		 (int)sizeof out->problem - 1,
		 s->problem[0] ? s->problem : d->problem);
	out->problem_at = n->tor_problem_at;
	if (out->wanted)
		tor_checks(n, out);
}

static void port_walls(void *ctx, struct rpc_walls *out)
{
	struct node *n = ctx;

	node_walls_report(out, &n->walls);
}

static void port_stop(void *ctx)
{
	node_stop(ctx, "RPC stop");
}

static size_t port_warnings(void *ctx, const char **out, size_t max)
{
	struct node *n = ctx;
	size_t count = 0;

	if (n->cfg->plain && count < max)
		out[count++] = "This node speaks plain TCP on loopback "
			       "(regtest): it has no privacy.";
	for (int w = 0; w < WALL_COUNT && count < max; w++) {
		char *text = n->wall_warning[w];

		if (n->walls.mode != WALLS_AUTO || n->walls.up[w])
			continue;
		snprintf(text, sizeof n->wall_warning[w], "The wall %s is "
			 "missing: %s", wall_name((enum wall)w),
			 n->walls.why_not[w]);
		out[count++] = text;
	}
	if (n->link && n->cfg->use_tor && count < max &&
	    node_link_tor_state(n->link)->phase == TOR_DOWN) {
		snprintf(n->warning, sizeof n->warning, "Tor is down: %.380s",
			 node_link_tor_state(n->link)->problem);
		out[count++] = n->warning;
	}
	if (n->peers && count < max &&
	    (out[count] = p2p_tip_warning(peers_engine(n->peers))))
		count++;
	for (size_t i = 0; n->trust && count < max; i++) {
		out[count] = trust_warning(n->trust, i);
		if (!out[count++]) {
			count--;
			break;
		}
	}
	return count;
}

static int port_tip_height(void *ctx)
{
	struct node *n = ctx;

	return atomic_load(&n->owner->height);
}

static struct chain *port_chain_of(void *owner)
{
	struct chain_owner *o = owner;

	return o->failed || atomic_load(&o->stopping) ? NULL : o->chain;
}

static struct mempool *port_mempool_of(void *owner)
{
	struct chain_owner *o = owner;

	return o->mempool;
}

static const char *port_mempool_path(void *owner)
{
	struct chain_owner *o = owner;

	return o->mempool_path;
}

static const struct fee_estimator *port_fees_of(void *owner)
{
	struct chain_owner *o = owner;

	return o->fees;
}

static void port_chain_trouble(void *owner, const struct why *why)
{
	chain_owner_trouble(owner, why);
}

void rpc_port_fill(struct rpc_ports *out, struct node *n)
{
	memset(out, 0, sizeof *out);
	out->ctx = n;
	out->file_dir = n->cfg->snapshot_dir;
	out->network = port_network;
	out->peers = port_peers;
	out->connection_count = port_connection_count;
	out->addnode = port_addnode;
	out->added_nodes = port_added_nodes;
	out->disconnect = port_disconnect;
	out->addresses = port_addresses;
	out->address_count = port_address_count;
	out->add_address = port_add_address;
	out->fetch_block = port_fetch_block;
	out->set_network_active = port_set_network_active;
	out->ping = port_ping;
	out->tor = port_tor;
	out->walls = port_walls;
	if (n->cfg->use_tor)
		trust_port_fill(out);
	out->stop = port_stop;
	out->warnings = port_warnings;
	out->tip_height = port_tip_height;
	out->chain_of = port_chain_of;
	out->mempool_of = port_mempool_of;
	out->mempool_path = port_mempool_path;
	out->fees_of = port_fees_of;
	out->chain_trouble = port_chain_trouble;
}
