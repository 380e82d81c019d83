/*
 * The address book: bounds, choice, and what is written comes back.
 */
#include "config.h"

#include "test_p2p.h"

#include "base/random.h"
#include "p2p/addrbook.h"

#define NOW INT64_C(1700000000)
#define DAY INT64_C(86400)

static void seeded(void *ctx, void *out, size_t n)
{
	uint8_t *b = out;
	size_t i;

	for (i = 0; i < n; i++)
		b[i] = (uint8_t)prng_u64(ctx);
}

static struct onion nth(unsigned i)
{
	struct onion o = { .port = 8333 };

	o.key[0] = (uint8_t)i;
	o.key[1] = (uint8_t)(i >> 8);
	o.key[2] = 1;
	return o;
}

static void bounded_and_fair(void **state)
{
	struct prng r;
	struct addrbook *b;
	struct onion source = nth(60000), o;
	unsigned i, mine = 0;

	(void)state;
	prng_seed(&r, 1);
	b = addrbook_new(80, seeded, &r);
	/* One source gets an eighth. */
	for (i = 0; i < 50; i++) {
		o = nth(i);
		mine += addrbook_add(b, &o, 1, NOW, &source);
	}
	assert_int_equal(mine, 10);
	for (i = 100; i < 1000; i++) {
		o = nth(i);
		addrbook_add(b, &o, 1, NOW, NULL);
	}
	assert_int_equal(addrbook_count(b), 80);
	addrbook_free(b);
}

static void proven_stay(void **state)
{
	struct prng r;
	struct addrbook *b;
	struct onion o = nth(0), out;
	unsigned i, hits = 0;

	(void)state;
	prng_seed(&r, 2);
	b = addrbook_new(16, seeded, &r);
	assert_true(addrbook_add(b, &o, 1, NOW, NULL));
	assert_false(addrbook_add(b, &o, 1, NOW, NULL));
	addrbook_good(b, &o, 9, NOW);
	for (i = 1; i < 2000; i++) {
		o = nth(i);
		addrbook_add(b, &o, 1, NOW, NULL);
	}
	/* It is chosen about half of the time. */
	for (i = 0; i < 400; i++) {
		assert_true(addrbook_pick(b, &out, NOW, false, NULL, NULL));
		o = nth(0);
		hits += onion_eq(&out, &o);
	}
	assert_in_range(hits, 100, 300);
	for (i = 0; i < 50; i++) {
		assert_true(addrbook_pick(b, &out, NOW, true, NULL, NULL));
		assert_false(onion_eq(&out, &o));
	}
	addrbook_free(b);
}

static bool skip_all(const struct onion *o, void *arg)
{
	(void)o;
	++*(unsigned *)arg;
	return true;
}

static void tried_rest_and_hopeless_go(void **state)
{
	struct prng r;
	struct addrbook *b;
	struct onion o = nth(7), out;
	unsigned asked = 0, i;

	(void)state;
	prng_seed(&r, 3);
	b = addrbook_new(0, seeded, &r);
	assert_false(addrbook_pick(b, &out, NOW, false, NULL, NULL));
	addrbook_add(b, &o, 1, NOW, NULL);
	assert_false(addrbook_pick(b, &out, NOW, false, skip_all, &asked));
	assert_true(asked > 0);
	assert_true(addrbook_pick(b, &out, NOW, false, NULL, NULL));
	addrbook_attempt(b, &o, NOW);
	assert_false(addrbook_pick(b, &out, NOW + 599, false, NULL, NULL));
	assert_true(addrbook_pick(b, &out, NOW + 600, false, NULL, NULL));
	for (i = 0; i < 2; i++)
		addrbook_attempt(b, &o, NOW);
	assert_false(addrbook_pick(b, &out, NOW + DAY, false, NULL, NULL));
	addrbook_good(b, &o, 1, NOW + DAY);
	assert_true(addrbook_pick(b, &out, NOW + DAY, false, NULL, NULL));
	addrbook_remove(b, &o);
	assert_int_equal(addrbook_count(b), 0);
	addrbook_free(b);
}

