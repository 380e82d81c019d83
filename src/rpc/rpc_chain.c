/*
 * Methods about the chain as a whole.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/rpc_util.h"

static void getblockcount(struct rpc_call *call)
{
	const struct rpc_ports *p = call->ports;

	if (p->tip_height)
		call->result = json_object_new_int(p->tip_height(p->ctx));
	else
		rpc_fail(call, RPC_MISC_ERROR,
			 "the chain's height is not available");
}

static void getbestblockhash(struct rpc_call *call)
{
	call->result = json_hash(chain_tip(call->chain)->hash.b);
}

static void getdifficulty(struct rpc_call *call)
{
	call->result = json_double(
		bits_difficulty(chain_tip(call->chain)->bits));
}

static void prune_json_add(struct json_object *o, const struct chain *c)
{
	uint64_t target = chain_prune_target(c);

	json_add_bool(o, "pruned", chain_prune_mode(c));
	if (!chain_prune_mode(c))
		return;
	json_add_int(o, "pruneheight", chain_prune_height(c));
	json_add_bool(o, "automatic_pruning", target > 0);
	if (target)
		json_add_u64(o, "prune_target_size", target);
}

static void getblockchaininfo(struct rpc_call *call)
{
	struct chain *c = call->chain;
	const struct chain_params *p = call->params;
	const struct header_node *tip = chain_tip(c);
	struct json_object *o = call->result = json_object_new_object();

	json_add_str(o, "chain", p->name);
	json_add_int(o, "blocks", tip->height);
	json_add_int(o, "headers", chain_best_header(c)->height);
	json_add_hash(o, "bestblockhash", tip->hash.b);
	bits_json_add(o, tip->bits);
	target_json_add(o, tip->bits);
	json_add_double(o, "difficulty", bits_difficulty(tip->bits));
	json_add_int(o, "time", tip->time);
	json_add_int(o, "mediantime", header_node_mtp(tip));
	json_add_double(o, "verificationprogress", chain_progress(c));
	json_add_bool(o, "initialblockdownload",
		      chain_in_initial_download(c));
	work_json_add(o, "chainwork", &tip->chain_work);
	json_add_u64(o, "size_on_disk", chain_disk_bytes(c));
	prune_json_add(o, c);
	if (p->signet_challenge)
		json_add_hex(o, "signet_challenge",
			     span_of(p->signet_challenge,
				     p->signet_challenge_n));
	json_add(o, "warnings", json_object_get(call->warnings));
}

/* ---- getchaintips ---- */

static const char *tip_status(const struct chain *c,
			      const struct header_node *n)
{
	if (chain_contains(c, n))
		return "active";
	if (n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD))
		return "invalid";
	if (!n->chain_tx_count)
		return "headers-only";
	if ((n->status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS)
		return "valid-fork";
	return "valid-headers";
}

static int by_height_down(const void *a, const void *b)
{
	const struct header_node *x = *(struct header_node *const *)a;
	const struct header_node *y = *(struct header_node *const *)b;

	if (x->height != y->height)
		return x->height < y->height ? 1 : -1;
	return memcmp(x->hash.b, y->hash.b, sizeof x->hash.b);
}

static struct json_object *tip_json(const struct chain *c,
				    const struct header_node *n)
{
	const struct header_node *fork = header_node_fork(n, chain_tip(c));
	struct json_object *o = json_object_new_object();

	json_add_int(o, "height", n->height);
	json_add_hash(o, "hash", n->hash.b);
	json_add_int(o, "branchlen", n->height - fork->height);
	json_add_str(o, "status", tip_status(c, n));
	return o;
}

static void getchaintips(struct rpc_call *call)
{
	struct header_node **tips, *active = chain_tip(call->chain);
	size_t n = chain_tips(call->chain, &tips);
	bool listed = false;

	for (size_t i = 0; i < n; i++)
		listed |= tips[i] == active;
	if (!listed) {
		tips = xrealloc(tips, (n + 1) * sizeof *tips);
		tips[n++] = active;
	}
	qsort(tips, n, sizeof *tips, by_height_down);
	call->result = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(call->result,
				      tip_json(call->chain, tips[i]));
	free(tips);
}

/* ---- deployments ---- */

