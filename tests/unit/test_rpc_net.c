/*
 * Methods whose answers come through the ports.
 */
#include "config.h"

#include "test_rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the ports were asked; rig->ports.ctx points to one. */
struct world {
	struct rig rig;
	char node[64], addr[64];
	enum rpc_addnode what;
	int64_t id;
	bool v2, active;
};

static size_t port_peers(void *ctx, struct rpc_peer **out)
{
	struct rpc_peer *p = xcalloc(2, sizeof *p);

	(void)ctx;
	strcpy(p[0].addr, "abc.onion:8333");
	p[0].id = 3;
	p[0].services = 0xc09;
	p[0].ping_us = 123456;
	p[0].min_ping_us = -1;
	p[0].version = 70016;
	strcpy(p[0].subver, "/Satoshi:29.0.0/");
	p[0].starting_height = p[0].presynced_headers = -1;
	p[0].synced_headers = 7;
	p[0].synced_blocks = 6;
	p[0].inflight[0] = 8;
	p[0].inflight_count = 1;
	p[0].permissions[0] = "noban";
	p[0].permission_count = 1;
	p[0].min_fee_filter_sat = 1000;
	strcpy(p[0].sent[0].name, "ping");
	p[0].sent[0].bytes = 32;
	strcpy(p[0].sent[1].name, "pong");
	p[0].sent_count = 2;
	p[0].connection_type = "manual";
	p[1].id = 4;
	p[1].services = UINT64_C(1) << 40;
	*out = p;
	return 2;
}

static size_t port_count(void *ctx)
{
	(void)ctx;
	return 2;
}

static enum rpc_answer port_addnode(void *ctx, enum rpc_addnode what,
				    const char *node, bool v2,
				    struct why *why)
{
	struct world *w = ctx;

	w->what = what;
	w->v2 = v2;
	snprintf(w->node, sizeof w->node, "%s", node);
	if (strcmp(node, "8.8.8.8") == 0) {
		why_set(why, ERR_INPUT, "only onion addresses");
		return RPC_REFUSED;
	}
	if (strcmp(node, "known.onion") == 0)
		return what == RPC_ADDNODE_ADD ? RPC_ALREADY : RPC_DONE;
	return what == RPC_ADDNODE_REMOVE ? RPC_MISSING : RPC_DONE;
}

static size_t port_added(void *ctx, struct rpc_added_node **out)
{
	(void)ctx;
	*out = xcalloc(2, sizeof **out);
	strcpy((*out)[0].node, "known.onion");
	strcpy((*out)[1].node, "up.onion");
	(*out)[1].connected = true;
	strcpy((*out)[1].addr, "up.onion:8333");
	return 2;
}

static enum rpc_answer port_disconnect(void *ctx, const char *addr,
				       int64_t id)
{
	struct world *w = ctx;

	w->id = id;
	snprintf(w->addr, sizeof w->addr, "%s", addr ? addr : "(none)");
	return id == 9 ? RPC_MISSING : RPC_DONE;
}

static void port_network(void *ctx, struct rpc_network *out)
{
	struct world *w = ctx;

	out->local_services = 9;
	out->local_relay = true;
	out->active = w->active;
	out->connections_in = 1;
	out->connections_out = 2;
	strcpy(out->onion_proxy, "unix:/x/socks");
	out->onion_reachable = true;
	strcpy(out->local[0].address, "me.onion");
	out->local[0].port = 8333;
	out->local[0].score = 4;
	out->local_count = 1;
}

static void port_active(void *ctx, bool active)
{
	((struct world *)ctx)->active = active;
}

static void port_tor(void *ctx, struct rpc_tor *out)
{
	(void)ctx;
	out->wanted = true;
	strcpy(out->phase, "ready");
	out->bootstrap_percent = 100;
	strcpy(out->onion, "me.onion");
	out->clock_skew_known = true;
	out->clock_skew_s = -12;
}

static size_t port_warnings(void *ctx, const char **out, size_t max)
{
	(void)ctx;
	assert_true(max >= 1);
	out[0] = "something is odd";
	return 1;
}

static size_t port_addresses(void *ctx, struct rpc_address **out, size_t max)
{
	size_t n = MIN_OF(max, (size_t)2);

	(void)ctx;
	*out = xcalloc(n + 1, sizeof **out);
	for (size_t i = 0; i < n; i++) {
		strcpy((*out)[i].address, i ? "b.onion" : "a.onion");
		(*out)[i].port = 8333;
		(*out)[i].services = 9;
		(*out)[i].time = 1700000000;
	}
	return n;
}

static void port_address_count(void *ctx, size_t *untried, size_t *tried)
{
	(void)ctx;
	*untried = 7;
	*tried = 3;
}

