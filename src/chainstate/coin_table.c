/*
 * Linear probing.  A slot's place is its hash scaled to the capacity, so the
 * table is nearly sorted by hash: growing it reads and writes memory in
 * order, and any capacity will do, not only powers of two.
 */
#include "config.h"

#include "chainstate/coin_entry_priv.h"

#include "base/random.h"
#include "crypto/hash.h"

#include <sys/mman.h>

#define CAP_MIN 4096
/* Tables from this size on use huge pages. */
#define HUGE_FROM (64u << 20)
/* Handed back to the system in pieces of this many bytes while moving. */
#define MOVE_STEP SLAB_CHUNK_BYTES

void coin_table_init(struct coin_table *t, size_t limit_bytes)
{
	*t = (struct coin_table){ 0 };
	t->k0 = random_u64();
	t->k1 = random_u64();
	t->huge = limit_bytes >= HUGE_FROM;
	t->gen_step = limit_bytes / 32 + 1;
	slab_init(&t->slab, t->huge);
}

static size_t table_bytes(size_t cap)
{
	return cap * sizeof(uint64_t);
}

static uint64_t *slots_new(const struct coin_table *t, size_t cap)
{
	return pages_new(table_bytes(cap), t->huge && table_bytes(cap) >=
						      SLAB_CHUNK_BYTES);
}

void coin_table_clear(struct coin_table *t)
{
	if (t->big_bytes)
		for (size_t i = 0; i < t->cap; i++)
			if (t->slots[i])
				coin_entry_drop(coin_table_at(t, t->slots[i]));
	pages_free(t->slots, table_bytes(t->cap));
	slab_clear(&t->slab);
	t->slots = NULL;
	t->cap = t->count = t->dirty = t->big_bytes = 0;
	memset(t->live_bytes, 0, sizeof(t->live_bytes));
}

uint32_t coin_table_hash(const struct coin_table *t, const struct outpoint *o)
{
	return (uint32_t)(siphash13_u256_u32(t->k0, t->k1, o->txid.b, o->n) >>
			  32);
}

static inline size_t home(size_t cap, uint64_t slot)
{
	return (size_t)((slot >> 32) * cap >> 32);
}

static inline size_t after(size_t cap, size_t pos)
{
	return pos + 1 == cap ? 0 : pos + 1;
}

static void slot_put(uint64_t *slots, size_t cap, uint64_t slot)
{
	size_t i = home(cap, slot);

	while (slots[i])
		i = after(cap, i);
	slots[i] = slot;
}

/* Move to a table of another capacity, giving back what was moved. */
static bool table_resize(struct coin_table *t, size_t cap)
{
	uint64_t *to = slots_new(t, cap), *from = t->slots;
	const size_t step = MOVE_STEP / sizeof(*from);

	if (!to)
		return false;
	for (size_t i = 0; i < t->cap; i++) {
		if (from[i])
			slot_put(to, cap, from[i]);
		if ((i + 1) % step == 0)
			(void)madvise(from + (i + 1 - step), MOVE_STEP,
				      MADV_DONTNEED);
	}
	pages_free(from, table_bytes(t->cap));
	t->slots = to;
	t->cap = cap;
	return true;
}

static bool table_full(size_t count, size_t cap)
{
	return count + 1 > cap / 4 * 3;
}

bool coin_table_reserve(struct coin_table *t, size_t n)
{
	size_t cap = t->cap ? t->cap : CAP_MIN;

	while (table_full(t->count + n, cap))
		cap += cap / 2;
	return cap == t->cap || table_resize(t, cap);
}

struct coin_entry *coin_table_find(const struct coin_table *t, size_t *pos,
				   const struct outpoint *o, uint32_t hash)
{
	const uint64_t want = (uint64_t)hash << 32;
	size_t i;

	*pos = 0;
	if (!t->cap)
		return NULL;
	for (i = home(t->cap, want); t->slots[i]; i = after(t->cap, i)) {
		struct coin_entry *e;

		if ((t->slots[i] ^ want) >> 32)
			continue;
		e = coin_table_at(t, t->slots[i]);
		if (e->n == o->n && memcmp(e->txid, o->txid.b, 32) == 0) {
			*pos = i;
			return e;
		}
	}
	*pos = i;
	return NULL;
}

void coin_table_touch(const struct coin_table *t, uint32_t hash)
{
	if (t->cap)
		__builtin_prefetch(&t->slots[home(t->cap,
						  (uint64_t)hash << 32)]);
}

void coin_table_touch_entry(const struct coin_table *t, uint32_t hash)
{
	const uint64_t want = (uint64_t)hash << 32;
	const uint8_t *e;
	size_t i;

	if (!t->cap)
		return;
	i = home(t->cap, want);
	while (t->slots[i] && (t->slots[i] ^ want) >> 32)
		i = after(t->cap, i);
	if (!t->slots[i])
		return;
	e = (const uint8_t *)coin_table_at(t, t->slots[i]);
	__builtin_prefetch(e);
	__builtin_prefetch(e + sizeof(struct coin_entry));
}

/* Count an unspent entry, or no longer. */
static void count_live(struct coin_table *t, const struct coin_entry *e,
		       bool comes)
{
	size_t *sum = &t->live_bytes[e->meta >> META_GEN_SHIFT];
	size_t n = coin_entry_bytes(e) + sizeof(*t->slots);

	if (e->meta & META_SPENT)
		return;
	*sum = comes ? *sum + n : *sum - n;
}