static void add_buried(struct json_object *o, const char *name, int height,
		       int tip_height)
{
	struct json_object *d = json_object_new_object();

	/* Active for the next block, as the reference node counts. */
	json_add_str(d, "type", "buried");
	json_add_bool(d, "active", tip_height + 1 >= height);
	json_add_int(d, "height", height);
	json_add(o, name, d);
}

static int taproot_height(const struct chain_params *p)
{
	switch (p->id) {
	case CHAIN_MAIN:
		return 709632;
	case CHAIN_TESTNET3:
		return 2011968;
	case CHAIN_TESTNET4:
	case CHAIN_SIGNET:
	case CHAIN_REGTEST:
		return 0;
	}
	return 0;
}

static void getdeploymentinfo(struct rpc_call *call)
{
	static const char *const names[BURIED_COUNT] = {
		[BURIED_BIP34] = "bip34", [BURIED_BIP66] = "bip66",
		[BURIED_BIP65] = "bip65", [BURIED_CSV] = "csv",
		[BURIED_SEGWIT] = "segwit",
	};
	const struct header_node *n = chain_tip(call->chain);
	struct json_object *list;

	if (rpc_has_arg(call, 0))
		n = rpc_arg_block(call, 0);
	if (!n)
		return;
	list = json_object_new_object();
	for (int i = 0; i < BURIED_COUNT; i++)
		add_buried(list, names[i], call->params->buried_height[i],
			   n->height);
	add_buried(list, "taproot", taproot_height(call->params), n->height);
	call->result = json_object_new_object();
	json_add_hash(call->result, "hash", n->hash.b);
	json_add_int(call->result, "height", n->height);
	json_add(call->result, "deployments", list);
}

/* ---- the owner's word ---- */

/* fn the block of argument 0, then follow the best chain. */
static void judge(struct rpc_call *call,
		  enum err (*fn)(struct chain *c, struct header_node *n,
				 struct why *why))
{
	struct header_node *n = rpc_arg_block(call, 0);
	struct why why = { 0 };

	if (!n)
		return;
	if (!n->prev) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "The genesis block cannot be judged");
		return;
	}
	if (fn(call->chain, n, &why) || chain_activate(call->chain, &why))
		rpc_fail_trouble(call, &why);
}

static void invalidateblock(struct rpc_call *call)
{
	judge(call, chain_invalidate);
}

static void reconsiderblock(struct rpc_call *call)
{
	judge(call, chain_reconsider);
}

static void preciousblock(struct rpc_call *call)
{
	judge(call, chain_prefer);
}

static const struct rpc_method methods[] = {
	{ .name = "getblockchaininfo", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .flags = RPC_WARNINGS,
	  .run = getblockchaininfo,
	  .help = "The chain, its tip, and how far validation has come." },
	{ .name = "getblockcount", .category = "Blockchain",
	  .thread = RPC_ON_LOOP, .run = getblockcount,
	  .help = "The height of the tip." },
	{ .name = "getbestblockhash", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getbestblockhash,
	  .help = "The hash of the tip." },
	{ .name = "getdifficulty", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getdifficulty,
	  .help = "The tip's difficulty, as a multiple of the easiest." },
	{ .name = "getchaintips", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getchaintips,
	  .help = "All ends of the header tree, and what is known of "
		  "them." },
	{ .name = "getdeploymentinfo", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getdeploymentinfo,
	  .help = "Which changes of the rules are active.",
	  .args = { { "blockhash", RPC_STR, false,
		      "At this block instead of the tip" } } },
	{ .name = "invalidateblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN,
	  .run = invalidateblock,
	  .help = "Treat a block as if it broke a rule, and leave it.",
	  .args = { { "blockhash", RPC_STR, true, "The block" } } },
	{ .name = "reconsiderblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN,
	  .run = reconsiderblock,
	  .help = "Take invalidateblock back, for a block and its "
		  "relatives.",
	  .args = { { "blockhash", RPC_STR, true, "The block" } } },
	{ .name = "preciousblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = preciousblock,
	  .help = "Treat a block as if it had come before others of the "
		  "same work.  A later call\nfor another block wins; nothing "
		  "of it is kept over a restart.",
	  .args = { { "blockhash", RPC_STR, true, "The block" } } },
};

struct rpc_methods rpc_methods_chain(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
