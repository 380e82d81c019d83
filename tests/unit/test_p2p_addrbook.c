/*
 * The address book: bounds, choice, what attackers can and cannot do to it,
 * and what is written comes back.
 */
#include "config.h"

#include "test_p2p.h"

#include "base/random.h"
#include "crypto/hash.h"
#include "p2p/addrbook.h"

#define NOW INT64_C(1700000000)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)

static struct prng rng_of(uint64_t seed)
{
	struct prng r;

	prng_seed(&r, seed);
	return r;
}

static void seeded(void *ctx, void *out, size_t n)
{
	uint8_t *b = out;
	size_t i;

	for (i = 0; i < n; i++)
		b[i] = (uint8_t)prng_u64(ctx);
}

static struct addrbook *book(struct prng *r)
{
	struct addrbook *b = addrbook_new(seeded, r);

	addrbook_set_time(b, NOW);
	return b;
}

/* who: tells sets of addresses apart. */
static struct onion nth(unsigned who, unsigned i)
{
	struct onion o = { .port = 8333 };

	o.key[0] = (uint8_t)i;
	o.key[1] = (uint8_t)(i >> 8);
	o.key[2] = (uint8_t)(i >> 16);
	o.key[3] = (uint8_t)who;
	o.key[31] = 1;
	return o;
}

static bool is_of(const struct onion *o, unsigned who)
{
	return o->key[3] == who;
}

/* Honest nodes: told by many, and some of them met. */
static void fill_honest(struct addrbook *b, unsigned n, unsigned met)
{
	struct onion o, source;
	unsigned i;

	for (i = 0; i < n; i++) {
		o = nth(1, i);
		source = nth(2, i % 40);
		addrbook_add(b, &o, 9, NOW - (int64_t)i % DAY, &source);
		if (i < met)
			addrbook_good(b, &o, 9);
	}
}

static unsigned honest_tried(const struct addrbook *b, unsigned met)
{
	unsigned i, n = 0;
	struct onion o;
	bool tried;

	for (i = 0; i < met; i++) {
		o = nth(1, i);
		n += addrbook_find(b, &tried, &o) && tried;
	}
	return n;
}

/* ---- what one source can do ---- */

static void one_source_has_a_share(void **state)
{
	struct prng r = rng_of(1);
	struct addrbook *b = book(&r);
	struct onion source = nth(3, 0), o, out;
	unsigned i, taken = 0, theirs = 0;
	size_t honest;
	bool tried;

	(void)state;
	fill_honest(b, 3000, 0);
	honest = addrbook_count(b);
	assert_true(honest > 2700);
	for (i = 0; i < 100000; i++) {
		o = nth(4, i);
		taken += addrbook_add(b, &o, 9, NOW, &source);
	}
	/* 64 of 1024 buckets. */
	assert_in_range(taken, 1, 64 * 64);
	assert_int_equal(addrbook_count(b), honest + taken);
	for (i = 0, honest = 0; i < 3000; i++) {
		o = nth(1, i);
		honest += addrbook_find(b, &tried, &o) != NULL;
	}
	assert_int_equal(addrbook_count(b), honest + taken);
	/* What counts when choosing is buckets, not how many there are. */
	for (i = 0; i < 4000; i++) {
		assert_true(addrbook_pick(b, &out, true, NULL, NULL));
		theirs += is_of(&out, 4);
	}
	assert_in_range(theirs, 1, 4000 / 8);
	addrbook_free(b);
}

static void strangers_are_one_source(void **state)
{
	struct prng r = rng_of(2);
	struct addrbook *b = book(&r);
	struct onion nobody = { 0 }, o;
	unsigned i, taken = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		o = nth(4, i);
		taken += addrbook_add(b, &o, 9, NOW, &nobody);
	}
	assert_in_range(taken, 1000, 64 * 64);
	addrbook_free(b);
}

static void bounded_whatever_is_told(void **state)
{
	struct prng r = rng_of(3);
	struct addrbook *b = book(&r);
	struct onion o, source;
	unsigned i;

	(void)state;
	for (i = 0; i < 300000; i++) {
		o = nth(5, i);
		source = nth(6, i % 1000);
		addrbook_add(b, &o, 9, NOW, &source);
	}
	assert_in_range(addrbook_count(b), 60000, 1024 * 64);
	addrbook_free(b);
}

/* ---- the tried table ---- */

/* Invented onions never get there: nobody answers at them.  The worst case
 * is an attacker who runs them all and answers every feeler. */
