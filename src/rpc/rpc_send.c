/*
 * Methods that bring transactions in.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/mempool_json.h"
#include "rpc/raw_tx.h"
#include "validation/chain.h"

#define BAD_TX "Make sure the tx has at least one input."

/* ---- arguments ---- */

/* A transaction in hex: one reference, or NULL. */
static struct shared_tx *decode(const char *hex)
{
	struct shared_tx *tx = NULL;
	struct raw_tx raw;

	if (!raw_tx_read(&raw, hex, true, true))
		return NULL;
	tx = shared_tx_copy(&raw.tx);
	raw_tx_clear(&raw);
	return tx;
}

/* Does it put more than max into outputs that nobody can spend? */
static bool burns(const struct tx *tx, int64_t max)
{
	for (uint32_t i = 0; i < tx->out_count; i++) {
		const struct tx_out *o = &tx->out[i];

		if (o->value_sat > max &&
		    (script_is_unspendable(o->script_pubkey) ||
		     !script_ops_ok(o->script_pubkey)))
			return true;
	}
	return false;
}

static bool check_burn(struct rpc_call *call, const struct tx *tx,
		       int64_t max)
{
	if (!burns(tx, max))
		return true;
	rpc_fail(call, RPC_VERIFY_ERROR, "Unspendable output exceeds maximum "
		 "configured by user (maxburnamount)");
	return false;
}

struct tx_args {
	struct shared_tx *v[POLICY_MAX_PACKAGE_COUNT];
	size_t n;
};

static void tx_args_clear(struct tx_args *a)
{
	for (size_t i = 0; i < a->n; i++)
		shared_tx_unref(a->v[i]);
	a->n = 0;
}

/* The array of argument 0; false: the error is set. */
static bool read_txs(struct rpc_call *call, struct tx_args *out)
{
	struct json_object *list = rpc_arg(call, 0);
	size_t n = json_object_array_length(list);

	out->n = 0;
	if (n < 1 || n > POLICY_MAX_PACKAGE_COUNT) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Array must contain "
			 "between 1 and %d transactions.",
			 POLICY_MAX_PACKAGE_COUNT);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		out->v[i] = json_object_is_type(o, json_type_string) ?
			    decode(json_object_get_string(o)) : NULL;
		if (!out->v[i]) {
			rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode "
				 "failed for tx %zu. " BAD_TX, i);
			return false;
		}
		out->n++;
	}
	return true;
}

/* ---- sendrawtransaction ---- */

/* Is one of its outputs there already, confirmed? */
static bool in_chain(struct rpc_call *call, const struct tx *tx, bool *yes)
{
	struct outpoint o = { .txid = tx->txid };
	struct coin coin;
	struct why why = { 0 };

	*yes = false;
	for (o.n = 0; !*yes && o.n < tx->out_count; o.n++) {
		if (!chain_get_coin(call->chain, yes, &coin, &o, &why))
			continue;
		rpc_fail_trouble(call, &why);
		return false;
	}
	return true;
}

static void fail_refused(struct rpc_call *call, const struct reject *r)
{
	char text[520];

	reject_text(text, r);
	rpc_fail(call, r->class == REJECT_MISSING_INPUTS ?
		 RPC_VERIFY_ERROR : RPC_VERIFY_REJECTED, "%s", text);
}

/* First only asked: what it pays is known then. */
static bool send_tx(struct rpc_call *call, struct shared_tx *tx,
		    int64_t max_fee)
{
	struct accept_options opt = { .test = max_fee > 0, .own = true };
	struct accept_result r;
	struct why why = { 0 };

	for (;;) {
		if (mempool_accept(call->mempool, &r, NULL, tx, &opt,
				   &why)) {
			rpc_fail_trouble(call, &why);
			return false;
		}
		if (r.status != ACCEPT_OK) {
			fail_refused(call, &r.reject);
			return false;
		}
		if (!opt.test)
			return true;
		if (r.fee_sat > max_fee) {
			rpc_fail(call, RPC_VERIFY_ERROR, "Fee exceeds "
				 "maximum configured by user (e.g. -maxtxfee,"
				 " maxfeerate)");
			return false;
		}
		opt.test = false;
	}
}

