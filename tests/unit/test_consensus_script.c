/*
 * Scripts as data: reading, numbers, forms, sigops, FindAndDelete; and the
 * interpreter's stack against a plain model.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/script.h"
#include "consensus/script_error.h"
#include "consensus/script_stack_priv.h"
#include "tests/unit/script_text.h"
#include "tests/unit/test_consensus.h"

/* A literal's bytes; "" inside separates what follows a hex escape. */
#define S(literal) span_of(literal, sizeof(literal) - 1)

static void assert_span(struct span got, struct span want)
{
	assert_int_equal(got.n, want.n);
	if (want.n)
		assert_memory_equal(got.p, want.p, want.n);
}

static struct span script_of(struct bytes *b, const char *text)
{
	bytes_clear(b);
	assert_true(script_parse(b, text));
	return bytes_span(b);
}

/* ---- reading --------------------------------------------------------- */

static void test_next_reads_every_kind_of_push(void **state)
{
	struct script_iter it = script_iter_of(S(
		"\x00\x02" "ab" "\x4c\x01" "c" "\x4d\x01\x00" "d"
		"\x4e\x01\x00\x00\x00" "e" "\x51\xac"));
	static const unsigned codes[] = { 0, 2, 0x4c, 0x4d, 0x4e, 0x51, 0xac };
	static const char *const data[] = { "", "ab", "c", "d", "e", "", "" };
	struct script_op op;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_true(script_next(&it, &op));
		assert_int_equal(op.code, codes[i]);
		assert_span(op.data, span_of(data[i], strlen(data[i])));
	}
	assert_false(script_next(&it, &op));
	assert_false(it.bad);
}

static void test_next_refuses_pushes_over_the_end(void **state)
{
	static const struct {
		struct span s;
		size_t read;     /* where reading stands afterwards */
	} cases[] = {
		{ { (const uint8_t *)"\x02\x61", 2 }, 1 },
		{ { (const uint8_t *)"\x4c", 1 }, 1 },
		{ { (const uint8_t *)"\x4c\x01", 2 }, 2 },
		{ { (const uint8_t *)"\x4d\x01", 2 }, 1 },
		{ { (const uint8_t *)"\x4d\x02\x00\x61", 4 }, 3 },
		{ { (const uint8_t *)"\x4e\x00\x00\x00", 4 }, 1 },
		{ { (const uint8_t *)"\x4e\xff\xff\xff\xff\x61", 6 }, 5 },
	};
	struct script_op op;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script_iter it = script_iter_of(cases[i].s);

		assert_false(script_next(&it, &op));
		assert_true(it.bad);
		assert_int_equal(it.p - cases[i].s.p, cases[i].read);
		assert_false(script_next(&it, &op));
		assert_false(script_is_push_only(cases[i].s));
	}
}

static void test_push_only(void **state)
{
	(void)state;
	assert_true(script_is_push_only(S("")));
	assert_true(script_is_push_only(S("\x00\x01\x61\x50\x60")));
	assert_false(script_is_push_only(S("\x51\x61")));
}

/* ---- numbers --------------------------------------------------------- */

static const struct {
	int64_t v;
	const char *hex;
} numbers[] = {
	{ 0, "" }, { 1, "01" }, { -1, "81" }, { 127, "7f" }, { -127, "ff" },
	{ 128, "8000" }, { -128, "8080" }, { 255, "ff00" }, { 256, "0001" },
	{ -255, "ff80" }, { 32767, "ff7f" }, { 32768, "008000" },
	{ 2147483647, "ffffff7f" }, { -2147483647, "ffffffff" },
	{ 2147483648, "0000008000" }, { -2147483648, "0000008080" },
	{ 549755813887, "ffffffff7f" }, { INT64_MAX, "ffffffffffffff7f" },
	{ -INT64_MAX, "ffffffffffffffff" },
};

