/*
 * Linearisation against brute force on random small graphs, feerates,
 * diagrams.
 */
#include "config.h"

#include "test_mempool.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "mempool/linearize.h"

static void random_graph(struct depgraph *g, struct prng *p, unsigned n,
			 unsigned density)
{
	uint64_t parents[LINEARIZE_MAX] = { 0 };
	/* Few different values: ties are where mistakes are. */
	unsigned fees = 1 + (unsigned)prng_below(p, 20);
	unsigned sizes = 1 + (unsigned)prng_below(p, 10);

	g->n = n;
	for (unsigned i = 0; i < n; i++) {
		g->rate[i].fee_sat = (int64_t)prng_below(p, fees) -
				     (prng_below(p, 8) == 0) * 3;
		g->rate[i].weight_wu = 1 + (int64_t)prng_below(p, sizes);
		for (unsigned j = 0; j < i; j++)
			if (prng_below(p, 100) < density)
				parents[i] |= UINT64_C(1) << j;
	}
	depgraph_close(g->ancestors, parents, n);
}

static struct feerate sum_of(const struct depgraph *g, uint64_t set)
{
	struct feerate s = { 0, 0 };

	for (; set; set &= set - 1)
		s = feerate_add(s, g->rate[bit_first(set)]);
	return s;
}

static bool closed(const struct depgraph *g, uint64_t set)
{
	for (uint64_t left = set; left; left &= left - 1)
		if (g->ancestors[bit_first(left)] & ~set)
			return false;
	return true;
}

/* An order of all, parents first, cut into chunks of falling feerate. */
static void check_form(const struct linearization *l,
		       const struct depgraph *g)
{
	uint64_t seen = 0;
	unsigned at = 0;

	assert_int_equal(l->n, g->n);
	for (unsigned k = 0; k < l->chunk_count; k++) {
		uint64_t chunk = 0;
		struct feerate s;

		assert_true(l->chunk_end[k] > at);
		for (; at < l->chunk_end[k]; at++) {
			uint64_t bit = UINT64_C(1) << l->order[at];

			assert_false(seen & bit);
			seen |= bit;
			chunk |= bit;
			assert_false(g->ancestors[l->order[at]] & ~seen);
		}
		s = sum_of(g, chunk);
		assert_int_equal(s.fee_sat, l->chunk_rate[k].fee_sat);
		assert_int_equal(s.weight_wu, l->chunk_rate[k].weight_wu);
		if (k)
			assert_true(feerate_cmp(l->chunk_rate[k - 1],
						l->chunk_rate[k]) >= 0);
	}
	assert_int_equal(at, g->n);
}

/* No closed set lies above the diagram: then no order has a better one. */
static void check_best(const struct linearization *l,
		       const struct depgraph *g)
{
	for (uint64_t set = 1; set <= bits_below(g->n); set++) {
		struct feerate s, at = { 0, 0 };

		if (!closed(g, set))
			continue;
		s = sum_of(g, set);
		for (unsigned k = 0; k < l->chunk_count; k++) {
			struct feerate c = l->chunk_rate[k];
			int64_t dx = s.weight_wu - at.weight_wu;

			if (dx <= c.weight_wu) {
				assert_true((s.fee_sat - at.fee_sat) *
						    c.weight_wu <=
					    c.fee_sat * dx);
				break;
			}
			at = feerate_add(at, c);
		}
	}
}

/* No chunk can be cut into two of the same feerate. */
static void check_minimal(const struct linearization *l,
			  const struct depgraph *g)
{
	uint64_t before = 0;
	unsigned at = 0;

	for (unsigned k = 0; k < l->chunk_count; k++) {
		uint64_t chunk = 0, part;

		for (; at < l->chunk_end[k]; at++)
			chunk |= UINT64_C(1) << l->order[at];
		for (part = (chunk - 1) & chunk; part;
		     part = (part - 1) & chunk)
			if (closed(g, before | part))
				assert_true(feerate_cmp(sum_of(g, part),
					    l->chunk_rate[k]) < 0);
		before |= chunk;
	}
}

static void test_small_graphs(void **state)
{
	struct linearization l;
	struct depgraph g;
	struct prng p;

	(void)state;
	prng_seed(&p, 7);
	for (int i = 0; i < 6000; i++) {
		random_graph(&g, &p, 1 + (unsigned)prng_below(&p, 9),
			     (unsigned)prng_below(&p, 80));
		linearize(&l, &g);
		check_form(&l, &g);
		check_best(&l, &g);
		check_minimal(&l, &g);
	}
}

