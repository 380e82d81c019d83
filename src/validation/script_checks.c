/*
 * Script checks as items of a batch.  A small transaction is one item and
 * makes its own signature hashes; a large one is cut into pieces that share
 * them.
 */
#include "config.h"

#include "validation/script_checks.h"

/* Inputs in one piece of a large transaction. */
#define PIECE_INPUTS 16
/* So much is handed over together, to spare the pool's lock: an input that
 * brings data may be a signature check, one without cannot. */
#define COST_SIGNED 16
#define COST_EMPTY 1
#define HANDOVER_COST (64 * COST_SIGNED)

static void check_run(void *item, void *ctx)
{
	struct script_check *k = item;
	const struct sighash_cache *cache = k->cache;
	struct sighash_cache own;
	uint32_t i;

	(void)ctx;
	if (!cache) {
		sighash_cache_init(&own, k->tx, k->spent);
		cache = &own;
	}
	for (i = k->first; i < k->first + k->count; i++) {
		if (script_verify(k->tx, i, k->spent, k->flags, cache,
				  &k->error))
			continue;
		if (k->error == SCRIPT_OK)
			k->error = SCRIPT_ERR_UNKNOWN;
		k->error_in = i;
		return;
	}
}

void script_checks_init(struct script_checks *s, struct workers *w,
			struct arena *arena, const struct block *b,
			uint32_t flags)
{
	size_t inputs = 0;
	uint32_t i;

	memset(s, 0, sizeof *s);
	for (i = 1; i < b->tx_count; i++)
		inputs += b->tx[i].in_count;
	s->cap = b->tx_count + inputs / PIECE_INPUTS;
	s->arena = arena;
	s->flags = flags;
	s->items = arena_calloc(arena, s->cap, sizeof *s->items);
	s->batch = batch_new(w, check_run, NULL);
}

static size_t piece_cost(const struct script_check *k)
{
	size_t cost = 0;
	uint32_t i;

	for (i = k->first; i < k->first + k->count; i++) {
		const struct tx_in *in = &k->tx->in[i];

		cost += in->witness_count || in->script_sig.n ? COST_SIGNED
							      : COST_EMPTY;
	}
	return cost;
}

static void add_piece(struct script_checks *s, const struct script_check *k)
{
	CHECK(s->count < s->cap);
	s->items[s->count++] = *k;
	s->cost_pending += piece_cost(k);
	if (s->cost_pending >= HANDOVER_COST)
		script_checks_flush(s);
}

void script_checks_add(struct script_checks *s, const struct tx *tx,
		       uint32_t tx_index, const struct tx_out *spent)
{
	struct script_check k = {
		.tx = tx, .spent = spent, .flags = s->flags,
		.tx_index = tx_index, .count = tx->in_count,
	};
	struct sighash_cache *cache;

	if (tx->in_count <= PIECE_INPUTS) {
		add_piece(s, &k);
		return;
	}
	cache = arena_alloc(s->arena, sizeof *cache);
	sighash_cache_init(cache, tx, spent);
	k.cache = cache;
	for (; k.first < tx->in_count; k.first += k.count) {
		k.count = MIN_OF((uint32_t)PIECE_INPUTS,
				 tx->in_count - k.first);
		add_piece(s, &k);
	}
}

void script_checks_flush(struct script_checks *s)
{
	if (s->count > s->added)
		batch_add(s->batch, s->items + s->added, s->count - s->added,
			  sizeof *s->items);
	s->added = s->count;
	s->cost_pending = 0;
}

bool script_checks_finished(const struct script_checks *s)
{
	return !s->batch || batch_finished(s->batch);
}

bool script_checks_help(struct script_checks *s)
{
	return !s->batch || batch_help(s->batch);
}

void script_checks_wait(struct script_checks *s, struct finding *f)
{
	size_t i;

	*f = (struct finding){ .tx = -1, .in = -1 };
	if (!s->batch)
		return;
	batch_wait(s->batch);
	for (i = 0; i < s->count; i++) {
		if (s->items[i].error == SCRIPT_OK)
			continue;
		f->verdict = VERDICT_SCRIPT;
		f->script = s->items[i].error;
		f->tx = (int32_t)s->items[i].tx_index;
		f->in = (int32_t)s->items[i].error_in;
		return;
	}
}

void script_checks_clear(struct script_checks *s)
{
	if (!s->batch)
		return;
	batch_cancel(s->batch);
	batch_free(s->batch);
	s->batch = NULL;
}
