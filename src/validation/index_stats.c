/*
 * Statistics of the coins at each block: 's' block hash -> sums, 'M' -> the
 * running MuHash of the last commit.  The sums are the reference node's.
 */
#include "config.h"

#include "validation/index_priv.h"

#include <stdlib.h>

#include "base/writer.h"
#include "chainstate/utxo_stats.h"
#include "validation/flight.h"

#define MUHASH_KEY "M"

int64_t coin_sums_unspendable(const struct coin_sums *s)
{
	return s->genesis + s->bip30 + s->scripts + s->unclaimed;
}

/* ---- records ---- */

static void sums_write(struct bytes *b, const struct coin_sums *s)
{
	const int64_t v[] = {
		(int64_t)s->outputs, (int64_t)s->bogosize, s->total,
		s->subsidy, s->prevouts_spent, s->new_outputs, s->coinbase,
		s->genesis, s->bip30, s->scripts, s->unclaimed,
	};

	bytes_append(b, s->muhash, sizeof s->muhash);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		varint_write(b, (uint64_t)v[i]);
}

static bool sums_read(struct coin_sums *s, struct span value)
{
	struct reader r = reader_of(value);

	read_copy(&r, s->muhash, sizeof s->muhash);
	s->outputs = varint_read(&r);
	s->bogosize = varint_read(&r);
	s->total = (int64_t)varint_read(&r);
	s->subsidy = (int64_t)varint_read(&r);
	s->prevouts_spent = (int64_t)varint_read(&r);
	s->new_outputs = (int64_t)varint_read(&r);
	s->coinbase = (int64_t)varint_read(&r);
	s->genesis = (int64_t)varint_read(&r);
	s->bip30 = (int64_t)varint_read(&r);
	s->scripts = (int64_t)varint_read(&r);
	s->unclaimed = (int64_t)varint_read(&r);
	return !r.failed && !reader_left(&r);
}

static enum err damaged(struct why *why)
{
	return why_set(why, ERR_CORRUPT, "the index of coin statistics is "
		       "damaged; remove indexes/coinstats to have it made "
		       "again");
}

static enum err sums_get(struct side_index *x, bool *found,
			 struct coin_sums *out, const struct block_hash *h,
			 struct why *why)
{
	struct bytes value = { 0 };
	uint8_t key[33];
	enum err e = side_db_get(x->db, &value, found, index_key(key, 's', h),
				 why);

	if (!e && *found && !sums_read(out, bytes_span(&value)))
		e = damaged(why);
	bytes_clear(&value);
	return e;
}

/* Write those whose MuHash had to wait. */
static void finish(struct side_index *x)
{
	uint8_t (*digest)[32] = xcalloc(x->unfinished_n + 1, sizeof *digest);
	struct bytes value = { 0 };
	uint8_t key[33];

	muhash_final_many(digest, x->unfinished_muhash, x->unfinished_n);
	for (size_t i = 0; i < x->unfinished_n; i++) {
		struct stats_block *s = &x->unfinished[i];

		memcpy(s->sums.muhash, digest[i], 32);
		value.n = 0;
		sums_write(&value, &s->sums);
		side_db_put(x->db, index_key(key, 's', &s->hash),
			    bytes_span(&value));
	}
	if (x->unfinished_n)
		x->sums = x->unfinished[x->unfinished_n - 1].sums;
	x->unfinished_n = 0;
	bytes_clear(&value);
	free(digest);
}

static void save(struct side_index *x)
{
	struct bytes b = { 0 };

	finish(x);

	for (size_t i = 0; i < ARRAY_SIZE(x->muhash.num); i++)
		write_u64(&b, x->muhash.num[i]);
	for (size_t i = 0; i < ARRAY_SIZE(x->muhash.den); i++)
		write_u64(&b, x->muhash.den[i]);
	side_db_put(x->db, span_of(MUHASH_KEY, 1), bytes_span(&b));
	bytes_clear(&b);
}

static enum err load(struct side_index *x, struct why *why)
{
	struct bytes b = { 0 };
	struct reader r;
	uint8_t digest[32];
	bool found;
	enum err e = side_db_get(x->db, &b, &found, span_of(MUHASH_KEY, 1),
				 why);

	r = reader_of(bytes_span(&b));
	for (size_t i = 0; i < ARRAY_SIZE(x->muhash.num); i++)
		x->muhash.num[i] = read_u64(&r);
	for (size_t i = 0; i < ARRAY_SIZE(x->muhash.den); i++)
		x->muhash.den[i] = read_u64(&r);
	if (!e && (!found || r.failed || reader_left(&r)))
		e = damaged(why);
	bytes_clear(&b);
	if (!e)
		e = sums_get(x, &found, &x->sums, &x->best->hash, why);
	if (e)
		return e;
	/* Both are of the same block, or something is amiss. */
	muhash_final(&x->muhash, digest);
	if (!found || memcmp(digest, x->sums.muhash, sizeof digest) != 0)
		return damaged(why);
	return ERR_NONE;
}