static void test_numbers_round_trip(void **state)
{
	uint8_t got[9], want[9];
	int64_t back;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		n = strlen(numbers[i].hex) / 2;
		assert_true(hex_decode(want, n, numbers[i].hex));
		assert_int_equal(script_number_write(got, numbers[i].v), n);
		assert_memory_equal(got, want, n);
		assert_true(script_number_read(&back, span_of(got, n), n,
					       true));
		assert_true(back == numbers[i].v);
		if (n)
			assert_false(script_number_read(
				&back, span_of(got, n), n - 1, false));
	}
	/* The one number whose sign needs a ninth byte. */
	assert_int_equal(script_number_write(got, INT64_MIN), 9);
	assert_memory_equal(got, "\0\0\0\0\0\0\0\x80\x80", 9);
}

static void test_number_minimal_encoding(void **state)
{
	static const char *const longer[] = {
		"00", "80", "0000", "0080", "0100", "0180", "7f00", "ff0000",
	};
	uint8_t b[4];
	int64_t v;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		n = strlen(longer[i]) / 2;
		assert_true(hex_decode(b, n, longer[i]));
		assert_false(script_number_read(&v, span_of(b, n), 4, true));
		assert_true(script_number_read(&v, span_of(b, n), 4, false));
	}
	assert_true(script_number_read(&v, S("\x80"), 4, false));
	assert_true(v == 0);
}

static void test_truth(void **state)
{
	(void)state;
	assert_false(element_is_true(S("")));
	assert_false(element_is_true(S("\x00")));
	assert_false(element_is_true(S("\x80")));
	assert_false(element_is_true(S("\x00\x00\x80")));
	assert_true(element_is_true(S("\x80\x00")));
	assert_true(element_is_true(S("\x00\x81")));
	assert_true(element_is_true(S("\x01")));
}

/* ---- writing --------------------------------------------------------- */

static void test_pushes_are_minimal(void **state)
{
	static const size_t sizes[] = { 0, 1, 75, 76, 255, 256, 520, 65535,
					65536 };
	static const size_t heads[] = { 1, 1, 1, 2, 2, 3, 3, 3, 5 };
	uint8_t *data = xcalloc(1, 65536);
	struct bytes b = { 0 };
	struct script_op op;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct script_iter it;

		script_push_data(&b, span_of(data, sizes[i]));
		assert_int_equal(b.n, sizes[i] + heads[i]);
		it = script_iter_of(bytes_span(&b));
		assert_true(script_next(&it, &op));
		assert_int_equal(op.data.n, sizes[i]);
		assert_true(script_push_is_minimal(&op));
		assert_false(script_next(&it, &op));
		assert_false(it.bad);
		bytes_clear(&b);
	}
	free(data);
}

static void test_push_number_as_bip34_wants(void **state)
{
	static const struct {
		int64_t v;
		const char *hex;
	} cases[] = {
		{ 0, "00" }, { -1, "4f" }, { 1, "51" }, { 16, "60" },
		{ 17, "0111" }, { 127, "017f" }, { 128, "028000" },
		{ 227931, "035b7a03" }, { 8388608, "0400008000" },
	};
	struct bytes b = { 0 };
	char *hex;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		script_push_number(&b, cases[i].v);
		hex = hex_new(bytes_span(&b));
		assert_string_equal(hex, cases[i].hex);
		free(hex);
		bytes_clear(&b);
	}
}

