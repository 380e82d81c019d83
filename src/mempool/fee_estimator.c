/*
 * Three horizons, and how their answers are put together.
 */
#include "config.h"

#include "mempool/fee_estimator.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "mempool/fee_stats.h"

/* A range of feerates needs so many transactions a block to be believed. */
#define ENOUGH 0.1
#define ENOUGH_SHORT 0.5
/* Parts that must have been mined in half, in all, in twice the time. */
#define HALF_SUCCESS 0.6
#define SUCCESS 0.85
#define DOUBLE_SUCCESS 0.95
/* What was learnt in an earlier run counts for six weeks' blocks. */
#define OLDEST_HISTORY (6 * 1008)

#define FILE_MAGIC "cloister fees\n"
#define FILE_VERSION 1
#define CHECKSUM_BYTES 4

enum horizon { SHORT, MEDIUM, LONG, HORIZONS };

static const struct {
	unsigned periods, scale;
	double decay;
} horizons[HORIZONS] = {
	[SHORT] = { 12, 1, 0.962 },
	[MEDIUM] = { 24, 2, 0.9952 },
	[LONG] = { 42, 24, 0.99931 },
};

/* A transaction that is watched. */
struct tracked {
	struct txid txid;
	int height;              /* when it came */
	unsigned bucket;
	double rate;
};

struct fee_estimator {
	struct fee_buckets buckets;
	struct fee_stats *stats[HORIZONS];
	struct map tracked;
	uint64_t salt[2];
	struct tracked **mined;  /* of the block under way */
	size_t mined_n, mined_cap;
	int best;                /* height; 0: none yet */
	int first;               /* at which anything was learnt, this run */
	int old_first, old_best; /* the same of the file */
};

static uint64_t txid_hash(const void *key, const void *ctx)
{
	const uint64_t *salt = ctx;

	return siphash13_u256_u32(salt[0], salt[1], key, 0);
}

static bool tracked_is(const void *item, const void *key)
{
	return txid_eq(&((const struct tracked *)item)->txid, key);
}

static const void *tracked_key(const void *item)
{
	return &((const struct tracked *)item)->txid;
}

static const struct map_type tracked_type = {
	txid_hash, tracked_is, tracked_key
};

static void stats_make(struct fee_estimator *f)
{
	for (int i = 0; i < HORIZONS; i++)
		f->stats[i] = fee_stats_new(f->buckets.n, horizons[i].periods,
					    horizons[i].scale,
					    horizons[i].decay);
}

static void stats_free(struct fee_estimator *f)
{
	for (int i = 0; i < HORIZONS; i++)
		fee_stats_free(f->stats[i]);
}

struct fee_estimator *fee_estimator_new(void)
{
	struct fee_estimator *f = xcalloc(1, sizeof *f);

	fee_buckets_init(&f->buckets);
	stats_make(f);
	random_bytes(f->salt, sizeof f->salt);
	map_init(&f->tracked, &tracked_type, f->salt);
	return f;
}

static void forget_mined(struct fee_estimator *f)
{
	for (size_t i = 0; i < f->mined_n; i++)
		free(f->mined[i]);
	f->mined_n = 0;
}

void fee_estimator_free(struct fee_estimator *f)
{
	struct tracked *t;
	size_t pos = 0;

	if (!f)
		return;
	while ((t = map_next(&f->tracked, &pos)) != NULL)
		free(t);
	map_clear(&f->tracked);
	forget_mined(f);
	free(f->mined);
	stats_free(f);
	free(f);
}

/* ---- watching ---- */

void fee_estimator_added(struct fee_estimator *f,
			 const struct mempool_entry *e, bool following)
{
	struct tracked *t;

	if (!following || !e->alone || e->height != f->best)
		return;
	fee_estimator_removed(f, e, false);
	t = xcalloc(1, sizeof *t);
	t->txid = entry_tx(e)->txid;
	t->height = e->height;
	t->rate = (double)e->fee_sat * 1000 / (double)entry_vsize(e);
	t->bucket = fee_bucket_of(&f->buckets, t->rate);
	for (int i = 0; i < HORIZONS; i++)
		fee_stats_added(f->stats[i], t->height, t->bucket);
	CHECK(!map_put(&f->tracked, t));
}

