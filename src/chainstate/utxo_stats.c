/*
 * Statistics and hashes over coins, from the database or from a snapshot
 * file.  hash_serialized and MuHash take a coin in the same form.
 */
#include "config.h"

#include "chainstate/utxo_stats.h"

#include "base/writer.h"
#include "chainstate/coin_record_priv.h"
#include "chainstate/snapshot_priv.h"
#include "crypto/hash.h"
#include "crypto/muhash.h"

#include <stdlib.h>

#define ASK_STOP_EVERY 8192

struct utxo_tally {
	struct utxo_stats stats;
	enum utxo_hash_type type;
	struct sha256 sha;
	struct muhash mu;
	struct bytes element;
	struct txid last;
};

void coin_element_write(struct bytes *b, const struct outpoint *o,
			const struct coin *c)
{
	bytes_append(b, o->txid.b, 32);
	write_u32(b, o->n);
	write_u32(b, coin_code(c));
	write_u64(b, (uint64_t)c->value_sat);
	write_var_span(b, c->script);
}

struct utxo_tally *utxo_tally_new(enum utxo_hash_type type)
{
	struct utxo_tally *t = xcalloc(1, sizeof(*t));

	t->type = type;
	sha256_init(&t->sha);
	muhash_init(&t->mu);
	return t;
}

void utxo_tally_free(struct utxo_tally *t)
{
	if (t)
		bytes_clear(&t->element);
	free(t);
}

static void tally_hash(struct utxo_tally *t, const struct outpoint *o,
		       const struct coin *c)
{
	struct bytes *b = &t->element;

	if (t->type == UTXO_HASH_NONE)
		return;
	b->n = 0;
	coin_element_write(b, o, c);
	if (t->type == UTXO_HASH_SERIALIZED)
		sha256_update(&t->sha, b->p, b->n);
	else
		muhash_insert(&t->mu, bytes_span(b));
}

bool utxo_tally_coin(const struct outpoint *o, const struct coin *c,
		     void *arg)
{
	struct utxo_tally *t = arg;
	struct utxo_stats *s = &t->stats;

	if (s->outputs == 0 || !txid_eq(&o->txid, &t->last))
		s->txs++;
	t->last = o->txid;
	s->outputs++;
	s->bogosize += COIN_BOGOSIZE + c->script.n;
	s->total_sat += c->value_sat;
	tally_hash(t, o, c);
	return true;
}

void utxo_tally_end(struct utxo_tally *t, struct utxo_stats *out)
{
	if (t->type == UTXO_HASH_SERIALIZED)
		sha256d_final(&t->sha, t->stats.hash);
	else if (t->type == UTXO_HASH_MUHASH)
		muhash_final(&t->mu, t->stats.hash);
	*out = t->stats;
}

/* A tally that asks now and then whether to stop. */
struct walk {
	struct utxo_tally *tally;
	bool (*stop)(void *arg);
	void *arg;
};

static bool walk_coin(const struct outpoint *o, const struct coin *c,
		      void *arg)
{
	struct walk *w = arg;

	return utxo_tally_coin(o, c, w->tally) &&
	       (!w->stop || w->tally->stats.outputs % ASK_STOP_EVERY != 0 ||
		!w->stop(w->arg));
}

enum err utxo_stats_compute(struct utxo_stats *out, struct coins *c,
			    enum utxo_hash_type type, bool (*stop)(void *arg),
			    void *arg, struct why *why)
{
	struct walk w = { utxo_tally_new(type), stop, arg };
	enum err e = coins_visit(c, walk_coin, &w, why);

	utxo_tally_end(w.tally, out);
	utxo_tally_free(w.tally);
	out->disk_bytes = coins_disk_bytes(c);
	return e;
}

enum err snapshot_stats(struct utxo_stats *out, struct block_hash *base,
			const char *path, const uint8_t magic[static 4],
			enum utxo_hash_type type, struct why *why)
{
	struct utxo_tally *t = utxo_tally_new(type);
	uint64_t size_bytes = 0;
	enum err e = snapshot_visit(base, &size_bytes, path, magic,
				    utxo_tally_coin, t, why);

	utxo_tally_end(t, out);
	utxo_tally_free(t);
	out->disk_bytes = size_bytes;
	return e;
}
