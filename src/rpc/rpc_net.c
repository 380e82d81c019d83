/*
 * Methods about peers and the way to them.  All on the loop thread: the
 * ports answer at once.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "rpc/rpc_priv.h"

/* What tools compare with; in the reference node's way of counting, the
 * release whose results ours follow. */
#define RPC_COMPAT_VERSION 300000
#define PROTOCOL_VERSION 70016
#define MIN_RELAY_FEE_SAT 100

static bool no_port(struct rpc_call *call, const void *port)
{
	if (port)
		return false;
	rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
		 "Error: Peer-to-peer functionality missing or disabled");
	return true;
}
#define NO_PORT(call, name) \
	no_port(call, (const void *)(uintptr_t)(call)->ports->name)

/* ---- services ---- */

static void add_services(struct json_object *o, const char *key,
			 const char *names_key, uint64_t services)
{
	static const struct {
		unsigned bit;
		const char *name;
	} known[] = {
		{ 0, "NETWORK" }, { 2, "BLOOM" }, { 3, "WITNESS" },
		{ 6, "COMPACT_FILTERS" }, { 10, "NETWORK_LIMITED" },
		{ 11, "P2P_V2" },
	};
	struct json_object *names = json_object_new_array();
	char hex[24];

	snprintf(hex, sizeof hex, "%016llx", (unsigned long long)services);
	json_add_str(o, key, hex);
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = NULL;
		char unknown[24];

		if (!(services >> bit & 1))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (known[i].bit == bit)
				name = known[i].name;
		snprintf(unknown, sizeof unknown, "UNKNOWN[2^%u]", bit);
		json_object_array_add(names, json_object_new_string(
			name ? name : unknown));
	}
	json_add(o, names_key, names);
}

/* ---- getnetworkinfo ---- */

static struct json_object *network_json(const char *name, bool reachable,
					const char *proxy)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", name);
	json_add_bool(o, "limited", !reachable);
	json_add_bool(o, "reachable", reachable);
	json_add_str(o, "proxy", proxy);
	json_add_bool(o, "proxy_randomize_credentials", *proxy != 0);
	return o;
}

static struct json_object *networks_json(const struct rpc_network *n)
{
	struct json_object *a = json_object_new_array();

	json_object_array_add(a, network_json("ipv4", n->plain_reachable,
					      ""));
	json_object_array_add(a, network_json("ipv6", false, ""));
	json_object_array_add(a, network_json("onion", n->onion_reachable,
					      n->onion_proxy));
	json_object_array_add(a, network_json("i2p", false, ""));
	json_object_array_add(a, network_json("cjdns", false, ""));
	return a;
}

static void getnetworkinfo(struct rpc_call *call)
{
	struct rpc_network n = { 0 };
	struct json_object *o, *local = json_object_new_array();

	if (call->ports->network)
		call->ports->network(call->ports->ctx, &n);
	o = call->result = json_object_new_object();
	json_add_int(o, "version", RPC_COMPAT_VERSION);
	json_add_str(o, "subversion", rpc_user_agent(call->rpc));
	json_add_int(o, "protocolversion", PROTOCOL_VERSION);
	add_services(o, "localservices", "localservicesnames",
		     n.local_services);
	json_add_bool(o, "localrelay", n.local_relay);
	json_add_int(o, "timeoffset", n.time_offset_s);
	json_add_bool(o, "networkactive", n.active);
	json_add_int(o, "connections", n.connections_in + n.connections_out);
	json_add_int(o, "connections_in", n.connections_in);
	json_add_int(o, "connections_out", n.connections_out);
	json_add(o, "networks", networks_json(&n));
	json_add_amount(o, "relayfee", MIN_RELAY_FEE_SAT);
	json_add_amount(o, "incrementalfee", MIN_RELAY_FEE_SAT);
	for (size_t i = 0; i < MIN_OF(n.local_count, ARRAY_SIZE(n.local));
	     i++) {
		struct json_object *l = json_object_new_object();

		json_add_str(l, "address", n.local[i].address);
		json_add_int(l, "port", n.local[i].port);
		json_add_int(l, "score", n.local[i].score);
		json_object_array_add(local, l);
	}
	json_add(o, "localaddresses", local);
	json_add(o, "warnings", json_object_get(call->warnings));
}

/* ---- getpeerinfo ---- */

