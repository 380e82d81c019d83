/*
 * Methods about addresses of other nodes.  Loop thread: the ports answer at
 * once.  Onions are the only kind there is; the others are shown as empty, for
 * tools that look for them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_priv.h"

static const char *const networks[] = { "ipv4", "ipv6", "onion", "i2p",
					"cjdns" };

static bool missing(struct rpc_call *call, bool there)
{
	if (!there)
		rpc_fail(call, RPC_CLIENT_P2P_DISABLED, "Error: Peer-to-peer "
			 "functionality missing or disabled");
	return !there;
}

static bool network_ok(struct rpc_call *call, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		if (strcmp(networks[i], name) == 0)
			return true;
	rpc_fail(call, RPC_INVALID_PARAMETER, "Network not recognized: %s",
		 name);
	return false;
}

static struct json_object *address_json(const struct rpc_address *a)
{
	struct json_object *o = json_object_new_object();

	json_add_int(o, "time", a->time);
	json_add_u64(o, "services", a->services);
	json_add_str(o, "address", a->address);
	json_add_int(o, "port", a->port);
	json_add_str(o, "network", "onion");
	return o;
}

static void getnodeaddresses(struct rpc_call *call)
{
	struct rpc_address *list = NULL;
	const char *network = "onion";
	int count = 1;
	size_t n = 0;

	if (!rpc_arg_int(call, 0, &count) || !rpc_arg_str(call, 1, &network))
		return;
	if (count < 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Address count out of range");
		return;
	}
	if (!network_ok(call, network) ||
	    missing(call, call->ports->addresses != NULL))
		return;
	if (strcmp(network, "onion") == 0)
		n = call->ports->addresses(call->ports->ctx, &list, count
					   ? (size_t)count : SIZE_MAX);
	call->result = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(call->result, address_json(&list[i]));
	free(list);
}

static void add_counts(struct json_object *o, const char *name,
		       size_t untried, size_t tried)
{
	struct json_object *c = json_object_new_object();

	json_add_u64(c, "new", untried);
	json_add_u64(c, "tried", tried);
	json_add_u64(c, "total", untried + tried);
	json_add(o, name, c);
}

static void getaddrmaninfo(struct rpc_call *call)
{
	size_t untried = 0, tried = 0;

	if (missing(call, call->ports->address_count != NULL))
		return;
	call->ports->address_count(call->ports->ctx, &untried, &tried);
	call->result = json_object_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		bool onion = strcmp(networks[i], "onion") == 0;

		add_counts(call->result, networks[i], onion ? untried : 0,
			   onion ? tried : 0);
	}
	add_counts(call->result, "all_networks", untried, tried);
}

static void addpeeraddress(struct rpc_call *call)
{
	const char *address = "";
	enum rpc_answer a;
	bool tried = false;
	int port = 0;

	if (!rpc_arg_str(call, 0, &address) || !rpc_arg_int(call, 1, &port) ||
	    !rpc_arg_bool(call, 2, &tried) ||
	    missing(call, call->ports->add_address != NULL))
		return;
	if (port < 1 || port > UINT16_MAX) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Port out of range");
		return;
	}
	a = call->ports->add_address(call->ports->ctx, address,
				     (uint16_t)port, tried);
	if (a == RPC_REFUSED) {
		rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET,
			 "Invalid address: %s is no v3 onion address",
			 address);
		return;
	}
	call->result = json_object_new_object();
	json_add_bool(call->result, "success", a == RPC_DONE);
	if (a != RPC_DONE)
		json_add_str(call->result, "error", tried
			     ? "failed-adding-to-tried"
			     : "failed-adding-to-new");
}

static const struct rpc_method methods[] = {
	{ .name = "getnodeaddresses", .category = "Network",
	  .run = getnodeaddresses,
	  .help = "Addresses of other nodes that were heard of, at random.",
	  .args = { { "count", RPC_NUM, false,
		      "How many at most; 0 for all, 1 if not given" },
		    { "network", RPC_STR, false,
		      "Only of this network; there are none but \"onion\"" }
		  } },
	{ .name = "getaddrmaninfo", .category = "Network",
	  .run = getaddrmaninfo,
	  .help = "How many addresses are known: new ones that were only "
		  "heard of,\nand those that were tried and worked." },
	{ .name = "addpeeraddress", .category = "Network",
	  .flags = RPC_HIDDEN, .run = addpeeraddress,
	  .help = "Put an address into the book, for tests.",
	  .args = { { "address", RPC_STR, true, "\"….onion\"" },
		    { "port", RPC_NUM, true, "Its port" },
		    { "tried", RPC_BOOL, false,
		      "As if we had been connected to it" } } },
};

struct rpc_methods rpc_methods_addr(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
