/*
 * One horizon.  The method is the reference node's block policy estimator:
 * from the highest feerates down, buckets are joined until a range has seen
 * enough transactions; the range passes if enough of them were mined in
 * time.
 */
#include "config.h"

#include "mempool/fee_stats.h"

#include <math.h>
#include <stdlib.h>

#define RATE_MIN 100.0
#define RATE_MAX 1e7
#define RATE_STEP 1.05
/* More than a block can hold in a period; a file that says more is none. */
#define SUM_MAX 1e15

struct fee_stats {
	unsigned buckets, periods, scale;
	double decay;
	double *seen;            /* [bucket]: transactions mined */
	double *rate;            /* [bucket]: their feerates, summed */
	double *mined;           /* [period][bucket]: within so many */
	double *failed;          /* [period][bucket]: left, not mined so far */
	unsigned *waiting;       /* [height % reach][bucket]: came then */
	unsigned *old;           /* [bucket]: came before that */
};

void fee_buckets_init(struct fee_buckets *b)
{
	double edge = RATE_MIN;

	b->n = 0;
	for (; edge <= RATE_MAX; edge *= RATE_STEP) {
		CHECK(b->n < FEE_BUCKETS_MAX - 1);
		b->upper[b->n++] = edge;
	}
	b->upper[b->n++] = INFINITY;
}

