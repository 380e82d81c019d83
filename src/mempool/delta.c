/*
 * prioritisetransaction: what a transaction counts as paying besides its
 * fee, remembered whether it is here or not.
 */
#include "config.h"

#include <stdlib.h>

#include "mempool/mempool_priv.h"

int64_t pool_delta(const struct mempool *m, const struct txid *id)
{
	const struct mempool_delta *d = map_get(&m->deltas, id);

	return d ? d->delta_sat : 0;
}

/* More than all the money there is counts as that much. */
static int64_t add_bounded(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		sum = b;
	return MAX_OF(MIN_OF(sum, MAX_MONEY_SAT), -MAX_MONEY_SAT);
}

/* Its cluster is put in order anew. */
static void relinearize(struct mempool *m, struct pool_entry *p)
{
	struct change ch;

	change_init(&ch, m);
	change_touch(&ch, p->e.cluster);
	CHECK(change_plan(&ch));
	change_commit(&ch);
}

void mempool_prioritise(struct mempool *m, const struct txid *id,
			int64_t delta_sat)
{
	struct mempool_delta *d = map_get(&m->deltas, id);
	struct pool_entry *p = map_get(&m->by_txid, id);

	if (!d) {
		d = xcalloc(1, sizeof *d);
		d->txid = *id;
		map_put(&m->deltas, d);
	}
	d->delta_sat = add_bounded(d->delta_sat, delta_sat);
	if (p) {
		p->e.delta_sat = d->delta_sat;
		relinearize(m, p);
	}
	if (d->delta_sat == 0) {
		map_take(&m->deltas, id);
		free(d);
	}
}

size_t mempool_deltas(const struct mempool *m, struct mempool_delta **out)
{
	const struct mempool_delta *d;
	size_t pos = 0, n = 0;

	*out = xcalloc(m->deltas.count + 1, sizeof **out);
	while ((d = map_next(&m->deltas, &pos))) {
		(*out)[n].txid = d->txid;
		(*out)[n++].delta_sat = d->delta_sat;
	}
	return n;
}