static void add_pings(struct json_object *o, const struct rpc_peer *p)
{
	if (p->ping_us >= 0)
		json_add_double(o, "pingtime", (double)p->ping_us / 1e6);
	if (p->min_ping_us >= 0)
		json_add_double(o, "minping", (double)p->min_ping_us / 1e6);
	if (p->ping_wait_us > 0)
		json_add_double(o, "pingwait",
				(double)p->ping_wait_us / 1e6);
}

static struct json_object *msg_bytes_json(const struct rpc_msg_bytes *m,
					  size_t n)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < MIN_OF(n, (size_t)RPC_PEER_MSGS_MAX); i++)
		if (m[i].bytes)
			json_object_object_add(o, m[i].name,
				json_object_new_uint64(m[i].bytes));
	return o;
}

static void add_text(struct json_object *o, const char *key, const char *s)
{
	if (s && *s)
		json_add_str(o, key, s);
}

static void add_peer_sync(struct json_object *o, const struct rpc_peer *p)
{
	struct json_object *inflight = json_object_new_array();

	json_add_int(o, "startingheight", p->starting_height);
	json_add_int(o, "presynced_headers", p->presynced_headers);
	json_add_int(o, "synced_headers", p->synced_headers);
	json_add_int(o, "synced_blocks", p->synced_blocks);
	for (size_t i = 0; i < MIN_OF(p->inflight_count,
				      (size_t)RPC_PEER_INFLIGHT_MAX); i++)
		json_object_array_add(inflight,
				      json_object_new_int(p->inflight[i]));
	json_add(o, "inflight", inflight);
}

static struct json_object *peer_json(const struct rpc_peer *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *permissions = json_object_new_array();

	json_add_int(o, "id", p->id);
	json_add_str(o, "addr", p->addr);
	add_text(o, "addrbind", p->addr_bind);
	add_text(o, "addrlocal", p->addr_local);
	json_add_str(o, "network", p->network ? p->network : "onion");
	add_services(o, "services", "servicesnames", p->services);
	json_add_bool(o, "relaytxes", p->relay_txs);
	json_add_int(o, "lastsend", p->last_send);
	json_add_int(o, "lastrecv", p->last_recv);
	json_add_int(o, "last_transaction", p->last_transaction);
	json_add_int(o, "last_block", p->last_block);
	json_add_u64(o, "bytessent", p->bytes_sent);
	json_add_u64(o, "bytesrecv", p->bytes_recv);
	json_add_int(o, "conntime", p->connected_at);
	json_add_int(o, "timeoffset", p->time_offset_s);
	add_pings(o, p);
	json_add_int(o, "version", p->version);
	json_add_str(o, "subver", p->subver);
	json_add_bool(o, "inbound", p->inbound);
	json_add_bool(o, "bip152_hb_to", p->hb_to);
	json_add_bool(o, "bip152_hb_from", p->hb_from);
	add_peer_sync(o, p);
	json_add_bool(o, "addr_relay_enabled", p->addr_relay_enabled);
	json_add_u64(o, "addr_processed", p->addr_processed);
	json_add_u64(o, "addr_rate_limited", p->addr_rate_limited);
	for (size_t i = 0; i < MIN_OF(p->permission_count,
				      ARRAY_SIZE(p->permissions)); i++)
		json_object_array_add(permissions, json_object_new_string(
			p->permissions[i]));
	json_add(o, "permissions", permissions);
	json_add_amount(o, "minfeefilter", p->min_fee_filter_sat);
	json_add(o, "bytessent_per_msg",
		 msg_bytes_json(p->sent, p->sent_count));
	json_add(o, "bytesrecv_per_msg",
		 msg_bytes_json(p->recv, p->recv_count));
	json_add_str(o, "connection_type",
		     p->connection_type ? p->connection_type : "");
	json_add_str(o, "transport_protocol_type",
		     p->transport ? p->transport : "v1");
	json_add_str(o, "session_id", p->session_id ? p->session_id : "");
	return o;
}

static void getpeerinfo(struct rpc_call *call)
{
	struct rpc_peer *peers = NULL;
	size_t n;

	if (NO_PORT(call, peers))
		return;
	n = call->ports->peers(call->ports->ctx, &peers);
	call->result = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(call->result, peer_json(&peers[i]));
	free(peers);
}