static enum rpc_answer port_add_address(void *ctx, const char *address,
					uint16_t port, bool tried)
{
	(void)ctx;
	if (strcmp(address, "1.2.3.4") == 0)
		return RPC_REFUSED;
	return port == 8333 && !tried ? RPC_DONE : RPC_ALREADY;
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof *w);
	rig_open(&w->rig, true);
	w->rig.ports.ctx = w;
	w->rig.ports.peers = port_peers;
	w->rig.ports.connection_count = port_count;
	w->rig.ports.addnode = port_addnode;
	w->rig.ports.added_nodes = port_added;
	w->rig.ports.disconnect = port_disconnect;
	w->rig.ports.addresses = port_addresses;
	w->rig.ports.address_count = port_address_count;
	w->rig.ports.add_address = port_add_address;
	w->rig.ports.network = port_network;
	w->rig.ports.set_network_active = port_active;
	w->rig.ports.tor = port_tor;
	w->rig.ports.warnings = port_warnings;
	rig_start(&w->rig);
}

static void check(struct world *w, const char *method, const char *params,
		  const char *want)
{
	struct json_object *o = rig_call(&w->rig, method, params);

	assert_json(o, want);
	json_object_put(o);
}

static void check_fail(struct world *w, const char *method,
		       const char *params, int code, const char *want)
{
	char text[512];

	assert_int_equal(rig_fail(&w->rig, method, params, text), code);
	if (want)
		assert_string_equal(text, want);
}

static void test_peers(void **state)
{
	struct world w;
	struct json_object *o;

	(void)state;
	world_open(&w);
	check(&w, "getconnectioncount", "[]", "2");
	o = rig_call(&w.rig, "getpeerinfo", "[]");
	assert_json(json_object_array_get_idx(o, 0),
		    "{\"id\":3,\"addr\":\"abc.onion:8333\",\"network\":"
		    "\"onion\",\"services\":\"0000000000000c09\","
		    "\"servicesnames\":[\"NETWORK\",\"WITNESS\","
		    "\"NETWORK_LIMITED\",\"P2P_V2\"],\"relaytxes\":false,"
		    "\"lastsend\":0,\"lastrecv\":0,\"last_transaction\":0,"
		    "\"last_block\":0,\"bytessent\":0,\"bytesrecv\":0,"
		    "\"conntime\":0,\"timeoffset\":0,\"pingtime\":0.123456,"
		    "\"version\":70016,\"subver\":\"/Satoshi:29.0.0/\","
		    "\"inbound\":false,\"bip152_hb_to\":false,"
		    "\"bip152_hb_from\":false,\"startingheight\":-1,"
		    "\"presynced_headers\":-1,\"synced_headers\":7,"
		    "\"synced_blocks\":6,\"inflight\":[8],"
		    "\"addr_relay_enabled\":false,\"addr_processed\":0,"
		    "\"addr_rate_limited\":0,\"permissions\":[\"noban\"],"
		    "\"minfeefilter\":0.00001000,\"bytessent_per_msg\":"
		    "{\"ping\":32},\"bytesrecv_per_msg\":{},"
		    "\"connection_type\":\"manual\","
		    "\"transport_protocol_type\":\"v1\",\"session_id\":"
		    "\"\"}");
	assert_json(field(json_object_array_get_idx(o, 1), "servicesnames"),
		    "[\"UNKNOWN[2^40]\"]");
	json_object_put(o);
	rig_close(&w.rig);
}

static void test_addnode(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	check(&w, "addnode", "[\"x.onion\",\"onetry\",true]", "null");
	assert_int_equal(w.what, RPC_ADDNODE_ONETRY);
	assert_string_equal(w.node, "x.onion");
	assert_true(w.v2);
	check_fail(&w, "addnode", "[\"known.onion\",\"add\"]", -23,
		   "Error: Node already added");
	check_fail(&w, "addnode", "[\"x.onion\",\"remove\"]", -24,
		   "Error: Node could not be removed. It has not been added "
		   "previously.");
	check_fail(&w, "addnode", "[\"8.8.8.8\",\"add\"]", -30,
		   "Error: only onion addresses");
	check_fail(&w, "addnode", "[\"x.onion\",\"dance\"]", -1, NULL);
	check(&w, "getaddednodeinfo", "[]",
	      "[{\"addednode\":\"known.onion\",\"connected\":false,"
	      "\"addresses\":[]},{\"addednode\":\"up.onion\",\"connected\":"
	      "true,\"addresses\":[{\"address\":\"up.onion:8333\","
	      "\"connected\":\"outbound\"}]}]");
	check(&w, "getaddednodeinfo", "[\"known.onion\"]",
	      "[{\"addednode\":\"known.onion\",\"connected\":false,"
	      "\"addresses\":[]}]");
	check_fail(&w, "getaddednodeinfo", "[\"nope\"]", -24,
		   "Error: Node has not been added.");
	rig_close(&w.rig);
}

