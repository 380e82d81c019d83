/*
 * Methods about unspent outputs.
 */
#include "config.h"

#include "mempool/mempool.h"
#include "rpc/rpc_util.h"
#include "rpc/tx_json.h"
#include "validation/coin_scan.h"

static void gettxout(struct rpc_call *call)
{
	const struct header_node *tip = chain_tip(call->chain);
	struct outpoint at = { 0 };
	struct coin coin;
	struct why why = { 0 };
	struct json_object *o, *script;
	int64_t n = 0;
	bool mempool = true, found;

	if (!rpc_arg_hash(call, 0, at.txid.b) || !rpc_arg_i64(call, 1, &n) ||
	    !rpc_arg_bool(call, 2, &mempool))
		return;
	if (n < 0 || n > UINT32_MAX) {
		rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
		return;
	}
	at.n = (uint32_t)n;
	if (rpc_find_coin(call, mempool, &found, &coin, &at, &why)) {
		rpc_fail_trouble(call, &why);
		return;
	}
	if (!found || (mempool && mempool_spender(call->mempool, &at)))
		return;
	o = call->result = json_object_new_object();
	json_add_hash(o, "bestblock", tip->hash.b);
	json_add_int(o, "confirmations",
		     coin.height || coin.coinbase
			     ? tip->height - coin.height + 1 : 0);
	json_add_amount(o, "value", coin.value_sat);
	script = json_object_new_object();
	script_json_add(script, call->params, coin.script, true);
	json_add(o, "scriptPubKey", script);
	json_add_bool(o, "coinbase", coin.coinbase);
}

static bool hash_type_read(struct rpc_call *call, enum utxo_hash_type *out)
{
	const char *word = "hash_serialized_3";

	if (!rpc_arg_str(call, 0, &word))
		return false;
	if (strcmp(word, "hash_serialized_3") == 0)
		*out = UTXO_HASH_SERIALIZED;
	else if (strcmp(word, "muhash") == 0)
		*out = UTXO_HASH_MUHASH;
	else if (strcmp(word, "none") == 0)
		*out = UTXO_HASH_NONE;
	else {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "'%s' is not a valid hash_type", word);
		return false;
	}
	return true;
}

static void free_scan(void *state)
{
	coin_scan_free(state);
}

static void stats_json(struct rpc_call *call,
		       const struct coin_scan_result *r,
		       enum utxo_hash_type type)
{
	struct json_object *o = call->result = json_object_new_object();

	json_add_int(o, "height", r->at->height);
	json_add_hash(o, "bestblock", r->at->hash.b);
	json_add_u64(o, "txouts", r->stats.outputs);
	json_add_u64(o, "bogosize", r->stats.bogosize);
	if (type == UTXO_HASH_SERIALIZED)
		json_add_hash(o, "hash_serialized_3", r->stats.hash);
	else if (type == UTXO_HASH_MUHASH)
		json_add_hash(o, "muhash", r->stats.hash);
	json_add_amount(o, "total_amount", r->stats.total_sat);
	json_add_u64(o, "transactions", r->stats.txs);
	json_add_u64(o, "disk_size", r->stats.disk_bytes);
}

static bool stats_slice(struct rpc_call *call)
{
	enum utxo_hash_type type;
	struct why why = { 0 };
	bool more = false;

	if (!hash_type_read(call, &type))
		return false;
	if (coin_scan_step(call->state, &more, &why))
		rpc_fail_trouble(call, &why);
	else if (!more)
		stats_json(call, coin_scan_result(call->state), type);
	return more;
}

static void gettxoutsetinfo(struct rpc_call *call)
{
	struct coin_scan_options opt = { .path = NULL };
	struct coin_scan *s;
	struct why why = { 0 };

	if (!hash_type_read(call, &opt.type))
		return;
	if (rpc_has_arg(call, 1)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Querying specific "
			 "block heights requires coinstatsindex");
		return;
	}
	if (coin_scan_begin(&s, call->chain, &opt, &why)) {
		rpc_fail_trouble(call, &why);
		return;
	}
	call->state = s;
	call->state_free = free_scan;
	call->slice = stats_slice;
}

static const struct rpc_method methods[] = {
	{ .name = "gettxout", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = gettxout,
	  .help = "An unspent output; null if there is none.",
	  .args = { { "txid", RPC_STR, true, "The transaction" },
		    { "n", RPC_NUM, true, "Which of its outputs" },
		    { "include_mempool", RPC_BOOL, false,
		      "Look at unconfirmed transactions too (default)" } } },
	{ .name = "gettxoutsetinfo", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = gettxoutsetinfo,
	  .help = "Statistics over all unspent outputs.  Takes minutes on "
		  "mainnet.",
	  .args = { { "hash_type", RPC_STR, false,
		      "\"hash_serialized_3\" (default), \"muhash\" or "
		      "\"none\"" },
		    { "hash_or_height", RPC_ANY, false,
		      "Needs an index that is not kept: refused" },
		    { "use_index", RPC_BOOL, false, "Ignored" } } },
};

struct rpc_methods rpc_methods_coins(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
