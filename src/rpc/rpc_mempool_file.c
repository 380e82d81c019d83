/*
 * Methods about mempool.dat.
 */
#include "config.h"

#include "rpc/mempool_json.h"
#include "validation/chain.h"

static void savemempool(struct rpc_call *call)
{
	const char *path = call->ports->mempool_path(call->owner);
	struct why why = { 0 };

	if (!mempool_loaded(call->mempool)) {
		rpc_fail(call, RPC_MISC_ERROR,
			 "The mempool was not loaded yet");
		return;
	}
	if (mempool_save(call->mempool, path, &why)) {
		rpc_fail(call, RPC_MISC_ERROR,
			 "Unable to dump mempool to disk: %s", why.text);
		return;
	}
	call->result = json_object_new_object();
	json_add_str(call->result, "filename", path);
}

static bool read_flag(struct rpc_call *call, const char *key, bool *out)
{
	struct json_object *o = rpc_arg(call, 1), *v;

	if (!o || !json_object_object_get_ex(o, key, &v) || !v)
		return true;
	*out = json_object_get_boolean(v);
	if (json_object_is_type(v, json_type_boolean))
		return true;
	rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s for field %s "
		 "is not of expected type bool", json_type_word(v), key);
	return false;
}

static void free_load(void *state)
{
	mempool_load_free(state);
}

static bool import_slice(struct rpc_call *call)
{
	struct why why = { 0 };
	bool more = false;
	enum err e = mempool_load_step(call->state, &more, &why);

	if (e == ERR_INPUT)
		rpc_fail(call, RPC_MISC_ERROR, "Unable to import mempool "
			 "file: %s", why.text);
	else if (e)
		rpc_fail_trouble(call, &why);
	else if (!more)
		call->result = json_object_new_object();
	return more;
}

static void importmempool(struct rpc_call *call)
{
	bool now = true, deltas = false, unbroadcast = false;
	struct mempool_load_options opt;
	struct mempool_load *l = NULL;
	const char *path = "";
	struct why why = { 0 };

	if (!rpc_arg_str(call, 0, &path) ||
	    !read_flag(call, "use_current_time", &now) ||
	    !read_flag(call, "apply_fee_delta_priority", &deltas) ||
	    !read_flag(call, "apply_unbroadcast_set", &unbroadcast))
		return;
	if (chain_in_initial_download(call->chain)) {
		rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD, "Can only "
			 "import the mempool after the block download and "
			 "sync is done.");
		return;
	}
	opt = (struct mempool_load_options){ now, !deltas, !unbroadcast };
	if (mempool_load_open(&l, call->mempool, path, &opt, &why)) {
		rpc_fail(call, RPC_MISC_ERROR, "Unable to import mempool "
			 "file: %s", why.text);
		return;
	}
	if (!l) {
		rpc_fail(call, RPC_MISC_ERROR, "Unable to import mempool "
			 "file: there is no %s, or the node may not see it "
			 "(it may read below node/ of its data directory)",
			 path);
		return;
	}
	call->state = l;
	call->state_free = free_load;
	call->slice = import_slice;
}

static const struct rpc_method methods[] = {
	{ .name = "savemempool", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = savemempool,
	  .help = "Write the mempool to its file now." },
	{ .name = "importmempool", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = importmempool,
	  .help = "Take the transactions of a mempool file; it must lie below "
		  "node/ of the data directory, where the node may read.",
	  .args = { { "filepath", RPC_STR, true, "The file" },
		    { "options", RPC_OBJ, false,
		      "use_current_time (true), apply_fee_delta_priority "
		      "(false), apply_unbroadcast_set (false)" } } },
};

struct rpc_methods rpc_methods_mempool_file(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