void fee_estimator_removed(struct fee_estimator *f,
			   const struct mempool_entry *e, bool mined)
{
	struct tracked *t = map_take(&f->tracked, &entry_tx(e)->txid);

	if (!t)
		return;
	if (!mined) {
		for (int i = 0; i < HORIZONS; i++)
			fee_stats_removed(f->stats[i], t->height, f->best,
					  t->bucket, false);
		free(t);
		return;
	}
	if (f->mined_n == f->mined_cap) {
		f->mined_cap = f->mined_cap ? 2 * f->mined_cap : 64;
		f->mined = xrealloc(f->mined,
				    f->mined_cap * sizeof(*f->mined));
	}
	f->mined[f->mined_n++] = t;
}

static bool learn(struct fee_estimator *f, const struct tracked *t)
{
	if (f->best <= t->height)
		return false;
	for (int i = 0; i < HORIZONS; i++)
		fee_stats_mined(f->stats[i], (unsigned)(f->best - t->height),
				t->bucket, t->rate);
	return true;
}

void fee_estimator_block(struct fee_estimator *f, int height)
{
	bool any = false;

	/* A block of a reorganisation says nothing about waiting. */
	if (height <= f->best) {
		forget_mined(f);
		return;
	}
	f->best = height;
	for (int i = 0; i < HORIZONS; i++) {
		/* Out of the rows before they are cleared for this height. */
		for (size_t k = 0; k < f->mined_n; k++)
			fee_stats_removed(f->stats[i], f->mined[k]->height,
					  height - 1, f->mined[k]->bucket,
					  true);
		fee_stats_new_block(f->stats[i], height);
	}
	for (size_t k = 0; k < f->mined_n; k++)
		any = learn(f, f->mined[k]) || any;
	if (any && !f->first)
		f->first = height;
	forget_mined(f);
}

/* ---- answers ---- */

unsigned fee_estimator_reach(const struct fee_estimator *f)
{
	return fee_stats_reach(f->stats[LONG]);
}

static double ask(const struct fee_estimator *f, enum horizon h,
		  unsigned target, double success)
{
	return fee_stats_estimate(f->stats[h], target,
				  h == SHORT ? ENOUGH_SHORT : ENOUGH, success,
				  f->best);
}

/* The lower of two where both are known. */
static double lower(double a, double b)
{
	return b > 0 && (a < 0 || b < a) ? b : a;
}

/* From the horizon that fits the target; no more than what a shorter one
 * asks for its longest wait. */
static double combined(const struct fee_estimator *f, unsigned target,
		       double success, bool check_shorter)
{
	unsigned short_reach = fee_stats_reach(f->stats[SHORT]);
	unsigned medium_reach = fee_stats_reach(f->stats[MEDIUM]);
	double rate;

	if (target < 1 || target > fee_estimator_reach(f))
		return -1;
	rate = ask(f, target <= short_reach ? SHORT :
		      target <= medium_reach ? MEDIUM : LONG,
		   target, success);
	if (check_shorter && target > medium_reach)
		rate = lower(rate, ask(f, MEDIUM, medium_reach, success));
	if (check_shorter && target > short_reach)
		rate = lower(rate, ask(f, SHORT, short_reach, success));
	return rate;
}

/* What longer horizons ask for twice the target. */
static double cautious(const struct fee_estimator *f, unsigned twice)
{
	double rate = -1;

	if (twice <= fee_stats_reach(f->stats[SHORT]))
		rate = ask(f, MEDIUM, twice, DOUBLE_SUCCESS);
	if (twice <= fee_stats_reach(f->stats[MEDIUM]))
		rate = fmax(rate, ask(f, LONG, twice, DOUBLE_SUCCESS));
	return rate;
}

