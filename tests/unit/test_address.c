/*
 * Base58, Bech32, addresses and keys; runs the other groups too.
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
#include "address/base58.h"
#include "address/segwit.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/secp.h"
#include "tests/unit/test_address.h"
#include "tests/unit/vectors.h"

static const char *text_at(json_object *c, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(c, i));
}

static void test_base58(void **state)
{
	static const char name[] = "core/base58_encode_decode.json";
	json_object *j = vector_json(name);
	unsigned n = 0;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++) {
		json_object *c = json_object_array_get_idx(j, n);
		uint8_t back[BASE58_MAX_BYTES];
		char text[BASE58_MAX_CHARS];
		struct bytes b = { 0 };
		size_t back_n;

		assert_true(hex_append(&b, text_at(c, 0)));
		assert_true(base58_decode(back, &back_n, sizeof back,
					  text_at(c, 1)));
		assert_int_equal(back_n, b.n);
		assert_true(span_eq(span_of(back, back_n), bytes_span(&b)));
		base58_encode(text, bytes_span(&b));
		assert_string_equal(text, text_at(c, 1));
		/* Not a byte more than allowed. */
		if (b.n)
			assert_false(base58_decode(back, &back_n, b.n - 1,
						   text));
		bytes_clear(&b);
	}
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

static void test_base58_limits(void **state)
{
	uint8_t all[BASE58_MAX_BYTES], back[BASE58_MAX_BYTES];
	char text[BASE58_MAX_CHARS] = { 0 };
	size_t n;

	(void)state;
	memset(all, 0xff, sizeof all);
	base58_encode(text, span_of(all, sizeof all));
	assert_true(base58_decode(back, &n, sizeof back, text));
	assert_int_equal(n, sizeof all);
	assert_memory_equal(back, all, n);
	memset(all, 0, sizeof all);
	base58_encode(text, span_of(all, sizeof all));
	assert_int_equal(strlen(text), sizeof all);
	assert_true(base58_decode(back, &n, sizeof back, text));
	text[sizeof all] = '1';
	text[sizeof all + 1] = 0;
	assert_false(base58_decode(back, &n, sizeof back, text));
	assert_true(base58_decode(back, &n, 3, " \t\n\v\f\r 2g \r\f\v\n\t "));
	assert_int_equal(n, 1);
	assert_false(base58_decode(back, &n, 3, " 2g a"));
	assert_false(base58_decode(back, &n, 3, "2g0"));
	base58check_encode(text, span_of("hello", 5));
	assert_true(base58check_decode(back, &n, 5, text));
	assert_memory_equal(back, "hello", 5);
	assert_false(base58check_decode(back, &n, 4, text));
	text[3]++;
	assert_false(base58check_decode(back, &n, 5, text));
	assert_false(base58check_decode(back, &n, 5, ""));
	assert_false(base58check_decode(back, &n, 5, "111"));
}

