/*
 * Methods about snapshots of the coins.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/rpc_util.h"
#include "validation/coin_scan.h"

/* ---- dumptxoutset ---- */

/* A file for snapshots: relative paths begin where those belong. */
static char *snapshot_path(const struct rpc_call *call, const char *path)
{
	const char *dir = call->ports->file_dir;

	return *path == '/' || !dir ? xstrdup(path)
				    : xasprintf("%s/%s", dir, path);
}

static struct header_node *block_at(struct rpc_call *call, int64_t height)
{
	int tip = chain_tip(call->chain)->height;

	if (height < 0)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height "
			 "%lld is negative", (long long)height);
	else if (height > tip)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height "
			 "%lld after current tip %d", (long long)height, tip);
	else
		return chain_at(call->chain, (int)height);
	return NULL;
}

/* A block of the active chain by number or by hash; NULL: the call has its
 * error. */
struct header_node *rpc_block_by_json(struct rpc_call *call,
				      struct json_object *o)
{
	struct block_hash hash;
	struct header_node *n;

	if (json_object_is_type(o, json_type_int))
		return block_at(call, json_object_get_int64(o));
	if (!json_object_is_type(o, json_type_string) ||
	    !hash_from_rpc_hex(hash.b, json_object_get_string(o))) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "hash_or_height must be "
			 "a height or the 64 hex digits of a block's hash");
		return NULL;
	}
	n = chain_lookup(call->chain, &hash);
	if (n)
		return n;
	rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
	return NULL;
}

/* The newest height for which everybody knows a snapshot. */
static int known_height(const struct rpc_call *call)
{
	const struct chain_params *p = call->params;

	return p->snapshot_count ? p->snapshots[p->snapshot_count - 1].height
				 : 0;
}

/* Which block: NULL with an error, NULL without for the tip. */
static struct header_node *dump_target(struct rpc_call *call)
{
	const char *type = "";
	struct json_object *options = rpc_arg(call, 2), *rollback = NULL;

	if (!rpc_arg_str(call, 1, &type))
		return NULL;
	if (options)
		json_object_object_get_ex(options, "rollback", &rollback);
	if (rollback && *type && strcmp(type, "rollback") != 0)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid snapshot type "
			 "\"%s\" specified with rollback option", type);
	else if (rollback)
		return rpc_block_by_json(call, rollback);
	else if (strcmp(type, "rollback") == 0)
		return block_at(call, known_height(call));
	else if (strcmp(type, "latest") != 0)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid snapshot type "
			 "\"%s\" specified. Please specify \"rollback\" or "
			 "\"latest\"", type);
	return NULL;
}

static void free_scan(void *state)
{
	coin_scan_free(state);
}

static void dump_json(struct rpc_call *call, const struct coin_scan_result *r)
{
	struct json_object *o = call->result = json_object_new_object();
	const char *name = json_object_get_string(rpc_arg(call, 0));
	char *path = snapshot_path(call, name);

	json_add_u64(o, "coins_written", r->stats.outputs);
	json_add_hash(o, "base_hash", r->at->hash.b);
	json_add_int(o, "base_height", r->at->height);
	json_add_str(o, "path", path);
	json_add_hash(o, "txoutset_hash", r->stats.hash);
	json_add_u64(o, "nchaintx", r->at->chain_tx_count);
	free(path);
}

/* The file is there: the answer waits until the chain is back. */
static bool return_slice(struct rpc_call *call)
{
	if (chain_has_work(call->chain))
		return true;
	dump_json(call, coin_scan_result(call->state));
	return false;
}

static bool dump_slice(struct rpc_call *call)
{
	struct why why = { 0 };
	bool more = false;

	if (coin_scan_step(call->state, &more, &why)) {
		rpc_fail_trouble(call, &why);
		return false;
	}
	if (!more)
		call->slice = return_slice;
	return true;
}

/* Is the way back to it still there? */
static bool way_back(struct rpc_call *call, const struct header_node *n)
{
	if (!chain_contains(call->chain, n)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "The block is not on "
			 "the active chain");
		return false;
	}
	if (n->height + 1 >= chain_prune_height(call->chain))
		return true;
	rpc_fail(call, RPC_MISC_ERROR, "Could not roll back to requested "
		 "height since necessary block data is already pruned.");
	return false;
}

static void dumptxoutset(struct rpc_call *call)
{
	struct coin_scan_options opt = { .type = UTXO_HASH_SERIALIZED };
	struct coin_scan *s;
	struct why why = { 0 };
	const char *name = "";
	char *path;
	enum err e;

	if (!rpc_arg_str(call, 0, &name))
		return;
	opt.at = dump_target(call);
	if (call->error.code || (opt.at && !way_back(call, opt.at)))
		return;
	opt.path = path = snapshot_path(call, name);
	e = coin_scan_begin(&s, call->chain, &opt, &why);
	free(path);
	if (e == ERR_INPUT) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "%s", why.text);
		return;
	}
	if (e) {
		rpc_fail_trouble(call, &why);
		return;
	}
	call->state = s;
	call->state_free = free_scan;
	call->slice = dump_slice;
}

static const struct rpc_method methods[] = {
	{ .name = "dumptxoutset", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = dumptxoutset,
	  .help = "Write all unspent outputs to a file, in the reference "
		  "node's form.  Back to an\nearlier block, the chain is "
		  "taken back to it and goes forward again.",
	  .args = { { "path", RPC_STR, true, "The file, which must not exist. "
		      "A relative path is taken from -snapshotdir;\nthe "
		      "node's walls let it write nowhere else" },
		    { "type", RPC_STR, false,
		      "\"latest\": at the tip; \"rollback\": at the newest "
		      "height whose snapshot\neverybody knows" },
		    { "options", RPC_OBJ, false,
		      "{\"rollback\": height or hash}: at this block" } } },
};

struct rpc_methods rpc_methods_snapshot(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
