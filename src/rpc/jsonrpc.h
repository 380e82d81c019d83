/*
 * The envelope: what a JSON-RPC 1.0/1.1 or 2.0 request says, and how its
 * answer is wrapped.  Pure; no HTTP, no methods.
 */
#ifndef CLOISTER_RPC_JSONRPC_H
#define CLOISTER_RPC_JSONRPC_H

#include "rpc/rpc_json.h"

/* The reference node's codes (rpc/protocol.h there). */
enum rpc_code {
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_PARSE_ERROR = -32700,

	RPC_MISC_ERROR = -1,
	RPC_FORBIDDEN = -32604,  /* ours: not with this role */
	RPC_TYPE_ERROR = -3,
	RPC_INVALID_ADDRESS_OR_KEY = -5,
	RPC_INVALID_PARAMETER = -8,
	RPC_CLIENT_NOT_CONNECTED = -9,
	RPC_IN_INITIAL_DOWNLOAD = -10,
	RPC_CLIENT_IN_INITIAL_DOWNLOAD = -10,
	RPC_DATABASE_ERROR = -20,
	RPC_DESERIALIZATION_ERROR = -22,
	RPC_CLIENT_NODE_ALREADY_ADDED = -23,
	RPC_CLIENT_NODE_NOT_ADDED = -24,
	RPC_VERIFY_ERROR = -25,
	RPC_VERIFY_REJECTED = -26,
	RPC_VERIFY_ALREADY_IN_UTXO_SET = -27,
	RPC_IN_WARMUP = -28,
	RPC_CLIENT_NODE_NOT_CONNECTED = -29,
	RPC_CLIENT_INVALID_IP_OR_SUBNET = -30,
	RPC_CLIENT_P2P_DISABLED = -31,
};

/* {0}: no error. */
struct rpc_error {
	int code;
	char *message;           /* owned */
};

void rpc_error_set(struct rpc_error *e, int code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void rpc_error_clear(struct rpc_error *e);

enum rpc_version { RPC_V1, RPC_V2 };

/* One request; pointers borrow from the JSON it was read from. */
struct rpc_request {
	enum rpc_version version;
	bool has_id;
	struct json_object *id;
	const char *method;
	struct json_object *params;     /* array, object or NULL */
};

/**
 * Read one request.  Even when it is malformed, version and id hold what
 * could be read, for the answer.
 */
NODISCARD bool rpc_request_read(struct rpc_request *out,
				struct rpc_error *e,
				struct json_object *item);
/** A 2.0 request without id: gets no answer. */
bool rpc_request_is_notification(const struct rpc_request *r);
/** Wrap a result (TAKES) or, where e->code is set, the error. */
struct json_object *rpc_reply_new(const struct rpc_request *r,
				  struct json_object *result,
				  const struct rpc_error *e);
/** HTTP status of a 1.x single request that failed with this code. */
int rpc_error_http_status(int code);

#endif
