/*
 * Methods that sign and join raw transactions.
 */
#include "config.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "mempool/policy.h"
#include "rpc/raw_tx.h"
#include "rpc/rpc_util.h"
#include "rpc/tx_json.h"
#include "rpc/tx_sign.h"

#define COMBINE_MAX 1000

/* ---- what inputs spend ---- */

/* A transaction to complete, and the outputs it spends as far as known. */
struct work {
	struct tx *tx;
	struct tx_out *spent;            /* script.p NULL: not known */
	struct sighash_cache cache;
	struct tx_signer signer;
};

/* From the chain and the mempool. */
static bool look_up(struct rpc_call *call, struct work *w)
{
	struct why why = { 0 };
	struct coin coin;
	bool found;

	for (uint32_t i = 0; i < w->tx->in_count; i++) {
		if (rpc_find_coin(call, true, &found, &coin,
				  &w->tx->in[i].prevout, &why)) {
			rpc_fail_trouble(call, &why);
			return false;
		}
		if (!found)
			continue;
		w->spent[i].value_sat = coin.value_sat;
		w->spent[i].script_pubkey =
			arena_copy(&w->signer.arena, coin.script);
	}
	return true;
}

static void work_start(struct work *w, struct tx *tx)
{
	*w = (struct work){ .tx = tx };
	tx->raw = span_of(NULL, 0);      /* it will be another */
	w->spent = xcalloc((size_t)tx->in_count + 1, sizeof *w->spent);
	w->signer.hash_type = TX_SIGN_DEFAULT;
}

static void work_clear(struct work *w)
{
	tx_signer_clear(&w->signer);
	free(w->spent);
}

static bool is_complete(const struct work *w, uint32_t in,
			enum script_error *err)
{
	*err = SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!w->cache.has_bip341 &&
	    script_is_p2tr(w->spent[in].script_pubkey))
		return false;
	return script_verify(w->tx, in, w->spent, POLICY_SCRIPT_FLAGS, &w->cache,
			     err);
}

/* Complete what can be completed; inputs that are stay as they are. */
static void complete(struct work *w)
{
	enum script_error err;
	bool all = true;

	for (uint32_t i = 0; i < w->tx->in_count; i++)
		all = all && w->spent[i].script_pubkey.p;
	/* Taproot signs all that is spent: known, or nothing can be said. */
	sighash_cache_fill(&w->cache, w->tx, w->spent, true, all);
	for (uint32_t i = 0; i < w->tx->in_count; i++) {
		if (!w->spent[i].script_pubkey.p || is_complete(w, i, &err))
			continue;
		(void)tx_sign_input(&w->signer, w->tx, i, w->spent,
				     &w->cache);
	}
}

/* ---- signrawtransactionwithkey ---- */

static bool read_keys(struct rpc_call *call, struct tx_signer *s)
{
	struct json_object *list = rpc_arg(call, 1);
	size_t n = json_object_array_length(list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		struct wif_key key;

		if (!json_object_is_type(o, json_type_string) ||
		    !wif_decode(&key, call->params,
				json_object_get_string(o))) {
			rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
				 "Invalid private key");
			return false;
		}
		tx_signer_add_key(s, &key);
		bytes_wipe(&key, sizeof key);
	}
	return true;
}

/* A script given in hex under this name; *out stays empty without one. */
static bool read_script(struct rpc_call *call, struct bytes *out,
			struct json_object *o, const char *name)
{
	struct json_object *s = json_object_object_get(o, name);

	if (!s || (json_object_is_type(s, json_type_string) &&
		   hex_append(out, json_object_get_string(s))))
		return true;
	rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string "
		 "(not '%s')", name, json_object_get_string(s));
	return false;
}

static bool learn_scripts(struct rpc_call *call, struct tx_signer *s,
			  struct json_object *o)
{
	static const char *const names[] = { "redeemScript",
					     "witnessScript" };
	bool ok = true;

	for (size_t i = 0; ok && i < ARRAY_SIZE(names); i++) {
		struct bytes b = { 0 }, program = { 0 };
		uint8_t hash[32];

		ok = read_script(call, &b, o, names[i]);
		if (ok && b.n) {
			tx_signer_add(s, bytes_span(&b));
			/* And wrapped: P2SH-P2WSH tells one of the two. */
			sha256(hash, b.p, b.n);
			script_write_witness(&program, 0, span_of(hash, 32));
			tx_signer_add(s, bytes_span(&program));
		}
		bytes_clear(&b);
		bytes_clear(&program);
	}
	return ok;
}

static bool set_spent(struct rpc_call *call, struct tx_out *out,
		      struct arena *a, struct json_object *o)
{
	struct json_object *amount = json_object_object_get(o, "amount");
	struct bytes b = { 0 };
	struct span program;
	unsigned version;
	bool ok = false;