/* ---- a block ---- */

/* A coin that comes into the set (sign 1) or goes (-1). */
static void coin_move(struct side_index *x, const struct outpoint *o,
		      const struct coin *coin, int sign)
{
	struct coin_sums *s = &x->sums;
	struct bytes element = { 0 };

	coin_element_write(&element, o, coin);
	if (sign > 0)
		muhash_insert(&x->muhash, bytes_span(&element));
	else
		muhash_remove(&x->muhash, bytes_span(&element));
	bytes_clear(&element);
	s->outputs += (uint64_t)(int64_t)sign;
	s->bogosize += (uint64_t)((int64_t)sign *
				  (int64_t)(COIN_BOGOSIZE + coin->script.n));
	s->total += sign * coin->value_sat;
}

static void outputs_move(struct side_index *x, const struct tx *tx,
			 int height, bool coinbase, int sign)
{
	struct outpoint o = { .txid = tx->txid };
	struct coin coin = { .height = height, .coinbase = coinbase };

	for (; o.n < tx->out_count; o.n++) {
		coin.value_sat = tx->out[o.n].value_sat;
		coin.script = tx->out[o.n].script_pubkey;
		if (!output_is_coin(&tx->out[o.n])) {
			x->sums.scripts += sign * coin.value_sat;
			continue;
		}
		coin_move(x, &o, &coin, sign);
		if (coinbase)
			x->sums.coinbase += sign * coin.value_sat;
		else
			x->sums.new_outputs += sign * coin.value_sat;
	}
}

static void inputs_move(struct side_index *x, const struct tx *tx,
			const struct tx_undo *u, int sign)
{
	for (uint32_t i = 0; i < u->count; i++) {
		coin_move(x, &tx->in[i].prevout, &u->coins[i], -sign);
		x->sums.prevouts_spent += sign * u->coins[i].value_sat;
	}
}

/* Coinbases that a later one repeated: nobody could spend them twice. */
static bool is_repeated(const struct chain_params *p,
			const struct header_node *n)
{
	return p->id == CHAIN_MAIN && (n->height == 91722 ||
				       n->height == 91812);
}

static void block_move(struct side_index *x, const struct index_block *b,
		       int sign)
{
	int height = b->node->height;
	int64_t subsidy = block_subsidy_sat(b->params, height);

	x->sums.subsidy += sign * subsidy;
	if (!b->node->prev)
		x->sums.genesis += sign * subsidy;
	for (uint32_t i = 0; b->node->prev && i < b->block->tx_count; i++) {
		const struct tx *tx = &b->block->tx[i];

		if (i == 0 && is_repeated(b->params, b->node))
			x->sums.bip30 += sign * subsidy;
		else
			outputs_move(x, tx, height, i == 0, sign);
		if (i && i <= b->undo->count)
			inputs_move(x, tx, &b->undo->txs[i - 1], sign);
	}
}

static enum err add(struct side_index *x, const struct index_block *b,
		    struct why *why)
{
	struct coin_sums *s = &x->sums;
	size_t n = x->unfinished_n;

	(void)why;
	block_move(x, b, 1);
	/* What the miner could have had. */
	s->unclaimed += s->prevouts_spent + s->subsidy - s->new_outputs -
			s->coinbase - coin_sums_unspendable(s);
	if (!x->unfinished) {
		x->unfinished = xcalloc(INDEX_UNFINISHED_MAX,
					sizeof *x->unfinished);
		x->unfinished_muhash = xcalloc(INDEX_UNFINISHED_MAX,
					       sizeof *x->unfinished_muhash);
	}
	CHECK(n < INDEX_UNFINISHED_MAX);
	x->unfinished[n] = (struct stats_block){ b->node->hash, *s };
	x->unfinished_muhash[n] = x->muhash;
	x->unfinished_n++;
	return ERR_NONE;
}

static enum err take_away(struct side_index *x, const struct index_block *b,
			  struct why *why)
{
	struct coin_sums before;
	bool found;
	enum err e = sums_get(x, &found, &before, &b->node->prev->hash, why);

	if (e)
		return e;
	block_move(x, b, -1);
	/* All but the MuHash could be taken from there; both must agree. */
	if (!found)
		return damaged(why);
	x->sums = before;
	return ERR_NONE;
}

const struct index_type index_stats_type = {
	.name = "coinstatsindex",
	.dir = "coinstats",
	.needs_undo = true,
	.load = load,
	.add = add,
	.save = save,
	.remove = take_away,
};

enum err index_coin_sums(struct chain *c, bool *found, struct coin_sums *out,
			 const struct header_node *n, struct why *why)
{
	return sums_get(index_get(c, INDEX_STATS), found, out, &n->hash, why);
}
