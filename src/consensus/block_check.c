/*
 * The rules of a block: by itself, and in its place in the chain.
 */
#include "config.h"

#include "consensus/block_check.h"

#include "consensus/script.h"
#include "consensus/tx_inputs.h"
#include "consensus/witness_commitment.h"

/* The header commits to the transactions, in one way only. */
static enum verdict check_merkle_root(const struct block *b)
{
	uint8_t root[32];
	bool mutated;

	block_merkle_root(root, &mutated, b);
	if (memcmp(root, b->header.merkle_root, sizeof root) != 0)
		return VERDICT_BAD_MERKLE_ROOT;
	return mutated ? VERDICT_BAD_TXNS_DUPLICATE : VERDICT_OK;
}

/* Its size by the rule of 2010, and one coinbase, first. */
static enum verdict check_shape(const struct block *b)
{
	if (b->tx_count == 0 ||
	    b->tx_count > MAX_BLOCK_WEIGHT_WU / WITNESS_SCALE ||
	    b->stripped_bytes > MAX_BLOCK_WEIGHT_WU / WITNESS_SCALE)
		return VERDICT_BAD_BLOCK_LENGTH;
	if (!tx_is_coinbase(&b->tx[0]))
		return VERDICT_COINBASE_MISSING;
	for (uint32_t i = 1; i < b->tx_count; i++) {
		if (tx_is_coinbase(&b->tx[i]))
			return VERDICT_COINBASE_MULTIPLE;
	}
	return VERDICT_OK;
}

/* Each transaction by itself, then the operations that can be counted
 * without coins (BIP141's scale, applied to blocks before it too). */
static enum verdict check_txs(int32_t *bad_tx, const struct block *b)
{
	uint64_t sigops = 0;

	for (uint32_t i = 0; i < b->tx_count; i++) {
		enum verdict v = tx_check(&b->tx[i]);

		if (v) {
			*bad_tx = (int32_t)i;
			return v;
		}
	}
	for (uint32_t i = 0; i < b->tx_count; i++)
		sigops += tx_legacy_sigops(&b->tx[i]);
	return sigops * WITNESS_SCALE > MAX_BLOCK_SIGOPS_COST ?
	       VERDICT_BAD_BLOCK_SIGOPS : VERDICT_OK;
}

/* Core CheckBlock, in its order: after a signet solution the merkle root, for
 * what is wrong with a damaged copy says nothing of the block. */
void block_check(struct finding *f, const struct chain_params *p,
		 const struct block *b)
{
	finding_set(f, VERDICT_OK);
	if (p->signet_challenge && !signet_solution_ok(p, b))
		f->verdict = VERDICT_BAD_SIGNET_SOLUTION;
	if (!f->verdict)
		f->verdict = check_merkle_root(b);
	if (!f->verdict)
		f->verdict = check_shape(b);
	if (!f->verdict)
		f->verdict = check_txs(&f->tx, b);
}

/* BIP34 */
static bool coinbase_has_height(const struct block *b, int height)
{
	struct bytes push = { 0 };
	struct span script;
	bool ok;

	if (b->tx_count == 0 || b->tx[0].in_count == 0)
		return false;
	script = b->tx[0].in[0].script_sig;
	script_push_number(&push, height);
	ok = script.n >= push.n && memcmp(script.p, push.p, push.n) == 0;
	bytes_clear(&push);
	return ok;
}

/* Core ContextualCheckBlock, in its order. */
void block_check_context(struct finding *f, const struct chain_params *p,
			 const struct block *b, int height,
			 int64_t median_time_past)
{
	/* BIP113 */
	int64_t time_unix = buried_active(p, BURIED_CSV, height) ?
			    median_time_past : (int64_t)b->header.time;

	finding_set(f, VERDICT_OK);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		if (!tx_is_final(&b->tx[i], height, time_unix)) {
			f->verdict = VERDICT_TXNS_NONFINAL;
			f->tx = (int32_t)i;
			return;
		}
	}
	if (buried_active(p, BURIED_BIP34, height) &&
	    !coinbase_has_height(b, height)) {
		f->verdict = VERDICT_BAD_COINBASE_HEIGHT;
		return;
	}
	/* BIP141: the commitment first, then the weight that it makes sure. */
	f->verdict = witness_commitment_check(
		b, buried_active(p, BURIED_SEGWIT, height));
	if (!f->verdict && block_weight(b) > MAX_BLOCK_WEIGHT_WU)
		f->verdict = VERDICT_BAD_BLOCK_WEIGHT;
}

/* A transaction of 64 bytes can pass for an inner node of the tree, so the
 * list without a coinbase may be no list of transactions at all. */
static bool has_tx_like_node(const struct block *b)
{
	for (uint32_t i = 0; i < b->tx_count; i++) {
		if (tx_size(&b->tx[i], false) == 64)
			return true;
	}
	return false;
}

bool block_is_mutated(const struct block *b, bool witness_expected)
{
	if (check_merkle_root(b) != VERDICT_OK)
		return true;
	if (b->tx_count == 0 || !tx_is_coinbase(&b->tx[0]))
		return has_tx_like_node(b);
	return witness_commitment_check(b, witness_expected) != VERDICT_OK;
}
