/*
 * Picking: chunks in order of worth.  One that does not fit is passed over,
 * and with it the rest of its cluster; near the end, after enough have not
 * fitted, it is over.
 */
#include "config.h"

#include "mempool/pick.h"

#include <stdlib.h>

#include "mempool/cluster.h"
#include "mempool/mempool_priv.h"

#define NEARLY_FULL_WU 4000
#define GIVE_UP_AFTER 1000

/* Of clusters of which a chunk was passed over. */
static uint64_t cluster_hash(const void *key, const void *ctx)
{
	(void)ctx;
	return *(const uint64_t *)key;
}

static bool cluster_is(const void *item, const void *key)
{
	const struct cluster *c = item;

	return c->id == *(const uint64_t *)key;
}

static const void *cluster_key(const void *item)
{
	const struct cluster *c = item;

	return &c->id;
}

static const struct map_type cluster_map = {
	cluster_hash, cluster_is, cluster_key
};

static bool fits(const struct pick *p, const struct pick_options *opt,
		 const struct chunk *k)
{
	uint64_t weight = (uint64_t)p->weight_wu, sigops = p->sigops_cost;

	for (size_t i = 0; i < k->count; i++) {
		weight += tx_weight(entry_tx(chunk_tx(k, i)));
		sigops += chunk_tx(k, i)->sigops_cost;
	}
	return weight <= (uint64_t)opt->max_weight_wu &&
	       sigops <= opt->max_sigops_cost;
}

static void take(struct pick *p, const struct chunk *k)
{
	if (p->n + k->count > p->cap) {
		p->cap = 2 * p->cap + 256;
		p->v = xrealloc(p->v, p->cap * sizeof *p->v);
	}
	for (size_t i = 0; i < k->count; i++) {
		const struct mempool_entry *e = chunk_tx(k, i);

		p->v[p->n++] = e;
		p->weight_wu += (int64_t)tx_weight(entry_tx(e));
		p->fee_sat += e->fee_sat;
		p->sigops_cost += e->sigops_cost;
	}
}

static bool worth(const struct chunk *k, const struct pick_options *opt)
{
	const struct feerate least = { opt->min_rate_sat_kvb,
				       1000 * WITNESS_SCALE };

	return feerate_cmp(k->rate, least) >= 0;
}

void pick_make(struct pick *out, const struct mempool *m,
	       const struct pick_options *opt)
{
	const struct chunk *k;
	struct map passed;
	unsigned misses = 0;

	*out = (struct pick){ 0 };
	map_init(&passed, &cluster_map, NULL);
	for (k = mempool_best_chunk(m); k && worth(k, opt);
	     k = mempool_next_chunk(k)) {
		if (map_get(&passed, &k->cluster->id))
			continue;
		if (fits(out, opt, k)) {
			take(out, k);
			misses = 0;
			continue;
		}
		map_put(&passed, k->cluster);
		if (++misses > GIVE_UP_AFTER && out->weight_wu +
		    NEARLY_FULL_WU > opt->max_weight_wu)
			break;
	}
	map_clear(&passed);
}

void pick_clear(struct pick *p)
{
	free(p->v);
	*p = (struct pick){ 0 };
}
