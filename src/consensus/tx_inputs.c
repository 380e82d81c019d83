/*
 * A transaction against the coins it spends: values, maturity, relative lock
 * times, signature operations.
 */
#include "config.h"

#include "consensus/tx_inputs.h"

#include "consensus/script.h"
#include "consensus/script_flags.h"

enum verdict tx_check_inputs(int64_t *fee_sat, const struct tx *tx,
			     const struct tx_out *spent,
			     const struct coin_meta *meta, int spend_height)
{
	int64_t in_sat = 0, out_sat = 0;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (meta[i].coinbase &&
		    spend_height - meta[i].height < COINBASE_MATURITY)
			return VERDICT_PREMATURE_COINBASE;
		if (!amount_add(&in_sat, in_sat, spent[i].value_sat))
			return VERDICT_INPUT_VALUES;
	}
	/* tx_check() has seen to this sum's range. */
	for (uint32_t i = 0; i < tx->out_count; i++)
		out_sat += tx->out[i].value_sat;
	if (in_sat < out_sat)
		return VERDICT_IN_BELOW_OUT;
	/* Cannot be, after the checks above; the reference node asks too. */
	if (!amount_ok(in_sat - out_sat))
		return VERDICT_FEE_OUT_OF_RANGE;
	*fee_sat = in_sat - out_sat;
	return VERDICT_OK;
}

/* ---- BIP68 ------------------------------------------------------------ */

/* The last height and time at which the input may not be spent yet. */
struct lock_point {
	int64_t height, time_unix;
};

static void lock_point_add(struct lock_point *l, uint32_t sequence,
			   int coin_height, mtp_fn *mtp, void *arg)
{
	int64_t distance = sequence & SEQUENCE_MASK;

	if (sequence & SEQUENCE_IS_TIME) {
		/* Counted from the block before the one with the coin. */
		int64_t from = mtp(MAX_OF(coin_height, 1), arg);
		int64_t until = from + (distance << SEQUENCE_TIME_SHIFT) - 1;

		l->time_unix = MAX_OF(l->time_unix, until);
	} else {
		int64_t until = coin_height + distance - 1;

		l->height = MAX_OF(l->height, until);
	}
}

bool tx_sequence_locks_ok(const struct tx *tx, const struct coin_meta *meta,
			  int height, int64_t prev_mtp, mtp_fn *mtp,
			  void *arg)
{
	struct lock_point l = { -1, -1 };

	if (tx->version < 2)
		return true;
	for (uint32_t i = 0; i < tx->in_count; i++) {
		uint32_t sequence = tx->in[i].sequence;

		if (!(sequence & SEQUENCE_DISABLE))
			lock_point_add(&l, sequence, meta[i].height, mtp, arg);
	}
	return l.height < height && l.time_unix < prev_mtp;
}

/* ---- signature operations --------------------------------------------- */

/* Core GetLegacySigOpCount: scripts as they stand, whether they run or not. */
unsigned tx_legacy_sigops(const struct tx *tx)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < tx->in_count; i++)
		n += script_sigops(tx->in[i].script_sig, false);
	for (uint32_t i = 0; i < tx->out_count; i++)
		n += script_sigops(tx->out[i].script_pubkey, false);
	return n;
}

/* Core GetTransactionSigOpCost: BIP141 counts those of BIP16 and before four
 * times. */
uint64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent,
		       uint32_t flags)
{
	uint64_t cost = (uint64_t)tx_legacy_sigops(tx) * WITNESS_SCALE;

	if (tx_is_coinbase(tx))
		return cost;
	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct tx_in *in = &tx->in[i];
		struct span script = spent[i].script_pubkey;

		if (flags & SCRIPT_VERIFY_P2SH)
			cost += (uint64_t)WITNESS_SCALE *
				script_sigops_p2sh(script, in->script_sig);
		if (flags & SCRIPT_VERIFY_WITNESS)
			cost += script_sigops_witness(script, in->script_sig,
						      in->witness,
						      in->witness_count);
	}
	return cost;
}
