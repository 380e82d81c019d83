/*
 * Ephemeral dust: an output below the dust limit may pass, if it pays no fee
 * and every child spends it, so that it never stays behind alone.
 */
#include "config.h"

#include "mempool/candidate.h"
#include "mempool/mempool_priv.h"

static bool spends(const struct tx *tx, const struct txid *id, uint32_t n)
{
	for (uint32_t i = 0; i < tx->in_count; i++)
		if (tx->in[i].prevout.n == n &&
		    txid_eq(&tx->in[i].prevout.txid, id))
			return true;
	return false;
}

/* All dust of parent is spent by tx. */
static bool dust_spent(const struct mempool *m, const struct tx *tx,
		       const struct tx *parent)
{
	for (uint32_t n = 0; n < parent->out_count; n++)
		if (policy_is_dust(&parent->out[n],
				   m->opt.policy.dust_sat_kvb) &&
		    !spends(tx, &parent->txid, n))
			return false;
	return true;
}

static bool unspent(struct reject *r, const struct tx *tx)
{
	char txid[65], wtxid[65];

	hash_to_rpc_hex(txid, tx->txid.b);
	hash_to_rpc_hex(wtxid, tx->wtxid.b);
	return reject_set(r, REJECT_POLICY, "missing-ephemeral-spends",
			  "tx %s (wtxid=%s) did not spend parent's ephemeral "
			  "dust", txid, wtxid);
}

bool ephemeral_spent(struct reject *r, const struct mempool *m,
		     const struct candidate *c,
		     const struct candidate *before, size_t before_n)
{
	const struct tx *tx = &c->tx->tx;

	if (!m->opt.policy.require_standard)
		return true;
	for (size_t i = 0; i < c->parents.n; i++)
		if (!dust_spent(m, tx, entry_tx(c->parents.v[i])))
			return unspent(r, tx);
	for (size_t i = 0; i < before_n; i++) {
		const struct tx *p = &before[i].tx->tx;

		if (tx_spends_from(tx, &p->txid) && !dust_spent(m, tx, p))
			return unspent(r, tx);
	}
	return true;
}
