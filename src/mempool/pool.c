/*
 * The pool's tables: entries by txid, by wtxid, by what they spend, by age.
 */
#include "config.h"

#include <stdlib.h>

#include "base/random.h"
#include "crypto/hash.h"
#include "mempool/mempool_priv.h"

#define MALLOC_OVERHEAD 16

/* ---- tables: keys are salted, since outsiders choose them ---- */

static uint64_t id_hash(const void *key, const void *ctx)
{
	const uint64_t *salt = ctx;

	return siphash13_u256_u32(salt[0], salt[1], key, 0);
}

static bool txid_is(const void *item, const void *key)
{
	const struct pool_entry *p = item;

	return txid_eq(&entry_tx(&p->e)->txid, key);
}

static const void *txid_of(const void *item)
{
	const struct pool_entry *p = item;

	return &entry_tx(&p->e)->txid;
}

static bool wtxid_is(const void *item, const void *key)
{
	const struct pool_entry *p = item;

	return memcmp(entry_tx(&p->e)->wtxid.b, key, 32) == 0;
}

static const void *wtxid_of(const void *item)
{
	const struct pool_entry *p = item;

	return &entry_tx(&p->e)->wtxid;
}

static uint64_t outpoint_hash(const void *key, const void *ctx)
{
	const struct outpoint *o = key;
	const uint64_t *salt = ctx;

	return siphash13_u256_u32(salt[0], salt[1], o->txid.b, o->n);
}

static bool outpoint_is(const void *item, const void *key)
{
	const struct spend_ref *s = item;

	return outpoint_eq(s->o, key);
}

static const void *outpoint_of(const void *item)
{
	const struct spend_ref *s = item;

	return s->o;
}

static bool delta_is(const void *item, const void *key)
{
	const struct mempool_delta *d = item;

	return txid_eq(&d->txid, key);
}

static const void *delta_of(const void *item)
{
	const struct mempool_delta *d = item;

	return &d->txid;
}

static const struct map_type txid_map = { id_hash, txid_is, txid_of };
static const struct map_type wtxid_map = { id_hash, wtxid_is, wtxid_of };
static const struct map_type spent_map = {
	outpoint_hash, outpoint_is, outpoint_of
};
static const struct map_type delta_map = { id_hash, delta_is, delta_of };

/* ---- entries ---- */

struct mempool_entry *entry_new(struct shared_tx *tx)
{
	struct pool_entry *p = xcalloc(1, sizeof *p + tx->tx.in_count *
					  sizeof *p->spends);

	p->e.tx = shared_tx_ref(tx);
	for (uint32_t i = 0; i < tx->tx.in_count; i++)
		p->spends[i] = (struct spend_ref){
			p, &tx->tx.in[i].prevout };
	return &p->e;
}

void entry_free(struct mempool_entry *e)
{
	if (!e)
		return;
	shared_tx_unref(e->tx);
	free(pool_entry_of(e));
}

static size_t entry_memory(const struct mempool_entry *e)
{
	return sizeof(struct pool_entry) + MALLOC_OVERHEAD +
	       entry_tx(e)->in_count * sizeof(struct spend_ref) +
	       e->tx->memory_bytes;
}

/* ---- by age: a heap that knows its members' places ---- */

static void age_set(struct mempool *m, size_t i, struct pool_entry *p)
{
	m->ages[i] = p;
	p->age_place = (uint32_t)i;
}

/* Put p where it belongs, starting from the free place i of n. */
static void age_settle(struct mempool *m, size_t i, size_t n,
		       struct pool_entry *p)
{
	size_t child;

	while (i && m->ages[(i - 1) / 2]->e.time_unix > p->e.time_unix) {
		age_set(m, i, m->ages[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && m->ages[child + 1]->e.time_unix <
				     m->ages[child]->e.time_unix)
			child++;
		if (m->ages[child]->e.time_unix >= p->e.time_unix)
			break;
		age_set(m, i, m->ages[child]);
		i = child;
	}
	age_set(m, i, p);
}

static void age_add(struct mempool *m, struct pool_entry *p)
{
	size_t n = m->by_txid.count;     /* p not among them */

	if (n == m->age_cap) {
		m->age_cap = m->age_cap ? 2 * m->age_cap : 64;
		m->ages = xrealloc(m->ages, m->age_cap * sizeof *m->ages);
	}
	age_settle(m, n, n, p);
}

static void age_remove(struct mempool *m, struct pool_entry *p)
{
	size_t n = m->by_txid.count - 1; /* p still among them */
	struct pool_entry *last = m->ages[n];

	if (last != p)
		age_settle(m, p->age_place, n, last);
}

const struct mempool_entry *pool_oldest(const struct mempool *m)
{
	return m->by_txid.count ? &m->ages[0]->e : NULL;
}

/* ---- in and out ---- */

void pool_insert(struct mempool *m, struct mempool_entry *e)
{
	struct pool_entry *p = pool_entry_of(e);

	e->sequence = m->sequence++;
	age_add(m, p);
	CHECK(!map_put(&m->by_txid, p));
	CHECK(!map_put(&m->by_wtxid, p));
	for (uint32_t i = 0; i < entry_tx(e)->in_count; i++)
		CHECK(!map_put(&m->by_spent, &p->spends[i]));
	m->entry_memory += entry_memory(e);
	m->total_vsize += entry_vsize(e);
	m->total_fee += e->fee_sat;
	m->unbroadcast += e->unbroadcast;
	if (m->opt.events.added)
		m->opt.events.added(m->opt.events.ctx, e);
}

void pool_drop(struct mempool *m, struct mempool_entry *e,
	       enum mempool_removal reason)
{
	struct pool_entry *p = pool_entry_of(e);
	uint64_t sequence = reason == REMOVED_BLOCK ? m->sequence
						    : m->sequence++;