static void ten_thousand_onions_displace_nobody(void **state)
{
	struct prng r = rng_of(4);
	struct addrbook *b = book(&r);
	struct onion o, t, sources[500];
	unsigned i, before, after, tests = 0;
	int64_t now = NOW;

	(void)state;
	fill_honest(b, 3000, 3000);
	before = honest_tried(b, 3000);
	assert_true(before > 2400);
	now += 2 * DAY;          /* their last success is long ago */
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		sources[i] = nth(6, i);
	for (i = 0; i < 10000; i++) {
		addrbook_set_time(b, now);
		o = nth(4, i);
		addrbook_add(b, &o, 9, now, &sources[i % 500]);
		addrbook_good(b, &o, 9);
		addrbook_settle(b);
		/* A feeler; the honest are there but for one in fifty. */
		if (addrbook_pick_test(b, &t, NULL, NULL)) {
			tests++;
			assert_true(is_of(&t, 1) || is_of(&t, 4));
			if (is_of(&t, 4) || t.key[0] % 50)
				addrbook_good(b, &t, 9);
			else
				addrbook_failed(b, &t, 60, 3600);
			addrbook_settle(b);
		}
		now += 120;
	}
	assert_true(tests > 100);
	after = honest_tried(b, 3000);
	print_message("tried: %u honest before, %u after, %u tests\n",
		      before, after, tests);
	assert_true((before - after) * 50 < before);
	addrbook_free(b);
}

static void incumbent_is_tested_first(void **state)
{
	struct prng r = rng_of(5);
	struct addrbook *b = book(&r);
	struct onion old, t, o = nth(4, 0);
	unsigned i;
	bool tried;

	(void)state;
	fill_honest(b, 6000, 6000);
	addrbook_set_time(b, NOW + DAY);
	addrbook_settle(b);      /* the honest among themselves */
	/* Look for one whose place is taken. */
	for (i = 0; !addrbook_pick_test(b, &old, NULL, NULL); i++) {
		o = nth(4, i);
		addrbook_add(b, &o, 9, NOW + DAY, NULL);
		addrbook_good(b, &o, 9);
	}
	/* Untested it stays, however long it takes. */
	addrbook_set_time(b, NOW + DAY + HOUR);
	addrbook_settle(b);
	assert_non_null(addrbook_find(b, &tried, &old));
	assert_true(tried);
	assert_false(addrbook_pick_test(b, &t, NULL, NULL));
	/* Tested and there: it stays. */
	addrbook_good(b, &o, 9);
	assert_true(addrbook_pick_test(b, &t, NULL, NULL));
	assert_true(onion_eq(&t, &old));
	addrbook_good(b, &t, 9);
	addrbook_settle(b);
	assert_non_null(addrbook_find(b, &tried, &o));
	assert_false(tried);
	/* Tested twice in vain: it goes back to the new table. */
	for (i = 0; i < 2; i++) {
		addrbook_set_time(b, NOW + 2 * DAY + 300 * i);
		addrbook_good(b, &o, 9);
		addrbook_settle(b);
		assert_non_null(addrbook_find(b, &tried, &o));
		assert_false(tried);
		addrbook_set_time(b, NOW + 2 * DAY + 300 * i + 120);
		assert_true(addrbook_pick_test(b, &t, NULL, NULL));
		assert_true(onion_eq(&t, &old));
		addrbook_failed(b, &t, 60, 3600);
	}
	addrbook_settle(b);
	assert_non_null(addrbook_find(b, &tried, &o));
	assert_true(tried);
	if (addrbook_find(b, &tried, &old))
		assert_false(tried);
	addrbook_free(b);
}

/* ---- choosing ---- */

