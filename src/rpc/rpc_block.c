/*
 * Methods that show one block.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/rpc_util.h"
#include "rpc/tx_json.h"

static void getblockhash(struct rpc_call *call)
{
	const struct header_node *n;
	int height = 0;

	if (!rpc_arg_int(call, 0, &height))
		return;
	n = height < 0 ? NULL : chain_at(call->chain, height);
	if (!n)
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Block height out of range");
	else
		call->result = json_hash(n->hash.b);
}

static void getblockheader(struct rpc_call *call)
{
	struct header_node *n;
	struct block_header h;
	struct bytes raw = { 0 };
	bool verbose = true;

	n = rpc_arg_block(call, 0);
	if (!n || !rpc_arg_bool(call, 1, &verbose))
		return;
	if (verbose) {
		call->result = header_json(call->chain, n);
		return;
	}
	header_node_header(&h, n);
	block_header_write(&raw, &h);
	call->result = json_hex(bytes_span(&raw));
	bytes_clear(&raw);
}

/* ---- getblock ---- */

static void get_raw(struct rpc_call *call, const struct header_node *n)
{
	struct bytes raw = { 0 };
	struct why why = { 0 };

	if (!rpc_block_stored(call, n))
		return;
	if (chain_read_raw(call->chain, &raw, n, &why))
		rpc_fail_trouble(call, &why);
	else
		call->result = json_hex(bytes_span(&raw));
	bytes_clear(&raw);
}

/* The block's undo where it was connected; *has says whether. */
static bool read_undo(struct rpc_call *call, struct block_undo *undo,
		      bool *has, struct arena *a,
		      const struct header_node *n, const struct block *b)
{
	struct why why = { 0 };

	*has = false;
	if (!n->prev || !(n->status & BLOCK_HAVE_UNDO))
		return true;
	if (chain_read_undo(call->chain, undo, a, n, &why)) {
		rpc_fail_trouble(call, &why);
		return false;
	}
	*has = undo->count + 1 == b->tx_count;
	return true;
}

static struct json_object *txs_json(const struct rpc_call *call,
				    const struct block *b,
				    const struct block_undo *undo,
				    int verbosity)
{
	struct json_object *a = json_object_new_array_ext((int)b->tx_count);
	enum tx_detail detail = verbosity >= 3 ? TX_DETAIL_PREVOUT :
						 TX_DETAIL_FEE;

	for (uint32_t i = 0; i < b->tx_count; i++)
		json_object_array_add(a, verbosity < 2 ?
			json_hash(b->tx[i].txid.b) :
			tx_json(call->params, &b->tx[i],
				undo && i ? &undo->txs[i - 1] : NULL,
				detail, true));
	return a;
}

/* What the coinbase says besides its outputs. */
static struct json_object *coinbase_json(const struct tx *tx)
{
	struct json_object *o = json_object_new_object();
	const struct tx_in *in = &tx->in[0];

	json_add_int(o, "version", tx->version);
	json_add_int(o, "locktime", tx->lock_time);
	json_add_int(o, "sequence", in->sequence);
	json_add_hex(o, "coinbase", in->script_sig);
	if (in->witness_count)
		json_add_hex(o, "witness", in->witness[0]);
	return o;
}

static void getblock(struct rpc_call *call)
{
	struct header_node *n = rpc_arg_block(call, 0);
	struct block_undo undo = { 0 };
	struct arena arena = { 0 };
	struct block *b = NULL;
	struct json_object *o;
	int verbosity = 1;
	bool has_undo = false;

	if (!n || !rpc_arg_verbosity(call, 1, &verbosity))
		return;
	if (verbosity <= 0) {
		get_raw(call, n);
		return;
	}
	if (!rpc_read_block(call, &b, n))
		return;
	if (verbosity >= 2 &&
	    !read_undo(call, &undo, &has_undo, &arena, n, b))
		goto out;
	o = call->result = header_json(call->chain, n);
	json_add_int(o, "strippedsize", b->stripped_bytes);
	json_add_int(o, "size", (int64_t)b->raw.n);
	json_add_u64(o, "weight", block_weight(b));
	json_add(o, "coinbase_tx", coinbase_json(&b->tx[0]));
	json_add(o, "tx", txs_json(call, b, has_undo ? &undo : NULL,
				   verbosity));
out:
	arena_clear(&arena);
	block_unref(b);
}

static const struct rpc_method methods[] = {
	{ .name = "getblockhash", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getblockhash,
	  .help = "The hash of the active chain's block at a height.",
	  .args = { { "height", RPC_NUM, true, "0 is the genesis block" } } },
	{ .name = "getblockheader", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getblockheader,
	  .help = "A block's header.",
	  .args = { { "blockhash", RPC_STR, true, "The block" },
		    { "verbose", RPC_BOOL, false,
		      "true (default): an object; false: 80 bytes in hex" }
		  } },
	{ .name = "getblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getblock,
	  .help = "A block.",
	  .args = { { "blockhash", RPC_STR, true, "The block" },
		    { "verbosity|verbose", RPC_ANY, false,
		      "0: hex; 1 (default): with txids; 2: with "
		      "transactions; 3: and the outputs they spend" } } },
};

struct rpc_methods rpc_methods_block(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
