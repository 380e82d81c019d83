/*
 * The address book's tables.
 *
 * Onions cost nothing, so there is no telling which of them belong together:
 * groups are eight bits of a keyed hash.  What bounds an attacker is the
 * source: 64 buckets of the new table for each group of tellers.
 */
#include "config.h"

#include "p2p/addrbook_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define HORIZON_S (30 * BOOK_DAY_S)
#define FAILURES_NEW 3           /* hopeless if it never worked */
#define FAILURES_OLD 10          /* hopeless if not for a week */
#define SOURCE_LANES 64          /* buckets of new that a source reaches */
#define TRIED_LANES 8            /* buckets of tried for one group */
#define FRESH_S 60               /* just tried: let it be */
#define SEEN_EVERY_S (20 * 60)   /* resolution of what others may learn */

/* Number spaces of the keyed hash. */
enum { USE_MAP, USE_GROUP, USE_LANE, USE_BUCKET, USE_NEW_PLACE,
       USE_TRIED_LANE, USE_TRIED_BUCKET, USE_TRIED_PLACE };

static uint64_t onion_hash(const void *key, const void *ctx)
{
	const struct onion *o = key;
	const uint64_t *secret = ctx;

	return siphash_u256_u32(secret[0], secret[1], o->key, o->port);
}

static const void *addr_key(const void *item)
{
	return &((const struct book_addr *)item)->e.onion;
}

static bool addr_eq(const void *item, const void *key)
{
	return onion_eq(addr_key(item), key);
}

static const struct map_type addr_map = { onion_hash, addr_eq, addr_key };

/* ---- where things go ---- */

/* Of an address: its port counts except for its group. */
static uint64_t hash_addr(const struct addrbook *b, const struct onion *o,
			  unsigned use, unsigned n)
{
	uint8_t buf[ONION_KEY_BYTES + 2 + 1 + 2];

	memcpy(buf, o->key, ONION_KEY_BYTES);
	buf[32] = use == USE_GROUP ? 0 : (uint8_t)o->port;
	buf[33] = use == USE_GROUP ? 0 : (uint8_t)(o->port >> 8);
	buf[34] = (uint8_t)use;
	buf[35] = (uint8_t)n;
	buf[36] = (uint8_t)(n >> 8);
	return siphash(b->secret[0], b->secret[1], buf, sizeof buf);
}

static uint64_t hash_pair(const struct addrbook *b, unsigned use, uint8_t x,
			  uint8_t y)
{
	const uint8_t buf[3] = { (uint8_t)use, x, y };

	return siphash(b->secret[0], b->secret[1], buf, sizeof buf);
}

static uint8_t group_of(const struct addrbook *b, const struct onion *o)
{
	return (uint8_t)hash_addr(b, o, USE_GROUP, 0);
}

static size_t new_bucket(const struct addrbook *b, const struct onion *o,
			 uint8_t source)
{
	uint64_t lane = hash_pair(b, USE_LANE, group_of(b, o), source) %
			SOURCE_LANES;

	return hash_pair(b, USE_BUCKET, source, (uint8_t)lane) %
	       BOOK_NEW_BUCKETS;
}

static struct book_addr **new_slot(struct addrbook *b, const struct onion *o,
				   size_t bucket)
{
	return &b->fresh.slots[bucket * BOOK_BUCKET_SIZE +
			       hash_addr(b, o, USE_NEW_PLACE,
					 (unsigned)bucket) %
			       BOOK_BUCKET_SIZE];
}

static size_t tried_bucket(const struct addrbook *b, const struct onion *o)
{
	uint64_t lane = hash_addr(b, o, USE_TRIED_LANE, 0) % TRIED_LANES;

	return hash_pair(b, USE_TRIED_BUCKET, group_of(b, o),
			 (uint8_t)lane) % BOOK_TRIED_BUCKETS;
}

struct book_addr **book_tried_slot(struct addrbook *b, const struct onion *o)
{
	size_t bucket = tried_bucket(b, o);

	return &b->tried.slots[bucket * BOOK_BUCKET_SIZE +
			       hash_addr(b, o, USE_TRIED_PLACE,
					 (unsigned)bucket) %
			       BOOK_BUCKET_SIZE];
}

/* ---- tables ---- */

static void table_init(struct book_table *t, size_t buckets)
{
	t->buckets = buckets;
	t->slots = xcalloc(buckets * BOOK_BUCKET_SIZE, sizeof(*t->slots));
	t->used = xcalloc(buckets, 1);
}

static void table_clear(struct book_table *t)
{
	free(t->slots);
	free(t->used);
}

static void table_put(struct book_table *t, struct book_addr **slot,
		      struct book_addr *a)
{
	size_t bucket = (size_t)(slot - t->slots) / BOOK_BUCKET_SIZE;

	CHECK(!*slot);
	*slot = a;
	t->filled += t->used[bucket]++ == 0;
}

