/*
 * Flushing: all dirty entries, in key order, in one atomic step.  Few changes
 * are one LevelDB batch; many go through the journal.  Making room between
 * flushes: only the old ones, without any sync.
 */
#include "config.h"

#include "chainstate/coins_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "chainstate/coin_entry_priv.h"
#include "chainstate/coin_journal_priv.h"

#include <stdlib.h>

#define BUCKETS 65536
/* Entries stand anywhere in memory: fetch them so far ahead. */
#define FETCH_AHEAD 16
#define LOOSE_BATCH_BYTES ((size_t)256 << 10)

/* Entries to write, and those that may stay. */
struct flush {
	struct coins *c;
	bool all;                /* write young changes too */
	unsigned young;          /* generations that stay */
	uint32_t *refs;          /* to be written, in key order */
	size_t n;
};

static void entry_touch(const struct coins *c, uint64_t slot)
{
	if (slot)
		__builtin_prefetch(coin_table_at(&c->table, slot));
}

static unsigned bucket_of(const struct coin_entry *e)
{
	return (unsigned)e->txid[0] << 8 | e->txid[1];
}

static int key_cmp(const void *pa, const void *pb, void *arg)
{
	const struct coin_slab *slab = arg;
	const struct coin_entry *a = slab_at(slab, *(const uint32_t *)pa);
	const struct coin_entry *b = slab_at(slab, *(const uint32_t *)pb);
	int cmp = memcmp(a->txid, b->txid, 32);

	return cmp ? cmp : (a->n > b->n) - (a->n < b->n);
}

/* A spent one serves nobody any more. */
static bool entry_goes(const struct flush *f, const struct coin_entry *e)
{
	return e->meta & META_SPENT ||
	       coin_entry_age(&f->c->table, e) >= f->young;
}

static void collect(struct flush *f, uint32_t *refs, uint32_t *starts)
{
	const struct coin_table *t = &f->c->table;

	for (size_t i = 0; i < t->cap; i++) {
		const struct coin_entry *e;

		if (i + FETCH_AHEAD < t->cap)
			entry_touch(f->c, t->slots[i + FETCH_AHEAD]);
		if (!t->slots[i])
			continue;
		e = coin_table_at(t, t->slots[i]);
		if (!(e->meta & META_DIRTY) || !(f->all || entry_goes(f, e)))
			continue;
		CHECK(f->n < t->dirty);
		refs[f->n++] = (uint32_t)t->slots[i];
		starts[bucket_of(e) + 1]++;
	}
	CHECK(!f->all || f->n == t->dirty);
}

/* One pass of a radix sort, then each bucket by itself. */
static void sort(struct flush *f, const uint32_t *refs, uint32_t *starts)
{
	struct coin_slab *slab = &f->c->table.slab;
	uint32_t first = 0;

	for (size_t b = 0; b < BUCKETS; b++)
		starts[b + 1] += starts[b];
	for (size_t i = 0; i < f->n; i++) {
		const struct coin_entry *e = slab_at(slab, refs[i]);

		if (i + FETCH_AHEAD < f->n)
			entry_touch(f->c, refs[i + FETCH_AHEAD]);
		f->refs[starts[bucket_of(e)]++] = refs[i];
	}
	/* starts[b] is now where bucket b ends. */
	for (size_t b = 0; b < BUCKETS; b++) {
		if (starts[b] - first > 1)
			qsort_r(f->refs + first, starts[b] - first,
				sizeof(*f->refs), key_cmp, slab);
		first = starts[b];
	}
}

static void flush_prepare(struct flush *f)
{
	const size_t n = f->c->table.dirty;
	uint32_t *refs = xmalloc((n + 1) * sizeof(*refs));
	uint32_t *starts = xcalloc(BUCKETS + 1, sizeof(*starts));

	f->refs = xmalloc((n + 1) * sizeof(*f->refs));
	collect(f, refs, starts);
	sort(f, refs, starts);
	free(starts);
	free(refs);
}

typedef void emit_fn(struct span key, struct span value, void *arg);

/* value.p NULL: delete. */
static void emit_all(struct flush *f, emit_fn *emit, void *arg)
{
	uint8_t key[COIN_KEY_MAX], buf[SCRIPT_TEMPLATE_MAX];
	struct bytes value = { 0 };
	struct outpoint o;
	struct coin coin;

	for (size_t i = 0; i < f->n; i++) {
		const struct coin_entry *e =
			slab_at(&f->c->table.slab, f->refs[i]);
		struct span k;

		if (i + FETCH_AHEAD < f->n)
			entry_touch(f->c, f->refs[i + FETCH_AHEAD]);
		memcpy(o.txid.b, e->txid, 32);
		o.n = e->n;
		k = span_of(key, coin_key_encode(key, &o));
		if (e->meta & META_SPENT) {
			emit(k, span_of(NULL, 0), arg);
			continue;
		}
		coin_entry_read(e, &coin, buf);
		value.n = 0;
		coin_value_write(&value, &coin);
		emit(k, bytes_span(&value), arg);
	}
	bytes_clear(&value);
}

static void emit_batch(struct span key, struct span value, void *arg)
{
	if (value.p)
		store_batch_put(arg, key, value);
	else
		store_batch_delete(arg, key);
}

