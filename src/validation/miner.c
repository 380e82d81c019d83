/*
 * Making blocks: a coinbase, the given transactions, a nonce.
 */
#include "config.h"

#include "validation/miner.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "consensus/witness_commitment.h"

#define VERSION_BITS_TOP 0x20000000u

static const uint8_t commitment_head[6] = {
	OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed
};
static const uint8_t zero_nonce[32];
static const struct span nonce_witness = { zero_nonce, sizeof zero_nonce };

static bool ancestor_header(struct block_header *out, int height, void *arg)
{
	const struct header_node *n = header_node_ancestor(arg, height);

	if (!n)
		return false;
	header_node_header(out, n);
	return true;
}

bool miner_grind(const struct chain_params *p, struct block_header *h)
{
	struct block_hash hash;
	uint32_t first = h->nonce;

	do {
		block_header_hash(&hash, h);
		if (pow_ok(p, &hash, h->bits))
			return true;
		h->nonce++;
	} while (h->nonce != first);
	return false;
}

static void merkle_of(uint8_t out[static 32], const struct tx *txs, size_t n)
{
	uint8_t (*leaves)[32] = xmalloc(n * sizeof *leaves);
	size_t i;

	for (i = 0; i < n; i++)
		memcpy(leaves[i], txs[i].txid.b, sizeof *leaves);
	merkle_root(out, (const uint8_t (*)[32])leaves, n);
	free(leaves);
}

struct block *miner_seal(const struct chain_params *p,
			 struct block_header *h, const struct tx *txs,
			 size_t n)
{
	struct bytes raw = { 0 };
	size_t i;

	merkle_of(h->merkle_root, txs, n);
	if (!miner_grind(p, h))
		return NULL;
	block_header_write(&raw, h);
	write_compact(&raw, n);
	for (i = 0; i < n; i++)
		tx_write(&raw, &txs[i], true);
	return block_decode(&raw);
}

/* The commitment needs the other transactions, and they not it. */
static struct span commitment_script(struct arena *a, const struct tx *txs,
				     size_t n)
{
	struct block b = { .tx_count = (uint32_t)n,
			   .tx = (struct tx *)txs };
	uint8_t *s = arena_alloc(a, WITNESS_COMMITMENT_BYTES);

	memcpy(s, commitment_head, sizeof commitment_head);
	witness_commitment_hash(s + sizeof commitment_head, &b, zero_nonce);
	return span_of(s, WITNESS_COMMITMENT_BYTES);
}

/* txs[0] becomes the coinbase of a block at height. */
static void make_coinbase(const struct chain_params *p, struct arena *a,
			  struct tx *txs, const struct miner_job *job,
			  int height)
{
	struct tx *cb = &txs[0];
	struct bytes sig = { 0 };
	bool segwit = buried_active(p, BURIED_SEGWIT, height);

	script_push_number(&sig, height);
	script_push_number(&sig, job->extra_nonce);
	memset(cb, 0, sizeof *cb);
	cb->version = 2;
	cb->in_count = 1;
	cb->in = arena_calloc(a, 1, sizeof *cb->in);
	cb->in[0].prevout.n = UINT32_MAX;
	cb->in[0].sequence = TX_SEQUENCE_FINAL;
	cb->in[0].script_sig = arena_copy(a, bytes_span(&sig));
	cb->out = arena_calloc(a, 2, sizeof *cb->out);
	cb->out_count = 1;
	cb->out[0].value_sat = block_subsidy_sat(p, height) + job->fees_sat;
	cb->out[0].script_pubkey = job->script;
	bytes_clear(&sig);
	if (segwit) {
		cb->has_witness = true;
		cb->in[0].witness_count = 1;
		cb->in[0].witness = &nonce_witness;
		tx_finish(cb);   /* its place in the tree is all zeros */
		cb->out[1].script_pubkey =
			commitment_script(a, txs, job->tx_count + 1);
		cb->out_count = 2;
	}
	tx_finish(cb);
}

static void make_header(struct chain *c, struct block_header *h,
			const struct miner_job *job,
			const struct header_node *parent)
{
	const struct chain_params *p = chain_params(c);
	struct block_header prev;
	int64_t earliest = header_node_mtp(parent) + 1;

	memset(h, 0, sizeof *h);
	header_node_header(&prev, parent);
	h->version = job->version ? job->version : VERSION_BITS_TOP;
	h->prev = parent->hash;
	h->time = job->time ? job->time
			    : (uint32_t)MAX_OF(earliest, chain_now(c));
	h->bits = next_bits(p, &prev, parent->height, h->time,
			    ancestor_header, (void *)parent);
}

enum err miner_build(struct chain *c, struct block **out,
		     const struct miner_job *job, struct why *why)
{
	const struct chain_params *p = chain_params(c);
	const struct header_node *parent = job->parent ? job->parent
						       : chain_tip(c);
	struct tx *txs = xcalloc(job->tx_count + 1, sizeof *txs);
	struct arena a = { 0 };
	struct block_header h;
	struct block *b;

	if (job->tx_count)
		memcpy(txs + 1, job->txs, job->tx_count * sizeof *txs);
	make_coinbase(p, &a, txs, job, parent->height + 1);
	make_header(c, &h, job, parent);
	b = miner_seal(p, &h, txs, job->tx_count + 1);
	arena_clear(&a);
	free(txs);
	if (!b)
		return why_set(why, ERR_LIMIT, "no nonce gives the block at "
			       "height %d enough work", parent->height + 1);
	*out = b;
	return ERR_NONE;
}

/* What input `o` of a transaction brings: from the coins, or from one of
 * the n transactions before it. */
static enum err input_value(struct chain *c, int64_t *value,
			    const struct outpoint *o, const struct tx *txs,
			    size_t n, struct why *why)
{
	struct coin coin;
	bool found;
	char hex[65];
	size_t i;
	enum err e;

	for (i = n; i-- > 0;) {
		if (!txid_eq(&txs[i].txid, &o->txid) ||
		    o->n >= txs[i].out_count)
			continue;
		*value = txs[i].out[o->n].value_sat;
		return ERR_NONE;
	}
	e = chain_get_coin(c, &found, &coin, o, why);
	if (e)
		return e;
	*value = found ? coin.value_sat : 0;
	if (found)
		return ERR_NONE;
	hash_to_rpc_hex(hex, o->txid.b);
	return why_set(why, ERR_INPUT, "output %s:%u does not exist or is "
		       "spent", hex, (unsigned)o->n);
}

static enum err sum_fees(struct chain *c, int64_t *fees, const struct tx *txs,
			 size_t n, struct why *why)
{
	enum err e = ERR_NONE;
	int64_t value;
	size_t i, j;

	*fees = 0;
	for (i = 0; i < n; i++) {
		for (j = 0; !e && j < txs[i].in_count; j++) {
			e = input_value(c, &value, &txs[i].in[j].prevout,
					txs, i, why);
			*fees += e ? 0 : value;
		}
		for (j = 0; j < txs[i].out_count; j++)
			*fees -= txs[i].out[j].value_sat;
	}
	if (!e && *fees < 0)
		*fees = 0;       /* the block will be refused for it */
	return e;
}

enum err miner_make_block(struct chain *c, struct block **out,
			  struct span script, const struct tx *txs, size_t n,
			  struct why *why)
{
	struct miner_job job = { .script = script, .txs = txs,
				 .tx_count = n };
	enum err e = sum_fees(c, &job.fees_sat, txs, n, why);

	return e ? e : miner_build(c, out, &job, why);
}