static void table_take(struct book_table *t, struct book_addr **slot)
{
	size_t bucket = (size_t)(slot - t->slots) / BOOK_BUCKET_SIZE;

	CHECK(*slot);
	*slot = NULL;
	t->filled -= --t->used[bucket] == 0;
}

/* ---- entries ---- */

struct book_addr *book_get(const struct addrbook *b, const struct onion *o)
{
	return map_get(&b->by_onion, o);
}

static struct book_addr *create(struct addrbook *b, const struct onion *o)
{
	struct book_addr *a = xcalloc(1, sizeof *a);

	a->e.onion = *o;
	if (b->count == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 256;
		b->all = xrealloc(b->all, b->cap * sizeof(*b->all));
	}
	a->at = b->count;
	b->all[b->count++] = a;
	map_put(&b->by_onion, a);
	b->changed = true;
	return a;
}

/* It has no place in a table any more. */
static void destroy(struct addrbook *b, struct book_addr *a)
{
	CHECK(!a->tried && !a->refs);
	CHECK(map_take(&b->by_onion, &a->e.onion) == a);
	b->all[a->at] = b->all[--b->count];
	b->all[a->at]->at = a->at;
	b->changed = true;
	free(a);
}

static void new_put(struct addrbook *b, struct book_addr *a, size_t bucket)
{
	table_put(&b->fresh, new_slot(b, &a->e.onion, bucket), a);
	a->bucket[a->refs++] = (uint16_t)bucket;
	b->changed = true;
}

static void new_take(struct addrbook *b, struct book_addr *a, size_t bucket)
{
	size_t i = 0;

	table_take(&b->fresh, new_slot(b, &a->e.onion, bucket));
	while (a->bucket[i] != bucket)
		i++;
	a->bucket[i] = a->bucket[--a->refs];
}

/* Free a slot of the new table. */
static void new_evict(struct addrbook *b, struct book_addr **slot)
{
	struct book_addr *a = *slot;

	if (!a)
		return;
	new_take(b, a, (size_t)(slot - b->fresh.slots) / BOOK_BUCKET_SIZE);
	if (!a->refs)
		destroy(b, a);
}

static void new_take_all(struct addrbook *b, struct book_addr *a)
{
	while (a->refs)
		new_take(b, a, a->bucket[0]);
}

void book_make_tried(struct addrbook *b, struct book_addr *a)
{
	struct book_addr **slot = book_tried_slot(b, &a->e.onion), *old;
	size_t bucket;

	new_take_all(b, a);
	old = *slot;
	if (old) {
		table_take(&b->tried, slot);
		old->tried = false;
		b->tried_count--;
		bucket = new_bucket(b, &old->e.onion, old->e.source);
		new_evict(b, new_slot(b, &old->e.onion, bucket));
		new_put(b, old, bucket);
	}
	table_put(&b->tried, slot, a);
	a->tried = true;
	b->tried_count++;
	b->changed = true;
}

bool book_restore(struct addrbook *b, const struct book_addr *in)
{
	struct book_addr **slot = book_tried_slot(b, &in->e.onion), *a;
	size_t i;

	if (book_get(b, &in->e.onion) || (in->tried && *slot) ||
	    (!in->tried && !in->refs))
		return false;
	a = create(b, &in->e.onion);
	a->e = in->e;
	a->last_counted = in->last_counted;
	if (in->tried) {
		table_put(&b->tried, slot, a);
		a->tried = true;
		b->tried_count++;
		return true;
	}
	for (i = 0; i < in->refs; i++)
		if (!*new_slot(b, &a->e.onion, in->bucket[i]))
			new_put(b, a, in->bucket[i]);
	if (a->refs)
		return true;
	destroy(b, a);
	return false;
}

/* ---- life ---- */

struct addrbook *addrbook_new(random_fn *random, void *ctx)
{
	struct addrbook *b = xcalloc(1, sizeof *b);

	b->random = random;
	b->random_ctx = ctx;
	random(ctx, b->secret, sizeof b->secret);
	table_init(&b->fresh, BOOK_NEW_BUCKETS);
	table_init(&b->tried, BOOK_TRIED_BUCKETS);
	map_init(&b->by_onion, &addr_map, b->secret);
	return b;
}

static void drop_all(struct addrbook *b)
{
	size_t i;

	map_clear(&b->by_onion);
	table_clear(&b->fresh);
	table_clear(&b->tried);
	for (i = 0; i < b->count; i++)
		free(b->all[i]);
	b->count = b->tried_count = b->pending_n = 0;
}

void book_empty(struct addrbook *b)
{
	drop_all(b);
	b->fresh = b->tried = (struct book_table){ 0 };
	table_init(&b->fresh, BOOK_NEW_BUCKETS);
	table_init(&b->tried, BOOK_TRIED_BUCKETS);
	map_init(&b->by_onion, &addr_map, b->secret);
}

void addrbook_free(struct addrbook *b)
{
	if (!b)
		return;
	drop_all(b);
	free(b->all);
	bytes_wipe(b->secret, sizeof b->secret);
	free(b);
}