	if (!read_script(call, &b, o, "scriptPubKey"))
		goto out;
	if (out->script_pubkey.p &&
	    !span_eq(out->script_pubkey, bytes_span(&b))) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR,
			 "Previous output scriptPubKey mismatch");
		goto out;
	}
	if (!amount && !out->script_pubkey.p &&
	    (script_is_p2sh(bytes_span(&b)) ||
	     script_is_witness_program(bytes_span(&b), &version, &program))) {
		rpc_fail(call, RPC_TYPE_ERROR, "Missing amount");
		goto out;
	}
	if (amount && !rpc_amount_read(call, &out->value_sat, amount))
		goto out;
	out->script_pubkey = arena_copy(a, bytes_span(&b));
	ok = true;
out:
	bytes_clear(&b);
	return ok;
}

static bool read_prevtx(struct rpc_call *call, struct work *w,
			struct json_object *o)
{
	struct outpoint at;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get(o, "scriptPubKey")) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR, "expected object "
			 "with {\"txid'\",\"vout\",\"scriptPubKey\"}");
		return false;
	}
	if (!rpc_outpoint_read(call, &at, o))
		return false;
	for (uint32_t i = 0; i < w->tx->in_count; i++)
		if (outpoint_eq(&w->tx->in[i].prevout, &at) &&
		    !set_spent(call, &w->spent[i], &w->signer.arena, o))
			return false;
	return learn_scripts(call, &w->signer, o);
}

static bool read_prevtxs(struct rpc_call *call, struct work *w)
{
	struct json_object *list = rpc_arg(call, 2);
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++)
		if (!read_prevtx(call, w, json_object_array_get_idx(list, i)))
			return false;
	return true;
}

static bool read_hash_type(struct rpc_call *call, int *out)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{ "DEFAULT", SIGHASH_DEFAULT },
		{ "ALL", SIGHASH_ALL },
		{ "ALL|ANYONECANPAY", SIGHASH_ALL | SIGHASH_ANYONECANPAY },
		{ "NONE", SIGHASH_NONE },
		{ "NONE|ANYONECANPAY", SIGHASH_NONE | SIGHASH_ANYONECANPAY },
		{ "SINGLE", SIGHASH_SINGLE },
		{ "SINGLE|ANYONECANPAY",
		  SIGHASH_SINGLE | SIGHASH_ANYONECANPAY },
	};
	const char *text = "DEFAULT";

	if (!rpc_arg_str(call, 3, &text))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, text) != 0)
			continue;
		*out = types[i].type;
		return true;
	}
	rpc_fail(call, RPC_INVALID_PARAMETER, "'%s' is not a valid sighash "
		 "parameter.", text);
	return false;
}

static const char *error_words(enum script_error e)
{
	if (e == SCRIPT_ERR_INVALID_STACK_OPERATION)
		return "Unable to sign input, invalid stack size (possibly "
		       "missing key)";
	if (e == SCRIPT_ERR_SIG_NULLFAIL)
		return "CHECK(MULTI)SIG failing with non-zero signature "
		       "(possibly need more signatures)";
	return script_error_text(e);
}

static void add_error(struct json_object *list, const struct tx_in *in,
		      const char *words)
{
	struct json_object *o = json_object_new_object();
	struct json_object *witness = json_object_new_array();

	for (uint32_t i = 0; i < in->witness_count; i++)
		json_object_array_add(witness, json_hex(in->witness[i]));
	json_add_hash(o, "txid", in->prevout.txid.b);
	json_add_int(o, "vout", in->prevout.n);
	json_add(o, "witness", witness);
	json_add_hex(o, "scriptSig", in->script_sig);
	json_add_int(o, "sequence", in->sequence);
	json_add_str(o, "error", words);
	json_object_array_add(list, o);
}

static struct json_object *signed_json(const struct work *w)
{
	struct json_object *o = json_object_new_object();
	struct json_object *errors = json_object_new_array();
	enum script_error err;

	for (uint32_t i = 0; i < w->tx->in_count; i++) {
		if (!w->spent[i].script_pubkey.p)
			add_error(errors, &w->tx->in[i], "Input not found "
				  "or already spent");
		else if (!is_complete(w, i, &err))
			add_error(errors, &w->tx->in[i], error_words(err));
	}
	json_add(o, "hex", tx_hex_json(w->tx));
	json_add_bool(o, "complete", json_object_array_length(errors) == 0);
	if (json_object_array_length(errors))
		json_add(o, "errors", errors);
	else
		json_object_put(errors);
	return o;
}

static void signrawtransactionwithkey(struct rpc_call *call)
{
	const char *hex = "";
	struct raw_tx t;
	struct work w;

	if (!rpc_arg_str(call, 0, &hex))
		return;
	if (!raw_tx_read(&t, hex, true, true)) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed. "
			 "Make sure the tx has at least one input.");
		return;
	}
	work_start(&w, &t.tx);
	for (uint32_t i = 0; i < t.tx.in_count; i++)
		tx_signer_learn(&w.signer, &t.tx.in[i]);
	if (read_keys(call, &w.signer) && look_up(call, &w) &&
	    read_prevtxs(call, &w) &&
	    read_hash_type(call, &w.signer.hash_type)) {
		complete(&w);
		call->result = signed_json(&w);
	}
	work_clear(&w);
	raw_tx_clear(&t);
}

