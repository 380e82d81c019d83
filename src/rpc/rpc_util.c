/*
 * Blocks of the chain as methods show them.
 */
#include "config.h"

#include "rpc/rpc_util.h"

#include "mempool/mempool.h"

#include <stdio.h>

double bits_difficulty(uint32_t bits)
{
	unsigned shift = bits >> 24;
	double d = (double)0xffff / (double)(bits & 0xffffff);

	for (; shift < 29; shift++)
		d *= 256;
	for (; shift > 29; shift--)
		d /= 256;
	return d;
}

void bits_json_add(struct json_object *o, uint32_t bits)
{
	char hex[16];

	snprintf(hex, sizeof hex, "%08x", bits);
	json_add_str(o, "bits", hex);
}

void target_json_add(struct json_object *o, uint32_t bits)
{
	struct u256 target = { { 0 } };
	char hex[65];

	if (!u256_from_compact(&target, bits))
		target = (struct u256){ { 0 } };
	u256_to_hex(hex, &target);
	json_add_str(o, "target", hex);
}

void work_json_add(struct json_object *o, const char *key,
		   const struct u256 *work)
{
	char hex[65];

	u256_to_hex(hex, work);
	json_add_str(o, key, hex);
}

struct header_node *rpc_arg_block(struct rpc_call *call, size_t i)
{
	struct block_hash hash;
	struct header_node *n;

	if (!rpc_arg_hash(call, i, hash.b))
		return NULL;
	n = chain_lookup(call->chain, &hash);
	if (!n)
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Block not found");
	return n;
}

int64_t block_confirmations(const struct chain *c,
			    const struct header_node *n)
{
	if (!chain_contains(c, n))
		return -1;
	return (int64_t)chain_tip(c)->height - n->height + 1;
}

struct json_object *header_json(const struct chain *c,
				const struct header_node *n)
{
	struct json_object *o = json_object_new_object();
	const struct header_node *next = NULL;
	char version[16];

	if (chain_contains(c, n))
		next = chain_at(c, n->height + 1);
	json_add_hash(o, "hash", n->hash.b);
	json_add_int(o, "confirmations", block_confirmations(c, n));
	json_add_int(o, "height", n->height);
	json_add_int(o, "version", (int32_t)n->version);
	snprintf(version, sizeof version, "%08x", n->version);
	json_add_str(o, "versionHex", version);
	json_add_hash(o, "merkleroot", n->merkle_root);
	json_add_int(o, "time", n->time);
	json_add_int(o, "mediantime", header_node_mtp(n));
	json_add_int(o, "nonce", n->nonce);
	bits_json_add(o, n->bits);
	target_json_add(o, n->bits);
	json_add_double(o, "difficulty", bits_difficulty(n->bits));
	work_json_add(o, "chainwork", &n->chain_work);
	json_add_int(o, "nTx", n->tx_count);
	if (n->prev)
		json_add_hash(o, "previousblockhash", n->prev->hash.b);
	if (next)
		json_add_hash(o, "nextblockhash", next->hash.b);
	return o;
}

bool rpc_block_stored(struct rpc_call *call, const struct header_node *n)
{
	/* Reading a damaged one tells of it. */
	if (n->status & BLOCK_HAVE_DATA || n->damaged)
		return true;
	rpc_fail(call, RPC_MISC_ERROR, "Block not available (%s)",
		 chain_block_pruned(call->chain, n) ? "pruned data"
						    : "not fully downloaded");
	return false;
}

bool rpc_read_block(struct rpc_call *call, struct block **out,
		    const struct header_node *n)
{
	struct why why = { 0 };

	if (!rpc_block_stored(call, n))
		return false;
	if (chain_read_block(call->chain, out, n, &why)) {
		rpc_fail_trouble(call, &why);
		return false;
	}
	return true;
}

enum err rpc_find_coin(struct rpc_call *call, bool mempool, bool *found,
		       struct coin *coin, const struct outpoint *at,
		       struct why *why)
{
	const struct mempool_entry *e = NULL;
	const struct tx *tx;

	*found = false;
	if (mempool)
		e = mempool_get(call->mempool, &at->txid);
	if (!e)
		return chain_get_coin(call->chain, found, coin, at, why);
	tx = entry_tx(e);
	*found = at->n < tx->out_count;
	if (*found)
		*coin = (struct coin){
			.value_sat = tx->out[at->n].value_sat,
			.script = tx->out[at->n].script_pubkey };
	return ERR_NONE;
}

double hashes_per_second(const struct header_node *end, int blocks)
{
	const struct header_node *n = end;
	int64_t first = n->time, last = n->time;
	struct u256 work;

	for (int i = 0; i < blocks; i++) {
		n = n->prev;
		first = MIN_OF(first, (int64_t)n->time);
		last = MAX_OF(last, (int64_t)n->time);
	}
	if (first == last)
		return 0;
	u256_sub(&work, &end->chain_work, &n->chain_work);
	return u256_to_double(&work) / (double)(last - first);
}