void addrbook_set_time(struct addrbook *b, int64_t now_unix)
{
	b->now = now_unix;
}

size_t book_below(struct addrbook *b, size_t bound)
{
	uint64_t r;

	b->random(b->random_ctx, &r, sizeof r);
	return (size_t)(r % bound);
}

bool book_hopeless(const struct addrbook *b, const struct book_entry *e)
{
	if (b->now - e->last_try <= FRESH_S)
		return false;
	if (e->seen > b->now + 600 || b->now - e->seen > HORIZON_S)
		return true;
	if (!e->last_success)
		return e->failures >= FAILURES_NEW;
	return b->now - e->last_success > 7 * BOOK_DAY_S &&
	       e->failures >= FAILURES_OLD;
}

/* ---- what is heard ---- */

/* Heard of again: does it deserve one more place in new? */
static bool another_place(struct addrbook *b, struct book_addr *a,
			  uint64_t services, int64_t seen)
{
	int64_t step = b->now - seen < BOOK_DAY_S ? 3600 : BOOK_DAY_S;
	bool news = seen > a->e.seen;

	a->e.services |= services;
	if (seen - a->e.seen >= step) {
		a->e.seen = seen;
		b->changed = true;
	}
	return news && !a->tried && a->refs < BOOK_REFS_MAX &&
	       book_below(b, (size_t)1 << a->refs) == 0;
}

bool addrbook_add(struct addrbook *b, const struct onion *o,
		  uint64_t services, int64_t seen_unix,
		  const struct onion *source)
{
	struct book_addr *a = book_get(b, o), **slot;
	uint8_t from = group_of(b, source ? source : o);
	bool is_new = !a;
	size_t bucket;

	if (a && !a->e.common && (!source || from != a->e.source)) {
		a->e.common = true;
		b->changed = true;
	}
	if (!o->port || (a && !another_place(b, a, services, seen_unix)))
		return false;
	bucket = new_bucket(b, o, from);
	slot = new_slot(b, o, bucket);
	if (*slot && (*slot == a || (!book_hopeless(b, &(*slot)->e) &&
				     ((*slot)->refs < 2 || !is_new))))
		return false;
	if (is_new) {
		a = create(b, o);
		a->e.services = services;
		a->e.seen = seen_unix;
		a->e.source = from;
		a->e.common = !source;
	}
	new_evict(b, slot);
	new_put(b, a, bucket);
	return is_new;
}

/* ---- what becomes of it ---- */

void addrbook_failed(struct addrbook *b, const struct onion *o,
		     int64_t pause_s, int64_t max_s)
{
	struct book_addr *a = book_get(b, o);

	if (!a)
		return;
	a->e.not_before = b->now +
		MIN_OF(pause_s << MIN_OF(a->e.failures, 16u), max_s);
	a->e.last_try = b->now;
	if (a->last_counted < b->last_good) {
		a->last_counted = b->now;
		a->e.failures++;
	}
	b->changed = true;
}

void addrbook_good(struct addrbook *b, const struct onion *o,
		   uint64_t services)
{
	struct book_addr *a = book_get(b, o), *old;
	size_t i;

	b->last_good = b->now;
	if (!a)
		return;
	a->e.last_success = a->e.last_try = b->now;
	a->e.not_before = 0;
	a->e.failures = 0;
	a->e.services = services;
	b->changed = true;
	if (a->tried)
		return;
	old = *book_tried_slot(b, o);
	if (!old || book_hopeless(b, &old->e)) {
		book_make_tried(b, a);
		return;
	}
	for (i = 0; i < b->pending_n; i++)
		if (onion_eq(&b->pending[i], o))
			return;
	if (b->pending_n < BOOK_PENDING_MAX)
		b->pending[b->pending_n++] = *o;
}

/* Not while it is connected: that would tell others whom we talk to. */
void addrbook_left(struct addrbook *b, const struct onion *o)
{
	struct book_addr *a = book_get(b, o);

	if (!a || b->now - a->e.seen < SEEN_EVERY_S)
		return;
	a->e.seen = b->now;
	b->changed = true;
}

void addrbook_remove(struct addrbook *b, const struct onion *o)
{
	struct book_addr *a = book_get(b, o);

	if (!a)
		return;
	new_take_all(b, a);
	if (a->tried) {
		table_take(&b->tried, book_tried_slot(b, o));
		a->tried = false;
		b->tried_count--;
	}
	destroy(b, a);
}

/* ---- questions ---- */

size_t addrbook_count(const struct addrbook *b)
{
	return b->count;
}

size_t addrbook_tried_count(const struct addrbook *b)
{
	return b->tried_count;
}

const struct book_entry *addrbook_find(const struct addrbook *b, bool *tried,
				       const struct onion *o)
{
	const struct book_addr *a = book_get(b, o);

	*tried = a && a->tried;
	return a ? &a->e : NULL;
}

bool addrbook_changed(const struct addrbook *b)
{
	return b->changed;
}