static void test_disconnect(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	check(&w, "disconnectnode", "[\"x.onion:1\"]", "null");
	assert_string_equal(w.addr, "x.onion:1");
	assert_true(w.id < 0);
	check(&w, "disconnectnode", "[\"\",5]", "null");
	assert_string_equal(w.addr, "(none)");
	assert_int_equal(w.id, 5);
	check(&w, "disconnectnode", "{\"nodeid\":6}", "null");
	assert_int_equal(w.id, 6);
	check_fail(&w, "disconnectnode", "[\"x\",9]", -32602,
		   "Only one of address and nodeid should be provided.");
	check_fail(&w, "disconnectnode", "[]", -32602,
		   "Only one of address and nodeid should be provided.");
	check_fail(&w, "disconnectnode", "[\"\",9]", -29,
		   "Node not found in connected nodes");
	check_fail(&w, "disconnectnode", "[\"\",-2]", -29,
		   "Node not found in connected nodes");
	rig_close(&w.rig);
}

static void test_network(void **state)
{
	struct world w;
	struct json_object *o;

	(void)state;
	world_open(&w);
	o = rig_call(&w.rig, "getnetworkinfo", "[]");
	assert_true(field_int(o, "version") >= 290000);
	assert_json(field(o, "localrelay"), "true");
	assert_json(field(o, "subversion"), "\"/Cloister:0.1.0/\"");
	assert_json(json_object_array_get_idx(field(o, "networks"), 2),
		    "{\"name\":\"onion\",\"limited\":false,\"reachable\":true,"
		    "\"proxy\":\"unix:/x/socks\","
		    "\"proxy_randomize_credentials\":true}");
	assert_json(field(o, "localaddresses"), "[{\"address\":\"me.onion\","
		    "\"port\":8333,\"score\":4}]");
	assert_json(field(o, "warnings"), "[\"something is odd\"]");
	json_object_put(o);
	o = rig_call(&w.rig, "getblockchaininfo", "[]");
	assert_json(field(o, "warnings"), "[\"something is odd\"]");
	json_object_put(o);
	check(&w, "setnetworkactive", "[true]", "true");
	check(&w, "setnetworkactive", "[false]", "false");
	o = rig_call(&w.rig, "gettorinfo", "[]");
	assert_json(field(o, "clock_skew"), "-12");
	assert_json(field(o, "onion"), "\"me.onion\"");
	assert_false(json_object_object_get_ex(o, "last_problem", NULL));
	json_object_put(o);
	rig_close(&w.rig);
}

static void test_addresses(void **state)
{
	static const char a[] = "{\"time\":1700000000,\"services\":9,"
		"\"address\":\"a.onion\",\"port\":8333,"
		"\"network\":\"onion\"}";
	struct world w;
	struct json_object *o;

	(void)state;
	world_open(&w);
	o = rig_call(&w.rig, "getnodeaddresses", "[]");
	assert_int_equal(json_object_array_length(o), 1);
	assert_json(json_object_array_get_idx(o, 0), a);
	json_object_put(o);
	o = rig_call(&w.rig, "getnodeaddresses", "[0,\"onion\"]");
	assert_int_equal(json_object_array_length(o), 2);
	json_object_put(o);
	check(&w, "getnodeaddresses", "[0,\"ipv4\"]", "[]");
	check_fail(&w, "getnodeaddresses", "[-1]", -8,
		   "Address count out of range");
	check_fail(&w, "getnodeaddresses", "[1,\"x25\"]", -8,
		   "Network not recognized: x25");
	o = rig_call(&w.rig, "getaddrmaninfo", "[]");
	assert_json(field(o, "onion"), "{\"new\":7,\"tried\":3,\"total\":10}");
	assert_json(field(o, "ipv6"), "{\"new\":0,\"tried\":0,\"total\":0}");
	assert_json(field(o, "all_networks"),
		    "{\"new\":7,\"tried\":3,\"total\":10}");
	json_object_put(o);
	check(&w, "addpeeraddress", "[\"a.onion\",8333]",
	      "{\"success\":true}");
	check(&w, "addpeeraddress", "[\"a.onion\",1]",
	      "{\"success\":false,\"error\":\"failed-adding-to-new\"}");
	check(&w, "addpeeraddress", "[\"a.onion\",8333,true]",
	      "{\"success\":false,\"error\":\"failed-adding-to-tried\"}");
	check_fail(&w, "addpeeraddress", "[\"1.2.3.4\",8333]", -30, NULL);
	check_fail(&w, "addpeeraddress", "[\"a.onion\",0]", -8, NULL);
	rig_close(&w.rig);
}

static void test_no_ports(void **state)
{
	struct world w;

	(void)state;
	memset(&w, 0, sizeof w);
	rig_open(&w.rig, true);
	rig_start(&w.rig);
	check_fail(&w, "getpeerinfo", "[]", -31, "Error: Peer-to-peer "
		   "functionality missing or disabled");
	check_fail(&w, "ping", "[]", -31, NULL);
	json_object_put(rig_call(&w.rig, "getnetworkinfo", "[]"));
	rig_close(&w.rig);
}

int test_rpc_net(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_addnode),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_no_ports),
	};

	return cmocka_run_group_tests_name("rpc_net", tests, NULL, NULL);
}