static void getconnectioncount(struct rpc_call *call)
{
	if (NO_PORT(call, connection_count))
		return;
	call->result = json_object_new_int64((int64_t)
		call->ports->connection_count(call->ports->ctx));
}

static void ping(struct rpc_call *call)
{
	if (!NO_PORT(call, ping))
		call->ports->ping(call->ports->ctx);
}

/* ---- addnode and its kind ---- */

static void addnode_answer(struct rpc_call *call, enum rpc_answer a,
			   const struct why *why)
{
	switch (a) {
	case RPC_DONE:
		return;
	case RPC_ALREADY:
		rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED,
			 "Error: Node already added");
		return;
	case RPC_MISSING:
		rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED, "Error: Node could "
			 "not be removed. It has not been added previously.");
		return;
	case RPC_REFUSED:
		rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: %s",
			 why->text);
		return;
	}
}

static void addnode(struct rpc_call *call)
{
	const char *node = "", *word = "";
	struct why why = { 0 };
	enum rpc_addnode what;
	bool v2 = false;

	if (!rpc_arg_str(call, 0, &node) || !rpc_arg_str(call, 1, &word) ||
	    !rpc_arg_bool(call, 2, &v2) || NO_PORT(call, addnode))
		return;
	if (strcmp(word, "add") == 0) {
		what = RPC_ADDNODE_ADD;
	} else if (strcmp(word, "remove") == 0) {
		what = RPC_ADDNODE_REMOVE;
	} else if (strcmp(word, "onetry") == 0) {
		what = RPC_ADDNODE_ONETRY;
	} else {
		rpc_fail_help(call);
		return;
	}
	addnode_answer(call, call->ports->addnode(call->ports->ctx, what,
						  node, v2, &why), &why);
}

static struct json_object *added_json(const struct rpc_added_node *n)
{
	struct json_object *o = json_object_new_object();
	struct json_object *addresses = json_object_new_array();

	json_add_str(o, "addednode", n->node);
	json_add_bool(o, "connected", n->connected);
	if (n->connected) {
		struct json_object *a = json_object_new_object();

		json_add_str(a, "address", n->addr);
		json_add_str(a, "connected",
			     n->inbound ? "inbound" : "outbound");
		json_object_array_add(addresses, a);
	}
	json_add(o, "addresses", addresses);
	return o;
}

static void getaddednodeinfo(struct rpc_call *call)
{
	struct rpc_added_node *nodes = NULL;
	const char *only = NULL;
	bool found = false;
	size_t n;

	if (!rpc_arg_str(call, 0, &only) || NO_PORT(call, added_nodes))
		return;
	n = call->ports->added_nodes(call->ports->ctx, &nodes);
	call->result = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		if (only && strcmp(nodes[i].node, only) != 0)
			continue;
		found = true;
		json_object_array_add(call->result, added_json(&nodes[i]));
	}
	free(nodes);
	if (only && !found)
		rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED,
			 "Error: Node has not been added.");
}

static void disconnectnode(struct rpc_call *call)
{
	const char *addr = NULL;
	int64_t id = -1;

	if (!rpc_arg_str(call, 0, &addr) || !rpc_arg_i64(call, 1, &id) ||
	    NO_PORT(call, disconnect))
		return;
	if (addr && !*addr && rpc_has_arg(call, 1))
		addr = NULL;
	if ((addr != NULL) == rpc_has_arg(call, 1)) {
		rpc_fail(call, RPC_INVALID_PARAMS, "Only one of address and "
			 "nodeid should be provided.");
		return;
	}
	if ((!addr && id < 0) ||
	    call->ports->disconnect(call->ports->ctx, addr, id) != RPC_DONE)
		rpc_fail(call, RPC_CLIENT_NODE_NOT_CONNECTED,
			 "Node not found in connected nodes");
}

static void setnetworkactive(struct rpc_call *call)
{
	struct rpc_network n = { 0 };
	bool active = false;

	if (!rpc_arg_bool(call, 0, &active) ||
	    NO_PORT(call, set_network_active))
		return;
	call->ports->set_network_active(call->ports->ctx, active);
	n.active = active;
	if (call->ports->network)
		call->ports->network(call->ports->ctx, &n);
	call->result = json_object_new_boolean(n.active);
}

/* ---- gettorinfo ---- */

