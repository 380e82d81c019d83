/*
 * How methods read their arguments and fail.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/amount.h"
#include "consensus/ids.h"
#include "rpc/rpc_priv.h"

/* Is the world broken, or was only this call asked at the wrong time or for
 * the impossible? */
static bool is_trouble(enum err e)
{
	return e == ERR_IO || e == ERR_SPACE || e == ERR_CORRUPT ||
	       e == ERR_MEMORY;
}

void rpc_fail_trouble(struct rpc_call *call, const struct why *why)
{
	if (call->chain && is_trouble(why->err) &&
	    call->ports->chain_trouble)
		call->ports->chain_trouble(call->owner, why);
	rpc_fail(call, why->err == ERR_STOPPED ? RPC_MISC_ERROR :
		 RPC_DATABASE_ERROR, "%s", why->text);
}

void rpc_fail_help(struct rpc_call *call)
{
	char *help = rpc_method_help(call->method);

	rpc_fail(call, RPC_MISC_ERROR, "%s", help);
	free(help);
}

struct json_object *rpc_arg(const struct rpc_call *call, size_t i)
{
	if (i >= json_object_array_length(call->args))
		return NULL;
	return json_object_array_get_idx(call->args, i);
}

static bool wrong_type(struct rpc_call *call, const struct json_object *o,
		       const char *want)
{
	rpc_fail(call, RPC_TYPE_ERROR,
		 "JSON value of type %s is not of expected type %s",
		 json_type_word(o), want);
	return false;
}

bool rpc_arg_str(struct rpc_call *call, size_t i, const char **out)
{
	struct json_object *o = rpc_arg(call, i);
	const char *s;

	if (!o)
		return true;
	if (!json_object_is_type(o, json_type_string))
		return wrong_type(call, o, "string");
	s = json_object_get_string(o);
	if (strlen(s) != (size_t)json_object_get_string_len(o)) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Argument %zu holds a zero byte", i + 1);
		return false;
	}
	*out = s;
	return true;
}

bool rpc_arg_i64(struct rpc_call *call, size_t i, int64_t *out)
{
	struct json_object *o = rpc_arg(call, i);
	double d;

	if (!o)
		return true;
	if (json_object_is_type(o, json_type_int)) {
		*out = json_object_get_int64(o);
		/* json-c keeps what passes int64 as uint64, or clips. */
		if (*out == INT64_MAX || *out == INT64_MIN)
			goto range;
		return true;
	}
	if (!json_object_is_type(o, json_type_double))
		return wrong_type(call, o, "number");
	d = json_object_get_double(o);
	if (!(fabs(d) < 9e15) || d != floor(d))
		goto range;
	*out = (int64_t)d;
	return true;
range:
	rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
	return false;
}

bool rpc_arg_int(struct rpc_call *call, size_t i, int *out)
{
	int64_t v = *out;

	if (!rpc_arg_i64(call, i, &v))
		return false;
	if (v < INT32_MIN || v > INT32_MAX) {
		rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
		return false;
	}
	*out = (int)v;
	return true;
}

bool rpc_arg_bool(struct rpc_call *call, size_t i, bool *out)
{
	struct json_object *o = rpc_arg(call, i);

	if (!o)
		return true;
	if (!json_object_is_type(o, json_type_boolean))
		return wrong_type(call, o, "bool");
	*out = json_object_get_boolean(o);
	return true;
}

bool rpc_arg_verbosity(struct rpc_call *call, size_t i, int *out)
{
	struct json_object *o = rpc_arg(call, i);

	if (!o || !json_object_is_type(o, json_type_boolean))
		return rpc_arg_int(call, i, out);
	*out = json_object_get_boolean(o);
	return true;
}

bool rpc_arg_hash(struct rpc_call *call, size_t i, uint8_t out[static 32])
{
	const char *names = call->method->args[i].names;
	int len = (int)strcspn(names, "|");
	const char *s = NULL;

	if (!rpc_arg_str(call, i, &s))
		return false;
	if (!s)
		return true;
	if (strlen(s) != 64) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "%.*s must be of length 64 (not %zu, for '%s')",
			 len, names, strlen(s), s);
		return false;
	}
	if (!hash_from_rpc_hex(out, s)) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "%.*s must be hexadecimal string (not '%s')", len,
			 names, s);
		return false;
	}
	return true;
}

/* As many digits as were written; an exponent is understood too. */
static bool amount_read(int64_t *out, const char *text)
{
	double d;
	char *end;

	if (amount_parse(out, text))
		return true;
	if (!strpbrk(text, "eE"))
		return false;
	d = strtod(text, &end) * (double)COIN_SAT;
	if (*end || !(fabs(d) < 9e15) || fabs(d - round(d)) > 1e-6)
		return false;
	*out = llround(d);
	return true;
}

bool rpc_amount_read(struct rpc_call *call, int64_t *sat,
		     struct json_object *o)
{
	if (!json_object_is_type(o, json_type_int) &&
	    !json_object_is_type(o, json_type_double) &&
	    !json_object_is_type(o, json_type_string)) {
		rpc_fail(call, RPC_TYPE_ERROR,
			 "Amount is not a number or string");
	} else if (!amount_read(sat, json_object_get_string(o))) {
		rpc_fail(call, RPC_TYPE_ERROR, "Invalid amount");
	} else if (!amount_ok(*sat)) {
		rpc_fail(call, RPC_TYPE_ERROR, "Amount out of range");
	} else {
		return true;
	}
	return false;
}

static bool read_txid(struct rpc_call *call, struct txid *out,
		      struct json_object *o)
{
	struct json_object *id = json_object_object_get(o, "txid");
	const char *s = json_object_get_string(id);

	if (!json_object_is_type(id, json_type_string)) {
		rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not "
			 "of expected type string", json_type_word(id));
	} else if (strlen(s) != 64) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "txid must be of "
			 "length 64 (not %zu, for '%s')", strlen(s), s);
	} else if (!hash_from_rpc_hex(out->b, s)) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "txid must be "
			 "hexadecimal string (not '%s')", s);
	} else {
		return true;
	}
	return false;
}

bool rpc_outpoint_read(struct rpc_call *call, struct outpoint *out,
		       struct json_object *o)
{
	struct json_object *n = json_object_object_get(o, "vout");
	int64_t v = json_object_get_int64(n);

	if (!read_txid(call, &out->txid, o))
		return false;
	if (!json_object_is_type(n, json_type_int)) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Invalid parameter, missing vout key");
		return false;
	}
	if (v < 0 || v > UINT32_MAX) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, "
			 "vout %s", v < 0 ? "cannot be negative" :
			 "is out of range");
		return false;
	}
	out->n = (uint32_t)v;
	return true;
}
