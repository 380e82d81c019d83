/*
 * The mempool's entries as JSON, and amounts as callers write them.  Chain
 * thread.
 */
#ifndef CLOISTER_RPC_MEMPOOL_JSON_H
#define CLOISTER_RPC_MEMPOOL_JSON_H

#include "mempool/mempool.h"
#include "rpc/rpc_priv.h"

/** What getmempoolentry shows. */
struct json_object *entry_json(const struct mempool_entry *e);
/**
 * The members of a set of slots of c: ids, or an object of entries by id.
 */
struct json_object *entries_json(const struct cluster *c, uint64_t set,
				 bool verbose);
/** BIP141's vsize, sigops aside. */
int64_t tx_vsize(const struct tx *tx);
/** Three fields: adjusted, the old name of it, and BIP141's. */
void vsizes_json_add(struct json_object *o, int64_t adjusted,
		     const struct tx *tx);
/** base, and if rate >= 0 effective-feerate and effective-includes. */
struct json_object *fees_json(const struct accept_result *r, bool effective);

/** An amount of BTC, number or text; absent: *out stays. */
NODISCARD bool rpc_arg_amount(struct rpc_call *call, size_t i, int64_t *out);
/** The same as a feerate, less than 1 BTC/kvB. */
NODISCARD bool rpc_arg_rate(struct rpc_call *call, size_t i, int64_t *out);

/** Argument i's transaction in the pool, or the error. */
const struct mempool_entry *rpc_arg_entry(struct rpc_call *call, size_t i);

/** Ten satoshi a byte: what sendrawtransaction bears without being told. */
#define RPC_MAX_FEERATE_SAT_KVB (COIN_SAT / 10)

#endif