unsigned fee_bucket_of(const struct fee_buckets *b, double rate_sat_kvb)
{
	unsigned low = 0, high = b->n - 1;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (rate_sat_kvb <= b->upper[mid])
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct fee_stats *fee_stats_new(unsigned buckets, unsigned periods,
				unsigned scale, double decay)
{
	struct fee_stats *s = xcalloc(1, sizeof *s);
	size_t cells = (size_t)periods * buckets;

	s->buckets = buckets;
	s->periods = periods;
	s->scale = scale;
	s->decay = decay;
	s->seen = xcalloc(buckets, sizeof *s->seen);
	s->rate = xcalloc(buckets, sizeof *s->rate);
	s->mined = xcalloc(cells, sizeof *s->mined);
	s->failed = xcalloc(cells, sizeof *s->failed);
	s->waiting = xcalloc(cells * scale, sizeof *s->waiting);
	s->old = xcalloc(buckets, sizeof *s->old);
	return s;
}

void fee_stats_free(struct fee_stats *s)
{
	if (!s)
		return;
	free(s->seen);
	free(s->rate);
	free(s->mined);
	free(s->failed);
	free(s->waiting);
	free(s->old);
	free(s);
}

unsigned fee_stats_reach(const struct fee_stats *s)
{
	return s->periods * s->scale;
}

static unsigned *waiting_at(const struct fee_stats *s, int height)
{
	return s->waiting + (size_t)((unsigned)height % fee_stats_reach(s)) *
			    s->buckets;
}

static void fade(double *sums, size_t n, double decay)
{
	for (size_t i = 0; i < n; i++)
		sums[i] *= decay;
}

void fee_stats_new_block(struct fee_stats *s, int height)
{
	unsigned *now = waiting_at(s, height);
	size_t cells = (size_t)s->periods * s->buckets;

	/* This height's row held those of one whole reach ago. */
	for (unsigned i = 0; i < s->buckets; i++) {
		s->old[i] += now[i];
		now[i] = 0;
	}
	fade(s->seen, s->buckets, s->decay);
	fade(s->rate, s->buckets, s->decay);
	fade(s->mined, cells, s->decay);
	fade(s->failed, cells, s->decay);
}

void fee_stats_added(struct fee_stats *s, int height, unsigned bucket)
{
	waiting_at(s, height)[bucket]++;
}

void fee_stats_removed(struct fee_stats *s, int came, int best,
		       unsigned bucket, bool mined)
{
	unsigned ago = best > came ? (unsigned)(best - came) : 0;
	unsigned *from = ago >= fee_stats_reach(s) ? s->old :
						     waiting_at(s, came);

	if (from[bucket])
		from[bucket]--;
	if (mined)
		return;
	/* It was not mined in any of the whole periods it has waited. */
	for (unsigned i = 0; i < ago / s->scale && i < s->periods; i++)
		s->failed[(size_t)i * s->buckets + bucket]++;
}

void fee_stats_mined(struct fee_stats *s, unsigned blocks, unsigned bucket,
		     double rate_sat_kvb)
{
	unsigned period = (blocks + s->scale - 1) / s->scale;

	if (period == 0)
		return;
	for (unsigned i = period - 1; i < s->periods; i++)
		s->mined[(size_t)i * s->buckets + bucket]++;
	s->seen[bucket]++;
	s->rate[bucket] += rate_sat_kvb;
}

/* Those of the bucket that have waited at least target blocks by now. */
static double still_waiting(const struct fee_stats *s, unsigned bucket,
			    unsigned target, int best)
{
	unsigned reach = fee_stats_reach(s), sum = s->old[bucket];

	for (unsigned ago = target; ago < reach; ago++)
		if (best >= 0 && ago <= (unsigned)best)
			sum += waiting_at(s, best - (int)ago)[bucket];
	return sum;
}

static double median_of(const struct fee_stats *s, unsigned from, unsigned to)
{
	double half = 0;

	for (unsigned i = from; i <= to; i++)
		half += s->seen[i];
	half /= 2;
	for (unsigned i = from; i <= to; i++) {
		if (s->seen[i] >= half && s->seen[i] > 0)
			return s->rate[i] / s->seen[i];
		half -= s->seen[i];
	}
	return -1;
}

double fee_stats_estimate(const struct fee_stats *s, unsigned target,
			  double enough, double success, int best)
{
	unsigned period = (target + s->scale - 1) / s->scale;
	const double *mined = s->mined + (size_t)(period - 1) * s->buckets;
	const double *failed = s->failed + (size_t)(period - 1) * s->buckets;
	double in_time = 0, all = 0, part = 0;
	unsigned top = s->buckets - 1, best_from = 0, best_to = 0;
	bool found = false;

	/* top: of the range being joined; a range that fails is joined with
	 * what lies below, for more transactions may yet help it. */
	for (unsigned i = s->buckets; i-- > 0;) {
		in_time += mined[i];
		all += s->seen[i] + failed[i] +
		       still_waiting(s, i, target, best);
		part += s->seen[i];
		if (part < enough / (1 - s->decay))
			continue;
		part = 0;
		if (in_time / all < success)
			continue;
		found = true;
		best_from = i;
		best_to = top;
		in_time = all = 0;
		top = i ? i - 1 : 0;
	}
	return found ? median_of(s, best_from, best_to) : -1;
}

/* ---- on disk ---- */

static void sums_write(struct bytes *out, const double *sums, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &sums[i], sizeof bits);
		write_u64(out, bits);
	}
}

static bool sums_read(double *sums, size_t n, struct reader *r)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = read_u64(r);

		memcpy(&sums[i], &bits, sizeof bits);
		if (!(sums[i] >= 0 && sums[i] <= SUM_MAX))
			return false;
	}
	return !r->failed;
}

void fee_stats_write(struct bytes *out, const struct fee_stats *s)
{
	size_t cells = (size_t)s->periods * s->buckets;

	sums_write(out, s->seen, s->buckets);
	sums_write(out, s->rate, s->buckets);
	sums_write(out, s->mined, cells);
	sums_write(out, s->failed, cells);
}

bool fee_stats_read(struct fee_stats *s, struct reader *r)
{
	size_t cells = (size_t)s->periods * s->buckets;

	if (sums_read(s->seen, s->buckets, r) &&
	    sums_read(s->rate, s->buckets, r) &&
	    sums_read(s->mined, cells, r) && sums_read(s->failed, cells, r))
		return true;
	memset(s->seen, 0, s->buckets * sizeof *s->seen);
	memset(s->rate, 0, s->buckets * sizeof *s->rate);
	memset(s->mined, 0, cells * sizeof *s->mined);
	memset(s->failed, 0, cells * sizeof *s->failed);
	return false;
}
