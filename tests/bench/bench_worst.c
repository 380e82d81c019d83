/*
 * How long the worst transactions and blocks take on one thread, how much
 * memory, and how both grow: each is taken at a quarter of its size and at
 * its full size, so that time's power shows (1: linear, 2: quadratic).
 *
 *   bench_worst [NAME]...
 *
 * Exit status 1 if an answer is wrong, or something is quadratic that need
 * not be.
 */
#include "config.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/worst_case.h"

/* Noise, and what is constant beside what grows, stay below. */
#define LINEAR_POWER 1.35

struct result {
	double ms;
	long peak_kb;            /* beyond what there was before */
	bool ok;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long status_kb(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	long kb = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

/* From now on VmHWM is the peak since now. */
static void forget_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");

	malloc_trim(0);
	if (!f)
		return;
	fputs("5", f);
	fclose(f);
}

static struct result measure(const struct worst_kind *k, size_t size)
{
	struct worst w = { .is_block = false };
	struct result r;
	double start;
	long before;

	k->build(&w, size);
	forget_peak();
	before = status_kb("VmRSS:");
	start = now_ms();
	r.ok = worst_check(&w);
	r.ms = now_ms() - start;
	r.peak_kb = status_kb("VmHWM:") - before;
	worst_clear(&w);
	return r;
}

static bool run(const struct worst_kind *k)
{
	struct result quarter = measure(k, k->full / 4);
	struct result full = measure(k, k->full);
	double power = log2(full.ms / quarter.ms) / 2;
	bool ok = quarter.ok && full.ok;
	/* Below that it is mostly noise. */
	bool slow = !k->quadratic && full.ms > 20 && power > LINEAR_POWER;

	printf("| %s | %s | %.0f | %.2f | %.1f | %s |\n", k->name, k->what,
	       full.ms, power, (double)full.peak_kb / 1024,
	       !ok ? "WRONG" : slow ? "QUADRATIC" :
	       k->quadratic ? "ok (by protocol)" : "ok");
	fflush(stdout);
	return ok && !slow;
}

static bool is_asked(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	bool ok = true;

	puts("| case | what | ms | power | MB | answer |");
	puts("|---|---|---|---|---|---|");
	for (size_t i = 0; i < worst_kind_count; i++)
		if (is_asked(worst_kinds[i].name, argc, argv))
			ok &= run(&worst_kinds[i]);
	return ok ? 0 : 1;
}