static void proven_half_of_the_time(void **state)
{
	struct prng r = rng_of(6);
	struct addrbook *b = book(&r);
	struct onion o = nth(1, 0), out;
	unsigned i, hits = 0;

	(void)state;
	assert_true(addrbook_add(b, &o, 1, NOW - DAY, NULL));
	assert_false(addrbook_add(b, &o, 1, NOW - DAY, NULL));
	addrbook_good(b, &o, 9);
	fill_honest(b, 2000, 0);
	addrbook_set_time(b, NOW + HOUR);
	for (i = 0; i < 400; i++) {
		assert_true(addrbook_pick(b, &out, false, NULL, NULL));
		hits += onion_eq(&out, &o);
	}
	assert_in_range(hits, 140, 260);
	for (i = 0; i < 50; i++) {
		assert_true(addrbook_pick(b, &out, true, NULL, NULL));
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

static void failures_rest(void **state)
{
	struct prng r = rng_of(7);
	struct addrbook *b = book(&r);
	struct onion o = nth(1, 7), other = nth(1, 8), out;
	const struct book_entry *e;
	unsigned asked = 0, i;
	bool tried;

	(void)state;
	assert_false(addrbook_pick(b, &out, false, NULL, NULL));
	addrbook_add(b, &o, 1, NOW, NULL);
	assert_false(addrbook_pick(b, &out, false, skip_all, &asked));
	assert_true(asked > 0);
	assert_true(addrbook_pick(b, &out, false, NULL, NULL));
	/* Nothing ever worked: the fault may be ours, and does not count. */
	for (i = 0; i < 5; i++)
		addrbook_failed(b, &o, 120, 4 * HOUR);
	e = addrbook_find(b, &tried, &o);
	assert_true(e->failures <= 1);
	addrbook_set_time(b, e->not_before - 1);
	assert_false(addrbook_pick(b, &out, false, NULL, NULL));
	addrbook_set_time(b, e->not_before);
	assert_true(addrbook_pick(b, &out, false, NULL, NULL));
	/* Between two successes elsewhere one failure counts. */
	addrbook_add(b, &other, 1, NOW, NULL);
	for (i = 0; i < 9; i++) {
		addrbook_set_time(b, NOW + i * DAY);
		addrbook_good(b, &other, 1);
		addrbook_set_time(b, NOW + i * DAY + 60);
		addrbook_failed(b, &o, 120, 4 * HOUR);
		addrbook_failed(b, &o, 120, 4 * HOUR);
	}
	assert_in_range(e->failures, 9, 10);
	assert_int_equal(e->not_before, NOW + 8 * DAY + 60 + 4 * HOUR);
	/* Told to nobody any more, until it works. */
	addrbook_set_time(b, NOW + 9 * DAY);
	assert_int_equal(addrbook_sample(b, &(struct book_entry){ 0 }, 2,
					 false), 1);
	addrbook_good(b, &o, 1);
	assert_int_equal(e->failures, 0);
	addrbook_remove(b, &o);
	addrbook_remove(b, &o);
	assert_int_equal(addrbook_count(b), 1);
	addrbook_free(b);
}

static void seen_does_not_tell_of_connections(void **state)
{
	struct prng r = rng_of(8);
	struct addrbook *b = book(&r);
	struct onion o = nth(1, 7);
	const struct book_entry *e;
	bool tried;

	(void)state;
	addrbook_add(b, &o, 1, NOW - DAY, NULL);
	e = addrbook_find(b, &tried, &o);
	addrbook_good(b, &o, 1);
	assert_int_equal(e->seen, NOW - DAY);
	addrbook_set_time(b, NOW + HOUR);
	addrbook_left(b, &o);
	assert_int_equal(e->seen, NOW + HOUR);
	addrbook_free(b);
}

static void samples_differ(void **state)
{
	struct book_entry out[100];
	struct prng r = rng_of(9);
	struct addrbook *b = book(&r);
	struct onion o;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < 500; i++) {
		o = nth(1, (unsigned)i);
		/* Half of them too old to be of use. */
		addrbook_add(b, &o, 1, i % 2 ? NOW : NOW - 40 * DAY, NULL);
	}
	n = addrbook_sample(b, out, ARRAY_SIZE(out), false);
	assert_int_equal(n, 100);
	for (i = 0; i < n; i++) {
		assert_int_equal(out[i].onion.key[0] % 2, 1);
		for (j = 0; j < i; j++)
			assert_false(onion_eq(&out[i].onion, &out[j].onion));
	}
	addrbook_free(b);
}

/* ---- peers.dat ---- */

static struct addrbook *mixed_book(struct prng *r)
{
	struct addrbook *b = book(r);
	struct onion o, source;
	unsigned i, k;

	addrbook_set_time(b, NOW + DAY);
	for (i = 0; i < 3000; i++) {
		o = nth(1, i);
		for (k = 0; k < 1 + i % 4; k++) {
			source = nth(2, i % 50 + 100 * k);
			addrbook_add(b, &o, i, NOW + i + k, &source);
		}
		if (i % 9 == 0)
			addrbook_good(b, &o, i);
		if (i % 3 == 0)
			addrbook_failed(b, &o, 60, 3600);
	}
	return b;
}

static void written_and_read(void **state)
{
	struct bytes one = { 0 }, two = { 0 };
	struct prng r = rng_of(10);
	struct addrbook *a = mixed_book(&r), *b = book(&r);
	struct onion o;
	unsigned i;

	(void)state;
	addrbook_set_time(b, NOW + DAY);
	assert_true(addrbook_changed(a));
	addrbook_write(a, &one);
	assert_false(addrbook_changed(a));
	assert_int_equal(addrbook_read(b, bytes_span(&one)), BOOK_READ_OK);
	assert_false(addrbook_changed(b));
	assert_int_equal(addrbook_count(a), addrbook_count(b));
	assert_true(addrbook_tried_count(b) > 300);
	assert_int_equal(addrbook_tried_count(a), addrbook_tried_count(b));
	addrbook_write(b, &two);
	assert_true(span_eq(bytes_span(&one), bytes_span(&two)));
	/* The secret came along: both put a new address in the same place,
	 * so the files stay alike. */
	for (i = 0; i < 50; i++) {
		o = nth(7, i);
		addrbook_add(a, &o, 1, NOW, NULL);
		addrbook_add(b, &o, 1, NOW, NULL);
	}
	one.n = two.n = 0;
	addrbook_write(a, &one);
	addrbook_write(b, &two);
	assert_true(span_eq(bytes_span(&one), bytes_span(&two)));
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&one);
	bytes_clear(&two);
}