static void emit_journal(struct span key, struct span value, void *arg)
{
	journal_put(arg, key, value);
}

static enum err write_batch(struct flush *f, const struct block_hash *tip,
			    struct why *why)
{
	struct store_batch *b = store_batch_new();
	enum err e;

	emit_all(f, emit_batch, b);
	tip_record_put(b, tip, f->c->flushes + 1);
	e = store_write(f->c->db, b, why);
	store_batch_free(b);
	f->c->broken = e != ERR_NONE;
	return e;
}

static enum err write_journal(struct flush *f, const struct block_hash *tip,
			      struct why *why)
{
	struct journal *j;
	enum err e = journal_begin(&j, store_dir(f->c->db),
				   f->c->flushes + 1, tip, why);

	if (e)
		return e;
	emit_all(f, emit_journal, j);
	e = journal_end(j, why);
	if (e)
		return e;
	e = journal_apply(f->c->db, f->c->step_bytes, why);
	f->c->broken = e != ERR_NONE;
	return e;
}

/* ---- afterwards --------------------------------------------------------- */

static bool entry_keep(struct coin_entry *e, void *arg)
{
	const struct flush *f = arg;

	if (f->all)
		e->meta &= ~(META_DIRTY | META_FRESH);
	return !entry_goes(f, e);
}

static void flush_settle(struct flush *f, bool keep)
{
	struct coin_table *t = &f->c->table;
	const size_t limit = f->c->limit_bytes;

	/* Freed memory of the wrong sizes has piled up: begin anew. */
	if (coin_table_bytes(t) > limit / 4 * 5)
		keep = false;
	if (!keep) {
		coin_table_clear(t);
		return;
	}
	f->young = coin_table_young(t, limit / 4 * 3);
	t->dirty = 0;
	coin_table_filter(t, entry_keep, f);
}

/* ---- making room -------------------------------------------------------- */

struct loose {
	struct coins *c;
	struct store_batch *b;
	enum err err;
	struct why why;
};

/* Each batch says how far the database may have come with it. */
static void loose_begin(struct loose *l)
{
	store_batch_clear(l->b);
	store_batch_put(l->b, span_of(REACHED_KEY, 1),
			span_of(l->c->reached.b, 32));
}

static void loose_write(struct loose *l)
{
	if (!l->err)
		l->err = store_write_loose(l->c->db, l->b, &l->why);
	loose_begin(l);
}

static void emit_loose(struct span key, struct span value, void *arg)
{
	struct loose *l = arg;

	emit_batch(key, value, l->b);
	if (store_batch_bytes(l->b) >= LOOSE_BATCH_BYTES)
		loose_write(l);
}

static enum err write_loose(struct flush *f, struct why *why)
{
	struct loose l = { .c = f->c, .b = store_batch_new() };

	loose_begin(&l);
	emit_all(f, emit_loose, &l);
	loose_write(&l);
	store_batch_free(l.b);
	f->c->broken = l.err != ERR_NONE;
	if (l.err && why)
		*why = l.why;
	return l.err;
}

enum err coins_make_room(struct coins *c, const struct block_hash *reached,
			 struct why *why)
{
	struct flush f = {
		.c = c,
		.young = coin_table_young(&c->table, c->room_keep_bytes),
	};
	const int64_t start_us = clock_mono_us();
	enum err e;

	CHECK(c->has_tip && !c->broken);
	flush_prepare(&f);
	c->between = true;
	c->reached = *reached;
	e = write_loose(&f, why);
	if (!e)
		coin_table_filter(&c->table, entry_keep, &f);
	coins_settle_limit(c);
	log_debug(LOG_STORE, "wrote %zu old coins in %lld ms, %zu kept (%zu KiB)",
		  f.n, (long long)(clock_mono_us() - start_us) / 1000,
		  c->table.count, coins_cache_bytes(c) / 1024);
	free(f.refs);
	return e;
}

/* ---- the whole ---------------------------------------------------------- */

bool coins_wants_flush(const struct coins *c)
{
	return coin_table_live_bytes(&c->table) > c->limit_bytes;
}

enum err coins_flush(struct coins *c, const struct block_hash *tip,
		     bool keep, struct why *why)
{
	struct flush f = { .c = c, .all = true };
	const int64_t start_us = clock_mono_us();
	enum err e = ERR_NONE;

	if (c->broken)
		return why_set(why, ERR_STATE,
			       "an earlier write to %s failed; start again",
			       store_dir(c->db));
	/* Its tip must not be durable before the coins written loosely. */
	if (c->between)
		e = store_settle(c->db, why);
	if (e)
		return e;
	flush_prepare(&f);
	if (f.n <= c->batch_coins)
		e = write_batch(&f, tip, why);
	else
		e = write_journal(&f, tip, why);
	if (!e) {
		c->has_tip = true;
		c->between = false;
		c->tip = *tip;
		c->flushes++;
		flush_settle(&f, keep);
		coins_settle_limit(c);
		log_debug(LOG_STORE, "flushed %zu coins in %lld ms, %zu kept (%zu KiB)",
			  f.n, (long long)(clock_mono_us() - start_us) / 1000,
			  c->table.count, coins_cache_bytes(c) / 1024);
	}
	free(f.refs);
	return e;
}
