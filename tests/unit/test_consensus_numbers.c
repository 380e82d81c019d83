/*
 * Ids and 256-bit numbers.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/ids.h"
#include "consensus/u256.h"
#include "tests/unit/test_consensus.h"

static struct u256 number(const char *hex)
{
	struct u256 r;

	assert_true(u256_from_hex(&r, hex));
	return r;
}

static void assert_number(const struct u256 *a, const char *hex)
{
	struct u256 want = number(hex);
	char got[65], wanted[65];

	u256_to_hex(got, a);
	u256_to_hex(wanted, &want);
	assert_string_equal(got, wanted);
}

static void test_hash_hex(void **state)
{
	static const char genesis[] = "000000000019d6689c085ae165831e93"
				      "4ff763ae46a2a6c172b3f1b60a8ce26f";
	uint8_t h[32];
	char hex[65];

	(void)state;
	assert_true(hash_from_rpc_hex(h, genesis));
	assert_int_equal(h[0], 0x6f);
	assert_int_equal(h[31], 0);
	hash_to_rpc_hex(hex, h);
	assert_string_equal(hex, genesis);
	assert_false(hash_is_zero(h));
	memset(h, 0, sizeof h);
	assert_true(hash_is_zero(h));
	h[31] = 1;
	assert_false(hash_is_zero(h));
	assert_false(hash_from_rpc_hex(h, "00"));
	assert_false(hash_from_rpc_hex(h, "00000000001zd6689c085ae165831e93"
					  "4ff763ae46a2a6c172b3f1b60a8ce26f"));
}

static void test_hex_numbers(void **state)
{
	struct u256 r;
	char hex[65];

	(void)state;
	r = number("0xfF00000000000000010000000000000002");
	u256_to_hex(hex, &r);
	assert_string_equal(hex, "000000000000000000000000000000ff"
				 "00000000000000010000000000000002");
	assert_false(u256_from_hex(&r, ""));
	assert_false(u256_from_hex(&r, "0x"));
	assert_false(u256_from_hex(&r, "12g4"));
	assert_false(u256_from_hex(&r,
		"1000000000000000000000000000000000000000000000000000000000000"
		"0000"));
}

static void test_add_sub(void **state)
{
	struct u256 a = number("ffffffffffffffffffffffffffffffff"), b, r;
	struct u256 one = { { 1 } }, zero = { { 0 } };

	(void)state;
	u256_add(&r, &a, &one);
	assert_number(&r, "100000000000000000000000000000000");
	u256_sub(&b, &r, &one);
	assert_int_equal(u256_cmp(&b, &a), 0);
	u256_sub(&r, &zero, &one);
	assert_number(&r, "ffffffffffffffffffffffffffffffff"
			  "ffffffffffffffffffffffffffffffff");
	u256_add(&r, &r, &one);
	assert_true(u256_is_zero(&r));
	assert_true(u256_cmp(&zero, &one) < 0);
	b = number("10000000000000000");
	assert_true(u256_cmp(&b, &one) > 0);
}

static void test_shift_and_mul(void **state)
{
	struct u256 a = number("123456789abcdef0fedcba9876543210"), r;

	(void)state;
	u256_shl(&r, &a, 68);
	assert_number(&r, "123456789abcdef0fedcba987654321000000000000000000");
	u256_shr(&r, &r, 68);
	assert_int_equal(u256_cmp(&r, &a), 0);
	u256_shl(&r, &a, 0);
	assert_int_equal(u256_cmp(&r, &a), 0);
	u256_shl(&r, &a, 256);
	assert_true(u256_is_zero(&r));
	u256_shr(&r, &a, 64);
	assert_number(&r, "123456789abcdef0");
	u256_mul_u32(&r, &a, 0xffffffff);
	assert_number(&r, "1234567888888878641fdba777777777"
			  "89abcdf0");
	assert_int_equal(u256_bits(&a), 125);
	r = number("0");
	assert_int_equal(u256_bits(&r), 0);
}

/* (a * b + r) / b == a for many a and b, and r < b. */
static void test_div(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct u256 a = { { 0 } }, b = { { 0 } }, c, q;
		uint32_t m;

		for (int k = 0; k < 3; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			a.w[k] = seed >> (i % 64);
		}
		m = (uint32_t)(seed >> 11) | 1;
		b.w[0] = m;
		u256_mul_u32(&c, &a, m);
		u256_div(&q, &c, &b);
		assert_int_equal(u256_cmp(&q, &a), 0);
		c.w[0] += m - 1 > UINT64_MAX - c.w[0] ? 0 : m - 1;
		u256_div(&q, &c, &b);
		assert_int_equal(u256_cmp(&q, &a), 0);
		if (u256_is_zero(&a))
			continue;
		u256_div(&q, &a, &a);
		assert_number(&q, "1");
	}
}

