/*
 * SipHash against the reference node's vectors (2-4) and against values
 * computed apart from this code (1-3).
 */
#include "config.h"

#include "test_crypto.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/reader.h"
#include "crypto/hash.h"
#include "vectors.h"

static const char *text_at(struct json_object *array, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(array, i));
}

static uint64_t number(const char *hex)
{
	return strtoull(hex, NULL, 16);
}

static void check_case(struct json_object *c)
{
	struct json_object *key = json_object_object_get(c, "key");
	struct json_object *input = json_object_object_get(c, "input");
	struct json_object *expected = json_object_object_get(c, "expected");
	uint64_t k0 = number(text_at(key, 0)), k1 = number(text_at(key, 1));
	uint64_t want = number(json_object_get_string(
		json_object_object_get(expected, "siphash24")));
	struct bytes all = { 0 };
	struct reader r;
	size_t i;

	for (i = 0; i < json_object_array_length(input); i++)
		assert_true(hex_append(&all, text_at(input, i)));
	assert_true(siphash(k0, k1, all.p, all.n) == want);
	if (all.n == 32)
		assert_true(siphash_u256(k0, k1, all.p) == want);
	if (all.n == 36) {
		r = reader_of(span_of(all.p + 32, 4));
		assert_true(siphash_u256_u32(k0, k1, all.p, read_u32(&r)) ==
			    want);
	}
	bytes_clear(&all);
}

static void of_the_reference_node(void **state)
{
	struct json_object *all = vector_json("core/siphash.json");
	size_t i, n;

	(void)state;
	if (!all)
		skip();
	n = json_object_array_length(all);
	assert_true(n > 100);
	for (i = 0; i < n; i++)
		check_case(json_object_array_get_idx(all, i));
	json_object_put(all);
	vector_report("core/siphash.json", (unsigned)n, (unsigned)n);
}

static const uint64_t k0 = UINT64_C(0x0706050403020100);
static const uint64_t k1 = UINT64_C(0x0f0e0d0c0b0a0908);

static void of_the_paper(void **state)
{
	uint8_t in[36];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(siphash(k0, k1, in, 15) ==
		    UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash(k0, k1, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash(k0, k1, in, 32) == siphash_u256(k0, k1, in));
	assert_true(siphash(k0, k1, in, 36) ==
		    siphash_u256_u32(k0, k1, in, 0x23222120));
}

static void with_fewer_rounds(void **state)
{
	uint8_t in[32], zero[32] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(siphash13_u256_u32(k0, k1, in, 0) ==
		    UINT64_C(0x76b75ba439fef0d3));
	assert_true(siphash13_u256_u32(k0, k1, in, 1) ==
		    UINT64_C(0x74fe445ffeda8f5d));
	assert_true(siphash13_u256_u32(k0, k1, in, 0xfffffffe) ==
		    UINT64_C(0xb1f0c6aec303e1b4));
	assert_true(siphash13_u256_u32(0, 0, zero, 0) ==
		    UINT64_C(0x6afe3d01eb6c374e));
}

int test_crypto_siphash(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_reference_node),
		cmocka_unit_test(of_the_paper),
		cmocka_unit_test(with_fewer_rounds),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