/* BIP173's and BIP350's valid texts of either kind, and what spoils them. */
static void test_bech32_texts(void **state)
{
	static const char *const good[] = {
		"A12UEL5L", "a12uel5l",
		("an83characterlonghumanreadablepartthatcontainsthenumber1and"
		 "theexcludedcharactersbio1tt5tgs"),
		"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
		("11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
		 "qqqqqqqqqqqqqqqqqqqqqqc8247j"),
		"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
		"?1ezyfcl",
	}, *const good_m[] = {
		"A1LQFN3A", "a1lqfn3a",
		("an83characterlonghumanreadablepartthatcontainsthetheexcludedc"
		 "haractersbioandnumber11sg7hg6"),
		"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
		"split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
		"?1v759aa",
	};
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{ " 1nwldj5", "Invalid character or mixed case" },
		{ "\x7f""1axkwrx", "Invalid character or mixed case" },
		{ "\x80""1eym55h", "Invalid character or mixed case" },
		{ "an84characterslonghumanreadablepartthatcontainsthenumber1an"
		  "dtheexcludedcharactersbio1569pvx", "Bech32 string too long" },
		{ "pzry9x0s0muk", "Missing separator" },
		{ "1pzry9x0s0muk", "Invalid separator position" },
		{ "x1b4n0q5v", "Invalid Base 32 character" },
		{ "li1dgmt3", "Invalid separator position" },
		{ "A1G7SGD8", "Invalid checksum" },
		{ "A12uEL5L", "Invalid character or mixed case" },
		{ "1qzzfhee", "Invalid separator position" },
		{ "10a06t8", "Invalid separator position" },
	};
	struct bech32 b;
	struct why why;
	char text[BECH32_MAX_CHARS + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(bech32_decode(&b, good[i], &why));
		assert_int_equal(b.kind, BECH32);
		assert_true(bech32_encode(text, b.kind, b.hrp,
					  span_of(b.values, b.n)));
		assert_int_equal(strcasecmp(text, good[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good_m); i++) {
		assert_true(bech32_decode(&b, good_m[i], &why));
		assert_int_equal(b.kind, BECH32M);
		assert_true(bech32_encode(text, b.kind, b.hrp,
					  span_of(b.values, b.n)));
		assert_int_equal(strcasecmp(text, good_m[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(bech32_decode(&b, bad[i].text, &why));
		assert_string_equal(why.text, bad[i].reason);
		assert_false(bech32_decode(&b, bad[i].text, NULL));
	}
	assert_false(bech32_encode(text, BECH32,
				   "an84characterslonghumanreadableparttha"
				   "tcontainsthenumber1andtheexcludedchara"
				   "ctersbio", span_of(NULL, 0)));
}

static void test_segwit_vectors(void **state)
{
	json_object *j = vector_json("core/bech32_encode_decode.json"), *bad;
	unsigned n = 0, m = 0;
	unsigned version;
	uint8_t program[40];
	size_t program_n;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++) {
		json_object *c = json_object_array_get_idx(j, n);
		const char *address = text_at(c, 1);
		char hrp[3] = { address[0] | 0x20, address[1] | 0x20 };
		char text[BECH32_MAX_CHARS + 1];
		struct why why;

		/* These are from before BIP350: later versions must fail. */
		if (text_at(c, 0)[0] != '0') {
			assert_false(segwit_decode(&version, program,
						   &program_n, hrp, address,
						   &why));
			assert_non_null(strstr(why.text, "Bech32m"));
			continue;
		}
		assert_true(segwit_decode(&version, program, &program_n, hrp,
					  address, &why));
		assert_true(segwit_encode(text, hrp, version,
					  span_of(program, program_n)));
		assert_int_equal(strcasecmp(text, address), 0);
	}
	vector_report("core/bech32_encode_decode.json", n, n);
	json_object_put(j);

	bad = vector_json("core/bech32_invalid.json");
	if (!bad)
		skip();
	for (; m < json_object_array_length(bad); m++) {
		const char *s = text_at(json_object_array_get_idx(bad, m), 0);

		assert_false(segwit_decode(&version, program, &program_n,
					   "bc", s, NULL));
		assert_false(segwit_decode(&version, program, &program_n,
					   "tb", s, NULL));
	}
	vector_report("core/bech32_invalid.json", m, m);
	assert_true(n > 0 && m > 0);
	json_object_put(bad);
}

/* ---- key_io: addresses and keys of all chains ---- */

static struct chain_params params_of(json_object *about)
{
	struct chain_params p;

	assert_true(chain_params_by_name(&p, json_object_get_string(
		json_object_object_get(about, "chain"))));
	return p;
}

static bool flag_of(json_object *about, const char *key)
{
	return json_object_get_boolean(json_object_object_get(about, key));
}

static void check_key(const struct chain_params *p, json_object *c,
		      json_object *about)
{
	char text[WIF_MAX_CHARS], hex[65];
	struct bytes script = { 0 };
	struct wif_key key;

	assert_true(wif_decode(&key, p, text_at(c, 0)));
	hex_encode(hex, key.secret, 32);
	assert_string_equal(hex, text_at(c, 1));
	assert_int_equal(key.compressed, flag_of(about, "isCompressed"));
	wif_encode(text, p, &key);
	assert_string_equal(text, text_at(c, 0));
	assert_false(address_to_script(&script, p, text_at(c, 0), NULL));
	assert_int_equal(script.n, 0);
}

static void check_address(const struct chain_params *p, json_object *c,
			  json_object *about)
{
	char back[ADDRESS_MAX_CHARS], *hex, *flipped;
	struct bytes script = { 0 }, other = { 0 };
	struct wif_key key;

	assert_true(address_to_script(&script, p, text_at(c, 0), NULL));
	hex = hex_new(bytes_span(&script));
	assert_string_equal(hex, text_at(c, 1));
	assert_true(address_of_script(back, p, bytes_span(&script)));
	assert_string_equal(back, text_at(c, 0));
	assert_false(wif_decode(&key, p, text_at(c, 0)));
	flipped = xstrdup(text_at(c, 0));
	for (char *s = flipped; *s; s++) {
		if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')
			*s ^= 0x20;
	}
	assert_int_equal(address_to_script(&other, p, flipped, NULL),
			 flag_of(about, "tryCaseFlip"));
	free(flipped);
	free(hex);
	bytes_clear(&script);
	bytes_clear(&other);
}

static void test_key_io_valid(void **state)
{
	static const char name[] = "core/key_io_valid.json";
	json_object *j = vector_json(name);
	unsigned n = 0;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++) {
		json_object *c = json_object_array_get_idx(j, n);
		json_object *about = json_object_array_get_idx(c, 2);
		struct chain_params p = params_of(about);

		if (flag_of(about, "isPrivkey"))
			check_key(&p, c, about);
		else
			check_address(&p, c, about);
	}
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

static void test_key_io_invalid(void **state)
{
	static const char name[] = "core/key_io_invalid.json";
	json_object *j = vector_json(name);
	unsigned n = 0;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++) {
		const char *s = text_at(json_object_array_get_idx(j, n), 0);

		for (int id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
			struct chain_params p = chain_params_get(
				(enum chain_id)id);
			struct bytes script = { 0 };
			struct wif_key key;
			struct why why;

			assert_false(address_to_script(&script, &p, s, &why));
			assert_true(why.text[0]);
			assert_false(wif_decode(&key, &p, s));
			assert_int_equal(script.n, 0);
		}
	}
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

static const char *member_text(json_object *c, const char *name)
{
	return json_object_get_string(json_object_object_get(c, name));
}

/* BIP341's outputs and their addresses (BIP350). */
static void test_taproot_addresses(void **state)
{
	static const char name[] = "bips/bip-0341/wallet-test-vectors.json";
	json_object *j = vector_json(name), *list;
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	size_t n = 0;

	(void)state;
	if (!j)
		skip();
	list = json_object_object_get(j, "scriptPubKey");
	for (; n < json_object_array_length(list); n++) {
		json_object *want = json_object_object_get(
			json_object_array_get_idx(list, n), "expected");
		struct bytes script = { 0 };
		char *hex;

		assert_true(address_to_script(
			&script, &p, member_text(want, "bip350Address"),
			NULL));
		hex = hex_new(bytes_span(&script));
		assert_string_equal(hex, member_text(want, "scriptPubKey"));
		free(hex);
		bytes_clear(&script);
	}
	assert_int_equal(n, 7);
	vector_report(name, (unsigned)n, (unsigned)n);
	json_object_put(j);
}

/* ---- signed messages: what a key pair and an address are to each other -- */

static uint8_t base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c);

	assert_true(at && c);
	return (uint8_t)(at - digits);
}

/* 65 bytes from 88 digits, the last of which is a filler. */
static void read_signature(uint8_t out[static 66], const char *text)
{
	assert_int_equal(strlen(text), 88);
	for (size_t i = 0; i < 22; i++, text += 4) {
		uint32_t v = (uint32_t)base64_digit(text[0]) << 18 |
			     (uint32_t)base64_digit(text[1]) << 12 |
			     (uint32_t)base64_digit(text[2]) << 6;

		if (text[3] != '=')
			v |= base64_digit(text[3]);
		out[3 * i] = (uint8_t)(v >> 16);
		out[3 * i + 1] = (uint8_t)(v >> 8);
		out[3 * i + 2] = (uint8_t)v;
	}
}

/* The plainest DER: both numbers with a zero in front. */
static struct span plain_der(uint8_t out[static 72], const uint8_t *rs)
{
	out[0] = 0x30;
	out[1] = 70;
	for (size_t i = 0; i < 2; i++) {
		out[2 + 35 * i] = 2;
		out[3 + 35 * i] = 33;
		out[4 + 35 * i] = 0;
		memcpy(out + 5 + 35 * i, rs + 32 * i, 32);
	}
	return span_of(out, 72);
}

/* The message of each is its address. */
static void check_signed_message(json_object *c)
{
	const char *address = member_text(c, "address");
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes message = { 0 }, script = { 0 };
	uint8_t sig[66], der[72], hash[32], pub[33], keyhash[20];
	struct wif_key key;

	assert_true(wif_decode(&key, &p, member_text(c, "wif")));
	assert_true(key.compressed);
	assert_true(secp_pubkey_create(pub, key.secret));
	hash160(keyhash, pub, sizeof pub);
	assert_true(address_to_script(&script, &p, address, NULL));
	assert_int_equal(script.n, 25);
	assert_memory_equal(script.p + 3, keyhash, 20);
	write_var_span(&message, span_of("Bitcoin Signed Message:\n", 24));
	write_var_span(&message, span_of(address, strlen(address)));
	sha256d(hash, message.p, message.n);
	read_signature(sig, member_text(c, "signature"));
	assert_in_range(sig[0], 31, 34);         /* compressed key */
	assert_true(secp_ecdsa_verify(hash, plain_der(der, sig + 1),
				      span_of(pub, sizeof pub)));
	hash[0] ^= 1;
	assert_false(secp_ecdsa_verify(hash, plain_der(der, sig + 1),
				       span_of(pub, sizeof pub)));
	bytes_clear(&message);
	bytes_clear(&script);
}

static void test_signed_messages(void **state)
{
	static const char name[] = "core/signmessage.json";
	json_object *j = vector_json(name);
	unsigned n = 0;

	(void)state;
	if (!j)
		skip();
	for (; n < json_object_array_length(j); n++)
		check_signed_message(json_object_array_get_idx(j, n));
	assert_true(n > 0);
	vector_report(name, n, n);
	json_object_put(j);
}

static void test_anchor_address(void **state)
{
	static const uint8_t anchor[] = { 0x51, 2, 0x4e, 0x73 };
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	char text[ADDRESS_MAX_CHARS];

	(void)state;
	assert_true(address_of_script(text, &p, span_of(anchor,
							sizeof anchor)));
	assert_string_equal(text, "bc1pfeessrawgf");
	p = chain_params_get(CHAIN_REGTEST);
	assert_true(address_of_script(text, &p, span_of(anchor,
							sizeof anchor)));
	assert_string_equal(text, "bcrt1pfeesnyr2tx");
	assert_false(address_of_script(text, &p, span_of(anchor, 1)));
	assert_string_equal(text, "");
}

/* The sentences of validateaddress. */
static void test_reasons(void **state)
{
	static const struct {
		const char *address, *reason;
	} cases[] = {
		{ "", "Invalid checksum or length for Base58 address (P2PKH "
		      "or P2SH)" },
		{ "asfah14i8fajz0123f", "Invalid or unsupported Segwit "
					"(Bech32) or Base58 encoding." },
		{ "17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem",
		  "Invalid or unsupported Base58-encoded address." },
		{ "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn",
		  "Invalid checksum or length for Base58 address (P2PKH or "
		  "P2SH)" },
		{ "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarva"
		  "ry0c5xw7k7grplx", "Invalid or unsupported Segwit (Bech32) "
				     "or Base58 encoding." },
		{ "bcrt1s0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n"
		  "0nx0muaewav25430mtr",
		  "Invalid Bech32 address program size (41 bytes)" },
		{ "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqd"
		  "mchcc",
		  "Version 1+ witness address must use Bech32m checksum" },
		{ "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd",
		  "Version 0 witness address must use Bech32 checksum" },
		{ "bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqy"
		  "njegk", "Invalid Bech32 address witness version" },
		{ "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqq5k3my",
		  "Invalid Bech32 v0 address program size (21 bytes), per "
		  "BIP141" },
		{ "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv",
		  "Invalid Bech32 checksum" },
	};
	struct chain_params p = chain_params_get(CHAIN_REGTEST);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes script = { 0 };
		struct why why;

		assert_false(address_to_script(&script, &p, cases[i].address,
					       &why));
		assert_string_equal(why.text, cases[i].reason);
	}
}

