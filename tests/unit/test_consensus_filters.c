/*
 * BIP158 filters.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_filter.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

static const char *text_at(json_object *c, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(c, i));
}

/* Whatever the block creates or spends is found; other scripts are not. */
static void check_match(const struct block *b, struct span filter,
			const struct span *spent, size_t spent_n)
{
	static const uint8_t other[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct span absent = span_of(other, sizeof other);
	bool match;

	for (size_t i = 0; i < spent_n; i++) {
		struct span two[2] = { absent, spent[i] };

		if (!spent[i].n)
			continue;
		assert_true(block_filter_match(&match, filter, &b->hash, two,
					       2));
		assert_true(match);
	}
	assert_true(block_filter_match(&match, filter, &b->hash, &absent, 1));
	assert_false(match);
	if (filter.n > 2) {
		filter.n--;
		assert_false(block_filter_match(&match, filter, &b->hash,
						&absent, 1));
	}
}

static void check_filter(json_object *c)
{
	json_object *scripts = json_object_array_get_idx(c, 3);
	size_t n = json_object_array_length(scripts);
	struct bytes raw = { 0 }, data = { 0 }, filter = { 0 };
	struct span *spent = xcalloc(n + 1, sizeof *spent);
	struct arena arena = { 0 };
	uint8_t prev[32], header[32];
	struct block *b;
	char *hex, shown[65];

	assert_true(hex_append(&raw, text_at(c, 2)));
	b = block_decode(&raw);
	assert_non_null(b);
	hash_to_rpc_hex(shown, b->hash.b);
	assert_string_equal(shown, text_at(c, 1));
	for (size_t i = 0; i < n; i++) {
		data.n = 0;
		assert_true(hex_append(&data, text_at(scripts, i)));
		spent[i] = arena_copy(&arena, bytes_span(&data));
	}
	block_filter_write(&filter, b, spent, n);
	hex = hex_new(bytes_span(&filter));
	assert_string_equal(hex, text_at(c, 5));
	assert_true(hash_from_rpc_hex(prev, text_at(c, 4)));
	block_filter_header(header, bytes_span(&filter), prev);
	hash_to_rpc_hex(shown, header);
	assert_string_equal(shown, text_at(c, 6));
	check_match(b, bytes_span(&filter), spent, n);
	free(hex);
	free(spent);
	arena_clear(&arena);
	bytes_clear(&data);
	bytes_clear(&filter);
	block_unref(b);
}

static void check_filters(const char *name)
{
	json_object *j = vector_json(name);
	unsigned n = 0;

	if (!j)
		skip();
	for (size_t i = 1; i < json_object_array_length(j); i++, n++)
		check_filter(json_object_array_get_idx(j, i));
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

static void test_filters(void **state)
{
	(void)state;
	check_filters("core/blockfilters.json");
	check_filters("bips/bip-0158/testnet-19.json");
}

static void test_bad_filters(void **state)
{
	static const uint8_t huge[] = { 0xfd, 0xff, 0xff, 0x00, 0x00 };
	static const uint8_t ones[] = { 1, 0xff, 0xff, 0xff, 0xff };
	struct block_hash h = { { 0 } };
	struct span s = span_of(ones, 3);
	bool match;

	(void)state;
	assert_false(block_filter_match(&match, span_of(NULL, 0), &h, &s, 1));
	assert_false(block_filter_match(&match, span_of(huge, sizeof huge),
					&h, &s, 1));
	assert_false(block_filter_match(&match, span_of(ones, sizeof ones),
					&h, &s, 1));
	assert_false(match);
}

int run_filters_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_bad_filters),
	};

	return cmocka_run_group_tests_name("filters", tests, NULL, NULL);
}
