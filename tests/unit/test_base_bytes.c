/*
 * Buffers, hex, reader and writer, arena, amounts, randomness, trouble.
 */
#include "config.h"

#include "test_base.h"

#include <errno.h>
#include <stdlib.h>

#include "base/amount.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/reader.h"
#include "base/writer.h"

static void buffer_grows_and_shrinks(void **state)
{
	struct bytes b = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++)
		write_u16(&b, (uint16_t)i);
	assert_int_equal(b.n, 2000);
	bytes_consume(&b, 0);
	bytes_consume(&b, 2 * 300);
	assert_int_equal(b.n, 1400);
	assert_int_equal(b.p[0] | b.p[1] << 8, 300);
	bytes_consume(&b, 1400);
	assert_int_equal(b.n, 0);
	bytes_append(&b, NULL, 0);
	bytes_clear(&b);
	assert_null(b.p);
}

static void hex_both_ways(void **state)
{
	uint8_t raw[4] = { 9, 9, 9, 9 };
	struct bytes b = { 0 };
	char *text;

	(void)state;
	assert_true(hex_decode(raw, 4, "00ffAb1c"));
	text = hex_new(span_of(raw, 4));
	assert_string_equal(text, "00ffab1c");
	free(text);
	assert_false(hex_decode(raw, 4, "00ffab1"));
	assert_false(hex_decode(raw, 4, "00ffab"));
	assert_false(hex_decode(raw, 4, "00ffab1c00"));
	assert_false(hex_decode(raw, 4, "00ffab1g"));
	assert_false(hex_decode(raw, 4, ""));
	assert_true(hex_decode(raw, 0, ""));

	assert_true(hex_append(&b, "0102"));
	assert_false(hex_append(&b, "030"));
	assert_false(hex_append(&b, "03zz"));
	assert_int_equal(b.n, 2);
	assert_true(hex_append(&b, ""));
	bytes_clear(&b);
}

static void equal_and_wipe(void **state)
{
	uint8_t a[3] = { 1, 2, 3 }, b[3] = { 1, 2, 4 }, zero[3] = { 0 };

	(void)state;
	assert_false(bytes_equal_ct(a, b, 3));
	assert_true(bytes_equal_ct(a, b, 2));
	bytes_wipe(a, 3);
	assert_memory_equal(a, zero, 3);
	assert_true(span_eq(span_of(NULL, 0), span_of(b, 0)));
	assert_false(span_eq(span_of(zero, 3), span_of(b, 3)));
}

static void fields_read_back(void **state)
{
	struct bytes b = { 0 };
	struct reader r;
	uint8_t four[4];

	(void)state;
	write_u8(&b, 0xfe);
	write_u16(&b, 0x1234);
	write_u16_be(&b, 0x1234);
	write_u32(&b, 0x89abcdef);
	write_u64(&b, UINT64_C(0xfedcba9876543210));
	write_var_span(&b, span_of("xyz", 3));
	assert_int_equal(b.p[1], 0x34);
	assert_int_equal(b.p[3], 0x12);

	r = reader_of(bytes_span(&b));
	assert_int_equal(read_u8(&r), 0xfe);
	assert_int_equal(read_u16(&r), 0x1234);
	assert_int_equal(read_u16_be(&r), 0x1234);
	assert_int_equal(read_u32(&r), 0x89abcdef);
	assert_true(read_u64(&r) == UINT64_C(0xfedcba9876543210));
	assert_true(span_eq(read_var_span(&r), span_of("xyz", 3)));
	assert_false(r.failed);
	assert_int_equal(reader_left(&r), 0);

	memset(four, 7, 4);
	read_copy(&r, four, 4);
	assert_true(r.failed);
	assert_int_equal(four[0] | four[3], 0);
	bytes_clear(&b);
}

static void reader_fails_stickily(void **state)
{
	static const uint8_t raw[4] = { 1, 2, 3, 4 };
	struct reader r = reader_of(span_of(raw, 4));

	(void)state;
	assert_int_equal(read_u8(&r), 1);
	assert_int_equal(read_u64(&r), 0);
	assert_true(r.failed);
	/* Three bytes were left, and none of them may be read now. */
	assert_int_equal(read_u8(&r), 0);
	assert_int_equal(read_compact(&r), 0);
	assert_null(read_span(&r, 0).p);
	assert_int_equal(reader_left(&r), 0);
}

static void compact_sizes(void **state)
{
	static const uint64_t good[] = { 0, 1, 252, 253, 65535, 65536,
					 0x02000000 };
	static const uint64_t large[] = { 0x02000001, UINT32_MAX,
					  UINT64_C(1) << 32, UINT64_MAX };
	static const char *const longer[] = {
		"fdfc00", "fd0000", "feffff0000", "ff00000000ffffff",
		"ffffffffff00000000", "fd01", "fe010000", "",
	};
	struct bytes b = { 0 };
	struct reader r;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		b.n = 0;
		write_compact(&b, good[i]);
		assert_int_equal(b.n, compact_size(good[i]));
		r = reader_of(bytes_span(&b));
		assert_true(read_compact(&r) == good[i]);
		assert_false(r.failed);
	}
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		b.n = 0;
		write_compact(&b, large[i]);
		assert_int_equal(b.n, compact_size(large[i]));
		r = reader_of(bytes_span(&b));
		assert_true(read_compact_any(&r) == large[i]);
		assert_false(r.failed);
		r = reader_of(bytes_span(&b));
		assert_int_equal(read_compact(&r), 0);
		assert_true(r.failed);
	}
	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		b.n = 0;
		assert_true(hex_append(&b, longer[i]));
		r = reader_of(bytes_span(&b));
		assert_int_equal(read_compact_any(&r), 0);
		assert_true(r.failed);
	}
	bytes_clear(&b);
}