static struct json_object *check_json(const struct rpc_tor_check *c)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "check", c->name);
	json_add_str(o, "state", c->state);
	if (c->since)
		json_add_int(o, "since", c->since);
	json_add_int(o, "last_bad_ms", c->bad_ms);
	json_add_int(o, "repairs", c->repairs);
	if (c->repair_at) {
		json_add_str(o, "last_repair", c->repair);
		json_add_int(o, "last_repair_time", c->repair_at);
	}
	return o;
}

static void gettorinfo(struct rpc_call *call)
{
	struct rpc_tor t = { 0 };
	struct json_object *o, *health;

	if (NO_PORT(call, tor))
		return;
	call->ports->tor(call->ports->ctx, &t);
	o = call->result = json_object_new_object();
	json_add_bool(o, "wanted", t.wanted);
	json_add_str(o, "phase", t.phase);
	json_add_int(o, "bootstrap_percent", t.bootstrap_percent);
	json_add_str(o, "bootstrap_summary", t.bootstrap_summary);
	json_add_str(o, "version", t.version);
	json_add_str(o, "onion", t.onion);
	json_add_int(o, "port", t.onion_port);
	json_add_str(o, "descriptor", t.descriptor);
	json_add_int(o, "uploads", t.uploads);
	json_add_str(o, "self_check", t.self_check ? t.self_check : "none");
	if (t.self_check_at) {
		json_add_int(o, "self_check_time", t.self_check_at);
		json_add_int(o, "self_check_ms", t.self_check_ms);
	}
	json_add_int(o, "circuits", t.circuits);
	if (t.clock_skew_known)
		json_add_int(o, "clock_skew", t.clock_skew_s);
	json_add_int(o, "restarts", t.restarts);
	json_add_int(o, "time_to_ready_ms", t.ready_ms);
	json_add_int(o, "last_recovery_ms", t.recovery_ms);
	health = json_object_new_array();
	for (size_t i = 0; i < t.check_count; i++)
		json_object_array_add(health, check_json(&t.checks[i]));
	json_object_object_add(o, "health", health);
	if (*t.problem) {
		json_add_str(o, "last_problem", t.problem);
		json_add_int(o, "last_problem_time", t.problem_at);
	}
}

static const struct rpc_method methods[] = {
	{ .name = "getnetworkinfo", .category = "Network",
	  .flags = RPC_WARNINGS, .run = getnetworkinfo,
	  .help = "Versions, services, networks and addresses of this "
		  "node." },
	{ .name = "getpeerinfo", .category = "Network", .run = getpeerinfo,
	  .help = "All connected peers." },
	{ .name = "getconnectioncount", .category = "Network",
	  .run = getconnectioncount, .help = "How many peers there are." },
	{ .name = "ping", .category = "Network", .run = ping,
	  .help = "Ask every peer for a pong; getpeerinfo shows the time "
		  "it took." },
	{ .name = "addnode", .category = "Network", .run = addnode,
	  .help = "Add a node to the ones we keep connected, remove it, or "
		  "try it once.",
	  .args = { { "node", RPC_STR, true,
		      "Its address, \"….onion:port\"" },
		    { "command", RPC_STR, true,
		      "\"add\", \"remove\" or \"onetry\"" },
		    { "v2transport", RPC_BOOL, false,
		      "Try the encrypted transport first" } } },
	{ .name = "getaddednodeinfo", .category = "Network",
	  .run = getaddednodeinfo,
	  .help = "The nodes given by addnode, and whether they are "
		  "connected.",
	  .args = { { "node", RPC_STR, false, "Only this one" } } },
	{ .name = "disconnectnode", .category = "Network",
	  .run = disconnectnode,
	  .help = "End the connection to a peer, named by address or by "
		  "id (then address is \"\").",
	  .args = { { "address", RPC_STR, false,
		      "addr of getpeerinfo" },
		    { "nodeid", RPC_NUM, false, "id of getpeerinfo" } } },
	{ .name = "setnetworkactive", .category = "Network",
	  .run = setnetworkactive,
	  .help = "Switch all peer traffic off or on again.",
	  .args = { { "state", RPC_BOOL, true, "true: on" } } },
	{ .name = "gettorinfo", .category = "Network", .flags = RPC_EARLY,
	  .run = gettorinfo,
	  .help = "How our Tor is: its phase, our onion address, whether "
		  "the world can\nreach it, each check of its health with its "
		  "repairs, and what went wrong last." },
};

struct rpc_methods rpc_methods_net(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
