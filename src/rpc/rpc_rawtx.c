/*
 * Making raw transactions.
 */
#include "config.h"

#include "address/address.h"
#include "base/amount.h"
#include "consensus/script.h"
#include "rpc/rpc_priv.h"
#include "rpc/tx_json.h"

#define SEQUENCE_REPLACEABLE 0xfffffffdu     /* BIP125 */
#define VERSION_MIN 1
#define VERSION_MAX 3

/* ---- createrawtransaction ---- */

/* A transaction under construction. */
struct draft {
	struct tx tx;
	struct arena arena;
	struct json_object *keys;        /* outputs' names, to find repeats */
};

static void draft_clear(struct draft *d)
{
	arena_clear(&d->arena);
	json_object_put(d->keys);
}

static bool add_input(struct rpc_call *call, struct draft *d,
		      struct json_object *o, uint32_t sequence)
{
	struct json_object *s = json_object_object_get(o, "sequence");
	struct tx_in *in = &d->tx.in[d->tx.in_count];

	if (!json_object_is_type(o, json_type_object)) {
		rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is "
			 "not of expected type object", json_type_word(o));
		return false;
	}
	if (!rpc_outpoint_read(call, &in->prevout, o))
		return false;
	in->sequence = sequence;
	if (json_object_is_type(s, json_type_int)) {
		int64_t v = json_object_get_int64(s);

		if (v < 0 || v > UINT32_MAX) {
			rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid "
				 "parameter, sequence number is out of "
				 "range");
			return false;
		}
		in->sequence = (uint32_t)v;
	}
	d->tx.in_count++;
	return true;
}

static bool read_inputs(struct rpc_call *call, struct draft *d,
			uint32_t sequence)
{
	struct json_object *list = rpc_arg(call, 0);
	size_t n = json_object_array_length(list);

	d->tx.in = arena_calloc(&d->arena, n + 1, sizeof *d->tx.in);
	for (size_t i = 0; i < n; i++)
		if (!add_input(call, d, json_object_array_get_idx(list, i),
			       sequence))
			return false;
	return true;
}

/* The script of one output: "data" or an address. */
static bool output_script(struct rpc_call *call, struct bytes *out,
			  int64_t *sat, const char *key,
			  struct json_object *value)
{
	struct bytes data = { 0 };
	bool ok;

	*sat = 0;
	if (strcmp(key, "data") != 0) {
		if (address_to_script(out, call->params, key, NULL))
			return rpc_amount_read(call, sat, value);
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin "
			 "address: %s", key);
		return false;
	}
	ok = json_object_is_type(value, json_type_string) &&
	     hex_append(&data, json_object_get_string(value));
	if (ok) {
		script_push_op(out, OP_RETURN);
		script_push_data(out, bytes_span(&data));
	} else {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Data must be "
			 "hexadecimal string (not '%s')",
			 json_object_get_string(value));
	}
	bytes_clear(&data);
	return ok;
}

static bool add_output(struct rpc_call *call, struct draft *d,
		       const char *key, struct json_object *value)
{
	struct tx_out *out = &d->tx.out[d->tx.out_count];
	struct bytes script = { 0 };
	bool ok;

	if (json_object_object_get_ex(d->keys, key, NULL)) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 strcmp(key, "data") == 0 ?
			 "Invalid parameter, duplicate key: %s" :
			 "Invalid parameter, duplicated address: %s", key);
		return false;
	}
	json_object_object_add(d->keys, key, NULL);
	ok = output_script(call, &script, &out->value_sat, key, value);
	out->script_pubkey = arena_copy(&d->arena, bytes_span(&script));
	bytes_clear(&script);
	d->tx.out_count += ok;
	return ok;
}

/* One object of the list form: a single pair. */
static bool add_pair(struct rpc_call *call, struct draft *d,
		     struct json_object *o)
{
	if (!json_object_is_type(o, json_type_object)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, "
			 "key-value pair not an object as expected");
		return false;
	}
	if (json_object_object_length(o) != 1) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, "
			 "key-value pair must contain exactly one key");
		return false;
	}
	json_object_object_foreach(o, key, value)
		return add_output(call, d, key, value);
	return false;
}

static bool read_outputs(struct rpc_call *call, struct draft *d)
{
	struct json_object *o = rpc_arg(call, 1);
	size_t n;

	d->keys = json_object_new_object();
	if (json_object_is_type(o, json_type_object)) {
		n = (size_t)json_object_object_length(o);
		d->tx.out = arena_calloc(&d->arena, n + 1,
					 sizeof *d->tx.out);
		json_object_object_foreach(o, key, value)
			if (!add_output(call, d, key, value))
				return false;
		return true;
	}
	if (!json_object_is_type(o, json_type_array)) {
		rpc_fail_help(call);
		return false;
	}
	n = json_object_array_length(o);
	d->tx.out = arena_calloc(&d->arena, n + 1, sizeof *d->tx.out);
	for (size_t i = 0; i < n; i++)
		if (!add_pair(call, d, json_object_array_get_idx(o, i)))
			return false;
	return true;
}

static bool signals_replacement(const struct tx *tx)
{
	for (uint32_t i = 0; i < tx->in_count; i++)
		if (tx->in[i].sequence <= SEQUENCE_REPLACEABLE)
			return true;
	return false;
}

static void createrawtransaction(struct rpc_call *call)
{
	struct draft d = { 0 };
	int64_t lock_time = 0, version = 2;
	bool replaceable = true;
	uint32_t sequence;

	if (!rpc_arg_i64(call, 2, &lock_time) ||
	    !rpc_arg_bool(call, 3, &replaceable) ||
	    !rpc_arg_i64(call, 4, &version))
		return;
	if (lock_time < 0 || lock_time > UINT32_MAX) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Invalid parameter, locktime out of range");
		return;
	}
	if (version < VERSION_MIN || version > VERSION_MAX) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, "
			 "version out of range(%d~%d)", VERSION_MIN,
			 VERSION_MAX);
		return;
	}
	sequence = replaceable ? SEQUENCE_REPLACEABLE :
		   lock_time ? TX_SEQUENCE_FINAL - 1 : TX_SEQUENCE_FINAL;
	d.tx.version = (uint32_t)version;
	d.tx.lock_time = (uint32_t)lock_time;
	if (read_inputs(call, &d, sequence) && read_outputs(call, &d)) {
		if (rpc_has_arg(call, 3) && replaceable && d.tx.in_count &&
		    !signals_replacement(&d.tx))
			rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid "
				 "parameter combination: Sequence number(s) "
				 "contradict replaceable option");
		else
			call->result = tx_hex_json(&d.tx);
	}
	draft_clear(&d);
}

static const struct rpc_method methods[] = {
	{ .name = "createrawtransaction", .category = "Rawtransactions",
	  .run = createrawtransaction,
	  .help = "A transaction from its inputs and outputs, not signed.",
	  .args = { { "inputs", RPC_ARR, true,
		      "[{\"txid\", \"vout\", \"sequence\"}, …]" },
		    { "outputs", RPC_ANY, true,
		      "[{address: amount}, {\"data\": hex}, …]" },
		    { "locktime", RPC_NUM, false, "0 by default" },
		    { "replaceable", RPC_BOOL, false,
		      "Mark it as replaceable; true by default" },
		    { "version", RPC_NUM, false, "1 to 3; 2 by default" } } },
};

struct rpc_methods rpc_methods_rawtx(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