static void send_or_fail(struct rpc_call *call, struct shared_tx *tx,
			 int64_t rate, int64_t burn)
{
	bool confirmed;

	if (!check_burn(call, &tx->tx, burn) ||
	    !in_chain(call, &tx->tx, &confirmed))
		return;
	if (confirmed) {
		rpc_fail(call, RPC_VERIFY_ALREADY_IN_UTXO_SET,
			 "Transaction outputs already in utxo set");
		return;
	}
	if (mempool_get(call->mempool, &tx->tx.txid) ||
	    send_tx(call, tx, fee_at_rate(rate, tx_vsize(&tx->tx))))
		call->result = json_hash(tx->tx.txid.b);
}

static void sendrawtransaction(struct rpc_call *call)
{
	int64_t rate = RPC_MAX_FEERATE_SAT_KVB, burn = 0;
	struct shared_tx *tx;
	const char *hex = "";

	if (!rpc_arg_str(call, 0, &hex) || !rpc_arg_rate(call, 1, &rate) ||
	    !rpc_arg_amount(call, 2, &burn))
		return;
	tx = decode(hex);
	if (tx)
		send_or_fail(call, tx, rate, burn);
	else
		rpc_fail(call, RPC_DESERIALIZATION_ERROR,
			 "TX decode failed. " BAD_TX);
	shared_tx_unref(tx);
}

/* ---- testmempoolaccept ---- */

static void add_refused(struct json_object *o, const struct reject *r)
{
	char text[520];

	json_add_bool(o, "allowed", false);
	if (r->class == REJECT_MISSING_INPUTS) {
		json_add_str(o, "reject-reason", "missing-inputs");
		return;
	}
	reject_text(text, r);
	json_add_str(o, "reject-reason", r->reason);
	json_add_str(o, "reject-details", text);
}

/* False: it pays too much, and what follows is left open. */
static bool add_allowed(struct json_object *o, const struct accept_result *r,
			const struct tx *tx, int64_t rate)
{
	int64_t max = fee_at_rate(rate, r->vsize);

	if (max && r->fee_sat > max) {
		json_add_bool(o, "allowed", false);
		json_add_str(o, "reject-reason", "max-fee-exceeded");
		return false;
	}
	json_add_bool(o, "allowed", true);
	vsizes_json_add(o, r->vsize, tx);
	json_add(o, "fees", fees_json(r, true));
	return true;
}

static void show_tests(struct rpc_call *call, const struct tx_args *txs,
		       const struct package_result *p, int64_t rate)
{
	struct json_object *list = json_object_new_array();
	bool open = false;
	char text[520];

	call->result = list;
	reject_text(text, &p->reject);
	for (size_t i = 0; i < txs->n; i++) {
		struct json_object *o = json_object_new_object();
		const struct accept_result *r = &p->tx[i];

		json_add_hash(o, "txid", txs->v[i]->tx.txid.b);
		json_add_hash(o, "wtxid", txs->v[i]->tx.wtxid.b);
		if (p->class == PACKAGE_POLICY)
			json_add_str(o, "package-error", text);
		if (!open && r->status == ACCEPT_OK)
			open = !add_allowed(o, r, &txs->v[i]->tx, rate);
		else if (!open && r->status != ACCEPT_UNTRIED)
			add_refused(o, &r->reject);
		json_object_array_add(list, o);
	}
}

static void testmempoolaccept(struct rpc_call *call)
{
	const struct accept_options opt = { .test = true };
	int64_t rate = RPC_MAX_FEERATE_SAT_KVB;
	struct package_result p = { 0 };
	struct accept_result one;
	struct tx_args txs;
	struct why why = { 0 };
	enum err e;

	if (!rpc_arg_rate(call, 1, &rate))
		return;
	if (!read_txs(call, &txs))
		goto out;
	if (txs.n == 1) {
		e = mempool_accept(call->mempool, &one, NULL, txs.v[0], &opt,
				   &why);
		p.tx = &one;
		if (e)
			rpc_fail_trouble(call, &why);
		else
			show_tests(call, &txs, &p, rate);
		goto out;
	}
	e = mempool_accept_package(call->mempool, &p, NULL, txs.v, txs.n,
				   &opt, &why);
	if (e)
		rpc_fail_trouble(call, &why);
	else
		show_tests(call, &txs, &p, rate);
	package_result_clear(&p);
out:
	tx_args_clear(&txs);
}

/* ---- submitpackage ---- */

static void add_submitted(struct json_object *o,
			  const struct accept_result *r, const struct tx *tx)
{
	char text[520];

	switch (r->status) {
	case ACCEPT_OTHER_WITNESS:
		json_add_hash(o, "other-wtxid", r->other.b);
		break;
	case ACCEPT_OK:
	case ACCEPT_IN_POOL:
		vsizes_json_add(o, r->vsize, tx);
		json_add(o, "fees", fees_json(r, r->status == ACCEPT_OK));
		break;
	case ACCEPT_REFUSED:
		reject_text(text, &r->reject);
		json_add_str(o, "error", text);
		break;
	case ACCEPT_UNTRIED:
		json_add_str(o, "error", "package-not-validated");
		break;
	}
}

