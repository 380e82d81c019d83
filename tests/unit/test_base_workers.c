/*
 * The pool: every item once, on any number of threads.
 */
#include "config.h"

#include "test_base.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/workers.h"

#define ITEMS 20000

struct item {
	unsigned times;
	unsigned value;
};

static void count_item(void *item, void *ctx)
{
	struct item *i = item;

	i->times++;
	i->value = i->value * 3 + *(unsigned *)ctx;
}

static void check_once(const struct item *items, size_t n, unsigned add)
{
	size_t i;

	for (i = 0; i < n; i++) {
		assert_int_equal(items[i].times, 1);
		assert_int_equal(items[i].value, (unsigned)i * 3 + add);
	}
}

static void fill(struct item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		items[i] = (struct item){ 0, (unsigned)i };
}

static void each_item_once(unsigned threads, size_t most)
{
	static struct item items[ITEMS];
	struct workers *w = workers_new(threads);
	struct batch *b;
	unsigned add = 5;
	struct prng rnd;
	size_t at = 0;

	prng_seed(&rnd, threads);
	fill(items, ITEMS);
	assert_int_equal(workers_count(w), threads);
	b = batch_new(w, count_item, &add);
	assert_true(batch_finished(b));
	while (at < ITEMS) {
		size_t n = 1 + prng_below(&rnd, most);

		n = MIN_OF(n, ITEMS - at);
		batch_add(b, items + at, n, sizeof(items[0]));
		at += n;
	}
	batch_wait(b);
	assert_true(batch_finished(b));
	check_once(items, ITEMS, add);
	batch_free(b);
	workers_free(w);
}

/* Help comes in parts, and the last part says that all is done. */
static void help_with_parts(unsigned threads)
{
	static struct item items[ITEMS];
	struct workers *w = workers_new(threads);
	struct batch *b;
	unsigned add = 7, parts = 1;

	fill(items, ITEMS);
	b = batch_new(w, count_item, &add);
	assert_true(batch_help(b));
	batch_add(b, items, ITEMS, sizeof(items[0]));
	while (!batch_help(b))
		parts++;
	if (!threads)
		assert_in_range(parts, ITEMS / 1000, ITEMS);
	check_once(items, ITEMS, add);
	batch_free(b);
	workers_free(w);
}

static void helping(void **state)
{
	(void)state;
	help_with_parts(0);
	help_with_parts(1);
	help_with_parts(3);
}

static void no_threads(void **state)
{
	(void)state;
	each_item_once(0, 100);
}

static void one_thread(void **state)
{
	(void)state;
	each_item_once(1, 3);
}

static void several_threads(void **state)
{
	(void)state;
	each_item_once(4, 3);
	each_item_once(4, 5000);
}

static void batches_in_flight(void **state)
{
	static struct item items[3][ITEMS];
	struct workers *w = workers_new(3);
	struct batch *b[3];
	unsigned add = 1;
	size_t at;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fill(items[i], ITEMS);
		b[i] = batch_new(w, count_item, &add);
	}
	for (at = 0; at < ITEMS; at += 50)
		for (i = 0; i < 3; i++)
			batch_add(b[i], items[i] + at, 50,
				  sizeof(items[0][0]));
	/* The last first: nobody depends on the order of waiting. */
	for (i = 2; i >= 0; i--) {
		batch_free(b[i]);
		check_once(items[i], ITEMS, add);
	}
	workers_free(w);
}

/* Many small lives: the end of one must not touch the next. */
static void short_batches(void **state)
{
	struct workers *w = workers_new(2);
	struct item items[3];
	unsigned add = 2;
	int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct batch *b = batch_new(w, count_item, &add);

		fill(items, 3);
		batch_add(b, items, 3, sizeof(items[0]));
		if (i % 3 == 0)
			while (!batch_finished(b))
				;
		batch_free(b);
		check_once(items, 3, add);
	}
	workers_free(w);
}

struct stopper {
	struct batch *batch;
	_Atomic int runs;
};

static void cancel_at_ten(void *item, void *ctx)
{
	struct stopper *s = ctx;

	(void)item;
	if (atomic_fetch_add(&s->runs, 1) == 9)
		batch_cancel(s->batch);
}

static void cancelled(unsigned threads)
{
	static struct item items[ITEMS];
	struct workers *w = workers_new(threads);
	struct stopper s = { 0 };

	s.batch = batch_new(w, cancel_at_ten, &s);
	batch_add(s.batch, items, ITEMS, sizeof(items[0]));
	batch_wait(s.batch);
	assert_true(batch_finished(s.batch));
	/* Each thread may have been inside one more. */
	assert_true(s.runs >= 10 && s.runs <= 10 + (int)threads);
	batch_add(s.batch, items, 5, sizeof(items[0]));
	assert_true(batch_finished(s.batch));
	batch_free(s.batch);
	workers_free(w);
}

static void cancel_skips_the_rest(void **state)
{
	(void)state;
	cancelled(0);
	cancelled(3);
}

static void workers_go_ahead(void **state)
{
	struct item item = { 0, 1 };
	struct workers *w = workers_new(1);
	unsigned add = 0;
	struct batch *b = batch_new(w, count_item, &add);
	int i;

	(void)state;
	batch_add(b, &item, 1, sizeof(item));
	/* Nobody waits for it, and it is done all the same. */
	for (i = 0; i < 20000 && !batch_finished(b); i++)
		usleep(1000);
	assert_true(batch_finished(b));
	assert_int_equal(item.times, 1);
	batch_free(b);
	workers_free(w);
}

int test_base_workers(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_threads),
		cmocka_unit_test(one_thread),
		cmocka_unit_test(several_threads),
		cmocka_unit_test(batches_in_flight),
		cmocka_unit_test(short_batches),
		cmocka_unit_test(helping),
		cmocka_unit_test(cancel_skips_the_rest),
		cmocka_unit_test(workers_go_ahead),
	};

	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
