/*
 * The address book: a map by address and an array for choosing at random.
 */
#include "config.h"

#include "p2p/addrbook.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

#define DAY_S INT64_C(86400)
#define HOPELESS_AGE_S (30 * DAY_S)
#define RETRY_S 600              /* not sooner after a try */
#define FAILURES_NEW 3           /* hopeless if it never worked */
#define FAILURES_OLD 10          /* hopeless if not for a week */
#define SOURCE_SHARE 8           /* a source may hold 1/8 of the book */
#define PICK_TRIES 200
#define ENTRY_BYTES (ONION_KEY_BYTES + 2 + 8 + 8 + 8 + 8 + 4 + 4)

static const uint8_t file_magic[8] = "CLPEERS1";

struct addrbook {
	random_fn *random;
	void *random_ctx;
	uint64_t salt[2];
	size_t max, count;
	struct book_entry **all;     /* max slots, count used */
	struct map by_onion;
	bool changed;
};

static uint64_t onion_hash(const void *key, const void *ctx)
{
	const struct onion *o = key;
	const uint64_t *salt = ctx;

	return siphash_u256_u32(salt[0], salt[1], o->key, o->port);
}

static const void *entry_key(const void *item)
{
	return &((const struct book_entry *)item)->onion;
}

static bool entry_eq(const void *item, const void *key)
{
	return onion_eq(entry_key(item), key);
}

static const struct map_type entry_map = { onion_hash, entry_eq, entry_key };

struct addrbook *addrbook_new(size_t max, random_fn *random, void *ctx)
{
	struct addrbook *b = xcalloc(1, sizeof *b);

	b->random = random;
	b->random_ctx = ctx;
	random(ctx, b->salt, sizeof b->salt);
	b->max = max ? max : ADDRBOOK_MAX;
	b->all = xcalloc(b->max, sizeof(*b->all));
	map_init(&b->by_onion, &entry_map, b->salt);
	return b;
}

void addrbook_free(struct addrbook *b)
{
	size_t i;

	if (!b)
		return;
	map_clear(&b->by_onion);
	for (i = 0; i < b->count; i++)
		free(b->all[i]);
	free(b->all);
	free(b);
}

static size_t below(struct addrbook *b, size_t bound)
{
	uint64_t r;

	b->random(b->random_ctx, &r, sizeof r);
	return (size_t)(r % bound);
}

static struct book_entry *get(struct addrbook *b, const struct onion *o)
{
	return map_get(&b->by_onion, o);
}

static bool hopeless(const struct book_entry *e, int64_t now)
{
	if (now - e->seen > HOPELESS_AGE_S &&
	    now - e->last_success > HOPELESS_AGE_S)
		return true;
	if (!e->last_success)
		return e->failures >= FAILURES_NEW;
	return now - e->last_success > 7 * DAY_S &&
	       e->failures >= FAILURES_OLD;
}

static void drop_at(struct addrbook *b, size_t i)
{
	struct book_entry *e = b->all[i];

	CHECK(map_take(&b->by_onion, &e->onion) == e);
	b->all[i] = b->all[--b->count];
	b->all[b->count] = NULL;
	b->changed = true;
	free(e);
}

/* Make room: of a few at random the least valuable goes. */
static bool make_room(struct addrbook *b, int64_t now)
{
	size_t worst = 0, i, at;
	int64_t value, least = INT64_MAX;
	const struct book_entry *e;

	if (b->count < b->max)
		return true;
	for (i = 0; i < 16; i++) {
		at = below(b, b->count);
		e = b->all[at];
		value = e->last_success ? e->last_success + 30 * DAY_S
					: e->seen;
		if (hopeless(e, now))
			value = 0;
		if (value < least) {
			least = value;
			worst = at;
		}
	}
	if (b->all[worst]->last_success && !hopeless(b->all[worst], now))
		return false;
	drop_at(b, worst);
	return true;
}

/* The same in every run, as it is written to the file. */
static uint32_t source_tag(const struct onion *o)
{
	static const uint64_t keys[2] = { 0, 0 };

	return o ? (uint32_t)onion_hash(o, keys) | 1u : 0;
}

static bool source_full(const struct addrbook *b, uint32_t tag)
{
	size_t i, n = 0;

	if (!tag)
		return false;
	for (i = 0; i < b->count; i++)
		n += b->all[i]->source == tag && !b->all[i]->last_success;
	return n >= MAX_OF(b->max / SOURCE_SHARE, (size_t)1);
}

bool addrbook_add(struct addrbook *b, const struct onion *o,
		  uint64_t services, int64_t seen_unix,
		  const struct onion *source)
{
	struct book_entry *e = get(b, o);
	uint32_t tag = source_tag(source);

	if (!o->port)
		return false;
	if (e) {
		e->services |= services;
		if (seen_unix > e->seen + DAY_S) {
			e->seen = seen_unix;
			b->changed = true;
		}
		return false;
	}
	if (source_full(b, tag) || !make_room(b, seen_unix))
		return false;
	e = xcalloc(1, sizeof *e);
	e->onion = *o;
	e->services = services;
	e->seen = seen_unix;
	e->source = tag;
	b->all[b->count++] = e;
	map_put(&b->by_onion, e);
	b->changed = true;
	return true;
}

