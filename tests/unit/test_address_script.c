/*
 * Kinds of scripts, scripts in words, descriptors.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "address/address.h"
#include "address/descriptor.h"
#include "address/descriptor_text.h"
#include "address/script_text.h"
#include "address/script_type.h"
#include "tests/unit/test_address.h"
#include "tests/unit/vectors.h"

static const char *text_of(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static void assert_asm(struct span script, bool sighash, const char *want)
{
	char *text = script_text_new(script, sighash);

	assert_string_equal(text, want);
	free(text);
}

static void check_decoded(struct span script, json_object *want)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct script_solution s;
	char address[ADDRESS_MAX_CHARS], *desc;
	bool has_address;

	assert_asm(script, false, text_of(want, "asm"));
	script_solve(&s, script);
	assert_string_equal(script_type_name(s.type), text_of(want, "type"));
	desc = descriptor_of_script(&p, script);
	assert_string_equal(desc, text_of(want, "desc"));
	free(desc);
	has_address = address_of_script(address, &p, script);
	assert_int_equal(has_address,
			 json_object_object_get(want, "address") != NULL);
	if (has_address)
		assert_string_equal(address, text_of(want, "address"));
}

static void test_decodescript(void **state)
{
	static const char name[] = "core/rpc_decodescript.json";
	json_object *j = vector_json(name);
	unsigned n = 0;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++) {
		json_object *c = json_object_array_get_idx(j, n);
		struct bytes script = { 0 };

		assert_true(hex_append(&script, json_object_get_string(
			json_object_array_get_idx(c, 0))));
		check_decoded(bytes_span(&script),
			      json_object_array_get_idx(c, 1));
		bytes_clear(&script);
	}
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

/* Random bytes: nothing may go wrong, and descriptors read back. */
static void test_no_script_upsets(void **state)
{
	uint64_t seed = 88172645463325252u;
	struct chain_params p = chain_params_get(CHAIN_MAIN);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct script_solution s;
		uint8_t script[48];
		char *text, *desc;
		struct bytes back = { 0 };
		struct why why;
		size_t n = (size_t)i % sizeof script;

		for (size_t k = 0; k < sizeof script; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			script[k] = (uint8_t)(seed >> (i % 3 ? 20 : 25)) &
				    (i % 2 ? 0xff : 0x7f);
		}
		if (i % 5 == 0 && n > 3) {
			script[0] = (uint8_t)(i % 10 ? OP_0 : OP_1 + i % 16);
			script[1] = (uint8_t)(n - 2);
		}
		script_solve(&s, span_of(script, n));
		assert_true(s.count <= ARRAY_SIZE(s.parts));
		text = script_text_new(span_of(script, n), true);
		desc = descriptor_of_script(&p, span_of(script, n));
		/* It reads back as the same script. */
		assert_true(descriptor_to_script(&back, &p, desc, &why));
		assert_true(span_eq(bytes_span(&back), span_of(script, n)));
		bytes_clear(&back);
		free(text);
		free(desc);
	}
}

static struct span span_of_hex(struct bytes *b, const char *hex)
{
	b->n = 0;
	assert_true(hex_append(b, hex));
	return bytes_span(b);
}

#define KEY_A "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b" \
	"16f81798"
#define KEY_B "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b" \
	"16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08f" \
	"fb10d4b8"
#define KEY_HYBRID "0679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2" \
	"815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d" \
	"08ffb10d4b8"

static void test_types(void **state)
{
	static const struct {
		const char *hex;
		enum script_type type;
		size_t count;
	} cases[] = {
		{ "", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "21" KEY_A "ac", SCRIPT_TYPE_PUBKEY, 1 },
		{ "41" KEY_B "ac", SCRIPT_TYPE_PUBKEY, 1 },
		{ "41" KEY_HYBRID "ac", SCRIPT_TYPE_PUBKEY, 1 },
		{ "21" KEY_A "ad", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "5121" KEY_A "51ae", SCRIPT_TYPE_MULTISIG, 1 },
		{ "5121" KEY_A "41" KEY_B "52ae", SCRIPT_TYPE_MULTISIG, 2 },
		{ "5221" KEY_A "41" KEY_B "52ae", SCRIPT_TYPE_MULTISIG, 2 },
		{ "5321" KEY_A "41" KEY_B "52ae", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "5121" KEY_A "41" KEY_B "53ae", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "0021" KEY_A "51ae", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "5121" KEY_A "51af", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "5121" KEY_A "51ae51", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "010121" KEY_A "51ae", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "514c21" KEY_A "51ae", SCRIPT_TYPE_MULTISIG, 1 },
		{ "51ae", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "6a", SCRIPT_TYPE_NULLDATA, 0 },
		{ "6a5002abcd", SCRIPT_TYPE_NULLDATA, 0 },
		{ "6a61", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "51024e73", SCRIPT_TYPE_ANCHOR, 1 },
		{ "52024e73", SCRIPT_TYPE_WITNESS_UNKNOWN, 1 },
		{ "00024e73", SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "76a914000000000000000000000000000000000000000088ac",
		  SCRIPT_TYPE_PUBKEYHASH, 1 },
		{ "76a914000000000000000000000000000000000000000088ad",
		  SCRIPT_TYPE_NONSTANDARD, 0 },
		{ "00140000000000000000000000000000000000000000",
		  SCRIPT_TYPE_WITNESS_V0_KEYHASH, 1 },
	};
	struct bytes b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script_solution s;

		script_solve(&s, span_of_hex(&b, cases[i].hex));
		assert_int_equal(s.type, cases[i].type);
		assert_int_equal(s.count, cases[i].count);
	}
	bytes_clear(&b);
}

