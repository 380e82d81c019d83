/*
 * Methods that look into the mempool.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/mempool_json.h"

static void getmempoolinfo(struct rpc_call *call)
{
	struct mempool *m = call->mempool;
	const struct policy *p = mempool_policy(m);
	struct json_object *o = json_object_new_object();

	call->result = o;
	json_add_bool(o, "loaded", mempool_loaded(m));
	json_add_u64(o, "size", mempool_count(m));
	json_add_int(o, "bytes", mempool_total_vsize(m));
	json_add_u64(o, "usage", mempool_memory(m));
	json_add_amount(o, "total_fee", mempool_total_fee(m));
	json_add_u64(o, "maxmempool", p->max_memory_bytes);
	json_add_amount(o, "mempoolminfee", mempool_entry_fee(m));
	json_add_amount(o, "minrelaytxfee", p->min_relay_sat_kvb);
	json_add_amount(o, "incrementalrelayfee", p->incremental_sat_kvb);
	json_add_u64(o, "unbroadcastcount", mempool_unbroadcast_count(m));
	json_add_bool(o, "permitbaremultisig", p->permit_bare_multisig);
	json_add_u64(o, "maxdatacarriersize",
		     p->data_carrier ? p->data_carrier_bytes : 0);
	json_add_int(o, "limitclustercount", p->cluster_count);
	json_add_int(o, "limitclustersize", p->cluster_bytes);
	json_add_bool(o, "optimal", true);
}

static struct json_object *all_entries(const struct mempool *m)
{
	struct json_object *o = json_object_new_object();
	const struct mempool_entry *e;
	char id[65];
	size_t pos = 0;

	while ((e = mempool_next(m, &pos))) {
		hash_to_rpc_hex(id, entry_tx(e)->txid.b);
		json_object_object_add_ex(o, id, entry_json(e),
					  JSON_C_OBJECT_ADD_KEY_IS_NEW);
	}
	return o;
}

/* In the order in which they would be mined. */
static struct json_object *all_ids(const struct mempool *m)
{
	struct json_object *list = json_object_new_array();
	const struct chunk *k;

	for (k = mempool_best_chunk(m); k; k = mempool_next_chunk(k))
		for (size_t i = 0; i < chunk_count(k); i++)
			json_object_array_add(list, json_hash(
				entry_tx(chunk_tx(k, i))->txid.b));
	return list;
}

static void getrawmempool(struct rpc_call *call)
{
	bool verbose = false, sequence = false;

	if (!rpc_arg_bool(call, 0, &verbose) ||
	    !rpc_arg_bool(call, 1, &sequence))
		return;
	if (verbose && sequence) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Verbose results "
			 "cannot contain mempool sequence values.");
		return;
	}
	if (verbose) {
		call->result = all_entries(call->mempool);
		return;
	}
	call->result = all_ids(call->mempool);
	if (sequence) {
		struct json_object *o = json_object_new_object();

		json_add(o, "txids", call->result);
		json_add_u64(o, "mempool_sequence",
			     mempool_sequence(call->mempool));
		call->result = o;
	}
}

static void getmempoolentry(struct rpc_call *call)
{
	const struct mempool_entry *e = rpc_arg_entry(call, 0);

	if (e)
		call->result = entry_json(e);
}

static void show_relatives(struct rpc_call *call, bool up)
{
	const struct mempool_entry *e = rpc_arg_entry(call, 0);
	bool verbose = false;
	uint64_t set;

	if (!e || !rpc_arg_bool(call, 1, &verbose))
		return;
	set = up ? entry_ancestors(e) : entry_descendants(e);
	set &= ~(UINT64_C(1) << e->slot);
	call->result = entries_json(e->cluster, set, verbose);
}

static void getmempoolancestors(struct rpc_call *call)
{
	show_relatives(call, true);
}

static void getmempooldescendants(struct rpc_call *call)
{
	show_relatives(call, false);
}

static struct json_object *chunk_json(const struct chunk *k)
{
	struct json_object *o = json_object_new_object();
	struct json_object *txs = json_object_new_array();

	json_add_amount(o, "chunkfee", chunk_feerate(k).fee_sat);
	json_add_int(o, "chunkweight", chunk_feerate(k).weight_wu);
	for (size_t i = 0; i < chunk_count(k); i++)
		json_object_array_add(txs, json_hash(
			entry_tx(chunk_tx(k, i))->txid.b));
	json_add(o, "txs", txs);
	return o;
}

