/*
 * Methods about snapshots of the coins.
 */
#include "config.h"

#include <stdlib.h>

#include "mempool/mempool.h"
#include "rpc/rpc_util.h"
#include "validation/background.h"
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

/* ---- loadtxoutset ---- */

static void free_load(void *state)
{
	snapshot_load_free(state);
}

/* What is wrong with the file or the moment is no trouble of ours. */
static void load_failed(struct rpc_call *call, enum err e,
			const struct why *why)
{
	const char *name = json_object_get_string(rpc_arg(call, 0));
	char *path = snapshot_path(call, name);

	if (e != ERR_INPUT)
		rpc_fail_trouble(call, why);
	else if (strncmp(why->text, "Couldn't open", 13) == 0)
		rpc_fail(call, RPC_INVALID_PARAMETER, "%s", why->text);
	else
		rpc_fail(call, RPC_INTERNAL_ERROR,
			 "Unable to load UTXO snapshot: %s. (%s)", why->text,
			 path);
	free(path);
}

static void loaded_json(struct rpc_call *call)
{
	struct json_object *o = call->result = json_object_new_object();
	const struct header_node *base = snapshot_load_base(call->state);
	const char *name = json_object_get_string(rpc_arg(call, 0));
	char *path = snapshot_path(call, name);

	json_add_u64(o, "coins_loaded", snapshot_load_coins(call->state));
	json_add_hash(o, "tip_hash", base->hash.b);
	json_add_int(o, "base_height", base->height);
	json_add_str(o, "path", path);
	free(path);
}

static bool load_slice(struct rpc_call *call)
{
	struct why why = { 0 };
	bool more = true;
	enum err e = snapshot_load_step(call->state, &more, &why);

	if (e)
		load_failed(call, e, &why);
	else if (!more)
		loaded_json(call);
	return !e && more;
}

static void loadtxoutset(struct rpc_call *call)
{
	struct snapshot_load *l;
	struct why why = { 0 };
	const char *name = "";
	char *path;
	enum err e;

	if (!rpc_arg_str(call, 0, &name))
		return;
	if (call->mempool && mempool_count(call->mempool)) {
		why_set(&why, ERR_INPUT, "Can't activate a snapshot when "
			"mempool not empty");
		load_failed(call, ERR_INPUT, &why);
		return;
	}
	path = snapshot_path(call, name);
	e = snapshot_load_begin(&l, call->chain, path, &why);
	free(path);
	if (e) {
		load_failed(call, e, &why);
		return;
	}
	call->state = l;
	call->state_free = free_load;
	call->slice = load_slice;
}

/* ---- getchainstates ---- */

static void chainstate_json(struct json_object *list, struct chain *c,
			    const struct header_node *tip, bool background)
{
	const struct header_node *base = chain_snapshot_base(c);
	struct json_object *o = json_object_new_object();

	json_add_int(o, "blocks", tip->height);
	json_add_hash(o, "bestblockhash", tip->hash.b);
	bits_json_add(o, tip->bits);
	target_json_add(o, tip->bits);
	json_add_double(o, "difficulty", bits_difficulty(tip->bits));
	json_add_double(o, "verificationprogress", background
			? chain_background_progress(c) : chain_progress(c));
	if (base && !background)
		json_add_hash(o, "snapshot_blockhash", base->hash.b);
	json_add_u64(o, "coins_tip_cache_bytes",
		     chain_coins_cache_bytes(c, background));
	json_add_bool(o, "validated", background || !base);
	json_object_array_add(list, o);
}

static void getchainstates(struct rpc_call *call)
{
	const struct header_node *back = chain_background_tip(call->chain);
	struct json_object *list = json_object_new_array();

	call->result = json_object_new_object();
	json_add_int(call->result, "headers",
		     chain_best_header(call->chain)->height);
	if (back)
		chainstate_json(list, call->chain, back, true);
	chainstate_json(list, call->chain, chain_tip(call->chain), false);
	json_add(call->result, "chainstates", list);
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
	{ .name = "loadtxoutset", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = loadtxoutset,
	  .help = "Go on from a snapshot of the coins, if it is one that "
		  "this software knows.  The\nchain stands on it at once, "
		  "while all blocks before it are downloaded and validated "
		  "in\nthe background.",
	  .args = { { "path", RPC_STR, true, "The file; a relative path is "
		      "taken from -snapshotdir" } } },
	{ .name = "getchainstates", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getchainstates,
	  .help = "The chain, and before it the one that validates the "
		  "history below a snapshot, if\nthere is one." },
};

struct rpc_methods rpc_methods_snapshot(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
