/*
 * One life of a chain on a watched disk.
 */
#include "config.h"

#include "tests/crash/workload.h"

#include "base/file.h"
#include "base/random.h"
#include "base/writer.h"
#include "chainstate/coins_priv.h"
#include "tests/crash/tap.h"
#include "validation/chain_priv.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DBCACHE_BYTES ((size_t)8 << 20)
#define STEP_BYTES 20000
#define PRUNED_FILE_BYTES 6000

void mark(const char *fmt, ...)
{
	tap_mark_fn *fn = (tap_mark_fn *)dlsym(RTLD_DEFAULT, TAP_MARK_NAME);
	char text[200];
	va_list ap;

	if (!fn)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fn(text);
}

bool workload_prunes(uint64_t seed)
{
	return seed % 4 == 0;
}

struct action workload_action(size_t arrival, uint64_t seed)
{
	struct action a = { .flush = false };
	struct prng rng;

	prng_seed(&rng, seed * 1000003 + arrival);
	a.flush = prng_below(&rng, 9) == 0;
	a.replace = prng_below(&rng, 12) == 0;
	if (arrival > 110 && prng_below(&rng, 25) == 0)
		a.invalidate = 1 + (int)prng_below(&rng, 5);
	a.prune = workload_prunes(seed) && prng_below(&rng, 7) == 0;
	return a;
}

void workload_small_file(struct bytes *out, unsigned k)
{
	struct prng rng;

	prng_seed(&rng, k);
	for (size_t n = 40 + prng_below(&rng, 1500); n; n--)
		write_u64(out, prng_u64(&rng));
}

/* ---- a life ------------------------------------------------------------- */

static void on_move(void *ctx, const struct header_node *n,
		    struct block *block)
{
	struct life *l = ctx;

	(void)n;
	(void)block;
	l->moves++;
	if (l->told)
		mark("move");
}

enum err life_open(struct life *l, const char *dir, bool prunes)
{
	struct chain_options o = { .params = &l->params,
				   .clock = &l->clock,
				   .dbcache_bytes = DBCACHE_BYTES,
				   .events = { .ctx = l,
					       .connected = on_move,
					       .disconnected = on_move } };
	enum err e;

	memset(l, 0, sizeof(*l));
	l->params = chain_params_get(CHAIN_REGTEST);
	l->dir = xstrdup(dir);
	o.dir = l->dir;
	o.prune_bytes = prunes ? CHAIN_PRUNE_MANUAL : 0;
	e = chain_open(&l->chain, &o, &l->why);
	if (!e && prunes)
		block_store_set_file_bytes(l->chain->store,
					   PRUNED_FILE_BYTES);
	return e;
}

void life_close(struct life *l)
{
	chain_close(l->chain);
	free(l->dir);
	l->chain = NULL;
	l->dir = NULL;
}

void life_use_journal(struct life *l)
{
	l->chain->coins->batch_coins = 40;
	l->chain->coins->step_bytes = STEP_BYTES;
}

/* The chain may write some coins here, or all of them. */
static void may_flush(struct life *l, size_t arrived)
{
	struct block_hash h;
	char hex[65];

	if (!coins_reached(l->chain->coins, &h))
		return;
	hash_to_rpc_hex(hex, chain_tip(l->chain)->hash.b);
	mark("flushing %s %zu", hex, arrived);
}

static enum err feed_one(struct life *l, struct block *b, size_t arrived)
{
	const struct header_node *n = chain_lookup(l->chain, &b->hash);
	struct block_result res;
	enum err e;

	if (n && (n->status & BLOCK_HAVE_DATA ||
		  chain_block_pruned(l->chain, n)))
		return ERR_NONE;
	e = chain_accept_block(l->chain, &res, b, true, &l->why);
	if (e)
		return e;
	if (res.finding.verdict)
		return why_set(&l->why, ERR_STATE, "a block of the chain is "
			       "refused: %s",
			       verdict_reason(res.finding.verdict));
	may_flush(l, arrived);
	return chain_activate(l->chain, &l->why);
}

enum err life_feed(struct life *l, const struct arrivals *a, size_t to)
{
	enum err e = chain_activate(l->chain, &l->why);

	for (size_t i = 0; i < to && !e; i++)
		e = feed_one(l, a->list[i], i);
	return e;
}

