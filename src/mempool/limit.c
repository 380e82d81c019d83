/*
 * Keeping within memory and time: the worst chunk goes first, and what it
 * paid becomes the minimum for a while.
 */
#include "config.h"

#include <math.h>

#include "mempool/mempool_priv.h"

/* The minimum halves in 12 hours; sooner while there is much room. */
#define HALF_LIFE_S (60 * 60 * 12)
#define DECAY_EVERY_S 10

void pool_fee_block(struct mempool *m)
{
	m->block_since_rise = true;
	m->rolling_since = pool_now(m);
}

int64_t mempool_min_fee(struct mempool *m)
{
	int64_t incremental = m->opt.policy.incremental_sat_kvb;
	int64_t now = pool_now(m), passed = now - m->rolling_since;
	size_t used = mempool_memory(m), max = m->opt.policy.max_memory_bytes;
	double half = HALF_LIFE_S;

	if (m->rolling_sat_kvb > 0 && m->block_since_rise &&
	    passed > DECAY_EVERY_S) {
		if (used < max / 4)
			half /= 4;
		else if (used < max / 2)
			half /= 2;
		m->rolling_sat_kvb /= pow(2.0, (double)passed / half);
		m->rolling_since = now;
		if (m->rolling_sat_kvb < (double)incremental / 2)
			m->rolling_sat_kvb = 0;
	}
	if (m->rolling_sat_kvb <= 0)
		return 0;
	if (!m->block_since_rise)
		return llround(m->rolling_sat_kvb);
	return MAX_OF(llround(m->rolling_sat_kvb), incremental);
}

int64_t mempool_entry_fee(struct mempool *m)
{
	return MAX_OF(mempool_min_fee(m), m->opt.policy.min_relay_sat_kvb);
}

/* What left paid so much: who comes must pay more. */
static void raise_minimum(struct mempool *m, struct feerate gone)
{
	int64_t rate = rate_of_fee(gone.fee_sat,
				   vsize_of_weight(gone.weight_wu)) +
		       m->opt.policy.incremental_sat_kvb;

	if ((double)rate <= m->rolling_sat_kvb)
		return;
	m->rolling_sat_kvb = (double)rate;
	m->block_since_rise = false;
}

void pool_trim(struct mempool *m)
{
	while (mempool_memory(m) > m->opt.policy.max_memory_bytes) {
		const struct chunk *k = chunk_index_worst(&m->chunks);
		struct change ch;

		if (!k)
			return;
		raise_minimum(m, k->rate);
		change_init(&ch, m);
		for (size_t i = 0; i < k->count; i++)
			change_remove(&ch, chunk_tx(k, i), true,
				      REMOVED_SIZE_LIMIT);
		CHECK(change_plan(&ch));
		change_commit(&ch);
	}
}

static void expire(struct mempool *m)
{
	int64_t before = pool_now(m) - m->opt.policy.expiry_s;
	const struct mempool_entry *e;

	while ((e = pool_oldest(m)) && e->time_unix < before) {
		struct change ch;

		change_init(&ch, m);
		change_remove(&ch, e, true, REMOVED_EXPIRY);
		CHECK(change_plan(&ch));
		change_commit(&ch);
	}
}

void mempool_limit(struct mempool *m)
{
	expire(m);
	pool_trim(m);
}
