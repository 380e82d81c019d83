/*
 * Ranges of descriptors, as callers write them.
 */
#ifndef CLOISTER_RPC_RPC_RANGE_H
#define CLOISTER_RPC_RPC_RANGE_H

#include "rpc/rpc_priv.h"

struct rpc_range {
	uint32_t begin, end;     /* both within; below 2^31 */
};

/** A number (the end) or [begin,end], of at most `most` indices; otherwise
 * the call has its error. */
NODISCARD bool rpc_range_read(struct rpc_call *call, struct rpc_range *out,
			      struct json_object *o, int64_t most);

#endif