/* ---- combinerawtransaction ---- */

/* The same but for scripts and witnesses? */
static bool same_skeleton(const struct tx *a, const struct tx *b)
{
	if (a->in_count != b->in_count || a->out_count != b->out_count ||
	    a->version != b->version || a->lock_time != b->lock_time)
		return false;
	for (uint32_t i = 0; i < a->in_count; i++)
		if (!outpoint_eq(&a->in[i].prevout, &b->in[i].prevout) ||
		    a->in[i].sequence != b->in[i].sequence)
			return false;
	for (uint32_t i = 0; i < a->out_count; i++)
		if (a->out[i].value_sat != b->out[i].value_sat ||
		    !span_eq(a->out[i].script_pubkey,
			     b->out[i].script_pubkey))
			return false;
	return true;
}

/* Decode them all; *n grows with each that has to be cleared. */
static bool read_copies(struct rpc_call *call, struct raw_tx *t, size_t *n,
			struct json_object *list)
{
	size_t count = json_object_array_length(list);

	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *hex = json_object_get_string(o);

		if (!json_object_is_type(o, json_type_string) ||
		    !raw_tx_read(&t[i], hex, true, true)) {
			rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode "
				 "failed for tx %zu. Make sure the tx has at "
				 "least one input.", i);
			return false;
		}
		++*n;
		if (!same_skeleton(&t[0].tx, &t[i].tx)) {
			rpc_fail(call, RPC_INVALID_PARAMETER, "Transaction "
				 "%zu is another one: only signatures may "
				 "differ", i);
			return false;
		}
	}
	return true;
}

/* Where nothing could be joined: the first copy that has something. */
static void take_any(struct tx *to, const struct raw_tx *t, size_t n)
{
	for (uint32_t in = 0; in < to->in_count; in++) {
		for (size_t i = 0; i < n; i++) {
			const struct tx_in *from = &t[i].tx.in[in];

			if (to->in[in].script_sig.n ||
			    to->in[in].witness_count)
				break;
			to->in[in].script_sig = from->script_sig;
			to->in[in].witness = from->witness;
			to->in[in].witness_count = from->witness_count;
		}
	}
}

static void join(struct rpc_call *call, struct raw_tx *t, size_t n)
{
	struct work w;

	work_start(&w, &t[0].tx);
	for (size_t i = 0; i < n; i++)
		for (uint32_t in = 0; in < t[i].tx.in_count; in++)
			tx_signer_learn(&w.signer, &t[i].tx.in[in]);
	if (look_up(call, &w)) {
		bool all = true;

		for (uint32_t i = 0; i < w.tx->in_count; i++)
			all = all && w.spent[i].script_pubkey.p;
		if (all) {
			complete(&w);
			take_any(w.tx, t, n);
			call->result = tx_hex_json(w.tx);
		} else {
			rpc_fail(call, RPC_VERIFY_ERROR,
				 "Input not found or already spent");
		}
	}
	work_clear(&w);
}

static void combinerawtransaction(struct rpc_call *call)
{
	struct json_object *list = rpc_arg(call, 0);
	size_t count = json_object_array_length(list), n = 0;
	struct raw_tx *t;

	if (count == 0 || count > COMBINE_MAX) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR, count ?
			 "Too many transactions" : "Missing transactions");
		return;
	}
	t = xcalloc(count, sizeof *t);
	if (read_copies(call, t, &n, list))
		join(call, t, n);
	for (size_t i = 0; i < n; i++)
		raw_tx_clear(&t[i]);
	free(t);
}

static const struct rpc_method methods[] = {
	{ .name = "signrawtransactionwithkey",
	  .category = "Rawtransactions", .thread = RPC_ON_CHAIN,
	  .run = signrawtransactionwithkey,
	  .help = "Sign the inputs that these keys can sign.  The keys are "
		  "used for this call and forgotten.",
	  .args = { { "hexstring", RPC_STR, true, "The transaction" },
		    { "privkeys", RPC_ARR, true,
		      "Private keys in wallet import format" },
		    { "prevtxs", RPC_ARR, false,
		      "Spent outputs that the chain does not have, and "
		      "scripts: [{\"txid\", \"vout\", \"scriptPubKey\", "
		      "\"redeemScript\", \"witnessScript\", \"amount\"}, …]" },
		    { "sighashtype", RPC_STR, false,
		      "DEFAULT, ALL, NONE, SINGLE; with |ANYONECANPAY" } } },
	{ .name = "combinerawtransaction", .category = "Rawtransactions",
	  .thread = RPC_ON_CHAIN, .run = combinerawtransaction,
	  .help = "Join the signatures of several copies of a transaction.",
	  .args = { { "txs", RPC_ARR, true, "The copies, in hex" } } },
};

struct rpc_methods rpc_methods_sign(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
