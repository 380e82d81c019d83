/*
 * Bytes as an RPC body: JSON, envelope, parameters of every method, and the
 * answer's text, which must parse again.  And as what callers write in hex.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/raw_tx.h"
#include "rpc/rpc_priv.h"
#include "rpc/tx_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct json_object *item)
{
	struct rpc_request q;
	struct rpc_call call = { 0 };
	struct json_object *reply, *again;
	struct span text;
	bool ok;

	if (rpc_request_read(&q, &call.error, item)) {
		call.method = rpc_method_get(q.method);
		if (!call.method)
			rpc_error_set(&call.error, RPC_METHOD_NOT_FOUND,
				      "Method not found");
		else if (rpc_call_bind(&call, q.params))
			call.result = json_object_get(call.args);
	}
	reply = rpc_reply_new(&q, call.result, &call.error);
	call.result = NULL;
	text = json_text(reply);
	/* The envelope adds two levels to what came in. */
	again = json_parse(text, &ok);
	CHECK(ok || text.n > 62);
	json_object_put(again);
	json_object_put(reply);
	rpc_call_clear(&call);
}

static void as_hex(const char *s)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct bytes raw = { 0 };
	struct raw_tx t;

	if (raw_tx_read(&t, s, true, true)) {
		json_object_put(tx_json(&p, &t.tx, NULL, TX_DETAIL_FEE,
					true));
		raw_tx_clear(&t);
	}
	if (hex_append(&raw, s)) {
		struct json_object *o = json_object_new_object();

		script_json_add(o, &p, bytes_span(&raw), true);
		json_object_put(o);
	}
	bytes_clear(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *root;
	char *s = xmalloc(size + 1);
	bool ok;

	if (size)
		memcpy(s, data, size);
	s[size] = 0;
	as_hex(s);
	free(s);
	root = json_parse(span_of(data, size), &ok);
	if (!ok)
		return 0;
	if (json_object_is_type(root, json_type_array))
		for (size_t i = 0; i < json_object_array_length(root); i++)
			answer(json_object_array_get_idx(root, i));
	else
		answer(root);
	json_object_put(root);
	return 0;
}