/* 17 to 20 keys: the counts are pushes, not opcodes. */
static void test_big_multisig(void **state)
{
	struct bytes b = { 0 }, key = { 0 };
	struct script_solution s;

	(void)state;
	assert_true(hex_append(&key, KEY_A));
	for (unsigned n = 16; n <= 21; n++) {
		b.n = 0;
		script_push_number(&b, n);
		for (unsigned i = 0; i < n; i++)
			script_push_data(&b, bytes_span(&key));
		script_push_number(&b, n);
		script_push_op(&b, OP_CHECKMULTISIG);
		script_solve(&s, bytes_span(&b));
		assert_int_equal(s.type, n <= 20 ? SCRIPT_TYPE_MULTISIG :
				 SCRIPT_TYPE_NONSTANDARD);
		assert_int_equal(s.count, n <= 20 ? n : 0);
	}
	bytes_clear(&b);
	bytes_clear(&key);
}

#define SIGNATURE "304502207fa7a6d1e0ee81132a269ad84e68d695483745cde8b541e" \
	"3bf630749894e342a022100c1f7ab20e13e22fb95281a870f3dcf38d782e5302" \
	"3ee313d741ad0cfbc0c5090"

static void test_words(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	assert_asm(span_of(NULL, 0), false, "");
	assert_asm(span_of_hex(&b, "48" SIGNATURE "01"), true,
		   SIGNATURE "[ALL]");
	assert_asm(span_of_hex(&b, "48" SIGNATURE "83"), true,
		   SIGNATURE "[SINGLE|ANYONECANPAY]");
	assert_asm(span_of_hex(&b, "48" SIGNATURE "01"), false,
		   SIGNATURE "01");
	assert_asm(span_of_hex(&b, "48" SIGNATURE "04"), true,
		   SIGNATURE "04");
	assert_asm(span_of_hex(&b, "6a48" SIGNATURE "01"), true,
		   "OP_RETURN " SIGNATURE "01");
	assert_asm(span_of_hex(&b, "004f5160" "0181" "04ffffffff"
			       "050102030405" "4c00"), false,
		   "0 -1 1 16 -1 -2147483647 0102030405 0");
	assert_asm(span_of_hex(&b, "b1b2bbff"), false,
		   "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_UNKNOWN "
		   "OP_INVALIDOPCODE");
	assert_asm(span_of_hex(&b, "4d01"), false, "[error]");
	assert_asm(span_of_hex(&b, "514b00"), false, "1 [error]");
	bytes_clear(&b);
}

static void assert_desc(const char *hex, const char *want)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes b = { 0 };
	char *desc = descriptor_of_script(&p, span_of_hex(&b, hex));

	*strchr(desc, '#') = 0;
	assert_string_equal(desc, want);
	free(desc);
	bytes_clear(&b);
}

static void test_descriptors(void **state)
{
	(void)state;
	assert_desc("21" KEY_A "ac", "pk(" KEY_A ")");
	assert_desc("41" KEY_B "ac", "pk(" KEY_B ")");
	assert_desc("41" KEY_HYBRID "ac", "raw(41" KEY_HYBRID "ac)");
	assert_desc("5121" KEY_A "41" KEY_B "52ae",
		    "multi(1," KEY_A "," KEY_B ")");
	assert_desc("5121" KEY_A "41" KEY_HYBRID "52ae",
		    "raw(5121" KEY_A "41" KEY_HYBRID "52ae)");
	assert_desc("51024e73", "addr(bc1pfeessrawgf)");
	/* A taproot output whose key is no point has an address. */
	assert_desc("5120ffffffffffffffffffffffffffffffffffffffffffffffffffff"
		    "fffffffffffe",
		    "addr(bc1plllllllllllllllllllllllllllllllllllllllllllllll"
		    "llllqklts0l)");
	assert_desc("", "raw()");
}

static void test_descriptor_reading(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "raw(51)", NULL },
		{ "raw()", NULL },
		{ "raw(51)#8lvh9jxk", NULL },
		{ "raw(51)#8lvh9jxj", "Provided checksum '8lvh9jxj' does not "
				      "match computed checksum '8lvh9jxk'" },
		{ "raw(51)#", "Expected 8 character checksum, not 0 "
			      "characters" },
		{ "raw(51)#8lvh9jxk#", "Multiple '#' symbols" },
		{ "raw(5\x01)", "Invalid characters in payload" },
		{ "raw(5)", "Raw script is not hex" },
		{ "addr(bc1q)", "Address is not valid" },
		{ "addr(bcrt1pfeesnyr2tx)", NULL },
		{ "wpkh(00)", "wpkh(): Pubkey '00' is invalid" },
		{ "nosuch(00)", "'nosuch(00)' is not a valid descriptor "
				"function" },
		{ "", "'' is not a valid descriptor function" },
		{ "raw(", "'raw(' is not a valid descriptor function" },
	};
	struct chain_params p = chain_params_get(CHAIN_REGTEST);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes script = { 0 };
		struct why why = { 0 };
		bool ok = descriptor_to_script(&script, &p, cases[i].text,
					       &why);

		assert_int_equal(ok, cases[i].reason == NULL);
		if (!ok)
			assert_string_equal(why.text, cases[i].reason);
		bytes_clear(&script);
	}
}

int run_script_text_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodescript),
		cmocka_unit_test(test_no_script_upsets),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_big_multisig),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_descriptor_reading),
	};

	return cmocka_run_group_tests_name("script text", tests, NULL, NULL);
}
