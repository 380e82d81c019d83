/*
 * Methods about transactions, scripts and addresses.
 */
#include "config.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/script_type.h"
#include "crypto/bech32.h"
#include "crypto/hash.h"
#include "mempool/mempool.h"
#include "rpc/raw_tx.h"
#include "rpc/rpc_util.h"
#include "rpc/tx_json.h"
#include "validation/indexes.h"

/* ---- getrawtransaction ---- */

static int find_tx(const struct block *b, const struct txid *id)
{
	for (uint32_t i = 0; i < b->tx_count; i++)
		if (txid_eq(&b->tx[i].txid, id))
			return (int)i;
	return -1;
}

static void add_place(struct json_object *o, const struct chain *c,
		      const struct header_node *n)
{
	json_add_hash(o, "blockhash", n->hash.b);
	if (chain_contains(c, n)) {
		json_add_int(o, "confirmations", block_confirmations(c, n));
		json_add_int(o, "time", n->time);
		json_add_int(o, "blocktime", n->time);
	} else {
		json_add_int(o, "confirmations", 0);
	}
}

/* The object of verbosity 1 and 2: in_active_chain first. */
static struct json_object *placed_json(struct rpc_call *call,
				       const struct header_node *n,
				       const struct tx *tx,
				       const struct tx_undo *undo)
{
	struct json_object *inner = tx_json(call->params, tx, undo,
					    TX_DETAIL_PREVOUT, true);
	struct json_object *o = json_object_new_object();

	/* Only where the caller named the block. */
	if (rpc_has_arg(call, 2))
		json_add_bool(o, "in_active_chain",
			      chain_contains(call->chain, n));
	json_object_object_foreach(inner, key, value)
		json_object_object_add(o, key, json_object_get(value));
	json_object_put(inner);
	add_place(o, call->chain, n);
	return o;
}

static void show_tx(struct rpc_call *call, const struct header_node *n,
		    const struct block *b, int i, int verbosity)
{
	struct block_undo undo = { 0 };
	struct arena arena = { 0 };
	struct why why = { 0 };
	const struct tx_undo *spent = NULL;

	if (verbosity <= 0) {
		call->result = json_hex(b->tx[i].raw);
		return;
	}
	if (verbosity >= 2 && i > 0 && n->status & BLOCK_HAVE_UNDO) {
		if (chain_read_undo(call->chain, &undo, &arena, n, &why)) {
			rpc_fail_trouble(call, &why);
			goto out;
		}
		if (undo.count + 1 == b->tx_count)
			spent = &undo.txs[i - 1];
	}
	call->result = placed_json(call, n, &b->tx[i], spent);
out:
	arena_clear(&arena);
}

/* What an unconfirmed transaction spends: from the pool or the chain. */
static bool unconfirmed_spends(struct rpc_call *call, struct tx_undo *out,
			       struct arena *a, const struct tx *tx)
{
	struct why why = { 0 };
	struct coin coin;
	bool found;

	out->coins = arena_calloc(a, tx->in_count, sizeof *out->coins);
	for (; out->count < tx->in_count; out->count++) {
		const struct outpoint *o = &tx->in[out->count].prevout;
		const struct mempool_entry *e =
			mempool_get(call->mempool, &o->txid);
		struct coin *c = &out->coins[out->count];

		if (e) {
			const struct tx_out *t = &entry_tx(e)->out[o->n];

			*c = (struct coin){ .value_sat = t->value_sat,
					    .script = t->script_pubkey };
			continue;
		}
		if (chain_get_coin(call->chain, &found, &coin, o, &why)) {
			rpc_fail_trouble(call, &why);
			return false;
		}
		if (!found)
			return false;
		*c = coin;
		c->script = arena_copy(a, coin.script);
	}
	return true;
}

static void show_unconfirmed(struct rpc_call *call, const struct tx *tx,
			     int verbosity)
{
	struct tx_undo undo = { 0 };
	struct arena arena = { 0 };
	const struct tx_undo *spent = NULL;

	if (verbosity >= 2 && unconfirmed_spends(call, &undo, &arena, tx))
		spent = &undo;
	if (verbosity <= 0)
		call->result = json_hex(tx->raw);
	else if (!call->error.code)
		call->result = tx_json(call->params, tx, spent,
				       TX_DETAIL_PREVOUT, true);
	arena_clear(&arena);
}

static void no_such_tx(struct rpc_call *call)
{
	const char *text = "No such mempool or blockchain transaction";

	if (!index_enabled(call->chain, INDEX_TX))
		text = "No such mempool transaction. Use -txindex or provide "
		       "a block hash to enable blockchain transaction "
		       "queries";
	else if (!index_state(call->chain, INDEX_TX).synced)
		text = "No such mempool transaction. Blockchain transactions "
		       "are still in the process of being indexed";
	rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s. Use gettransaction "
		 "for wallet transactions.", text);
}

