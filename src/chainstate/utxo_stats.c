/*
 * Statistics and hashes over coins, from the database or from a snapshot
 * file.  hash_serialized and MuHash take a coin in the same form.
 */
#include "config.h"

#include "chainstate/utxo_stats.h"

#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/coin_record_priv.h"
#include "chainstate/snapshot_priv.h"
#include "crypto/hash.h"
#include "crypto/muhash.h"

/* An output's worth besides its script: txid, index, height and coinbase,
 * amount, script length. */
#define BOGO_FIXED 50
#define ASK_STOP_EVERY 8192

struct walk {
	struct utxo_stats *out;
	enum utxo_hash_type type;
	struct sha256 sha;
	struct muhash mu;
	struct bytes element;
	struct txid last;
	bool (*stop)(void *arg);
	void *arg;
};

static void walk_init(struct walk *w, struct utxo_stats *out,
		      enum utxo_hash_type type)
{
	*out = (struct utxo_stats){ 0 };
	*w = (struct walk){ .out = out, .type = type };
	sha256_init(&w->sha);
	muhash_init(&w->mu);
}

static void walk_hash(struct walk *w, const struct outpoint *o,
		      const struct coin *c)
{
	struct bytes *b = &w->element;

	if (w->type == UTXO_HASH_NONE)
		return;
	b->n = 0;
	bytes_append(b, o->txid.b, 32);
	write_u32(b, o->n);
	write_u32(b, coin_code(c));
	write_u64(b, (uint64_t)c->value_sat);
	write_var_span(b, c->script);
	if (w->type == UTXO_HASH_SERIALIZED)
		sha256_update(&w->sha, b->p, b->n);
	else
		muhash_insert(&w->mu, bytes_span(b));
}

static bool walk_coin(const struct outpoint *o, const struct coin *c,
		      void *arg)
{
	struct walk *w = arg;
	struct utxo_stats *s = w->out;

	if (s->outputs == 0 || !txid_eq(&o->txid, &w->last))
		s->txs++;
	w->last = o->txid;
	s->outputs++;
	s->bogosize += BOGO_FIXED + c->script.n;
	s->total_sat += c->value_sat;
	walk_hash(w, o, c);
	return !w->stop || s->outputs % ASK_STOP_EVERY != 0 ||
	       !w->stop(w->arg);
}

static void walk_finish(struct walk *w)
{
	if (w->type == UTXO_HASH_SERIALIZED)
		sha256d_final(&w->sha, w->out->hash);
	else if (w->type == UTXO_HASH_MUHASH)
		muhash_final(&w->mu, w->out->hash);
	bytes_clear(&w->element);
}

enum err utxo_stats_compute(struct utxo_stats *out, struct coins *c,
			    enum utxo_hash_type type, bool (*stop)(void *arg),
			    void *arg, struct why *why)
{
	struct walk w;
	enum err e;

	walk_init(&w, out, type);
	w.stop = stop;
	w.arg = arg;
	e = coins_visit(c, walk_coin, &w, why);
	walk_finish(&w);
	out->disk_bytes = coins_disk_bytes(c);
	return e;
}

enum err snapshot_stats(struct utxo_stats *out, struct block_hash *base,
			const char *path, const uint8_t magic[static 4],
			enum utxo_hash_type type, struct why *why)
{
	struct walk w;
	enum err e;

	walk_init(&w, out, type);
	e = snapshot_visit(base, &out->disk_bytes, path, magic, walk_coin,
			   &w, why);
	walk_finish(&w);
	return e;
}