/* Mistyped addresses: the places to look at. */
static void test_error_places(void **state)
{
	static const struct {
		const char *address, *reason;
		size_t n, at[2];
	} cases[] = {
		{ "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "", 0,
		  { 0 } },
		{ "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv",
		  "Invalid Bech32 checksum", 1, { 9 } },
		{ "BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R",
		  "Invalid Bech32 checksum", 1, { 38 } },
		{ "bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu",
		  "Invalid Bech32 checksum", 2, { 22, 43 } },
		{ "bcrt1qdg3myrgvzw7ml8q0ejxhlkyxn7vl9r56yzkfgvzclrf4hkpx9yfqh"
		  "psuks", "Invalid Bech32 checksum", 2, { 19, 30 } },
		{ "bcrt1ptmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
		  "Invalid Bech32 checksum", 1, { 5 } },
		{ "bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv",
		  "Invalid Base 32 character", 1, { 8 } },
		{ "bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv",
		  "Missing separator", 0, { 0 } },
		{ "bcrt1q049edsChfnwystcqnsvyfpj23mpsg3jcedq9xv",
		  "Invalid character or mixed case", 1, { 12 } },
	};
	struct chain_params p = chain_params_get(CHAIN_REGTEST);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes script = { 0 };
		struct why why = { 0 };
		size_t n, *at = bech32_error_places(&n, cases[i].address);

		assert_int_equal(address_to_script(&script, &p,
						   cases[i].address, &why),
				 !cases[i].reason[0]);
		assert_string_equal(why.text, cases[i].reason);
		assert_int_equal(n, cases[i].n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(at[k], cases[i].at[k]);
		free(at);
		bytes_clear(&script);
	}
}