bool addrbook_pick(struct addrbook *b, struct onion *out, int64_t now_unix,
		   bool untried, book_skip_fn *skip, void *arg)
{
	bool proven = !untried && below(b, 2);
	const struct book_entry *e;
	int i;

	for (i = 0; b->count && i < PICK_TRIES; i++) {
		/* Half-way through take what there is. */
		if (i == PICK_TRIES / 2 && !untried)
			proven = !proven;
		e = b->all[below(b, b->count)];
		if ((e->last_success != 0) != proven ||
		    now_unix - e->last_try < RETRY_S ||
		    hopeless(e, now_unix) || (skip && skip(&e->onion, arg)))
			continue;
		/* Each failure halves the odds. */
		if (below(b, (size_t)1 << MIN_OF(e->failures, 6u)))
			continue;
		*out = e->onion;
		return true;
	}
	return false;
}

void addrbook_attempt(struct addrbook *b, const struct onion *o,
		      int64_t now_unix)
{
	struct book_entry *e = get(b, o);

	if (!e)
		return;
	e->last_try = now_unix;
	e->failures++;
	b->changed = true;
}

void addrbook_good(struct addrbook *b, const struct onion *o,
		   uint64_t services, int64_t now_unix)
{
	struct book_entry *e = get(b, o);

	if (!e)
		return;
	e->last_success = e->seen = now_unix;
	e->failures = 0;
	e->services = services;
	b->changed = true;
}

void addrbook_remove(struct addrbook *b, const struct onion *o)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (!onion_eq(&b->all[i]->onion, o))
			continue;
		drop_at(b, i);
		return;
	}
}

size_t addrbook_count(const struct addrbook *b)
{
	return b->count;
}

size_t addrbook_sample(struct addrbook *b, struct book_entry *out,
		       size_t max, int64_t now_unix)
{
	struct book_entry *t;
	size_t i, j, n = 0;

	/* A partial shuffle of the array itself. */
	for (i = 0; i < b->count && n < max; i++) {
		j = i + below(b, b->count - i);
		t = b->all[i];
		b->all[i] = b->all[j];
		b->all[j] = t;
		if (!hopeless(b->all[i], now_unix))
			out[n++] = *b->all[i];
	}
	return n;
}

bool addrbook_changed(const struct addrbook *b)
{
	return b->changed;
}

void addrbook_write(struct addrbook *b, struct bytes *out)
{
	size_t at = out->n, i;
	const struct book_entry *e;
	uint8_t sum[32];

	bytes_append(out, file_magic, sizeof file_magic);
	write_u32(out, (uint32_t)b->count);
	for (i = 0; i < b->count; i++) {
		e = b->all[i];
		bytes_append(out, e->onion.key, ONION_KEY_BYTES);
		write_u16(out, e->onion.port);
		write_u64(out, e->services);
		write_u64(out, (uint64_t)e->seen);
		write_u64(out, (uint64_t)e->last_try);
		write_u64(out, (uint64_t)e->last_success);
		write_u32(out, e->failures);
		write_u32(out, e->source);
	}
	sha256d(sum, out->p + at, out->n - at);
	bytes_append(out, sum, sizeof sum);
	b->changed = false;
}

/* Times are compared and added to: one that no clock shows is none. */
static int64_t read_time(struct reader *r)
{
	uint64_t t = read_u64(r);

	return t <= UINT32_MAX ? (int64_t)t : 0;
}

static void read_entry(struct addrbook *b, struct reader *r)
{
	struct book_entry in = { 0 }, *e;

	read_copy(r, in.onion.key, ONION_KEY_BYTES);
	in.onion.port = read_u16(r);
	in.services = read_u64(r);
	in.seen = read_time(r);
	in.last_try = read_time(r);
	in.last_success = read_time(r);
	in.failures = read_u32(r);
	in.source = read_u32(r);
	if (!addrbook_add(b, &in.onion, in.services, in.seen, NULL))
		return;
	e = get(b, &in.onion);
	*e = in;
}

bool addrbook_read(struct addrbook *b, struct span data)
{
	struct reader r = reader_of(data);
	uint8_t sum[32];
	uint32_t i, n;

	if (data.n < sizeof file_magic + 4 + sizeof sum ||
	    memcmp(data.p, file_magic, sizeof file_magic) != 0)
		return false;
	sha256d(sum, data.p, data.n - sizeof sum);
	if (memcmp(sum, data.p + data.n - sizeof sum, sizeof sum) != 0)
		return false;
	read_span(&r, sizeof file_magic);
	n = read_u32(&r);
	if (reader_left(&r) != (size_t)n * ENTRY_BYTES + sizeof sum)
		return false;
	for (i = 0; i < n; i++)
		read_entry(b, &r);
	b->changed = false;
	return true;
}
