/*
 * The coins: a table in memory over the database.  An entry is clean (as on
 * disk), dirty, dirty and fresh (the disk never saw it), or a spent marker
 * (the disk still has it).  A fresh coin that is spent leaves no trace.
 */
#include "config.h"

#include "chainstate/coins_priv.h"

#include "base/log.h"
#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/coin_journal_priv.h"

#include <stdlib.h>

#define MIB ((size_t)1 << 20)
#define REMEDY "start with -reindex-chainstate"

/* Of a table, this part stays in memory: its index and its filter. */
#define TABLE_SHARE 25

/* Outpoints looked at together while prefetching. */
#define PREFETCH_GROUP 16

void tip_record_put(struct store_batch *b, const struct block_hash *tip,
		    uint64_t number)
{
	struct bytes v = { 0 };

	bytes_append(&v, tip->b, 32);
	write_u64(&v, number);
	store_batch_put(b, span_of(TIP_KEY, 1), bytes_span(&v));
	store_batch_delete(b, span_of(REACHED_KEY, 1));
	bytes_clear(&v);
}

static enum err damaged(const struct coins *c, const char *what,
			struct why *why)
{
	return why_set(why, ERR_CORRUPT,
		       "the coins database in %s is damaged (%s): " REMEDY,
		       store_dir(c->db), what);
}

static enum err reached_load(struct coins *c, struct why *why)
{
	enum err e = store_get(c->db, &c->value, &c->between,
			       span_of(REACHED_KEY, 1), why);

	if (e || !c->between)
		return e;
	if (c->value.n != sizeof(c->reached.b))
		return damaged(c, "the reached record has a wrong size", why);
	memcpy(c->reached.b, c->value.p, c->value.n);
	return ERR_NONE;
}

static enum err tip_load(struct coins *c, struct why *why)
{
	enum err e = reached_load(c, why);
	struct reader r;

	if (!e)
		e = store_get(c->db, &c->value, &c->has_tip,
			      span_of(TIP_KEY, 1), why);
	if (e || !c->has_tip)
		return e;
	r = reader_of(bytes_span(&c->value));
	read_copy(&r, c->tip.b, 32);
	c->flushes = read_u64(&r);
	if (r.failed || reader_left(&r))
		return damaged(c, "the tip record has a wrong size", why);
	return ERR_NONE;
}

/* Finish a large flush that a crash interrupted. */
static enum err journal_recover(struct coins *c, struct why *why)
{
	bool applying;
	uint64_t number;
	enum err e = store_get(c->db, &c->value, &applying,
			       span_of(APPLYING_KEY, 1), why);

	if (e)
		return e;
	e = journal_check(&number, store_dir(c->db), why);
	if (e)
		return e;
	if (number == c->flushes + 1) {
		log_info(LOG_STORE, "finishing the write to %s that was interrupted",
			 store_dir(c->db));
		e = journal_apply(c->db, c->step_bytes, why);
		return e ? e : tip_load(c, why);
	}
	if (applying)
		return damaged(c, "flush.journal is missing or damaged", why);
	return number ? journal_remove(store_dir(c->db), why) : ERR_NONE;
}

void coins_settle_limit(struct coins *c)
{
	size_t tables = (size_t)store_disk_bytes(c->db) / TABLE_SHARE;

	c->limit_bytes = MAX_OF(c->cache_bytes / 2,
				c->cache_bytes - MIN_OF(tables,
							c->cache_bytes));
	c->room_keep_bytes = c->limit_bytes / 3 * 2;
}

enum err coins_open(struct coins **out, const char *dir,
		    const struct coins_options *opt, struct why *why)
{
	struct coins *c = xcalloc(1, sizeof(*c));
	const struct store_options so = {
		.write_buffer_bytes =
			MIN_OF(MAX_OF(opt->db_cache_bytes / 5 * 2, MIB),
			       16 * MIB),
		.block_cache_bytes =
			MIN_OF(MAX_OF(opt->db_cache_bytes / 5, MIB / 4),
			       8 * MIB),
		.wipe = opt->wipe,
		.remedy = REMEDY,
	};
	enum err e;

	c->cache_bytes = c->limit_bytes = opt->cache_bytes;
	c->batch_coins = FLUSH_BATCH_COINS;
	c->step_bytes = JOURNAL_STEP_BYTES;
	coin_table_init(&c->table, c->limit_bytes);
	e = store_open(&c->db, dir, &so, why);
	if (!e && opt->wipe)
		e = journal_remove(dir, why);
	if (!e)
		e = tip_load(c, why);
	if (!e)
		e = journal_recover(c, why);
	if (!e)
		coins_settle_limit(c);
	if (e) {
		coins_close(c);
		c = NULL;
	}
	*out = c;
	return e;
}

