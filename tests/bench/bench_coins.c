/*
 * How fast the coins are: adding and spending in memory, and a workload like
 * the chain's (60 % of spends from the newest 5 % of coins, the rest of any
 * age) with a given cache.
 *
 * usage: bench_coins [coins] [cache MiB] [database cache MiB]
 */
#include "config.h"

#include "base/clock.h"
#include "base/random.h"
#include "chainstate/coins.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define BLOCK_TXS 2600
#define MIB ((size_t)1 << 20)
#define GONE UINT64_MAX

static void need(enum err e, const struct why *why)
{
	if (!e)
		return;
	fprintf(stderr, "%s\n", why->text);
	exit(1);
}

static void outpoint_make(struct outpoint *o, uint64_t i)
{
	struct prng p;

	prng_seed(&p, i / 2);
	for (size_t k = 0; k < 32; k += 8) {
		uint64_t v = prng_u64(&p);

		memcpy(o->txid.b + k, &v, 8);
	}
	o->n = i % 2;
}

static int64_t cpu_us(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
}

static long rss_kib(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_maxrss;
}

static long long written_bytes(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[100];
	long long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "wchar: %lld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

struct bench {
	struct coins *c;
	struct prng p;
	uint64_t *live;          /* numbers of coins by age; GONE: spent */
	size_t live_n, gone;
	uint64_t made;
	uint8_t script[34];
	struct why why;
	uint64_t flushes;
};

static void add_one(struct bench *b, struct outpoint *o)
{
	struct coin coin = { 123456789, 800000, false, { NULL, 0 } };

	outpoint_make(o, b->made++);
	b->script[0] = b->made % 3 ? 0 : 0x51;
	b->script[1] = b->made % 3 ? 20 : 32;
	coin.script = span_of(b->script, (size_t)b->script[1] + 2);
	need(coins_add(b->c, o, &coin, false, &b->why), &b->why);
}

static void spend_one(struct bench *b, struct arena *a,
		      const struct outpoint *o)
{
	struct coin coin;
	bool found;

	need(coins_spend(b->c, &found, &coin, a, o, &b->why), &b->why);
	CHECK(found);
}

static void bench_memory(struct bench *b, size_t n)
{
	struct outpoint *o = xcalloc(n, sizeof(*o));
	struct arena a = { 0 };
	int64_t t0 = clock_mono_us(), t1, t2, made;

	for (size_t i = 0; i < n; i++)
		outpoint_make(&o[i], i);
	made = clock_mono_us() - t0;
	t0 = clock_mono_us();
	for (size_t i = 0; i < n; i++)
		add_one(b, &o[i]);
	t1 = clock_mono_us();
	printf("%zu coins: %.1f bytes each\n", n,
	       (double)coins_cache_bytes(b->c) / (double)n);
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = (size_t)prng_below(&b->p, i + 1);
		struct outpoint t = o[i];

		o[i] = o[k];
		o[k] = t;
	}
	t2 = clock_mono_us();
	for (size_t i = 0; i < n; i++) {
		spend_one(b, &a, &o[i]);
		if (i % 5000 == 0)
			arena_clear(&a);
	}
	printf("add %.0f ns, spend in random order %.0f ns\n",
	       (double)(t1 - t0 - made) * 1000 / (double)n,
	       (double)(clock_mono_us() - t2) * 1000 / (double)n);
	arena_clear(&a);
	free(o);
}

static void close_gaps(struct bench *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->live_n; i++)
		if (b->live[i] != GONE)
			b->live[n++] = b->live[i];
	b->live_n = n;
	b->gone = 0;
}

/* A coin to spend; marks it gone. */
static uint64_t pick(struct bench *b)
{
	size_t young = (b->live_n - b->gone) / 20 + 1;
	bool new = prng_below(&b->p, 10) < 6;
	uint64_t coin = GONE;

	if (b->gone > young / 3)
		close_gaps(b);

	while (coin == GONE) {
		size_t i = new ? b->live_n - 1 -
					 (size_t)prng_below(&b->p, young)
			       : (size_t)prng_below(&b->p, b->live_n);

		coin = b->live[i];
		b->live[i] = GONE;
	}
	b->gone++;
	return coin;
}

static void flush(struct bench *b, bool keep)
{
	struct block_hash tip = { { 1 } };

	b->flushes++;
	need(coins_flush(b->c, &tip, keep, &b->why), &b->why);
}

/* Spends chosen first, as a block's are, then looked up ahead. */
static void one_block(struct bench *b, struct workers *w)
{
	struct outpoint in[BLOCK_TXS * 2];
	struct arena a = { 0 };
	size_t n = 0;

	while (n < BLOCK_TXS * 5 / 3 && b->live_n - b->gone > 10000)
		outpoint_make(&in[n++], pick(b));
	need(coins_prefetch(b->c, in, n, w, &b->why), &b->why);
	for (size_t i = 0; i < n; i++)
		spend_one(b, &a, &in[i]);
	for (size_t i = 0; i < BLOCK_TXS * 28 / 10; i++) {
		struct outpoint o;

		b->live[b->live_n++] = b->made;
		add_one(b, &o);
	}
	arena_clear(&a);
	if (coins_wants_flush(b->c))
		flush(b, true);
}

static void bench_chain(struct bench *b, size_t coins)
{
	struct workers *w = workers_new(1);
	int64_t inside = 0, cpu = 0, t, u, pause = 0;
	size_t blocks = coins / (BLOCK_TXS * 28 / 10);
	long long written = written_bytes();

	b->live = xcalloc(coins + 10000, sizeof(*b->live));
	t = clock_mono_us();
	u = cpu_us();
	for (size_t i = 0; i < blocks; i++)
		one_block(b, w);
	inside = clock_mono_us() - t;
	printf("%zu blocks, %llu coins made, %zu live: %lld ms, %llu flushes\n",
	       blocks, (unsigned long long)b->made, b->live_n - b->gone,
	       (long long)inside / 1000, (unsigned long long)b->flushes);
	t = clock_mono_us();
	flush(b, false);
	pause = clock_mono_us() - t;
	cpu = cpu_us() - u;
	printf("last flush %lld ms; cpu %lld ms, %lld MiB written, %ld MiB RSS at most, of which the benchmark %zu\n",
	       (long long)pause / 1000, (long long)cpu / 1000,
	       (written_bytes() - written) >> 20, rss_kib() / 1024,
	       coins * sizeof(*b->live) >> 20);
	free(b->live);
	workers_free(w);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct coins_options opt = {
		.cache_bytes = (argc > 2 ? strtoul(argv[2], NULL, 10) : 450) *
			       MIB,
		.db_cache_bytes =
			(argc > 3 ? strtoul(argv[3], NULL, 10) : 8) * MIB,
		.wipe = true,
	};
	char dir[] = "/tmp/cloister-bench-XXXXXX";
	struct bench b = { 0 };

	if (!mkdtemp(dir))
		return 1;
	prng_seed(&b.p, 1);
	need(coins_open(&b.c, dir, &opt, &b.why), &b.why);
	if (opt.cache_bytes >= n * 96)
		bench_memory(&b, n);
	coins_close(b.c);
	b.made = 0;
	need(coins_open(&b.c, dir, &opt, &b.why), &b.why);
	bench_chain(&b, n);
	coins_close(b.c);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
}