/* From whatever block the index knows. */
static void show_indexed(struct rpc_call *call, const struct txid *id,
			 int verbosity)
{
	struct header_node *n = NULL;
	struct block *b = NULL;
	struct why why = { 0 };
	uint32_t i;

	if (index_enabled(call->chain, INDEX_TX) &&
	    (index_catch_up(call->chain, INDEX_TX, &why) ||
	     index_find_tx(call->chain, &n, &b, &i, id, &why)))
		rpc_fail_trouble(call, &why);
	else if (!n)
		no_such_tx(call);
	else
		show_tx(call, n, b, (int)i, verbosity);
	block_unref(b);
}

static void getrawtransaction(struct rpc_call *call)
{
	const struct mempool_entry *e;
	struct header_node *n;
	struct block_hash hash;
	struct block *b = NULL;
	struct txid id;
	int verbosity = 0, i;

	if (!rpc_arg_hash(call, 0, id.b) ||
	    !rpc_arg_verbosity(call, 1, &verbosity) ||
	    !rpc_arg_hash(call, 2, hash.b))
		return;
	if (memcmp(id.b, call->params->genesis.merkle_root, 32) == 0) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "The genesis "
			 "block coinbase is not considered an ordinary "
			 "transaction and cannot be retrieved");
		return;
	}
	e = mempool_get(call->mempool, &id);
	if (!rpc_has_arg(call, 2) && e) {
		show_unconfirmed(call, entry_tx(e), verbosity);
		return;
	}
	if (!rpc_has_arg(call, 2)) {
		show_indexed(call, &id, verbosity);
		return;
	}
	n = chain_lookup(call->chain, &hash);
	if (!n) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Block hash not found");
		return;
	}
	if (!(n->status & BLOCK_HAVE_DATA)) {
		rpc_fail(call, RPC_MISC_ERROR, "Block not available");
		return;
	}
	if (!rpc_read_block(call, &b, n))
		return;
	i = find_tx(b, &id);
	if (i < 0)
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "No such "
			 "transaction found in the provided block. Use "
			 "gettransaction for wallet transactions.");
	else
		show_tx(call, n, b, i, verbosity);
	block_unref(b);
}

/* ---- decoding ---- */

static void decoderawtransaction(struct rpc_call *call)
{
	const char *hex = "";
	struct raw_tx t;
	bool witness = true, any = !rpc_has_arg(call, 1);

	if (!rpc_arg_str(call, 0, &hex) || !rpc_arg_bool(call, 1, &witness))
		return;
	if (!raw_tx_read(&t, hex, any || !witness, any || witness)) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode "
			 "failed. Make sure the tx has at least one input.");
		return;
	}
	call->result = tx_json(call->params, &t.tx, NULL, TX_DETAIL_FEE,
			       false);
	raw_tx_clear(&t);
}

/* BIP342: opcodes that make a tapscript succeed. */
static bool is_op_success(unsigned op)
{
	return op == 80 || op == 98 || (op >= 126 && op <= 129) ||
	       (op >= 131 && op <= 134) || (op >= 137 && op <= 138) ||
	       (op >= 141 && op <= 142) || (op >= 149 && op <= 153) ||
	       (op >= 187 && op <= 254);
}

/* May the script sensibly be put behind a P2SH hash? */
static bool can_wrap(struct span script, enum script_type type)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	switch (type) {
	case SCRIPT_TYPE_NULLDATA:
	case SCRIPT_TYPE_SCRIPTHASH:
	case SCRIPT_TYPE_ANCHOR:
	case SCRIPT_TYPE_WITNESS_UNKNOWN:
	case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
		return false;
	case SCRIPT_TYPE_NONSTANDARD:
	case SCRIPT_TYPE_PUBKEY:
	case SCRIPT_TYPE_PUBKEYHASH:
	case SCRIPT_TYPE_MULTISIG:
	case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
	case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
		break;
	}
	if (!script_ops_ok(script) || script_is_unspendable(script))
		return false;
	while (script_next(&it, &op))
		if (op.code == OP_CHECKSIGADD || is_op_success(op.code))
			return false;
	return true;
}

/* And in a witness script?  Not with uncompressed keys. */
static bool can_wrap_segwit(const struct script_solution *solved)
{
	enum script_type type = solved->type;

	if (type == SCRIPT_TYPE_NONSTANDARD || type == SCRIPT_TYPE_PUBKEYHASH)
		return true;
	if (type != SCRIPT_TYPE_PUBKEY && type != SCRIPT_TYPE_MULTISIG)
		return false;
	for (size_t i = 0; i < solved->count; i++)
		if (solved->parts[i].n != 33)
			return false;
	return true;
}

/* The witness program that stands for the script. */
static void segwit_script(struct bytes *out, struct span script,
			  const struct script_solution *solved)
{
	enum script_type type = solved->type;
	uint8_t hash[32];
	size_t n = 20;

	if (type == SCRIPT_TYPE_PUBKEY) {
		hash160(hash, solved->parts[0].p, solved->parts[0].n);
	} else if (type == SCRIPT_TYPE_PUBKEYHASH) {
		memcpy(hash, solved->parts[0].p, 20);
	} else {
		sha256(hash, script.p, script.n);
		n = sizeof hash;
	}
	script_write_witness(out, 0, span_of(hash, n));
}