void coins_close(struct coins *c)
{
	if (!c)
		return;
	coin_walks_end(c);
	coin_table_clear(&c->table);
	store_close(c->db);
	bytes_clear(&c->value);
	free(c);
}

bool coins_tip(const struct coins *c, struct block_hash *out)
{
	if (c->has_tip)
		*out = c->tip;
	return c->has_tip;
}

bool coins_reached(const struct coins *c, struct block_hash *out)
{
	if (c->between)
		*out = c->reached;
	return c->between;
}

static enum err no_memory(const struct coins *c, struct why *why)
{
	return why_set(why, ERR_MEMORY,
		       "the system gives no more memory for the coin cache (%zu MiB in use); lower -dbcache",
		       coins_cache_bytes(c) / MIB);
}

static enum err value_decode(struct coins *c, struct coin *coin,
			     struct span value, struct why *why)
{
	struct reader r = reader_of(value);

	if (!coin_value_read(coin, c->script, &r) || reader_left(&r))
		return damaged(c, "a coin's record does not decode", why);
	return ERR_NONE;
}

enum err coin_load(struct coins *c, bool *found, struct coin *coin,
		   const struct outpoint *o, struct why *why)
{
	uint8_t key[COIN_KEY_MAX];
	enum err e;

	if (c->below)
		return coins_get(c->below, found, coin, o, why);
	*found = false;
	if (!c->has_tip)
		return ERR_NONE;
	e = store_get(c->db, &c->value, found,
		      span_of(key, coin_key_encode(key, o)), why);
	if (e || !*found)
		return e;
	return value_decode(c, coin, bytes_span(&c->value), why);
}

enum err coins_get(struct coins *c, bool *found, struct coin *coin,
		   const struct outpoint *o, struct why *why)
{
	const uint32_t hash = coin_table_hash(&c->table, o);
	size_t pos;
	const struct coin_entry *e = coin_table_find(&c->table, &pos, o,
						     hash);
	enum err err;

	if (e) {
		*found = !(e->meta & META_SPENT);
		if (*found)
			coin_entry_read(e, coin, c->script);
		return ERR_NONE;
	}
	err = coin_load(c, found, coin, o, why);
	if (err || !*found)
		return err;
	if (!coin_table_insert(&c->table, pos, o, hash, coin, 0))
		return no_memory(c, why);
	return ERR_NONE;
}

/* e: at pos, or NULL and pos is where it would be. */
static enum err entry_spend(struct coins *c, const struct outpoint *o,
			    uint32_t hash, size_t pos,
			    const struct coin_entry *e, struct why *why)
{
	bool ok = true;

	if (!e)
		ok = coin_table_insert(&c->table, pos, o, hash, NULL,
				       META_DIRTY);
	else if (e->meta & META_FRESH)
		coin_table_remove(&c->table, pos);
	else
		ok = coin_table_replace(&c->table, pos, NULL, META_DIRTY);
	return ok ? ERR_NONE : no_memory(c, why);
}

enum err coins_spend(struct coins *c, bool *found, struct coin *coin,
		     struct arena *a, const struct outpoint *o,
		     struct why *why)
{
	const uint32_t hash = coin_table_hash(&c->table, o);
	size_t pos;
	const struct coin_entry *e = coin_table_find(&c->table, &pos, o,
						     hash);
	enum err err = ERR_NONE;

	if (e) {
		*found = !(e->meta & META_SPENT);
		if (*found)
			coin_entry_read(e, coin, c->script);
	} else {
		err = coin_load(c, found, coin, o, why);
	}
	if (err || !*found)
		return err;
	coin->script = arena_copy(a, coin->script);
	return entry_spend(c, o, hash, pos, e, why);
}

enum err coins_add(struct coins *c, const struct outpoint *o,
		   const struct coin *coin, bool may_exist, struct why *why)
{
	const uint32_t hash = coin_table_hash(&c->table, o);
	uint64_t flags = META_DIRTY;
	size_t pos;
	const struct coin_entry *e = coin_table_find(&c->table, &pos, o,
						     hash);
	bool ok;

	if (e) {
		/* Known to be fresh, and yet unspent here: a bug above. */
		CHECK(may_exist || (e->meta & META_SPENT));
		flags |= e->meta & META_FRESH;
		ok = coin_table_replace(&c->table, pos, coin, flags);
	} else {
		if (!may_exist)
			flags |= META_FRESH;
		ok = coin_table_insert(&c->table, pos, o, hash, coin, flags);
	}
	return ok ? ERR_NONE : no_memory(c, why);
}

enum err coins_remove(struct coins *c, const struct outpoint *o,
		      struct why *why)
{
	const uint32_t hash = coin_table_hash(&c->table, o);
	size_t pos;
	const struct coin_entry *e = coin_table_find(&c->table, &pos, o,
						     hash);

