/*
 * How far along the chain is: transactions seen of those there should be by
 * now, from a known count and the rate since.
 */
#include "config.h"

#include "validation/chain_priv.h"

/* Transactions up to a time, and how many a second came then. */
static const struct tx_pace {
	int64_t time_unix;
	double txs, per_second;
} paces[] = {
	[CHAIN_MAIN] = { 1741017141, 1161875261, 4.6207 },
	[CHAIN_TESTNET3] = { 1703579240, 67845391, 1.4644 },
	[CHAIN_TESTNET4] = { 1741070246, 7653966, 1.2392 },
	[CHAIN_SIGNET] = { 1706331472, 2425380, 0.0083 },
	[CHAIN_REGTEST] = { 0, 0, 0.001 },
};

double chain_progress(struct chain *c)
{
	const struct tx_pace *p = &paces[c->opt.params->id];
	const struct header_node *tip = chain_tip(c);
	double done = (double)tip->chain_tx_count, total;
	int64_t now = clock_unix(c->opt.clock);

	if (done <= p->txs)
		total = p->txs + (double)(now - p->time_unix) * p->per_second;
	else
		total = done + (double)(now - (int64_t)tip->time) *
			       p->per_second;
	return total > done ? done / total : 1.0;
}