static void test_longer_pushes_are_not_minimal(void **state)
{
	static const struct script_op ops[] = {
		{ 1, { (const uint8_t *)"\x01", 1 } },
		{ 1, { (const uint8_t *)"\x10", 1 } },
		{ 1, { (const uint8_t *)"\x81", 1 } },
		{ OP_PUSHDATA1, { (const uint8_t *)"ab", 2 } },
		{ OP_PUSHDATA1, { NULL, 0 } },
		{ OP_PUSHDATA2, { (const uint8_t *)"ab", 2 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		assert_false(script_push_is_minimal(&ops[i]));
}

/* ---- forms ----------------------------------------------------------- */

static void test_witness_programs(void **state)
{
	uint8_t script[44] = { 0 };
	struct span program;
	unsigned version;
	size_t n;

	(void)state;
	for (n = 0; n <= 42; n++) {
		script[0] = OP_16;
		script[1] = (uint8_t)n;
		assert_int_equal(script_is_witness_program(
			span_of(script, n + 2), &version, &program),
			n >= 2 && n <= 40);
		assert_false(script_is_witness_program(
			span_of(script, n + 1), &version, &program));
	}
	script[1] = 20;
	for (n = 0; n < 256; n++) {
		script[0] = (uint8_t)n;
		if (!script_is_witness_program(span_of(script, 22), &version,
					       &program)) {
			assert_true(n != 0 && (n < OP_1 || n > OP_16));
			continue;
		}
		assert_int_equal(version, n ? n - OP_1 + 1 : 0);
		assert_ptr_equal(program.p, script + 2);
		assert_int_equal(program.n, 20);
	}
}

static void test_other_forms(void **state)
{
	uint8_t script[10001] = { OP_HASH160, 20 };

	(void)state;
	script[22] = OP_EQUAL;
	assert_true(script_is_p2sh(span_of(script, 23)));
	assert_false(script_is_p2sh(span_of(script, 24)));
	script[22] = OP_EQUALVERIFY;
	assert_false(script_is_p2sh(span_of(script, 23)));
	assert_true(script_is_p2a(S("\x51\x02\x4e\x73")));
	assert_false(script_is_p2a(S("\x51\x02\x4e\x74")));
	assert_false(script_is_p2a(S("\x52\x02\x4e\x73")));
	script[0] = OP_1;
	script[1] = 32;
	assert_true(script_is_p2tr(span_of(script, 34)));
	assert_false(script_is_p2tr(span_of(script, 33)));
	assert_false(script_is_unspendable(S("")));
	assert_true(script_is_unspendable(S("\x6a")));
	assert_false(script_is_unspendable(S("\x00\x6a")));
	assert_false(script_is_unspendable(span_of(script, 10000)));
	assert_true(script_is_unspendable(span_of(script, 10001)));
}

/* ---- signature operations -------------------------------------------- */

static void test_sigops(void **state)
{
	struct bytes b = { 0 };
	struct span s;

	(void)state;
	s = script_of(&b, "CHECKSIG CHECKSIGVERIFY 3 CHECKMULTISIG");
	assert_int_equal(script_sigops(s, true), 5);
	assert_int_equal(script_sigops(s, false), 22);
	s = script_of(&b, "16 CHECKMULTISIGVERIFY 0 CHECKMULTISIG");
	assert_int_equal(script_sigops(s, true), 36);
	s = script_of(&b, "0x01 0x03 CHECKMULTISIG");
	assert_int_equal(script_sigops(s, true), 20);
	s = script_of(&b, "3 NOP CHECKMULTISIG");
	assert_int_equal(script_sigops(s, true), 20);
	/* What stands before a malformed push counts, what follows not. */
	s = script_of(&b, "CHECKSIG 0x05 CHECKSIG");
	assert_int_equal(script_sigops(s, true), 1);
	/* Data is not code; CHECKSIGADD is not counted. */
	s = script_of(&b, "0x02 0xacac CHECKSIGADD");
	assert_int_equal(script_sigops(s, true), 0);
	bytes_clear(&b);
}

static void test_sigops_p2sh(void **state)
{
	uint8_t p2sh[23] = { OP_HASH160, 20, [22] = OP_EQUAL };
	struct span form = span_of(p2sh, sizeof p2sh);
	struct bytes b = { 0 };

	(void)state;
	assert_int_equal(script_sigops_p2sh(
		form, script_of(&b, "1 0x03 0xac52ae")), 3);
	assert_int_equal(script_sigops_p2sh(
		S("\xac"), script_of(&b, "1 0x03 0xac52ae")), 0);
	/* The last push decides, a number opcode pushes no bytes. */
	assert_int_equal(script_sigops_p2sh(
		form, script_of(&b, "0x03 0xac52ae 1")), 0);
	assert_int_equal(script_sigops_p2sh(
		form, script_of(&b, "NOP 0x03 0xac52ae")), 0);
	assert_int_equal(script_sigops_p2sh(
		form, script_of(&b, "0x03 0xac52ae 0x05 0xac")), 0);
	bytes_clear(&b);
}

static void test_sigops_witness(void **state)
{
	uint8_t p2sh[23] = { OP_HASH160, 20, [22] = OP_EQUAL };
	uint8_t wpkh[22] = { 0, 20 }, wsh[34] = { 0, 32 }, v1[34] = { 0x51, 32 };
	uint8_t push[23] = { 22, 0, 20 };
	struct span none = S("");
	const struct span witness[2] = { S("\xac"), S("\xac\x52\xae") };

	(void)state;
	assert_int_equal(script_sigops_witness(span_of(wpkh, 22), none,
					       NULL, 0), 1);
	assert_int_equal(script_sigops_witness(span_of(wsh, 34), none,
					       witness, 2), 3);
	assert_int_equal(script_sigops_witness(span_of(wsh, 34), none,
					       NULL, 0), 0);
	assert_int_equal(script_sigops_witness(span_of(v1, 34), none,
					       witness, 2), 0);
	assert_int_equal(script_sigops_witness(span_of(p2sh, 23),
					       span_of(push, 23),
					       witness, 2), 1);
	assert_int_equal(script_sigops_witness(span_of(p2sh, 23), none,
					       witness, 2), 0);
}

/* ---- FindAndDelete --------------------------------------------------- */

static void check_delete(const char *script, const char *pattern,
			 const char *want, unsigned want_found)
{
	struct bytes s = { 0 }, p = { 0 }, w = { 0 };
	size_t n;

	assert_true(hex_append(&s, script));
	assert_true(hex_append(&p, pattern));
	assert_true(hex_append(&w, want));
	assert_int_equal(script_find_and_delete(NULL, &n, bytes_span(&s),
						bytes_span(&p)), want_found);
	assert_int_equal(n, w.n);
	assert_int_equal(script_find_and_delete(s.p, &n, bytes_span(&s),
						bytes_span(&p)), want_found);
	assert_span(span_of(s.p, n), bytes_span(&w));
	bytes_clear(&s);
	bytes_clear(&p);
	bytes_clear(&w);
}

static void test_find_and_delete(void **state)
{
	(void)state;
	check_delete("5152", "", "5152", 0);
	check_delete("515253", "52", "5153", 1);
	check_delete("5351535153535153", "53", "515151", 5);
	check_delete("0302ff03", "0302ff03", "", 1);
	check_delete("0302ff030302ff03", "0302ff03", "", 2);
	/* Data of a push is not searched … */
	check_delete("0302ff030302ff03", "02", "0302ff030302ff03", 0);
	check_delete("0302ff030302ff03", "ff", "0302ff030302ff03", 0);
	/* … but what is left after a deletion is read as operations. */
	check_delete("0302ff030302ff03", "03", "02ff0302ff03", 2);
	check_delete("02feed5169", "feed51", "02feed5169", 0);
	check_delete("02feed5169", "02feed51", "69", 1);
	check_delete("516902feed5169", "feed51", "516902feed5169", 0);
	check_delete("516902feed5169", "02feed51", "516969", 1);
	/* One pass: what deletions bring together stays. */
	check_delete("00005151", "0051", "0051", 1);
	check_delete("000051005151", "0051", "0051", 2);
	/* A malformed tail is kept, and only searched at its start. */
	check_delete("0003feed", "03feed", "00", 1);
	check_delete("0003feed", "00", "03feed", 1);
	check_delete("5105ac51", "51", "05ac51", 1);
}

/* CVE-2024-38365: only the exact push of a signature is deleted. */
static void test_find_and_delete_needs_the_exact_push(void **state)
{
	(void)state;
	check_delete("03aabbcc75ac", "02aabb", "03aabbcc75ac", 0);
	check_delete("4c02aabb75ac", "02aabb", "4c02aabb75ac", 0);
	check_delete("02aabb75ac", "02aabb", "75ac", 1);
}

/* ---- the stack ------------------------------------------------------- */

struct model {
	int64_t main[2000], alt[2000];
	uint32_t n, alt_n;
};

static void model_step(struct model *m, struct stack *s, unsigned what,
		       uint32_t i)
{
	int64_t t;

	switch (what) {
	case 0:
		m->main[m->n] = m->n * 1000 + i;
		stack_push_number(s, m->main[m->n++]);
		break;
	case 1:
		t = m->main[m->n - i];
		memmove(&m->main[m->n - i], &m->main[m->n - i + 1],
			(i - 1) * sizeof t);
		m->main[m->n - 1] = t;
		stack_raise(s, i);
		break;
	case 2:
		t = m->main[m->n - 1];
		memmove(&m->main[m->n - i + 1], &m->main[m->n - i],
			(i - 1) * sizeof t);
		m->main[m->n - i] = t;
		stack_sink(s, i);
		break;
	case 3:
		m->main[m->n] = m->main[m->n - i];
		m->n++;
		stack_push_copy(s, i);
		break;
	case 4:
		m->alt[m->alt_n++] = m->main[--m->n];
		stack_to_alt(s);
		break;
	case 5:
		m->n -= i;
		stack_drop(s, i);
		break;
	default:
		if (!m->alt_n)
			return;
		m->main[m->n++] = m->alt[--m->alt_n];
		stack_from_alt(s);
		break;
	}
}

static void test_stack_agrees_with_a_model(void **state)
{
	struct model *m = xcalloc(1, sizeof *m);
	struct stack *s = xcalloc(1, sizeof *s);
	unsigned seed = 20260101, step;
	uint32_t i;
	int64_t v;

	(void)state;
	stack_init(s);
	for (step = 0; step < 20000; step++) {
		unsigned what = (unsigned)rand_r(&seed) % 8;

		if (m->n == 0 || (what == 7 && m->n + m->alt_n < 1000))
			what = 0;
		if (m->n + m->alt_n >= 1000)
			what = 5;
		i = m->n ? 1 + (uint32_t)rand_r(&seed) % m->n : 1;
		if (what == 5 && i > 20)
			i = 20;
		model_step(m, s, what, i);
		assert_int_equal(s->n, m->n);
		assert_int_equal(s->alt_n, m->alt_n);
		for (i = 1; i <= m->n && i < 40; i++) {
			assert_true(script_number_read(&v, stack_top(s, i), 9,
						       true));
			assert_true(v == m->main[m->n - i]);
		}
	}
	free(s);
	free(m);
}

/* ---- names ----------------------------------------------------------- */

static void test_names(void **state)
{
	unsigned e;

	(void)state;
	assert_string_equal(opcode_name(OP_CHECKSIG), "OP_CHECKSIG");
	assert_string_equal(opcode_name(OP_0), "0");
	assert_string_equal(opcode_name(OP_16), "16");
	assert_string_equal(opcode_name(OP_1NEGATE), "-1");
	assert_string_equal(opcode_name(0x05), "OP_UNKNOWN");
	assert_string_equal(opcode_name(0xbb), "OP_UNKNOWN");
	assert_string_equal(opcode_name(1000), "OP_UNKNOWN");
	for (e = 0; e < SCRIPT_ERR_COUNT; e++) {
		assert_non_null(script_error_text((enum script_error)e));
		assert_non_null(script_error_name((enum script_error)e));
	}
	assert_string_equal(script_error_text(SCRIPT_ERR_SIG_NULLFAIL),
			    "Signature must be zero for failed "
			    "CHECK(MULTI)SIG operation");
}

int run_script_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_reads_every_kind_of_push),
		cmocka_unit_test(test_next_refuses_pushes_over_the_end),
		cmocka_unit_test(test_push_only),
		cmocka_unit_test(test_numbers_round_trip),
		cmocka_unit_test(test_number_minimal_encoding),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_pushes_are_minimal),
		cmocka_unit_test(test_push_number_as_bip34_wants),
		cmocka_unit_test(test_longer_pushes_are_not_minimal),
		cmocka_unit_test(test_witness_programs),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_sigops),
		cmocka_unit_test(test_sigops_p2sh),
		cmocka_unit_test(test_sigops_witness),
		cmocka_unit_test(test_find_and_delete),
		cmocka_unit_test(test_find_and_delete_needs_the_exact_push),
		cmocka_unit_test(test_stack_agrees_with_a_model),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("scripts", tests, NULL, NULL);
}