	return entry_spend(c, o, hash, pos, e, why);
}

void coins_expect(const struct coins *c, const struct tx *tx)
{
	struct outpoint o = { .txid = tx->txid };

	for (o.n = 0; o.n < tx->out_count; o.n++)
		coin_table_touch(&c->table, coin_table_hash(&c->table, &o));
}

/* ---- prefetch ----------------------------------------------------------- */

struct wanted {
	struct outpoint o;
	uint32_t hash;
	bool found;
	enum err err;
	struct bytes value;
};

static void wanted_read(void *item, void *arg)
{
	struct wanted *w = item;
	struct coins *c = arg;
	uint8_t key[COIN_KEY_MAX];

	w->err = store_get(c->db, &w->value, &w->found,
			   span_of(key, coin_key_encode(key, &w->o)), NULL);
}

/* The outpoints that the table does not have. */
static size_t wanted_list(struct wanted *out, struct coins *c,
			  const struct outpoint *o, size_t n)
{
	uint32_t hash[PREFETCH_GROUP];
	size_t count = 0, pos;

	for (size_t i = 0; i < n; i += PREFETCH_GROUP) {
		size_t m = MIN_OF(n - i, (size_t)PREFETCH_GROUP);

		for (size_t k = 0; k < m; k++) {
			hash[k] = coin_table_hash(&c->table, &o[i + k]);
			coin_table_touch(&c->table, hash[k]);
		}
		for (size_t k = 0; k < m; k++)
			coin_table_touch_entry(&c->table, hash[k]);
		for (size_t k = 0; k < m; k++)
			if (!coin_table_find(&c->table, &pos, &o[i + k],
					     hash[k]) && c->has_tip)
				out[count++] = (struct wanted){
					.o = o[i + k], .hash = hash[k],
				};
	}
	return count;
}

static enum err wanted_insert(struct coins *c, struct wanted *w,
			      struct why *why)
{
	struct coin coin;
	size_t pos;
	enum err e;

	if (w->err) {
		/* Once more on this thread, for the text. */
		bool found;

		e = coin_load(c, &found, &coin, &w->o, why);
		return e ? e : why_set(why, w->err,
				       "cannot read the database in %s",
				       store_dir(c->db));
	}
	if (!w->found || coin_table_find(&c->table, &pos, &w->o, w->hash))
		return ERR_NONE;
	e = value_decode(c, &coin, bytes_span(&w->value), why);
	if (e)
		return e;
	if (!coin_table_insert(&c->table, pos, &w->o, w->hash, &coin, 0))
		return no_memory(c, why);
	return ERR_NONE;
}

enum err coins_prefetch(struct coins *c, const struct outpoint *o, size_t n,
			struct workers *w, struct why *why)
{
	struct wanted *list = xcalloc(n, sizeof(*list));
	size_t count = wanted_list(list, c, o, n);
	enum err e = ERR_NONE;

	if (w && count > 1) {
		struct batch *b = batch_new(w, wanted_read, c);

		batch_add(b, list, count, sizeof(*list));
		batch_wait(b);
		batch_free(b);
	} else {
		for (size_t i = 0; i < count; i++)
			wanted_read(&list[i], c);
	}
	for (size_t i = 0; i < count; i++) {
		if (i + PREFETCH_GROUP < count)
			coin_table_touch(&c->table,
					 list[i + PREFETCH_GROUP].hash);
		if (!e)
			e = wanted_insert(c, &list[i], why);
		bytes_clear(&list[i].value);
	}
	free(list);
	return e;
}

/* ---- the whole ---------------------------------------------------------- */

size_t coins_cache_bytes(const struct coins *c)
{
	return coin_table_bytes(&c->table);
}

enum err coins_visit(struct coins *c, coins_visit_fn *fn, void *arg,
		     struct why *why)
{
	const uint8_t prefix = COIN_KEY_PREFIX;
	struct store_iter *it = store_iter_new(c->db, span_of(&prefix, 1));
	struct span key, value;
	struct outpoint o;
	struct coin coin;
	enum err e = ERR_NONE, end;

	while (!e && store_iter_next(it, &key, &value)) {
		if (!coin_key_decode(&o, key))
			e = damaged(c, "a coin's key does not decode", why);
		else
			e = value_decode(c, &coin, value, why);
		if (!e && !fn(&o, &coin, arg))
			e = why_set(why, ERR_STOPPED, "stopped");
	}
	end = store_iter_end(it, e ? NULL : why);
	return e ? e : end;
}

uint64_t coins_disk_bytes(struct coins *c)
{
	return store_disk_bytes(c->db);
}