/* The slow way: subtract the shifted divisor wherever it fits. */
static struct u256 slow_div(struct u256 rest, const struct u256 *b)
{
	struct u256 quotient = { { 0 } }, part;
	unsigned shift = 256 - u256_bits(b) + 1;

	while (shift-- > 0) {
		u256_shl(&part, b, shift);
		if (u256_cmp(&rest, &part) < 0)
			continue;
		u256_sub(&rest, &rest, &part);
		quotient.w[shift / 64] |= UINT64_C(1) << shift % 64;
	}
	return quotient;
}

/* Limbs of the kind that bring out wrong carries, and any others. */
static uint64_t odd_limb(uint64_t *seed)
{
	static const uint64_t edges[] = {
		0, 1, 2, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63,
		(UINT64_C(1) << 63) - 1, UINT64_C(1) << 32, UINT32_MAX,
	};

	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 61 ? edges[(*seed >> 20) % ARRAY_SIZE(edges)] : *seed;
}

static void test_div_against_slow(void **state)
{
	uint64_t seed = 0x123456789abcdef1u;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct u256 a, b = { { 0 } }, fast, slow;

		for (int k = 0; k < 4; k++)
			a.w[k] = odd_limb(&seed);
		for (int k = 0; k <= i % 4; k++)
			b.w[k] = odd_limb(&seed);
		if (u256_is_zero(&b))
			continue;
		u256_div(&fast, &a, &b);
		slow = slow_div(a, &b);
		assert_int_equal(u256_cmp(&fast, &slow), 0);
	}
}

struct compact_case {
	uint32_t bits;
	const char *number;     /* hex */
	bool ok;
	uint32_t back;
};

static void test_compact(void **state)
{
	static const struct compact_case cases[] = {
		{ 0x00000000, "0", false, 0 },
		{ 0x00123456, "0", false, 0 },
		{ 0x01003456, "0", false, 0 },
		{ 0x02000056, "0", false, 0 },
		{ 0x03000000, "0", false, 0 },
		{ 0x04000000, "0", false, 0 },
		{ 0x00923456, "0", false, 0 },
		{ 0x01803456, "0", false, 0 },
		{ 0x01123456, "12", true, 0x01120000 },
		{ 0x01fedcba, "7e", false, 0x017e0000 },
		{ 0x02123456, "1234", true, 0x02123400 },
		{ 0x03123456, "123456", true, 0x03123456 },
		{ 0x04123456, "12345600", true, 0x04123456 },
		{ 0x04923456, "12345600", false, 0x04123456 },
		{ 0x05009234, "92340000", true, 0x05009234 },
		{ 0x20123456, "123456000000000000000000000000000"
			      "0000000000000000000000000000000", true,
		  0x20123456 },
		{ 0xff123456, "0", false, 0 },
		{ 0x1d00ffff, "ffff000000000000000000000000000000"
			      "0000000000000000000000", true, 0x1d00ffff },
		{ 0x21010000, "0", false, 0 },
		{ 0x2100ffff, "ffff00000000000000000000000000000000000000000"
			      "0000000000000000000", true, 0x2100ffff },
		{ 0x220000ff, "ff0000000000000000000000000000000000000000000"
			      "0000000000000000000", true, 0x2100ff00 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct compact_case *c = &cases[i];
		struct u256 r;

		assert_int_equal(u256_from_compact(&r, c->bits), c->ok);
		assert_number(&r, c->number);
		assert_int_equal(u256_to_compact(&r), c->back);
	}
}

static void test_work(void **state)
{
	struct u256 w;

	(void)state;
	u256_block_work(&w, 0x1d00ffff);
	assert_number(&w, "100010001");
	u256_block_work(&w, 0x207fffff);
	assert_number(&w, "2");
	u256_block_work(&w, 0x01800000 | 0x3456);
	assert_true(u256_is_zero(&w));
	w = number("8000000000000000000000000000000000000000");
	assert_true(u256_to_double(&w) == 0x1p159);
}

static void test_le(void **state)
{
	struct u256 a = number("0102030405060708090a0b0c0d0e0f10"
			       "1112131415161718191a1b1c1d1e1f20"), b;
	uint8_t le[32];

	(void)state;
	u256_to_le(le, &a);
	for (int i = 0; i < 32; i++)
		assert_int_equal(le[i], 32 - i);
	u256_from_le(&b, le);
	assert_int_equal(u256_cmp(&a, &b), 0);
}

int run_numbers_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_hex),
		cmocka_unit_test(test_hex_numbers),
		cmocka_unit_test(test_add_sub),
		cmocka_unit_test(test_shift_and_mul),
		cmocka_unit_test(test_div),
		cmocka_unit_test(test_div_against_slow),
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_le),
	};

	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
