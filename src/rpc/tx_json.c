/*
 * Transactions and scripts as JSON.
 */
#include "config.h"

#include "rpc/tx_json.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/descriptor_text.h"
#include "address/script_text.h"
#include "address/script_type.h"

static void add_owned_text(struct json_object *o, const char *key,
			   char *text TAKES)
{
	json_add_str(o, key, text);
	free(text);
}

void script_json_add(struct json_object *o, const struct chain_params *p,
		     struct span script, bool with_hex)
{
	struct script_solution solved;
	char address[ADDRESS_MAX_CHARS];

	script_solve(&solved, script);
	add_owned_text(o, "asm", script_text_new(script, false));
	add_owned_text(o, "desc", descriptor_of_script(p, script));
	if (with_hex)
		json_add_hex(o, "hex", script);
	if (address_of_script(address, p, script))
		json_add_str(o, "address", address);
	json_add_str(o, "type", script_type_name(solved.type));
}

/* ---- transactions ---- */

static struct json_object *prevout_json(const struct chain_params *p,
					const struct coin *coin)
{
	struct json_object *o = json_object_new_object();
	struct json_object *script = json_object_new_object();

	json_add_bool(o, "generated", coin->coinbase);
	json_add_int(o, "height", coin->height);
	json_add_amount(o, "value", coin->value_sat);
	script_json_add(script, p, coin->script, true);
	json_add(o, "scriptPubKey", script);
	return o;
}

static struct json_object *input_json(const struct chain_params *p,
				      const struct tx_in *in, bool coinbase,
				      const struct coin *spent)
{
	struct json_object *o = json_object_new_object(), *script, *stack;

	if (coinbase) {
		json_add_hex(o, "coinbase", in->script_sig);
	} else {
		json_add_hash(o, "txid", in->prevout.txid.b);
		json_add_int(o, "vout", in->prevout.n);
		script = json_object_new_object();
		add_owned_text(script, "asm",
			       script_text_new(in->script_sig, true));
		json_add_hex(script, "hex", in->script_sig);
		json_add(o, "scriptSig", script);
	}
	if (in->witness_count) {
		stack = json_object_new_array_ext((int)in->witness_count);
		for (uint32_t i = 0; i < in->witness_count; i++)
			json_object_array_add(stack,
					      json_hex(in->witness[i]));
		json_add(o, "txinwitness", stack);
	}
	if (spent)
		json_add(o, "prevout", prevout_json(p, spent));
	json_add_int(o, "sequence", in->sequence);
	return o;
}

static struct json_object *output_json(const struct chain_params *p,
				       const struct tx_out *out, uint32_t n)
{
	struct json_object *o = json_object_new_object();
	struct json_object *script = json_object_new_object();

	json_add_amount(o, "value", out->value_sat);
	json_add_int(o, "n", n);
	script_json_add(script, p, out->script_pubkey, true);
	json_add(o, "scriptPubKey", script);
	return o;
}

static void add_ends(struct json_object *o, const struct chain_params *p,
		     const struct tx *tx, const struct tx_undo *undo,
		     enum tx_detail detail)
{
	struct json_object *vin =
		json_object_new_array_ext((int)tx->in_count);
	struct json_object *vout =
		json_object_new_array_ext((int)tx->out_count);
	bool coinbase = tx_is_coinbase(tx);
	int64_t fee = 0;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct coin *spent = undo ? &undo->coins[i] : NULL;

		if (spent)
			fee += spent->value_sat;
		if (detail != TX_DETAIL_PREVOUT)
			spent = NULL;
		json_object_array_add(vin, input_json(p, &tx->in[i],
						      coinbase, spent));
	}
	json_add(o, "vin", vin);
	for (uint32_t i = 0; i < tx->out_count; i++) {
		if (undo)
			fee -= tx->out[i].value_sat;
		json_object_array_add(vout, output_json(p, &tx->out[i], i));
	}
	json_add(o, "vout", vout);
	if (undo)
		json_add_amount(o, "fee", fee);
}

struct json_object *tx_json(const struct chain_params *p,
			    const struct tx *tx, const struct tx_undo *undo,
			    enum tx_detail detail, bool with_hex)
{
	struct json_object *o = json_object_new_object();
	uint64_t weight = tx_weight(tx);

	if (undo && (undo->count != tx->in_count || tx_is_coinbase(tx)))
		undo = NULL;
	json_add_hash(o, "txid", tx->txid.b);
	json_add_hash(o, "hash", tx->wtxid.b);
	json_add_int(o, "version", tx->version);
	json_add_int(o, "size", (int64_t)tx->raw.n);
	json_add_u64(o, "vsize", (weight + WITNESS_SCALE - 1) /
				 WITNESS_SCALE);
	json_add_u64(o, "weight", weight);
	json_add_int(o, "locktime", tx->lock_time);
	add_ends(o, p, tx, undo, detail);
	if (with_hex)
		json_add_hex(o, "hex", tx->raw);
	return o;
}

struct json_object *tx_hex_json(const struct tx *tx)
{
	struct bytes raw = { 0 };
	struct json_object *o;
	bool witness = false;

	for (uint32_t i = 0; i < tx->in_count; i++)
		witness = witness || tx->in[i].witness_count;
	tx_write(&raw, tx, witness);
	o = json_hex(bytes_span(&raw));
	bytes_clear(&raw);
	return o;
}