static void show_submitted(struct rpc_call *call, const struct tx_args *txs,
			   const struct package_result *p,
			   const struct tx_list *replaced)
{
	struct json_object *o = json_object_new_object();
	struct json_object *all = json_object_new_object();
	struct json_object *gone = json_object_new_array();
	char text[520], id[65];

	call->result = o;
	reject_text(text, &p->reject);
	json_add_str(o, "package_msg", p->class ? text : "success");
	for (size_t i = 0; i < txs->n; i++) {
		struct json_object *r = json_object_new_object();

		json_add_hash(r, "txid", txs->v[i]->tx.txid.b);
		add_submitted(r, &p->tx[i], &txs->v[i]->tx);
		hash_to_rpc_hex(id, txs->v[i]->tx.wtxid.b);
		json_object_object_add(all, id, r);
	}
	json_add(o, "tx-results", all);
	for (size_t i = 0; i < replaced->n; i++)
		json_object_array_add(gone,
				      json_hash(replaced->v[i]->tx.txid.b));
	json_add(o, "replaced-transactions", gone);
}

static bool package_fits(struct rpc_call *call, const struct tx_args *txs,
			 int64_t burn)
{
	for (size_t i = 0; i < txs->n; i++)
		if (!check_burn(call, &txs->v[i]->tx, burn))
			return false;
	if (txs->n == 1 || package_is_child_with_parents(txs->v, txs->n))
		return true;
	rpc_fail(call, RPC_VERIFY_ERROR, "package topology disallowed. not "
		 "child-with-parents or parents depend on each other.");
	return false;
}

static void submitpackage(struct rpc_call *call)
{
	struct accept_options opt = {
		.own = true, .max_rate_sat_kvb = RPC_MAX_FEERATE_SAT_KVB };
	struct tx_list replaced = { 0 };
	struct package_result p = { 0 };
	struct tx_args txs;
	struct why why = { 0 };
	int64_t burn = 0;

	if (!rpc_arg_rate(call, 1, &opt.max_rate_sat_kvb) ||
	    !rpc_arg_amount(call, 2, &burn))
		return;
	if (!read_txs(call, &txs) || !package_fits(call, &txs, burn))
		goto out;
	if (mempool_accept_package(call->mempool, &p, &replaced, txs.v,
				   txs.n, &opt, &why))
		rpc_fail_trouble(call, &why);
	else
		show_submitted(call, &txs, &p, &replaced);
	package_result_clear(&p);
	tx_list_clear(&replaced);
out:
	tx_args_clear(&txs);
}

#define RATE_ARG { "maxfeerate", RPC_ANY, false, \
		   "Refuse what pays more BTC per 1000 vbytes (default " \
		   "0.10; 0: no limit)" }
#define BURN_ARG { "maxburnamount", RPC_ANY, false, \
		   "Refuse what puts more BTC into an output that can never " \
		   "be spent (default 0)" }

static const struct rpc_method methods[] = {
	{ .name = "sendrawtransaction", .category = "Rawtransactions",
	  .thread = RPC_ON_CHAIN, .run = sendrawtransaction,
	  .help = "Take a signed transaction into the mempool and tell the "
		  "network.  Answers with its txid.",
	  .args = { { "hexstring", RPC_STR, true, "The transaction" },
		    RATE_ARG, BURN_ARG } },
	{ .name = "testmempoolaccept", .category = "Rawtransactions",
	  .thread = RPC_ON_CHAIN, .run = testmempoolaccept,
	  .help = "Whether the mempool would take these transactions; "
		  "parents before children.  Nothing is taken.",
	  .args = { { "rawtxs", RPC_ARR, true, "1 to 25, in hex" },
		    RATE_ARG } },
	{ .name = "submitpackage", .category = "Rawtransactions",
	  .thread = RPC_ON_CHAIN, .run = submitpackage,
	  .help = "Take a transaction with its unconfirmed parents into the "
		  "mempool: the child, which comes last, may pay for them.",
	  .args = { { "package", RPC_ARR, true, "1 to 25, in hex" },
		    RATE_ARG, BURN_ARG } },
};

struct rpc_methods rpc_methods_send(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
