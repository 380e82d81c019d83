/*
 * JSON-RPC envelopes, in the reference node's dialect of 1.0/1.1 (both
 * result and error always present) and in 2.0.
 */
#include "config.h"

#include "rpc/jsonrpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void rpc_error_set(struct rpc_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	free(e->message);
	e->code = code;
	va_start(ap, fmt);
	CHECK(vasprintf(&e->message, fmt, ap) >= 0);
	va_end(ap);
}

void rpc_error_clear(struct rpc_error *e)
{
	free(e->message);
	*e = (struct rpc_error){ 0, NULL };
}

/* A string without embedded zero bytes, or NULL. */
static const char *clean_string(struct json_object *o)
{
	const char *s;

	if (!json_object_is_type(o, json_type_string))
		return NULL;
	s = json_object_get_string(o);
	return strlen(s) == (size_t)json_object_get_string_len(o) ? s : NULL;
}

static bool read_version(struct rpc_request *out, struct rpc_error *e,
			 struct json_object *item)
{
	struct json_object *o;
	const char *s;

	if (!json_object_object_get_ex(item, "jsonrpc", &o) || !o)
		return true;
	s = clean_string(o);
	if (!s) {
		rpc_error_set(e, RPC_INVALID_REQUEST,
			      "jsonrpc field must be a string");
		return false;
	}
	/* Not in any standard, but sent by old clients. */
	if (strcmp(s, "1.0") == 0)
		return true;
	if (strcmp(s, "2.0") == 0) {
		out->version = RPC_V2;
		return true;
	}
	rpc_error_set(e, RPC_INVALID_REQUEST,
		      "JSON-RPC version not supported");
	return false;
}

bool rpc_request_read(struct rpc_request *out, struct rpc_error *e,
		      struct json_object *item)
{
	struct json_object *method = NULL;

	*out = (struct rpc_request){ .version = RPC_V1 };
	if (!json_object_is_type(item, json_type_object)) {
		rpc_error_set(e, RPC_INVALID_REQUEST,
			      "Invalid Request object");
		return false;
	}
	out->has_id = json_object_object_get_ex(item, "id", &out->id);
	if (!read_version(out, e, item))
		return false;
	json_object_object_get_ex(item, "method", &method);
	if (!method) {
		rpc_error_set(e, RPC_INVALID_REQUEST, "Missing method");
		return false;
	}
	out->method = clean_string(method);
	if (!out->method) {
		rpc_error_set(e, RPC_INVALID_REQUEST,
			      "Method must be a string");
		return false;
	}
	json_object_object_get_ex(item, "params", &out->params);
	if (out->params &&
	    !json_object_is_type(out->params, json_type_array) &&
	    !json_object_is_type(out->params, json_type_object)) {
		rpc_error_set(e, RPC_INVALID_REQUEST,
			      "Params must be an array or object");
		return false;
	}
	return true;
}

bool rpc_request_is_notification(const struct rpc_request *r)
{
	return r->version == RPC_V2 && !r->has_id;
}

struct json_object *rpc_reply_new(const struct rpc_request *r,
				  struct json_object *result,
				  const struct rpc_error *e)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *error = NULL;

	if (e->code) {
		json_object_put(result);
		result = NULL;
		error = json_object_new_object();
		json_add_int(error, "code", e->code);
		json_add_str(error, "message", e->message);
	}
	if (r->version == RPC_V2)
		json_add_str(reply, "jsonrpc", "2.0");
	if (r->version == RPC_V1 || !error)
		json_add(reply, "result", result);
	if (r->version == RPC_V1 || error)
		json_add(reply, "error", error);
	json_add(reply, "id", json_object_get(r->id));
	return reply;
}

int rpc_error_http_status(int code)
{
	if (code == RPC_INVALID_REQUEST)
		return 400;
	if (code == RPC_METHOD_NOT_FOUND)
		return 404;
	return 500;
}
