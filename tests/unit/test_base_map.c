/*
 * The map against a plain array, with good and bad hash functions.
 */
#include "config.h"

#include "test_base.h"

#include "base/map.h"
#include "base/random.h"

#define KEYS 4096

struct thing {
	uint64_t key;
	bool in;
};

static uint64_t hash_well(const void *key, const void *ctx)
{
	return (*(const uint64_t *)key + *(const uint64_t *)ctx) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

/* Seven values only: long runs, which removal has to mend. */
static uint64_t hash_badly(const void *key, const void *ctx)
{
	(void)ctx;
	return *(const uint64_t *)key % 7;
}

static bool thing_eq(const void *item, const void *key)
{
	return ((const struct thing *)item)->key == *(const uint64_t *)key;
}

static const void *thing_key(const void *item)
{
	return &((const struct thing *)item)->key;
}

static void check_all(const struct map *m, const struct thing *things,
		      size_t n, size_t count)
{
	const struct thing *t;
	size_t i, pos = 0, seen = 0;

	assert_int_equal(m->count, count);
	for (i = 0; i < n; i++)
		assert_ptr_equal(map_get(m, &things[i].key),
				 things[i].in ? &things[i] : NULL);
	while ((t = map_next(m, &pos))) {
		assert_true(t->in);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void exercise(const struct map_type *type, size_t n, int steps)
{
	static struct thing things[KEYS];
	uint64_t salt = 99;
	struct prng rnd;
	size_t count = 0, i;
	struct map m;

	prng_seed(&rnd, 5);
	map_init(&m, type, &salt);
	for (i = 0; i < n; i++)
		things[i] = (struct thing){ i * 3, false };
	assert_null(map_take(&m, &things[0].key));
	for (; steps; steps--) {
		struct thing *t = &things[prng_below(&rnd, n)];

		if (prng_below(&rnd, 5) < 3) {
			assert_ptr_equal(map_put(&m, t), t->in ? t : NULL);
			count += !t->in;
			t->in = true;
		} else {
			assert_ptr_equal(map_take(&m, &t->key),
					 t->in ? t : NULL);
			count -= t->in;
			t->in = false;
		}
		if (steps % 1024 == 0)
			check_all(&m, things, n, count);
	}
	check_all(&m, things, n, count);
	map_clear(&m);
	assert_null(map_get(&m, &things[0].key));
}

static void agrees_with_array(void **state)
{
	static const struct map_type type = { hash_well, thing_eq,
					      thing_key };

	(void)state;
	exercise(&type, KEYS, 50000);
}

static void survives_collisions(void **state)
{
	static const struct map_type type = { hash_badly, thing_eq,
					      thing_key };

	(void)state;
	exercise(&type, 100, 20000);
}

static void put_replaces(void **state)
{
	static const struct map_type type = { hash_badly, thing_eq,
					      thing_key };
	struct thing a = { 1, true }, b = { 1, true };
	struct map m;

	(void)state;
	map_init(&m, &type, NULL);
	assert_null(map_put(&m, &a));
	assert_ptr_equal(map_put(&m, &b), &a);
	assert_ptr_equal(map_get(&m, &a.key), &b);
	assert_int_equal(m.count, 1);
	map_clear(&m);
}

int test_base_map(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_array),
		cmocka_unit_test(survives_collisions),
		cmocka_unit_test(put_replaces),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
