/*
 * Methods about what is kept on disk.
 */
#include "config.h"

#include "rpc/rpc_util.h"
#include "validation/verify.h"

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

/* ---- getblockfrompeer ---- */

static void ask_peer(struct rpc_call *call)
{
	int64_t peer = json_object_get_int64(rpc_arg(call, 1));
	const char *why = "Peer does not exist";

	if (call->ports->fetch_block)
		why = call->ports->fetch_block(call->ports->ctx, peer,
					       &call->then_block);
	if (why)
		rpc_fail(call, RPC_MISC_ERROR, "%s", why);
	else
		call->result = json_object_new_object();
}

static void getblockfrompeer(struct rpc_call *call)
{
	const struct header_node *n;
	int64_t peer;

	if (!rpc_arg_hash(call, 0, call->then_block.b) ||
	    !rpc_arg_i64(call, 1, &peer))
		return;
	n = chain_lookup(call->chain, &call->then_block);
	if (!n)
		rpc_fail(call, RPC_MISC_ERROR, "Block header missing");
	else if (chain_prune_mode(call->chain) &&
		 n->height > chain_tip(call->chain)->height)
		rpc_fail(call, RPC_MISC_ERROR, "In prune mode, only blocks "
			 "that the node has already synced previously can be "
			 "fetched from a peer");
	else if (n->status & BLOCK_HAVE_DATA)
		rpc_fail(call, RPC_MISC_ERROR, "Block already downloaded");
	else
		call->then = ask_peer;
}

/* ---- verifychain ---- */

static void free_verify(void *state)
{
	verify_free(state);
}

static bool verify_slice(struct rpc_call *call)
{
	const struct verify_result *r = verify_result(call->state);
	struct why why = { 0 };
	bool more;

	if (verify_step(call->state, &more, &why))
		rpc_fail_trouble(call, &why);
	else if (!more)
		call->result = json_object_new_boolean(
			r->good && !r->no_data && !r->no_room);
	return !call->error.code && more;
}

static void verifychain(struct rpc_call *call)
{
	int level = VERIFY_LEVEL_DEFAULT, blocks = VERIFY_BLOCKS_DEFAULT;
	struct verify *v;
	struct why why = { 0 };

	if (!rpc_arg_int(call, 0, &level) || !rpc_arg_int(call, 1, &blocks))
		return;
	level = MAX_OF(0, MIN_OF(level, VERIFY_LEVEL_MAX));
	if (verify_begin(&v, call->chain, level, blocks, &why)) {
		rpc_fail_trouble(call, &why);
		return;
	}
	call->state = v;
	call->state_free = free_verify;
	call->slice = verify_slice;
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
	{ .name = "getblockfrompeer", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getblockfrompeer,
	  .help = "Ask a peer for a block whose header is known and which is "
		  "not stored.  Answers at\nonce, whether or not the block "
		  "comes.  A pruned block that comes again is pruned\nagain in "
		  "time.",
	  .args = { { "blockhash", RPC_STR, true, "The block" },
		    { "peer_id", RPC_NUM, true, "As getpeerinfo says" } } },
	{ .name = "verifychain", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = verifychain,
	  .help = "Look again at the newest blocks: true if all is well.  "
		  "While it works, other\ncalls are answered, but no block "
		  "is connected.",
	  .args = { { "checklevel", RPC_NUM, false,
		      "0: read the block; 1: its rules; 2: its undo data; "
		      "3 (default): take it\nback, in memory; 4: connect it "
		      "again.  Each includes those before" },
		    { "nblocks", RPC_NUM, false,
		      "How many; 6 by default, 0 for all" } } },
};

struct rpc_methods rpc_methods_storage(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