static void damage_is_noticed(void **state)
{
	struct prng r = rng_of(11);
	struct addrbook *a = mixed_book(&r), *b = book(&r);
	struct bytes one = { 0 };
	struct onion o = nth(1, 0);
	unsigned i;

	(void)state;
	addrbook_write(a, &one);
	addrbook_add(b, &o, 1, NOW, NULL);
	for (i = 0; i < one.n; i += 1013) {
		one.p[i] ^= 4;
		assert_int_equal(addrbook_read(b, bytes_span(&one)),
				 BOOK_READ_DAMAGED);
		one.p[i] ^= 4;
	}
	for (i = 0; i < 90; i++)
		assert_int_equal(addrbook_read(b, span_of(one.p, i)),
				 BOOK_READ_DAMAGED);
	one.p[7]++;
	assert_int_equal(addrbook_read(b, bytes_span(&one)),
			 BOOK_READ_VERSION);
	/* What was there is there still. */
	assert_int_equal(addrbook_count(b), 1);
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&one);
}

/* A clock that was ahead when the file was written. */
static void times_of_the_future_are_cut(void **state)
{
	struct prng r = rng_of(12);
	struct addrbook *a = mixed_book(&r), *b = book(&r);
	struct bytes one = { 0 };
	const struct book_entry *e;
	struct onion o = nth(1, 27);
	bool tried;

	(void)state;
	addrbook_write(a, &one);
	addrbook_set_time(b, NOW - 100 * DAY);
	assert_int_equal(addrbook_read(b, bytes_span(&one)), BOOK_READ_OK);
	e = addrbook_find(b, &tried, &o);
	assert_non_null(e);
	assert_true(e->seen <= NOW - 100 * DAY);
	assert_true(e->not_before <= NOW - 98 * DAY);
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&one);
}

/* Written by a clock that was nowhere near. */
static void impossible_times_are_none(void **state)
{
	struct prng r = rng_of(13);
	struct addrbook *a = book(&r), *b = book(&r);
	struct bytes file = { 0 };
	struct book_entry out[2];
	const struct book_entry *e;
	struct onion o = nth(1, 1), p = nth(1, 2);
	bool tried;

	(void)state;
	addrbook_set_time(a, INT64_MAX / 2);
	addrbook_add(a, &o, 1, INT64_MAX / 2, NULL);
	addrbook_good(a, &o, 1);
	addrbook_set_time(a, -INT64_MAX / 2);
	addrbook_add(a, &p, 1, -INT64_MAX / 2, NULL);
	addrbook_failed(a, &p, 60, 3600);
	addrbook_write(a, &file);
	assert_int_equal(addrbook_read(b, bytes_span(&file)), BOOK_READ_OK);
	assert_int_equal(addrbook_count(b), 2);
	e = addrbook_find(b, &tried, &o);
	assert_int_equal(e->last_success, NOW);
	e = addrbook_find(b, &tried, &p);
	assert_int_equal(e->seen, 0);
	assert_int_equal(e->last_try, 0);
	/* Seen in 1970: told to nobody, and no arithmetic overflows. */
	assert_int_equal(addrbook_sample(b, out, 2, false), 1);
	addrbook_free(a);
	addrbook_free(b);
	bytes_clear(&file);
}

int test_p2p_addrbook(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_source_has_a_share),
		cmocka_unit_test(strangers_are_one_source),
		cmocka_unit_test(bounded_whatever_is_told),
		cmocka_unit_test(ten_thousand_onions_displace_nobody),
		cmocka_unit_test(incumbent_is_tested_first),
		cmocka_unit_test(proven_half_of_the_time),
		cmocka_unit_test(failures_rest),
		cmocka_unit_test(seen_does_not_tell_of_connections),
		cmocka_unit_test(samples_differ),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(times_of_the_future_are_cut),
		cmocka_unit_test(impossible_times_are_none),
	};

	return cmocka_run_group_tests_name("p2p addrbook", tests, NULL,
					   NULL);
}