/* Slots need not be in the order of spending. */
static void test_shuffled_slots(void **state)
{
	struct depgraph g = { .n = 3, .rate = { { 9, 1 }, { 1, 1 },
						{ 2, 1 } } };
	const uint64_t parents[3] = { 1 << 2, 0, 1 << 1 };
	struct linearization l;

	(void)state;
	depgraph_close(g.ancestors, parents, 3);
	assert_int_equal(g.ancestors[0], 7);
	linearize(&l, &g);
	check_form(&l, &g);
	assert_int_equal(l.chunk_count, 1);
	assert_int_equal(l.order[0], 1);
	assert_int_equal(l.order[2], 0);
}

static void test_large_graphs(void **state)
{
	struct linearization l;
	struct depgraph g;
	struct prng p;
	int64_t worst = 0;

	(void)state;
	prng_seed(&p, 8);
	for (int i = 0; i < 300; i++) {
		int64_t began;

		random_graph(&g, &p, 64, 1 + (unsigned)prng_below(&p, 30));
		for (unsigned k = 0; i % 2 && k < 64; k++) {
			g.rate[k].fee_sat = (int64_t)prng_below(&p, 1000000);
			g.rate[k].weight_wu =
				400 + (int64_t)prng_below(&p, 5000);
		}
		began = clock_mono_us();
		linearize(&l, &g);
		worst = MAX_OF(worst, clock_mono_us() - began);
		check_form(&l, &g);
	}
	printf("linearize: 64 transactions took %lld us at worst\n",
	       (long long)worst);
}

static void test_extreme_amounts(void **state)
{
	struct depgraph g = { .n = 64 };
	uint64_t parents[64] = { 0 };
	struct linearization l;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		g.rate[i].fee_sat = i % 2 ? INT64_C(4200000000000000)
					  : -INT64_C(4200000000000000);
		g.rate[i].weight_wu = 400000 - (int64_t)i;
		if (i)
			parents[i] = UINT64_C(1) << (i - 1);
	}
	depgraph_close(g.ancestors, parents, 64);
	linearize(&l, &g);
	check_form(&l, &g);
}

static void test_feerates(void **state)
{
	(void)state;
	assert_true(feerate_cmp((struct feerate){ 1, 2 },
				(struct feerate){ 2, 4 }) == 0);
	assert_true(feerate_cmp((struct feerate){ 1, 3 },
				(struct feerate){ 1, 2 }) < 0);
	assert_true(feerate_cmp((struct feerate){ -1, 3 },
				(struct feerate){ 0, 2 }) < 0);
	assert_int_equal(fee_at_rate(1000, 1), 1);
	assert_int_equal(fee_at_rate(100, 11), 2);
	assert_int_equal(fee_at_rate(0, 11), 0);
	assert_int_equal(rate_of_fee(1, 3), 333);
	assert_int_equal(rate_of_fee(-1, 3), -334);
	assert_int_equal(vsize_of_weight(401), 101);
}

static void test_diagrams(void **state)
{
	const struct feerate a[] = { { 10, 1 }, { 1, 1 } };
	const struct feerate b[] = { { 10, 1 }, { 2, 1 } };
	const struct feerate steep[] = { { 6, 1 }, { 1, 9 } };
	const struct feerate flat[] = { { 10, 10 } };

	(void)state;
	assert_int_equal(diagram_cmp(a, 2, a, 2), 0);
	assert_int_equal(diagram_cmp(b, 2, a, 2), 1);
	assert_int_equal(diagram_cmp(a, 2, b, 2), -1);
	assert_int_equal(diagram_cmp(steep, 2, flat, 1), -2);
	assert_int_equal(diagram_cmp(a, 2, a, 1), 1);
	assert_int_equal(diagram_cmp(NULL, 0, NULL, 0), 0);
	assert_int_equal(diagram_cmp(flat, 1, NULL, 0), 1);
	/* The same line with a corner more. */
	assert_int_equal(diagram_cmp(flat, 1, (const struct feerate[]){
		{ 4, 4 }, { 6, 6 } }, 2), 0);
	/* Beyond its end a diagram is level. */
	assert_int_equal(diagram_cmp(flat, 1, (const struct feerate[]){
		{ 10, 9 } }, 1), -1);
}

int test_mempool_linearize(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_graphs),
		cmocka_unit_test(test_shuffled_slots),
		cmocka_unit_test(test_large_graphs),
		cmocka_unit_test(test_extreme_amounts),
		cmocka_unit_test(test_feerates),
		cmocka_unit_test(test_diagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
