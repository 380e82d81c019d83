/*
 * The rules of a transaction by itself.
 */
#include "config.h"

#include "consensus/block_check.h"

#include <stdlib.h>

/* Below it a lock time is a height, from it on a time. */
#define LOCKTIME_THRESHOLD 500000000u
/* Up to here comparing all pairs is quicker than sorting. */
#define FEW_INPUTS 12

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

static int outpoint_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct outpoint));
}

_Static_assert(sizeof(struct outpoint) == 36, "compared as bytes");

/* CVE-2018-17144 */
static bool has_duplicate_input(const struct tx *tx)
{
	struct outpoint *sorted;
	bool found = false;

	if (tx->in_count <= FEW_INPUTS) {
		for (uint32_t i = 1; i < tx->in_count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				if (outpoint_eq(&tx->in[i].prevout,
						&tx->in[k].prevout))
					return true;
			}
		}
		return false;
	}
	sorted = xmalloc(tx->in_count * sizeof *sorted);
	for (uint32_t i = 0; i < tx->in_count; i++)
		sorted[i] = tx->in[i].prevout;
	qsort(sorted, tx->in_count, sizeof *sorted, outpoint_cmp);
	for (uint32_t i = 1; i < tx->in_count && !found; i++)
		found = outpoint_eq(&sorted[i], &sorted[i - 1]);
	free(sorted);
	return found;
}

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

enum verdict tx_check(const struct tx *tx)
{
	enum verdict v;

	if (tx->in_count == 0)
		return VERDICT_VIN_EMPTY;
	if (tx->out_count == 0)
		return VERDICT_VOUT_EMPTY;
	if (tx_size(tx, false) * WITNESS_SCALE > MAX_BLOCK_WEIGHT_WU)
		return VERDICT_TX_OVERSIZE;
	v = check_outputs(tx);
	return v ? v : check_inputs(tx);
}

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
