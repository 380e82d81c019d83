/*
 * Methods about unspent outputs.
 */
#include "config.h"

#include "mempool/mempool.h"
#include "rpc/rpc_util.h"
#include "rpc/tx_json.h"
#include "validation/coin_scan.h"
#include "validation/indexes.h"

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

/* ---- from the index ---- */

static struct json_object *block_info(const struct coin_sums *s,
				      const struct coin_sums *before)
{
	struct json_object *o = json_object_new_object();
	struct json_object *u = json_object_new_object();

	json_add_amount(o, "prevout_spent",
			s->prevouts_spent - before->prevouts_spent);
	json_add_amount(o, "coinbase", s->coinbase - before->coinbase);
	json_add_amount(o, "new_outputs_ex_coinbase",
			s->new_outputs - before->new_outputs);
	json_add_amount(o, "unspendable", coin_sums_unspendable(s) -
			coin_sums_unspendable(before));
	json_add_amount(u, "genesis_block", s->genesis - before->genesis);
	json_add_amount(u, "bip30", s->bip30 - before->bip30);
	json_add_amount(u, "scripts", s->scripts - before->scripts);
	json_add_amount(u, "unclaimed_rewards",
			s->unclaimed - before->unclaimed);
	json_add(o, "unspendables", u);
	return o;
}

static void sums_json(struct rpc_call *call, const struct header_node *n,
		      const struct coin_sums *s,
		      const struct coin_sums *before,
		      enum utxo_hash_type type)
{
	struct json_object *o = call->result = json_object_new_object();

	json_add_int(o, "height", n->height);
	json_add_hash(o, "bestblock", n->hash.b);
	json_add_u64(o, "txouts", s->outputs);
	json_add_u64(o, "bogosize", s->bogosize);
	if (type == UTXO_HASH_MUHASH)
		json_add_hash(o, "muhash", s->muhash);
	json_add_amount(o, "total_amount", s->total);
	json_add_amount(o, "total_unspendable_amount",
			coin_sums_unspendable(s));
	json_add(o, "block_info", block_info(s, before));
}

static void from_index(struct rpc_call *call, const struct header_node *n,
		       enum utxo_hash_type type)
{
	struct coin_sums sums = { .outputs = 0 }, before = { .outputs = 0 };
	struct chain *c = call->chain;
	struct why why = { 0 };
	bool found = false, found_before = true;

	if (index_catch_up(c, INDEX_STATS, &why) ||
	    index_coin_sums(c, &found, &sums, n, &why) ||
	    (n->prev && index_coin_sums(c, &found_before, &before, n->prev,
					&why)))
		rpc_fail_trouble(call, &why);
	else if (!found || !found_before)
		rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to get data "
			 "because coinstatsindex is still syncing. Current "
			 "height: %d", index_state(c, INDEX_STATS).height);
	else
		sums_json(call, n, &sums, &before, type);
}

/* Can and should the index answer?  *n: the block asked for, or the tip. */
static bool index_answers(struct rpc_call *call, struct header_node **n,
			  enum utxo_hash_type type)
{
	bool named = rpc_has_arg(call, 1), use = true;
	bool enabled = index_enabled(call->chain, INDEX_STATS);

	*n = chain_tip(call->chain);
	if (!rpc_arg_bool(call, 2, &use))
		return false;
	if (!named)
		return enabled && use && type != UTXO_HASH_SERIALIZED;
	if (!enabled)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Querying specific "
			 "block heights requires coinstatsindex");
	else if (type == UTXO_HASH_SERIALIZED)
		rpc_fail(call, RPC_INVALID_PARAMETER, "hash_serialized_3 "
			 "hash type cannot be queried for a specific block");
	else if (!use)
		rpc_fail(call, RPC_INVALID_PARAMETER, "Cannot set use_index "
			 "to false when querying for a specific block");
	else
		*n = rpc_block_by_json(call, rpc_arg(call, 1));
	return true;
}

static void gettxoutsetinfo(struct rpc_call *call)
{
	struct coin_scan_options opt = { .path = NULL };
	struct header_node *n;
	struct coin_scan *s;
	struct why why = { 0 };
	bool index;

	if (!hash_type_read(call, &opt.type))
		return;
	index = index_answers(call, &n, opt.type);
	if (call->error.code)
		return;
	if (index) {
		from_index(call, n, opt.type);
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
		      "At this block instead of the tip (needs "
		      "-coinstatsindex; not with\nhash_serialized_3)" },
		    { "use_index", RPC_BOOL, false,
		      "Let the index answer where it can; true by "
		      "default" } } },
};

struct rpc_methods rpc_methods_coins(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