static void getmempoolcluster(struct rpc_call *call)
{
	const struct mempool_entry *e = rpc_arg_entry(call, 0);
	struct json_object *o, *chunks;
	int64_t weight = 0;

	if (!e)
		return;
	chunks = json_object_new_array();
	for (unsigned i = 0; i < cluster_chunk_count(e->cluster); i++) {
		const struct chunk *k = cluster_chunk(e->cluster, i);

		weight += chunk_feerate(k).weight_wu;
		json_object_array_add(chunks, chunk_json(k));
	}
	o = call->result = json_object_new_object();
	json_add_int(o, "clusterweight", weight);
	json_add_int(o, "txcount", cluster_count(e->cluster));
	json_add(o, "chunks", chunks);
}

static void getmempoolfeeratediagram(struct rpc_call *call)
{
	struct json_object *list = json_object_new_array();
	const struct chunk *k = NULL;
	struct feerate sum = { 0, 0 };

	call->result = list;
	for (;;) {
		struct json_object *o = json_object_new_object();

		json_add_int(o, "weight", sum.weight_wu);
		json_add_amount(o, "fee", sum.fee_sat);
		json_object_array_add(list, o);
		k = k ? mempool_next_chunk(k)
		      : mempool_best_chunk(call->mempool);
		if (!k)
			return;
		sum = feerate_add(sum, chunk_feerate(k));
	}
}

/* ---- gettxspendingprevout ---- */

/* One {txid, vout}; false: the error is set. */
static bool read_outpoint(struct rpc_call *call, struct outpoint *out,
			  struct json_object *o)
{
	struct json_object *txid, *vout;
	const char *hex;

	if (!json_object_is_type(o, json_type_object)) {
		rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not "
			 "of expected type object", json_type_word(o));
		return false;
	}
	json_object_object_foreach(o, key, value) {
		(void)value;
		if (strcmp(key, "txid") && strcmp(key, "vout")) {
			rpc_fail(call, RPC_TYPE_ERROR, "Unexpected key %s",
				 key);
			return false;
		}
	}
	if (!json_object_object_get_ex(o, "txid", &txid) ||
	    !json_object_object_get_ex(o, "vout", &vout)) {
		rpc_fail(call, RPC_TYPE_ERROR, "Missing %s",
			 json_object_object_get_ex(o, "txid", NULL) ? "vout"
								    : "txid");
		return false;
	}
	hex = json_object_get_string(txid);
	if (!json_object_is_type(txid, json_type_string) ||
	    !hash_from_rpc_hex(out->txid.b, hex)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "txid must be of "
			 "length 64 and hexadecimal (not '%s')", hex);
		return false;
	}
	if (!json_object_is_type(vout, json_type_int)) {
		rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s for "
			 "field vout is not of expected type number",
			 json_type_word(vout));
		return false;
	}
	if (json_object_get_int64(vout) < 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, "
			 "vout cannot be negative");
		return false;
	}
	out->n = (uint32_t)json_object_get_int64(vout);
	return true;
}

/* The options of argument 1. */
static bool spending_options(struct rpc_call *call, bool *with_tx)
{
	struct json_object *o = rpc_arg(call, 1);

	*with_tx = false;
	if (!o)
		return true;
	json_object_object_foreach(o, key, value) {
		bool known = strcmp(key, "return_spending_tx") == 0;

		if ((!known && strcmp(key, "mempool_only")) ||
		    !json_object_is_type(value, json_type_boolean)) {
			rpc_fail(call, RPC_TYPE_ERROR, "Unexpected key or "
				 "value type of %s", key);
			return false;
		}
		if (known)
			*with_tx = json_object_get_boolean(value);
		else if (!json_object_get_boolean(value)) {
			rpc_fail(call, RPC_MISC_ERROR, "Mempool lacks a "
				 "relevant spend, and txospenderindex is "
				 "unavailable.");
			return false;
		}
	}
	return true;
}

static void gettxspendingprevout(struct rpc_call *call)
{
	struct json_object *list = rpc_arg(call, 0), *out;
	size_t n = json_object_array_length(list);
	bool with_tx;

	if (!n) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Invalid parameter, outputs are missing");
		return;
	}
	if (!spending_options(call, &with_tx))
		return;
	out = json_object_new_array();
	call->result = out;
	for (size_t i = 0; i < n; i++) {
		const struct mempool_entry *e;
		struct json_object *o = json_object_new_object();
		struct outpoint at;

		json_object_array_add(out, o);
		if (!read_outpoint(call, &at,
				   json_object_array_get_idx(list, i)))
			return;
		json_add_hash(o, "txid", at.txid.b);
		json_add_int(o, "vout", at.n);
		e = mempool_spender(call->mempool, &at);
		if (e)
			json_add_hash(o, "spendingtxid",
				      entry_tx(e)->txid.b);
		if (e && with_tx)
			json_add_hex(o, "spendingtx", entry_tx(e)->raw);
	}
}