/* Nothing can be said about waits longer than half of what was watched. */
static unsigned longest_usable(const struct fee_estimator *f)
{
	int span = f->first ? f->best - f->first : 0;
	int old = f->old_first && f->best - f->old_best <= OLDEST_HISTORY ?
		  f->old_best - f->old_first : 0;
	int watched = MAX_OF(span, old) / 2;

	return MIN_OF((unsigned)MAX_OF(watched, 0), fee_estimator_reach(f));
}

int64_t fee_estimate(const struct fee_estimator *f, unsigned target,
		     bool conservative, unsigned *out_target)
{
	double rate;

	/* The next block cannot be promised. */
	target = MIN_OF(MAX_OF(target, 2u), longest_usable(f));
	*out_target = target;
	if (target <= 1)
		return 0;
	rate = combined(f, target / 2, HALF_SUCCESS, true);
	rate = fmax(rate, combined(f, target, SUCCESS, true));
	rate = fmax(rate, combined(f, 2 * target, DOUBLE_SUCCESS,
				   !conservative));
	if (conservative || rate < 0)
		rate = fmax(rate, cautious(f, 2 * target));
	return rate < 0 ? 0 : llround(rate);
}

int64_t fee_of_mempool(const struct mempool *m, unsigned target)
{
	const struct chunk *k = mempool_best_chunk(m);
	int64_t depth = (int64_t)target * (MAX_BLOCK_WEIGHT_WU / 4);

	for (; k; k = mempool_next_chunk(k)) {
		struct feerate r = chunk_feerate(k);

		int64_t vsize = vsize_of_weight(r.weight_wu);

		depth -= vsize;
		if (depth < 0)
			return rate_of_fee(r.fee_sat, vsize);
	}
	return 0;
}

/* ---- on disk ---- */

void fee_estimator_write(struct bytes *out, const struct fee_estimator *f)
{
	bool own = f->first && f->best - f->first >=
			       (f->old_first ? f->old_best - f->old_first : 0);
	uint8_t sum[32];
	size_t start = out->n;

	bytes_append(out, FILE_MAGIC, strlen(FILE_MAGIC));
	write_u8(out, FILE_VERSION);
	write_u32(out, (uint32_t)f->best);
	write_u32(out, (uint32_t)(own ? f->first : f->old_first));
	write_u32(out, (uint32_t)(own ? f->best : f->old_best));
	for (int i = 0; i < HORIZONS; i++)
		fee_stats_write(out, f->stats[i]);
	sha256d(sum, out->p + start, out->n - start);
	bytes_append(out, sum, CHECKSUM_BYTES);
}

static bool heights_ok(const struct fee_estimator *f)
{
	return f->best >= 0 && f->old_first >= 0 &&
	       f->old_best >= f->old_first && f->best >= f->old_best;
}

enum err fee_estimator_read(struct fee_estimator *f, struct span file,
			    struct why *why)
{
	size_t body = file.n > CHECKSUM_BYTES ? file.n - CHECKSUM_BYTES : 0;
	struct reader r = reader_of(span_of(file.p, body));
	struct span magic = read_span(&r, strlen(FILE_MAGIC));
	uint8_t sum[32];
	bool ok;

	sha256d(sum, file.p, body);
	if (!magic.p || memcmp(magic.p, FILE_MAGIC, magic.n) != 0)
		return why_set(why, ERR_INPUT, "it is no file of fees");
	if (memcmp(sum, file.p + body, CHECKSUM_BYTES) != 0)
		return why_set(why, ERR_INPUT, "it is damaged (its checksum "
			       "is wrong)");
	if (read_u8(&r) != FILE_VERSION)
		return why_set(why, ERR_INPUT, "it is of another version");
	f->best = (int)read_u32(&r);
	f->old_first = (int)read_u32(&r);
	f->old_best = (int)read_u32(&r);
	ok = !r.failed && heights_ok(f);
	for (int i = 0; ok && i < HORIZONS; i++)
		ok = fee_stats_read(f->stats[i], &r);
	if (ok && reader_left(&r) == 0)
		return ERR_NONE;
	stats_free(f);
	stats_make(f);
	f->best = f->old_first = f->old_best = 0;
	return why_set(why, ERR_INPUT, "what it says makes no sense");
}