static void add_p2sh(struct json_object *o, const char *key,
		     const struct chain_params *p, struct span script)
{
	struct bytes b = { 0 };
	char text[ADDRESS_MAX_CHARS];
	uint8_t hash[20];

	hash160(hash, script.p, script.n);
	script_write_p2sh(&b, hash);
	CHECK(address_of_script(text, p, bytes_span(&b)));
	json_add_str(o, key, text);
	bytes_clear(&b);
}

static void decodescript(struct rpc_call *call)
{
	const char *hex = "";
	struct bytes raw = { 0 }, wit = { 0 };
	struct script_solution solved;
	struct json_object *o, *segwit;

	if (!rpc_arg_str(call, 0, &hex))
		return;
	if (!hex_append(&raw, hex)) {
		bytes_clear(&raw);
		rpc_fail(call, RPC_INVALID_PARAMETER, "argument must be "
			 "hexadecimal string (not '%s')", hex);
		return;
	}
	script_solve(&solved, bytes_span(&raw));
	o = call->result = json_object_new_object();
	script_json_add(o, call->params, bytes_span(&raw), false);
	if (!can_wrap(bytes_span(&raw), solved.type))
		goto out;
	add_p2sh(o, "p2sh", call->params, bytes_span(&raw));
	if (!can_wrap_segwit(&solved))
		goto out;
	segwit_script(&wit, bytes_span(&raw), &solved);
	segwit = json_object_new_object();
	script_json_add(segwit, call->params, bytes_span(&wit), true);
	add_p2sh(segwit, "p2sh-segwit", call->params, bytes_span(&wit));
	json_add(o, "segwit", segwit);
out:
	bytes_clear(&raw);
	bytes_clear(&wit);
}

/* ---- addresses ---- */

/* Why it is none, and where the mistake may be. */
static void add_invalid(struct json_object *o, const char *address,
			const struct why *why)
{
	struct json_object *places = json_object_new_array();
	size_t n, *at = bech32_error_places(&n, address);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(places,
				      json_object_new_uint64(at[i]));
	free(at);
	json_add_bool(o, "isvalid", false);
	json_add(o, "error_locations", places);
	json_add_str(o, "error", why->text);
}

static void add_valid(struct json_object *o, const struct chain_params *p,
		      struct span script)
{
	char address[ADDRESS_MAX_CHARS];
	struct span program;
	unsigned version;

	CHECK(address_of_script(address, p, script));
	json_add_bool(o, "isvalid", true);
	json_add_str(o, "address", address);
	json_add_hex(o, "scriptPubKey", script);
	if (!script_is_witness_program(script, &version, &program)) {
		json_add_bool(o, "isscript", script_is_p2sh(script));
		json_add_bool(o, "iswitness", false);
		return;
	}
	/* Whether an unknown program is a script nobody can say. */
	if (script_is_p2a(script) || script_is_p2tr(script))
		json_add_bool(o, "isscript", true);
	else if (version == 0)
		json_add_bool(o, "isscript", program.n == 32);
	json_add_bool(o, "iswitness", true);
	if (script_is_p2a(script))
		return;
	json_add_int(o, "witness_version", version);
	json_add_hex(o, "witness_program", program);
}

static void validateaddress(struct rpc_call *call)
{
	const char *address = "";
	struct bytes script = { 0 };
	struct why why = { 0 };

	if (!rpc_arg_str(call, 0, &address))
		return;
	call->result = json_object_new_object();
	if (address_to_script(&script, call->params, address, &why))
		add_valid(call->result, call->params, bytes_span(&script));
	else
		add_invalid(call->result, address, &why);
	bytes_clear(&script);
}

static const struct rpc_method methods[] = {
	{ .name = "getrawtransaction", .category = "Rawtransactions",
	  .thread = RPC_ON_CHAIN, .run = getrawtransaction,
	  .help = "A transaction of the mempool or of a block.",
	  .args = { { "txid", RPC_STR, true, "The transaction" },
		    { "verbosity|verbose", RPC_ANY, false,
		      "0 (default): hex; 1: an object; 2: with fee and "
		      "spent outputs" },
		    { "blockhash", RPC_STR, false,
		      "The block it is in; needed without -txindex" } } },
	{ .name = "decoderawtransaction", .category = "Rawtransactions",
	  .run = decoderawtransaction,
	  .help = "Show what a raw transaction says.",
	  .args = { { "hexstring", RPC_STR, true, "The transaction" },
		    { "iswitness", RPC_BOOL, false,
		      "Whether it is in the form with witnesses; both are "
		      "tried if this is not said" } } },
	{ .name = "decodescript", .category = "Rawtransactions",
	  .run = decodescript,
	  .help = "Show what a script says, and its addresses.",
	  .args = { { "hexstring", RPC_STR, true, "The script" } } },
	{ .name = "validateaddress", .category = "Util",
	  .run = validateaddress,
	  .help = "Whether an address is one of this chain, and what it "
		  "stands for.",
	  .args = { { "address", RPC_STR, true, "The address" } } },
};

struct rpc_methods rpc_methods_tx(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
