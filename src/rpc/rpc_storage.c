/*
 * Methods about what is kept on disk.
 */
#include "config.h"

#include "rpc/rpc_util.h"

/* A height above this is meant as a time. */
#define HEIGHT_MAX 1000000000
#define TIMESTAMP_WINDOW_S (2 * 60 * 60)

/* ---- pruneblockchain ---- */

/* The first block of the active chain with a time of t or later below it. */
static struct header_node *block_since(const struct chain *c, int64_t t)
{
	int low = 0, high = chain_tip(c)->height + 1;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if ((int64_t)chain_at(c, mid)->time_max < t)
			low = mid + 1;
		else
			high = mid;
	}
	return chain_at(c, low);
}

/* The height to prune to; false: the call has its error. */
static bool prune_limit(struct rpc_call *call, int *height)
{
	const struct chain *c = call->chain;
	const struct header_node *n;
	int tip = chain_tip(c)->height;

	if (*height < 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Negative block height.");
		return false;
	}
	if (*height > HEIGHT_MAX) {
		n = block_since(c, (int64_t)*height - TIMESTAMP_WINDOW_S);
		if (!n) {
			rpc_fail(call, RPC_INVALID_PARAMETER, "Could not find "
				 "block with at least the specified "
				 "timestamp.");
			return false;
		}
		*height = n->height;
	}
	if (tip < chain_prune_after(c)) {
		rpc_fail(call, RPC_MISC_ERROR,
			 "Blockchain is too short for pruning.");
		return false;
	}
	if (*height > tip) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Blockchain is shorter "
			 "than the attempted prune height.");
		return false;
	}
	return true;
}

static void pruneblockchain(struct rpc_call *call)
{
	struct why why = { 0 };
	int height = 0;

	if (!chain_prune_mode(call->chain)) {
		rpc_fail(call, RPC_MISC_ERROR, "Cannot prune blocks because "
			 "node is not in prune mode.");
		return;
	}
	if (!rpc_arg_int(call, 0, &height) || !prune_limit(call, &height))
		return;
	if (chain_prune_to(call->chain, height, &why))
		rpc_fail_trouble(call, &why);
	else
		call->result = json_object_new_int(
			chain_prune_height(call->chain) - 1);
}

static const struct rpc_method methods[] = {
	{ .name = "pruneblockchain", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = pruneblockchain,
	  .help = "Remove old block files (needs -prune).  The newest 288 "
		  "blocks stay in any case.\nAnswers with the height of the "
		  "last block that is gone, -1 if none is.",
	  .args = { { "height", RPC_NUM, true, "Up to this height; or, if it "
		      "is a unix time, up to the first block\nof that time, "
		      "less two hours" } } },
};

struct rpc_methods rpc_methods_storage(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