static void arena_holds(void **state)
{
	struct arena a = { 0 };
	uint8_t *p[300];
	size_t i, k;

	(void)state;
	for (i = 0; i < 300; i++) {
		p[i] = arena_alloc(&a, i * 7);
		assert_int_equal((uintptr_t)p[i] % sizeof(max_align_t) % 16,
				 0);
		memset(p[i], (int)(i & 255), i * 7);
	}
	for (i = 0; i < 300; i++)
		for (k = 0; k < i * 7; k++)
			assert_int_equal(p[i][k], i & 255);
	assert_true(a.size_bytes > 300 * 299 / 2 * 7);
	assert_true(a.size_bytes < 2 * 300 * 299 / 2 * 7);
	p[0] = arena_calloc(&a, 100, 1000);
	for (k = 0; k < 100 * 1000; k++)
		assert_int_equal(p[0][k], 0);
	assert_true(span_eq(arena_copy(&a, span_of("abc", 3)),
			    span_of("abc", 3)));
	arena_clear(&a);
	assert_int_equal(a.size_bytes, 0);
	arena_clear(&a);
}

static void amounts_as_text(void **state)
{
	static const struct { const char *text; int64_t sat; } good[] = {
		{ "0", 0 }, { "0.00000001", 1 }, { "1", COIN_SAT },
		{ "-0.00000001", -1 }, { "21000000", MAX_MONEY_SAT },
		{ "1.5", 150000000 }, { "20999999.99999999",
					MAX_MONEY_SAT - 1 },
		{ "92233720368.54775807", INT64_MAX },
	};
	static const char *const bad[] = {
		"", "-", ".", ".5", "5.", "1.000000000", "1e3", "+1", " 1",
		"1 ", "01", "--1", "1.-5", "0x10", "92233720368.54775808",
		"99999999999999999999",
	};
	int64_t v = 42;
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(amount_parse(&v, good[i].text));
		assert_true(v == good[i].sat);
	}
	v = 42;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(amount_parse(&v, bad[i]));
	assert_int_equal(v, 42);
	amount_format(text, -1);
	assert_string_equal(text, "-0.00000001");
	amount_format(text, INT64_MIN);
	assert_string_equal(text, "-92233720368.54775808");
	amount_format(text, MAX_MONEY_SAT);
	assert_string_equal(text, "21000000.00000000");
}

static void amounts_add(void **state)
{
	int64_t v = 7;

	(void)state;
	assert_false(amount_add(&v, MAX_MONEY_SAT, 1));
	assert_false(amount_add(&v, -1, 2));
	assert_false(amount_add(&v, INT64_MAX, INT64_MAX));
	assert_int_equal(v, 7);
	assert_true(amount_add(&v, MAX_MONEY_SAT - 1, 1));
	assert_true(v == MAX_MONEY_SAT);
}

static void trouble_names_its_cause(void **state)
{
	char name[600];
	struct why why;

	(void)state;
	assert_int_equal(why_set(&why, ERR_STATE, "no %d", 5), ERR_STATE);
	assert_int_equal(why.err, ERR_STATE);
	assert_string_equal(why.text, "no 5");
	errno = ENOSPC;
	assert_int_equal(why_errno(&why, "cannot write %s", "x"), ERR_SPACE);
	assert_string_equal(why.text,
			    "cannot write x: No space left on device");
	errno = ENOMEM;
	assert_int_equal(why_errno(NULL, "x"), ERR_MEMORY);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	errno = EIO;
	assert_int_equal(why_errno(&why, "%s", name), ERR_IO);
	assert_non_null(strstr(why.text, ": Input/output error"));
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_string_equal(err_name(ERR_SPACE), "space");
}

static void randomness(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };
	unsigned seen = 0;
	struct prng p, q;
	int i;

	(void)state;
	random_bytes(a, 32);
	random_bytes(b, 32);
	assert_memory_not_equal(a, b, 32);
	for (i = 0; i < 1000; i++)
		seen |= 1u << random_below(5);
	assert_int_equal(seen, 31);

	prng_seed(&p, 1);
	prng_seed(&q, 1);
	for (i = 0; i < 100; i++)
		assert_true(prng_u64(&p) == prng_u64(&q));
	prng_seed(&q, 2);
	assert_true(prng_u64(&p) != prng_u64(&q));
	for (i = 0, seen = 0; i < 1000; i++)
		seen |= 1u << prng_below(&p, 3);
	assert_int_equal(seen, 7);
}

static void clock_can_be_held(void **state)
{
	struct clock c = { 0 };
	int64_t before = clock_mono_us();

	(void)state;
	assert_true(clock_unix(&c) > 1700000000);
	clock_set_mock(&c, 1231006505);
	assert_int_equal(clock_unix(&c), 1231006505);
	clock_set_mock(&c, 0);
	assert_true(clock_unix(&c) > 1700000000);
	assert_true(clock_mono_us() >= before);
}

int test_base_bytes(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_grows_and_shrinks),
		cmocka_unit_test(hex_both_ways),
		cmocka_unit_test(equal_and_wipe),
		cmocka_unit_test(fields_read_back),
		cmocka_unit_test(reader_fails_stickily),
		cmocka_unit_test(compact_sizes),
		cmocka_unit_test(arena_holds),
		cmocka_unit_test(amounts_as_text),
		cmocka_unit_test(amounts_add),
		cmocka_unit_test(trouble_names_its_cause),
		cmocka_unit_test(randomness),
		cmocka_unit_test(clock_can_be_held),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
