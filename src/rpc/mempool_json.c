/*
 * Entries of the mempool as JSON, field by field as the reference node shows
 * them; amounts from JSON.
 */
#include "config.h"

#include "rpc/mempool_json.h"

#include <math.h>
#include <stdlib.h>

int64_t tx_vsize(const struct tx *tx)
{
	return vsize_of_weight((int64_t)tx_weight(tx));
}

void vsizes_json_add(struct json_object *o, int64_t adjusted,
		     const struct tx *tx)
{
	json_add_int(o, "vsize_adjusted", adjusted);
	json_add_int(o, "vsize", adjusted);
	json_add_int(o, "vsize_bip141", tx_vsize(tx));
}

/* Sums over a set of an entry's cluster. */
struct totals {
	int64_t count, vsize, fee_sat;
};

static struct totals totals_of(const struct cluster *c, uint64_t set)
{
	struct totals t = { 0, 0, 0 };

	for (unsigned i = 0; i < cluster_count(c); i++) {
		const struct mempool_entry *e = cluster_entry(c, i);

		if (!(set >> i & 1))
			continue;
		t.count++;
		t.vsize += entry_vsize(e);
		t.fee_sat += entry_modified_fee(e);
	}
	return t;
}

/* In the order of their text. */
static int by_text(const void *a, const void *b)
{
	const struct txid *x = *(const struct txid *const *)a;
	const struct txid *y = *(const struct txid *const *)b;

	for (int i = 31; i >= 0; i--)
		if (x->b[i] != y->b[i])
			return x->b[i] < y->b[i] ? -1 : 1;
	return 0;
}

static struct json_object *ids_json(const struct cluster *c, uint64_t set)
{
	struct json_object *list = json_object_new_array();
	const struct txid *ids[CLUSTER_TXS_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < cluster_count(c); i++)
		if (set >> i & 1)
			ids[n++] = &entry_tx(cluster_entry(c, i))->txid;
	qsort(ids, n, sizeof *ids, by_text);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_hash(ids[i]->b));
	return list;
}

struct json_object *entry_json(const struct mempool_entry *e)
{
	const struct cluster *c = e->cluster;
	const struct tx *tx = entry_tx(e);
	struct totals up = totals_of(c, entry_ancestors(e));
	struct totals down = totals_of(c, entry_descendants(e));
	struct feerate chunk = chunk_feerate(entry_chunk(e));
	struct json_object *o = json_object_new_object();
	struct json_object *fees = json_object_new_object();

	vsizes_json_add(o, entry_vsize(e), tx);
	json_add_u64(o, "weight", tx_weight(tx));
	json_add_int(o, "time", e->time_unix);
	json_add_int(o, "height", e->height);
	json_add_int(o, "descendantcount", down.count);
	json_add_int(o, "descendantsize", down.vsize);
	json_add_int(o, "ancestorcount", up.count);
	json_add_int(o, "ancestorsize", up.vsize);
	json_add_hash(o, "wtxid", tx->wtxid.b);
	json_add_int(o, "chunkweight", chunk.weight_wu);
	json_add_amount(fees, "base", e->fee_sat);
	json_add_amount(fees, "modified", entry_modified_fee(e));
	json_add_amount(fees, "ancestor", up.fee_sat);
	json_add_amount(fees, "descendant", down.fee_sat);
	json_add_amount(fees, "chunk", chunk.fee_sat);
	json_add(o, "fees", fees);
	json_add(o, "depends", ids_json(c, entry_parents(e)));
	json_add(o, "spentby", ids_json(c, entry_children(e)));
	json_add_bool(o, "unbroadcast", e->unbroadcast);
	return o;
}

struct json_object *entries_json(const struct cluster *c, uint64_t set,
				 bool verbose)
{
	struct json_object *o;
	char id[65];

	if (!verbose)
		return ids_json(c, set);
	o = json_object_new_object();
	for (unsigned i = 0; i < cluster_count(c); i++) {
		const struct mempool_entry *e = cluster_entry(c, i);

		if (!(set >> i & 1))
			continue;
		hash_to_rpc_hex(id, entry_tx(e)->txid.b);
		json_object_object_add(o, id, entry_json(e));
	}
	return o;
}

struct json_object *fees_json(const struct accept_result *r, bool effective)
{
	struct json_object *o = json_object_new_object(), *list;

	json_add_amount(o, "base", r->fee_sat);
	if (!effective)
		return o;
	list = json_object_new_array();
	json_add_amount(o, "effective-feerate", r->rate_sat_kvb);
	for (size_t i = 0; i < r->includes_count; i++)
		json_object_array_add(list, json_hash(r->includes[i].b));
	json_add(o, "effective-includes", list);
	return o;
}

/* ---- arguments ---- */

bool rpc_arg_amount(struct rpc_call *call, size_t i, int64_t *out)
{
	struct json_object *o = rpc_arg(call, i);

	return !o || rpc_amount_read(call, out, o);
}

bool rpc_arg_rate(struct rpc_call *call, size_t i, int64_t *out)
{
	if (!rpc_arg_amount(call, i, out))
		return false;
	if (*out < COIN_SAT)
		return true;
	rpc_fail(call, RPC_INVALID_PARAMETER, "Fee rates larger than or "
		 "equal to 1BTC/kvB are not accepted");
	return false;
}

const struct mempool_entry *rpc_arg_entry(struct rpc_call *call, size_t i)
{
	const struct mempool_entry *e;
	struct txid id;

	if (!rpc_arg_hash(call, i, id.b))
		return NULL;
	e = mempool_get(call->mempool, &id);
	if (!e)
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Transaction not in mempool");
	return e;
}