enum err life_flush(struct life *l, size_t arrived)
{
	char hex[65];
	enum err e;

	hash_to_rpc_hex(hex, chain_tip(l->chain)->hash.b);
	mark("flushing %s %zu", hex, arrived);
	e = chain_flush(l->chain, &l->why);
	if (!e)
		mark("flushed");
	return e;
}

enum err life_forgive(struct life *l)
{
	enum err e = ERR_NONE;

	for (size_t i = 0; i < l->chain->tree.count && !e; i++)
		if (l->chain->tree.nodes[i]->status & BLOCK_FAILED)
			e = chain_reconsider(l->chain,
					     l->chain->tree.nodes[i],
					     &l->why);
	return e;
}

enum err life_muhash(struct life *l, char out[static 65])
{
	struct utxo_stats s;
	enum err e = chain_utxo_stats(l->chain, &s, UTXO_HASH_MUHASH,
				      &l->why);

	if (!e)
		hash_to_rpc_hex(out, s.hash);
	return e;
}

/* ---- the workload ------------------------------------------------------- */

static enum err replace_small_file(struct life *l, unsigned k)
{
	char *path = path_join(l->dir, WORKLOAD_PEERS);
	char *dir = path_join(l->dir, "node");
	struct bytes b = { 0 };
	enum err e = dir_make(dir, 0700, &l->why);

	workload_small_file(&b, k);
	mark("replacing %u", k);
	if (!e)
		e = file_replace(path, bytes_span(&b), 0600, &l->why);
	if (!e)
		mark("replaced");
	bytes_clear(&b);
	free(dir);
	free(path);
	return e;
}

/* Leave a part of the chain by the owner's word, flush there, go back. */
static enum err leave_and_return(struct life *l, size_t arrived, int depth)
{
	struct header_node *n = chain_at(l->chain,
					 chain_tip(l->chain)->height - depth);
	char hex[65];
	enum err e;

	hash_to_rpc_hex(hex, n->hash.b);
	mark("invalid %s", hex);
	may_flush(l, arrived);
	e = chain_invalidate(l->chain, n, &l->why);
	if (!e)
		e = chain_activate(l->chain, &l->why);
	if (!e && depth % 2)
		e = life_flush(l, arrived);
	if (!e)
		e = chain_reconsider(l->chain, n, &l->why);
	return e ? e : chain_activate(l->chain, &l->why);
}

/* As when memory is short: what is old goes, without a sync. */
static enum err make_room(struct life *l, size_t arrived)
{
	char hex[65];

	hash_to_rpc_hex(hex, chain_tip(l->chain)->hash.b);
	mark("flushing %s %zu", hex, arrived);
	l->chain->coins->room_keep_bytes = arrived % 5 * 2000;
	return chain_make_room(l->chain, &l->why);
}

static enum err act(struct life *l, size_t arrived, struct action a)
{
	enum err e = ERR_NONE;

	if (arrived % 3 == 0)
		e = make_room(l, arrived);
	if (e)
		return e;
	if (a.invalidate)
		e = leave_and_return(l, arrived, a.invalidate);
	if (!e && a.replace)
		e = replace_small_file(l, (unsigned)arrived);
	if (!e && (a.flush || a.prune))
		e = life_flush(l, arrived);
	if (!e && a.prune)
		e = chain_prune_to(l->chain, INT32_MAX, &l->why);
	return e;
}

enum err workload_run(const char *dir, const struct arrivals *a, size_t from,
		      size_t to, uint64_t seed, bool journal,
		      enum life_end end, struct why *why)
{
	struct life l;
	enum err e;

	mark("life");
	e = life_open(&l, dir, workload_prunes(seed));
	if (e) {
		*why = l.why;
		return e;
	}
	l.told = true;
	if (journal)
		life_use_journal(&l);
	e = life_forgive(&l);
	if (!e)
		e = life_feed(&l, a, from);
	for (size_t i = from; i < to && !e; i++) {
		e = feed_one(&l, a->list[i], i);
		mark("arrived %zu", i + 1);
		if (!e)
			e = act(&l, i + 1, workload_action(i, seed));
	}
	if (!e && end == LIFE_KILLED)
		_exit(0);
	if (!e)
		e = life_flush(&l, to);
	*why = l.why;
	life_close(&l);
	return e;
}
