/*
 * Methods about the optional indexes.
 */
#include "config.h"

#include "rpc/rpc_util.h"
#include "validation/indexes.h"

static void getindexinfo(struct rpc_call *call)
{
	const char *only = "";
	struct json_object *o;

	if (!rpc_arg_str(call, 0, &only))
		return;
	call->result = json_object_new_object();
	for (int k = 0; k < INDEX_KINDS; k++) {
		enum index_kind kind = (enum index_kind)k;
		struct index_state s;

		if (!index_enabled(call->chain, kind) ||
		    (*only && strcmp(only, index_name(kind)) != 0))
			continue;
		s = index_state(call->chain, kind);
		o = json_object_new_object();
		json_add_bool(o, "synced", s.synced);
		json_add_int(o, "best_block_height", MAX_OF(s.height, 0));
		json_add(call->result, index_name(kind), o);
	}
}

/* ---- getblockfilter ---- */

static void no_filter(struct rpc_call *call, const struct header_node *n)
{
	const char *why = "";

	if (!n->tx_count)
		why = " Block was not connected to active chain.";
	else if (!index_state(call->chain, INDEX_FILTER).synced)
		why = " Block filters are still in the process of being "
		      "indexed.";
	else
		why = " This error is unexpected and indicates index "
		      "corruption.";
	rpc_fail(call, RPC_MISC_ERROR, "Filter not found.%s", why);
}

static void show_filter(struct rpc_call *call, const struct header_node *n)
{
	struct bytes filter = { 0 };
	struct why why = { 0 };
	uint8_t header[32];
	bool found = false;

	if (index_catch_up(call->chain, INDEX_FILTER, &why) ||
	    index_filter(call->chain, &found, &filter, header, n, &why)) {
		rpc_fail_trouble(call, &why);
	} else if (!found) {
		no_filter(call, n);
	} else {
		call->result = json_object_new_object();
		json_add_hex(call->result, "filter", bytes_span(&filter));
		json_add_hash(call->result, "header", header);
	}
	bytes_clear(&filter);
}

static void getblockfilter(struct rpc_call *call)
{
	const char *type = "basic";
	struct block_hash hash;
	struct header_node *n;

	if (!rpc_arg_hash(call, 0, hash.b) || !rpc_arg_str(call, 1, &type))
		return;
	if (strcmp(type, "basic") != 0) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Unknown filtertype");
		return;
	}
	if (!index_enabled(call->chain, INDEX_FILTER)) {
		rpc_fail(call, RPC_MISC_ERROR,
			 "Index is not enabled for filtertype %s", type);
		return;
	}
	n = chain_lookup(call->chain, &hash);
	if (n)
		show_filter(call, n);
	else
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
}

static const struct rpc_method methods[] = {
	{ .name = "getindexinfo", .category = "Util",
	  .thread = RPC_ON_CHAIN, .run = getindexinfo,
	  .help = "The optional indexes that are kept, and how far they "
		  "are.",
	  .args = { { "index_name", RPC_STR, false, "Only this one" } } },
	{ .name = "getblockfilter", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getblockfilter,
	  .help = "The BIP158 filter of a block, and its header (needs "
		  "-blockfilterindex).",
	  .args = { { "blockhash", RPC_STR, true, "The block" },
		    { "filtertype", RPC_STR, false,
		      "\"basic\", the only one there is" } } },
};

struct rpc_methods rpc_methods_index(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
