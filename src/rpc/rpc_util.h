/*
 * What several methods share about blocks of the chain.  Chain thread.
 */
#ifndef CLOISTER_RPC_RPC_UTIL_H
#define CLOISTER_RPC_RPC_UTIL_H

#include "rpc/rpc_priv.h"
#include "validation/chain.h"

/** Difficulty as a multiple of the easiest mainnet target. */
double bits_difficulty(uint32_t bits);
/** bits as eight digits, and the target they mean. */
void bits_json_add(struct json_object *o, uint32_t bits);
void target_json_add(struct json_object *o, uint32_t bits);
void work_json_add(struct json_object *o, const char *key,
		   const struct u256 *work);

/** Over the last so many blocks up to end, at most its height. */
double hashes_per_second(const struct header_node *end, int blocks);

/** The block named by argument i, or the error "Block not found". */
struct header_node *rpc_arg_block(struct rpc_call *call, size_t i);
/** A block by its height on the active chain, or by its hash. */
struct header_node *rpc_block_by_json(struct rpc_call *call,
				      struct json_object *o);
/** Confirmations on the active chain: 1 for the tip, -1 when off it. */
int64_t block_confirmations(const struct chain *c,
			    const struct header_node *n);
/** Everything getblockheader shows. */
struct json_object *header_json(const struct chain *c,
				const struct header_node *n);
/** Is the block's data here?  If not, the call has its error. */
NODISCARD bool rpc_block_stored(struct rpc_call *call,
				const struct header_node *n);
/** Read and decode; on failure the call has its error. */
NODISCARD bool rpc_read_block(struct rpc_call *call, struct block **out,
			      const struct header_node *n);
/** An unspent output, of the mempool too if so asked (there coin->height is
 * 0), whether or not something unconfirmed spends it.  The script is borrowed
 * until the next call on either. */
NODISCARD enum err rpc_find_coin(struct rpc_call *call, bool mempool,
				 bool *found, struct coin *coin,
				 const struct outpoint *at, struct why *why);

#endif