/* ---- priorities ---- */

static void prioritisetransaction(struct rpc_call *call)
{
	struct json_object *dummy = rpc_arg(call, 1);
	struct txid id;
	int64_t delta = 0;

	if (!rpc_arg_hash(call, 0, id.b) || !rpc_arg_i64(call, 2, &delta))
		return;
	if (dummy && json_object_get_double(dummy) != 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Priority is no longer "
			 "supported, dummy argument to prioritisetransaction "
			 "must be 0.");
		return;
	}
	mempool_prioritise(call->mempool, &id, delta);
	call->result = json_object_new_boolean(true);
}

static void getprioritisedtransactions(struct rpc_call *call)
{
	struct json_object *all = json_object_new_object();
	struct mempool_delta *d;
	size_t n = mempool_deltas(call->mempool, &d);
	char id[65];

	call->result = all;
	for (size_t i = 0; i < n; i++) {
		const struct mempool_entry *e =
			mempool_get(call->mempool, &d[i].txid);
		struct json_object *o = json_object_new_object();

		json_add_int(o, "fee_delta", d[i].delta_sat);
		json_add_bool(o, "in_mempool", e != NULL);
		if (e)
			json_add_int(o, "modified_fee",
				     entry_modified_fee(e));
		hash_to_rpc_hex(id, d[i].txid.b);
		json_object_object_add(all, id, o);
	}
	free(d);
}

#define TXID_ARG { "txid", RPC_STR, true, "A transaction of the mempool" }
#define VERBOSE_ARG { "verbose", RPC_BOOL, false, \
		      "true: an object of entries; false (default): ids" }

static const struct rpc_method methods[] = {
	{ .name = "getmempoolinfo", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getmempoolinfo,
	  .help = "How full the mempool is, and its limits." },
	{ .name = "getrawmempool", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getrawmempool,
	  .help = "All transactions of the mempool; ids are in the order in "
		  "which they would be mined.",
	  .args = { VERBOSE_ARG,
		    { "mempool_sequence", RPC_BOOL, false,
		      "With ids: also the number of the last event" } } },
	{ .name = "getmempoolentry", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getmempoolentry,
	  .help = "What the mempool knows of a transaction.",
	  .args = { TXID_ARG } },
	{ .name = "getmempoolancestors", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getmempoolancestors,
	  .help = "All unconfirmed transactions that it builds on.",
	  .args = { TXID_ARG, VERBOSE_ARG } },
	{ .name = "getmempooldescendants", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getmempooldescendants,
	  .help = "All unconfirmed transactions that build on it.",
	  .args = { TXID_ARG, VERBOSE_ARG } },
	{ .name = "getmempoolcluster", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = getmempoolcluster,
	  .help = "All that hangs together with it, as chunks in mining "
		  "order.",
	  .args = { TXID_ARG } },
	{ .name = "getmempoolfeeratediagram", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN,
	  .run = getmempoolfeeratediagram,
	  .help = "Sums of weight and fee over the mempool's chunks, the "
		  "best first." },
	{ .name = "gettxspendingprevout", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = gettxspendingprevout,
	  .help = "Which transactions of the mempool spend these outputs.",
	  .args = { { "outputs", RPC_ARR, true,
		      "Objects of txid and vout" },
		    { "options", RPC_OBJ, false,
		      "mempool_only (true: there is no index of spenders); "
		      "return_spending_tx: also the transaction" } } },
	{ .name = "prioritisetransaction", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = prioritisetransaction,
	  .help = "Have a transaction count as paying more, or less, than it "
		  "does.",
	  .args = { { "txid", RPC_STR, true,
		      "The transaction, here or yet to come" },
		    { "dummy", RPC_NUM, false, "0 or null" },
		    { "fee_delta", RPC_NUM, true,
		      "Satoshi, added to what was given before" } } },
	{ .name = "getprioritisedtransactions", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = getprioritisedtransactions,
	  .help = "All that prioritisetransaction was told." },
};

struct rpc_methods rpc_methods_mempool(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