static void written_and_read(void **state)
{
	struct bytes one = { 0 }, two = { 0 };
	struct prng r;
	struct addrbook *a, *b;
	struct onion o;
	unsigned i;

	(void)state;
	prng_seed(&r, 4);
	a = addrbook_new(0, seeded, &r);
	b = addrbook_new(0, seeded, &r);
	for (i = 0; i < 300; i++) {
		o = nth(i);
		addrbook_add(a, &o, i, NOW + i, NULL);
		if (i % 3 == 0)
			addrbook_attempt(a, &o, NOW + 2 * i);
		if (i % 9 == 0)
			addrbook_good(a, &o, i, NOW + 3 * i);
	}
	assert_true(addrbook_changed(a));
	addrbook_write(a, &one);
	assert_false(addrbook_changed(a));
	assert_true(addrbook_read(b, bytes_span(&one)));
	assert_false(addrbook_changed(b));
	addrbook_write(b, &two);
	assert_true(span_eq(bytes_span(&one), bytes_span(&two)));
	/* Any damage is noticed, and nothing is taken. */
	addrbook_free(b);
	b = addrbook_new(0, seeded, &r);
	for (i = 0; i < one.n; i += 101) {
		one.p[i] ^= 4;
		assert_false(addrbook_read(b, bytes_span(&one)));
		one.p[i] ^= 4;
	}
	for (i = 0; i < 60; i++)
		assert_false(addrbook_read(b, span_of(one.p, i)));
	assert_int_equal(addrbook_count(b), 0);
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&one);
	bytes_clear(&two);
}

static void impossible_times_are_none(void **state)
{
	struct book_entry out[1];
	struct bytes file = { 0 };
	struct prng r;
	struct addrbook *a, *b;
	struct onion o = nth(1);

	(void)state;
	prng_seed(&r, 6);
	a = addrbook_new(0, seeded, &r);
	b = addrbook_new(0, seeded, &r);
	addrbook_add(a, &o, 1, INT64_MIN, NULL);
	addrbook_attempt(a, &o, INT64_MAX);
	addrbook_write(a, &file);
	assert_true(addrbook_read(b, bytes_span(&file)));
	assert_int_equal(addrbook_count(b), 1);
	/* Seen in 1970: of no use, and no arithmetic overflows. */
	assert_int_equal(addrbook_sample(b, out, 1, NOW), 0);
	o = nth(2);
	addrbook_add(b, &o, 1, NOW, NULL);
	assert_true(addrbook_pick(b, &o, NOW, true, NULL, NULL));
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&file);
}

static void samples_differ(void **state)
{
	struct book_entry out[100];
	struct prng r;
	struct addrbook *b;
	struct onion o;
	size_t i, j, n;

	(void)state;
	prng_seed(&r, 5);
	b = addrbook_new(0, seeded, &r);
	for (i = 0; i < 500; i++) {
		o = nth((unsigned)i);
		/* Half of them too old to be of use. */
		addrbook_add(b, &o, 1, i % 2 ? NOW : NOW - 40 * DAY, NULL);
	}
	n = addrbook_sample(b, out, ARRAY_SIZE(out), NOW);
	assert_int_equal(n, 100);
	for (i = 0; i < n; i++) {
		assert_int_equal(out[i].onion.key[0] % 2, 1);
		for (j = 0; j < i; j++)
			assert_false(onion_eq(&out[i].onion, &out[j].onion));
	}
	addrbook_free(b);
}

int test_p2p_addrbook(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounded_and_fair),
		cmocka_unit_test(proven_stay),
		cmocka_unit_test(tried_rest_and_hopeless_go),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(impossible_times_are_none),
		cmocka_unit_test(samples_differ),
	};

	return cmocka_run_group_tests_name("p2p addrbook", tests, NULL,
					   NULL);
}