unsigned coin_table_young(const struct coin_table *t, size_t bytes)
{
	unsigned n = 0;
	size_t sum = 0;

	for (; n < GENERATIONS; n++) {
		sum += t->live_bytes[(t->gen - n) % GENERATIONS];
		if (sum > bytes)
			break;
	}
	return n;
}

/* A new entry with its content; 0 without memory. */
static uint32_t entry_new(struct coin_table *t, const struct outpoint *o,
			  const struct coin *coin, uint64_t flags)
{
	enum coin_kind k = coin ? coin_kind_of(coin->script) : KIND_SPENT;
	size_t size = coin_kind_bytes(k, coin ? coin->script.n : 0);
	uint32_t ref = slab_alloc(&t->slab, size);
	struct coin_entry *e;

	if (!ref)
		return 0;
	e = slab_at(&t->slab, ref);
	memcpy(e->txid, o->txid.b, 32);
	e->n = o->n;
	coin_entry_write(e, coin, k,
			 flags | (uint64_t)t->gen << META_GEN_SHIFT);
	count_live(t, e, true);
	t->big_bytes += coin_entry_big_bytes(e);
	t->dirty += flags & META_DIRTY ? 1 : 0;
	t->gen_bytes += size;
	if (t->gen_bytes >= t->gen_step) {
		t->gen_bytes = 0;
		t->gen = (t->gen + 1) % GENERATIONS;
	}
	return ref;
}

static void entry_free(struct coin_table *t, uint32_t ref)
{
	struct coin_entry *e = slab_at(&t->slab, ref);
	size_t size = coin_entry_slab_bytes(e);

	t->dirty -= e->meta & META_DIRTY ? 1 : 0;
	count_live(t, e, false);
	t->big_bytes -= coin_entry_big_bytes(e);
	coin_entry_drop(e);
	slab_release(&t->slab, ref, size);
}

bool coin_table_insert(struct coin_table *t, size_t pos,
		       const struct outpoint *o, uint32_t hash,
		       const struct coin *coin, uint64_t flags)
{
	uint32_t ref;

	if (table_full(t->count, t->cap)) {
		if (!coin_table_reserve(t, 1))
			return false;
		(void)coin_table_find(t, &pos, o, hash);
	}
	ref = entry_new(t, o, coin, flags);
	if (!ref)
		return false;
	t->slots[pos] = (uint64_t)hash << 32 | ref;
	t->count++;
	return true;
}

/* Leave the entry its size: freed memory of many sizes is of little use. */
static void entry_mark_spent(struct coin_table *t, struct coin_entry *e,
			     uint64_t flags)
{
	t->dirty += !(e->meta & META_DIRTY) && flags & META_DIRTY ? 1 : 0;
	count_live(t, e, false);
	e->meta = (e->meta & META_KIND) | META_SPENT | flags |
		  (uint64_t)t->gen << META_GEN_SHIFT;
}

bool coin_table_replace(struct coin_table *t, size_t pos,
			const struct coin *coin, uint64_t flags)
{
	const uint32_t old = (uint32_t)t->slots[pos];
	struct coin_entry *e = slab_at(&t->slab, old);
	struct outpoint o;
	uint32_t ref;

	if (!coin) {
		entry_mark_spent(t, e, flags);
		return true;
	}
	memcpy(o.txid.b, e->txid, 32);
	o.n = e->n;
	ref = entry_new(t, &o, coin, flags);
	if (!ref)
		return false;
	entry_free(t, old);
	t->slots[pos] = (t->slots[pos] & ~(uint64_t)UINT32_MAX) | ref;
	return true;
}

/* Close the gap: move up whatever could not stand where it wanted to. */
void coin_table_remove(struct coin_table *t, size_t pos)
{
	size_t gap = pos, i = pos;

	entry_free(t, (uint32_t)t->slots[pos]);
	for (;;) {
		size_t want;

		i = after(t->cap, i);
		if (!t->slots[i])
			break;
		want = home(t->cap, t->slots[i]);
		if (gap <= i ? gap < want && want <= i
			     : gap < want || want <= i)
			continue;
		t->slots[gap] = t->slots[i];
		gap = i;
	}
	t->slots[gap] = 0;
	t->count--;
}

/*
 * Two passes: forget entries, then close all gaps by placing each slot anew.
 * A run of slots that goes over the table's end is moved with its run's
 * start, so begin after an empty slot that was empty before.
 */
void coin_table_filter(struct coin_table *t, coin_keep_fn *keep, void *arg)
{
	size_t start = 0, gone = 0;

	if (!t->count)
		return;
	while (t->slots[start])
		start++;
	for (size_t k = 0, i = start; k < t->cap; k++, i = after(t->cap, i)) {
		const uint64_t slot = t->slots[i];

		if (!slot)
			continue;
		t->slots[i] = 0;
		if (keep(coin_table_at(t, slot), arg)) {
			slot_put(t->slots, t->cap, slot);
			continue;
		}
		entry_free(t, (uint32_t)slot);
		gone++;
	}
	t->count -= gone;
}

size_t coin_table_bytes(const struct coin_table *t)
{
	return table_bytes(t->cap) + slab_bytes(&t->slab) + t->big_bytes;
}

size_t coin_table_live_bytes(const struct coin_table *t)
{
	return coin_table_bytes(t) - t->slab.free_bytes;
}