	age_remove(m, p);
	map_take(&m->by_txid, &entry_tx(e)->txid);
	map_take(&m->by_wtxid, &entry_tx(e)->wtxid);
	for (uint32_t i = 0; i < entry_tx(e)->in_count; i++)
		map_take(&m->by_spent, p->spends[i].o);
	m->entry_memory -= entry_memory(e);
	m->total_vsize -= entry_vsize(e);
	m->total_fee -= e->fee_sat;
	m->unbroadcast -= e->unbroadcast;
	if (m->opt.events.removed)
		m->opt.events.removed(m->opt.events.ctx, e, reason,
				      sequence);
	entry_free(e);
}

const char *mempool_removal_name(enum mempool_removal r)
{
	switch (r) {
	case REMOVED_EXPIRY:
		return "expiry";
	case REMOVED_SIZE_LIMIT:
		return "sizelimit";
	case REMOVED_REORG:
		return "reorg";
	case REMOVED_BLOCK:
		return "block";
	case REMOVED_CONFLICT:
		return "conflict";
	case REMOVED_REPLACED:
		return "replaced";
	}
	return "";
}

/* ---- life ---- */

struct mempool *mempool_new(const struct mempool_options *opt)
{
	struct mempool *m = xcalloc(1, sizeof *m);

	m->opt = *opt;
	if (!m->opt.clock)
		m->opt.clock = &m->own_clock;
	random_bytes(m->salt, sizeof m->salt);
	map_init(&m->by_txid, &txid_map, m->salt);
	map_init(&m->by_wtxid, &wtxid_map, m->salt);
	map_init(&m->by_spent, &spent_map, m->salt);
	map_init(&m->deltas, &delta_map, m->salt);
	m->sequence = 1;
	m->rolling_since = pool_now(m);
	return m;
}

void mempool_free(struct mempool *m)
{
	struct chunk *k;
	struct pool_entry *p;
	struct mempool_delta *d;
	size_t pos;

	if (!m)
		return;
	while ((k = chunk_index_best(&m->chunks)))
		cluster_free(k->cluster, &m->chunks);
	chunk_index_clear(&m->chunks);
	for (pos = 0; (p = map_next(&m->by_txid, &pos));)
		entry_free(&p->e);
	for (pos = 0; (d = map_next(&m->deltas, &pos));)
		free(d);
	map_clear(&m->by_txid);
	map_clear(&m->by_wtxid);
	map_clear(&m->by_spent);
	map_clear(&m->deltas);
	undone_clear(m);
	free(m->ages);
	free(m);
}

/* ---- questions ---- */

const struct policy *mempool_policy(const struct mempool *m)
{
	return &m->opt.policy;
}

int64_t pool_now(const struct mempool *m)
{
	return clock_unix(m->opt.clock);
}

size_t mempool_count(const struct mempool *m)
{
	return m->by_txid.count;
}

int64_t mempool_total_vsize(const struct mempool *m)
{
	return m->total_vsize;
}

int64_t mempool_total_fee(const struct mempool *m)
{
	return m->total_fee;
}

size_t mempool_memory(const struct mempool *m)
{
	size_t slots = m->by_txid.cap + m->by_wtxid.cap + m->by_spent.cap +
		       m->deltas.cap + m->age_cap;

	return m->entry_memory + m->cluster_memory + slots * sizeof(void *) +
	       chunk_index_memory(&m->chunks) +
	       m->deltas.count * (sizeof(struct mempool_delta) + MALLOC_OVERHEAD);
}

uint64_t mempool_sequence(const struct mempool *m)
{
	return m->sequence;
}

const struct mempool_entry *mempool_get(const struct mempool *m,
					const struct txid *id)
{
	const struct pool_entry *p = map_get(&m->by_txid, id);

	return p ? &p->e : NULL;
}

const struct mempool_entry *mempool_get_wtxid(const struct mempool *m,
					      const struct wtxid *id)
{
	const struct pool_entry *p = map_get(&m->by_wtxid, id);

	return p ? &p->e : NULL;
}

const struct mempool_entry *mempool_spender(const struct mempool *m,
					    const struct outpoint *o)
{
	const struct spend_ref *s = map_get(&m->by_spent, o);

	return s ? &s->entry->e : NULL;
}

const struct mempool_entry *mempool_next(const struct mempool *m,
					 size_t *pos)
{
	const struct pool_entry *p = map_next(&m->by_txid, pos);

	return p ? &p->e : NULL;
}

const struct chunk *mempool_best_chunk(const struct mempool *m)
{
	return chunk_index_best(&m->chunks);
}

bool mempool_loaded(const struct mempool *m)
{
	return m->loaded;
}

void mempool_set_loaded(struct mempool *m)
{
	m->loaded = true;
}

size_t mempool_unbroadcast_count(const struct mempool *m)
{
	return m->unbroadcast;
}

void mempool_set_broadcast(struct mempool *m, const struct txid *id)
{
	struct pool_entry *p = map_get(&m->by_txid, id);

	if (!p || !p->e.unbroadcast)
		return;
	p->e.unbroadcast = false;
	m->unbroadcast--;
}