/* Any one or two changes are found again. */
static void test_error_places_all(void **state)
{
	static const char good[] =
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
	static const char symbols[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	char bad[sizeof good];
	size_t n, *at;

	(void)state;
	for (size_t i = 3; i < sizeof good - 1; i++) {
		size_t k = 3 + (i * 7 + 5) % (sizeof good - 4);

		memcpy(bad, good, sizeof good);
		bad[i] = symbols[(strchr(symbols, bad[i]) - symbols + i) % 32];
		if (bad[i] == good[i])
			continue;
		at = bech32_error_places(&n, bad);
		assert_int_equal(n, 1);
		assert_int_equal(at[0], i);
		free(at);
		bad[k] = symbols[(strchr(symbols, bad[k]) - symbols + 9) % 32];
		if (k == i)
			continue;
		at = bech32_error_places(&n, bad);
		assert_int_equal(n, 2);
		assert_int_equal(at[0], MIN_OF(i, k));
		assert_int_equal(at[1], MAX_OF(i, k));
		free(at);
	}
}

int run_address_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base58),
		cmocka_unit_test(test_base58_limits),
		cmocka_unit_test(test_bech32_texts),
		cmocka_unit_test(test_segwit_vectors),
		cmocka_unit_test(test_key_io_valid),
		cmocka_unit_test(test_key_io_invalid),
		cmocka_unit_test(test_taproot_addresses),
		cmocka_unit_test(test_signed_messages),
		cmocka_unit_test(test_anchor_address),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_error_places),
		cmocka_unit_test(test_error_places_all),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}

int main(void)
{
	return run_address_tests() + run_script_text_tests() +
		       run_descriptor_tests() ? 1 : 0;
}
