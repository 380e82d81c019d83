/*
 * The rules of a transaction by itself.
 */
#include "config.h"

#include "consensus/block_check.h"

#include <stdlib.h>

/* Up to here comparing all pairs is quickest. */
#define FEW_INPUTS 12

/* No more money than there is, in each and in sum (CVE-2010-5139). */
static enum verdict check_outputs(const struct tx *tx)
{
	int64_t sum_sat = 0;

	for (uint32_t i = 0; i < tx->out_count; i++) {
		int64_t value_sat = tx->out[i].value_sat;

		if (value_sat < 0)
			return VERDICT_VOUT_NEGATIVE;
		if (value_sat > MAX_MONEY_SAT)
			return VERDICT_VOUT_TOOLARGE;
		if (!amount_add(&sum_sat, sum_sat, value_sat))
			return VERDICT_TXOUT_TOTAL_TOOLARGE;
	}
	return VERDICT_OK;
}

static bool has_equal_pair(const struct tx *tx)
{
	for (uint32_t i = 1; i < tx->in_count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (outpoint_eq(&tx->in[i].prevout,
					&tx->in[k].prevout))
				return true;
		}
	}
	return false;
}

static uint64_t outpoint_mix(const struct outpoint *o)
{
	uint64_t h;

	memcpy(&h, o->txid.b, sizeof h);
	return (h + o->n) * UINT64_C(0x9e3779b97f4a7c15);
}

enum search { SEARCH_NONE, SEARCH_FOUND, SEARCH_GIVEN_UP };

/* Through a hash table.  Whoever makes the transaction could make its inputs
 * collide, so there is a limit to the patience. */
static enum search search_table(const struct tx *tx)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(2 * tx->in_count);
	uint32_t *slots = xcalloc((size_t)1 << bits, sizeof *slots);
	uint64_t patience = UINT64_C(16) * tx->in_count;
	size_t mask = ((size_t)1 << bits) - 1;
	enum search result = SEARCH_NONE;

	for (uint32_t i = 0; i < tx->in_count && !result; i++) {
		const struct outpoint *o = &tx->in[i].prevout;
		size_t at = (size_t)(outpoint_mix(o) >> (64 - bits));

		for (; slots[at] && !result; at = (at + 1) & mask) {
			if (outpoint_eq(&tx->in[slots[at] - 1].prevout, o))
				result = SEARCH_FOUND;
			else if (patience-- == 0)
				result = SEARCH_GIVEN_UP;
		}
		slots[at] = i + 1;
	}
	free(slots);
	return result;
}

static int outpoint_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct outpoint));
}

_Static_assert(sizeof(struct outpoint) == 36, "compared as bytes");

static bool search_sorted(const struct tx *tx)
{
	struct outpoint *sorted = xmalloc(tx->in_count * sizeof *sorted);
	bool found = false;

	for (uint32_t i = 0; i < tx->in_count; i++)
		sorted[i] = tx->in[i].prevout;
	qsort(sorted, tx->in_count, sizeof *sorted, outpoint_cmp);
	for (uint32_t i = 1; i < tx->in_count && !found; i++)
		found = outpoint_eq(&sorted[i], &sorted[i - 1]);
	free(sorted);
	return found;
}

/* CVE-2018-17144 */
static bool has_duplicate_input(const struct tx *tx)
{
	enum search result;

	if (tx->in_count <= FEW_INPUTS)
		return has_equal_pair(tx);
	result = search_table(tx);
	return result == SEARCH_GIVEN_UP ? search_sorted(tx)
					 : result == SEARCH_FOUND;
}

/* Each spends something else; only a coinbase spends nothing. */
static enum verdict check_inputs(const struct tx *tx)
{
	if (has_duplicate_input(tx))
		return VERDICT_INPUTS_DUPLICATE;
	if (tx_is_coinbase(tx)) {
		size_t n = tx->in[0].script_sig.n;

		return n < 2 || n > 100 ? VERDICT_COINBASE_LENGTH
					: VERDICT_OK;
	}
	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (outpoint_is_null(&tx->in[i].prevout))
			return VERDICT_PREVOUT_NULL;
	}
	return VERDICT_OK;
}

/* Core CheckTransaction, in its order. */
enum verdict tx_check(const struct tx *tx)
{
	enum verdict v;

	if (tx->in_count == 0)
		return VERDICT_VIN_EMPTY;
	if (tx->out_count == 0)
		return VERDICT_VOUT_EMPTY;
	/* Without witness: what a block of that transaction alone weighs. */
	if (tx_size(tx, false) * WITNESS_SCALE > MAX_BLOCK_WEIGHT_WU)
		return VERDICT_TX_OVERSIZE;
	v = check_outputs(tx);
	return v ? v : check_inputs(tx);
}

/* Core IsFinalTx.  With all sequences final the lock time says nothing. */
bool tx_is_final(const struct tx *tx, int height, int64_t time_unix)
{
	int64_t now = tx->lock_time < LOCKTIME_THRESHOLD ? height : time_unix;

	if (tx->lock_time == 0 || (int64_t)tx->lock_time < now)
		return true;
	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (tx->in[i].sequence != TX_SEQUENCE_FINAL)
			return false;
	}
	return true;
}
