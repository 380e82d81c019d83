/*
 * Signatures: BIP340's vectors, our own signatures, and the encodings that
 * consensus lets pass or not.
 */
#include "config.h"

#include "test_crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/der.h"
#include "crypto/secp.h"
#include "vectors.h"

/* ---- BIP340 -------------------------------------------------------------- */

#define BIP340_FILE "bips/bip-0340/test-vectors.csv"

/* One line: index,key,public,aux,message,signature,result,comment. */
static bool bip340_case(char *line)
{
	uint8_t key[32], pub[32], aux[32], sig[64], mine[64];
	struct bytes msg = { 0 };
	char *field[7];
	bool good, ok;
	int i;

	for (i = 0; i < 7; i++)
		field[i] = strsep(&line, ",");
	assert_true(hex_append(&msg, field[4]));
	assert_true(hex_decode(pub, 32, field[2]));
	assert_true(hex_decode(sig, 64, field[5]));
	good = strcmp(field[6], "TRUE") == 0;
	ok = secp_schnorr_verify_msg(bytes_span(&msg), sig, pub) == good;
	if (msg.n == 32)
		ok &= secp_schnorr_verify(msg.p, sig, pub) == good;
	if (*field[1]) {
		assert_true(hex_decode(key, 32, field[1]));
		assert_true(hex_decode(aux, 32, field[3]));
		assert_true(secp_xonly_create(mine, key));
		assert_memory_equal(mine, pub, 32);
		if (msg.n == 32) {       /* the only length we sign */
			assert_true(secp_schnorr_sign(mine, msg.p, key, aux));
			assert_memory_equal(mine, sig, 64);
		}
	}
	bytes_clear(&msg);
	return ok;
}

static void bip340(void **state)
{
	struct bytes b = { 0 };
	char *text, *line;
	unsigned cases = 0, passed = 0;

	(void)state;
	if (!vector_read(&b, BIP340_FILE))
		skip();
	bytes_append(&b, "", 1);
	text = (char *)b.p;
	(void)strsep(&text, "\n");     /* the names of the columns */
	while ((line = strsep(&text, "\n")))
		if (strchr(line, ',')) {
			cases++;
			passed += bip340_case(line);
		}
	vector_report(BIP340_FILE, cases, passed);
	assert_int_equal(cases, 19);
	assert_int_equal(passed, cases);
	bytes_clear(&b);
}

/* ---- ECDSA --------------------------------------------------------------- */

struct signed_message {
	uint8_t key[32], msg[32], pub[33], full[65];
	uint8_t rs[64];
};

static const uint8_t order[32] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
	0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
	0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
};

static void sign_something(struct signed_message *m)
{
	uint8_t der[72];
	size_t n;

	memset(m->key, 0x42, 32);
	memset(m->msg, 0x17, 32);
	assert_true(secp_pubkey_create(m->pub, m->key));
	assert_true(secp_pubkey_uncompressed(m->full, m->key));
	assert_true(secp_ecdsa_sign(der, &n, m->msg, m->key));
	assert_true(n <= 72);
	assert_true(der_lax_read(m->rs, span_of(der, n)));
	assert_true(secp_ecdsa_verify(m->msg, span_of(der, n),
				      span_of(m->pub, 33)));
}

/* out = order - in */
static void negate(uint8_t out[32], const uint8_t in[32])
{
	int i, borrow = 0;

	for (i = 31; i >= 0; i--) {
		int d = order[i] - in[i] - borrow;

		borrow = d < 0;
		out[i] = (uint8_t)d;
	}
}

/* An integer of n bytes with `zeros` zero bytes before it. */
static void put_integer(struct bytes *b, const uint8_t *p, size_t n,
			size_t zeros)
{
	uint8_t head[2] = { 0x02, (uint8_t)(n + zeros) }, zero = 0;

	bytes_append(b, head, 2);
	for (; zeros; zeros--)
		bytes_append(b, &zero, 1);
	bytes_append(b, p, n);
}

static void any_key_form_and_both_s(void **state)
{
	struct signed_message m;
	struct bytes low = { 0 }, high = { 0 };
	uint8_t hybrid[65], s[32];

	(void)state;
	sign_something(&m);
	negate(s, m.rs + 32);
	bytes_append(&low, "\x30\x46", 2);
	put_integer(&low, m.rs, 32, 1);
	put_integer(&low, m.rs + 32, 32, 1);
	bytes_append(&high, "\x30\x46", 2);
	put_integer(&high, m.rs, 32, 1);
	put_integer(&high, s, 32, 1);
	assert_true(secp_ecdsa_is_low_s(bytes_span(&low)));
	assert_false(secp_ecdsa_is_low_s(bytes_span(&high)));
	assert_true(secp_ecdsa_verify(m.msg, bytes_span(&high),
				      span_of(m.pub, 33)));
	assert_true(secp_ecdsa_verify(m.msg, bytes_span(&low),
				      span_of(m.full, 65)));
	memcpy(hybrid, m.full, 65);
	hybrid[0] = 6 | (m.full[64] & 1);
	assert_true(secp_pubkey_valid(span_of(hybrid, 65)));
	assert_true(secp_ecdsa_verify(m.msg, bytes_span(&low),
				      span_of(hybrid, 65)));
	hybrid[0] ^= 1;
	assert_false(secp_ecdsa_verify(m.msg, bytes_span(&low),
				       span_of(hybrid, 65)));
	m.msg[0] ^= 1;
	assert_false(secp_ecdsa_verify(m.msg, bytes_span(&low),
				       span_of(m.pub, 33)));
	bytes_clear(&low);
	bytes_clear(&high);
}

static void public_keys(void **state)
{
	struct signed_message m;

	(void)state;
	sign_something(&m);
	assert_true(secp_pubkey_valid(span_of(m.pub, 33)));
	assert_true(secp_pubkey_valid(span_of(m.full, 65)));
	assert_false(secp_pubkey_valid(span_of(m.full, 33)));
	assert_false(secp_pubkey_valid(span_of(m.full, 64)));
	assert_false(secp_pubkey_valid(span_of(m.pub, 32)));
	assert_false(secp_pubkey_valid(span_of(NULL, 0)));
	m.full[64] ^= 1;
	assert_false(secp_pubkey_valid(span_of(m.full, 65)));
	m.pub[0] = 5;
	assert_false(secp_pubkey_valid(span_of(m.pub, 33)));
	/* No point has this x. */
	memset(m.pub + 1, 0xff, 32);
	m.pub[0] = 2;
	assert_false(secp_pubkey_valid(span_of(m.pub, 33)));
}

/* r = 1, s = 2 in the encodings that old nodes took, and in some they did
 * not: those leave der_lax_read() false. */
static void lax_encodings(void **state)
{
	static const struct { const char *hex; bool ok; } cases[] = {
		{ "3006020101020102", true },
		{ "3006020101020102ffff", true },        /* bytes behind */
		{ "3000020101020102", true },            /* wrong length */
		{ "30ff020101020102", false },           /* 127 more bytes */
		{ "3081060201010201020000", true },      /* long form */
		{ "308300000602010102010200", true },
		{ "30800201010201020000", true },        /* indefinite */
		{ "30060281010102810102", true },
		{ "3006028400000001010201020000", true },
		{ "300602890000000000000000010102010200", true },
		{ "3006020300000102030000020000", true },/* padded */
		{ "3006028501000000010102010200", false },
		{ "300602ff01010201020000", false },
		{ "300602050102", false },
		{ "3006020101", false },
		{ "300602010102", false },
		{ "30060201010202", false },
		{ "300602010102020002", true },
		{ "3006030101020102", false },
		{ "3006020101030102", false },
		{ "3106020101020102", false },
		{ "30", false },
		{ "", false },
	};
	uint8_t expected[64] = { [31] = 1, [63] = 2 }, rs[64];
	struct bytes b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		b.n = 0;
		assert_true(hex_append(&b, cases[i].hex));
		if (der_lax_read(rs, bytes_span(&b)) != cases[i].ok)
			fail_msg("case %zu: %s", i, cases[i].hex);
		if (cases[i].ok)
			assert_memory_equal(rs, expected, 64);
	}
	bytes_clear(&b);
}

/* Numbers too large make a signature that reads but never verifies. */
static void overflowing_numbers(void **state)
{
	uint8_t zero[64] = { 0 }, rs[64], big[33];
	struct signed_message m;
	struct bytes b = { 0 };

	(void)state;
	sign_something(&m);
	memset(big, 0x11, sizeof(big));
	bytes_append(&b, "\x30\x46", 2);
	put_integer(&b, big, 33, 0);
	put_integer(&b, m.rs + 32, 32, 0);
	assert_true(der_lax_read(rs, bytes_span(&b)));
	assert_memory_equal(rs, zero, 64);
	assert_false(secp_ecdsa_verify(m.msg, bytes_span(&b),
				       span_of(m.pub, 33)));
	/* Zero is a low S, as the reference node has it. */
	assert_true(secp_ecdsa_is_low_s(bytes_span(&b)));

	b.n = 0;
	bytes_append(&b, "\x30\x46", 2);
	put_integer(&b, m.rs, 32, 3);
	put_integer(&b, order, 32, 0);
	assert_false(secp_ecdsa_verify(m.msg, bytes_span(&b),
				       span_of(m.pub, 33)));
	assert_true(secp_ecdsa_is_low_s(bytes_span(&b)));
	bytes_clear(&b);
}

static void secret_keys(void **state)
{
	uint8_t key[32] = { 0 }, out[33];

	(void)state;
	assert_false(secp_seckey_valid(key));
	assert_false(secp_pubkey_create(out, key));
	assert_false(secp_seckey_valid(order));
	key[31] = 1;
	assert_true(secp_seckey_valid(key));
	assert_true(secp_pubkey_create(out, key));
	assert_hex(out, 33, "0279be667ef9dcbbac55a06295ce870b07"
			    "029bfcdb2dce28d959f2815b16f81798");
}

static void taproot_tweak(void **state)
{
	uint8_t key[32], tweak[32], internal[32], output[32], mine[32];
	uint8_t tweaked[32], msg[32], sig[64], aux[32] = { 0 };
	int parity, i;

	(void)state;
	for (i = 0; i < 20; i++) {
		memset(key, i + 1, 32);
		memset(tweak, 0x80 ^ i, 32);
		memset(msg, i, 32);
		assert_true(secp_xonly_create(internal, key));
		assert_true(secp_xonly_tweak_add(output, &parity, internal,
						 tweak));
		assert_true(secp_xonly_tweak_check(output, parity, internal,
						   tweak));
		assert_false(secp_xonly_tweak_check(output, !parity,
						    internal, tweak));
		assert_false(secp_xonly_tweak_check(internal, parity,
						    internal, tweak));
		assert_true(secp_seckey_tweak_taproot(tweaked, key, tweak));
		assert_true(secp_xonly_create(mine, tweaked));
		assert_memory_equal(mine, output, 32);
		assert_true(secp_schnorr_sign(sig, msg, tweaked, aux));
		assert_true(secp_schnorr_verify(msg, sig, output));
		assert_false(secp_schnorr_verify(msg, sig, internal));
	}
	assert_false(secp_xonly_tweak_add(output, &parity, internal, order));
}

int test_crypto_secp(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bip340),
		cmocka_unit_test(any_key_form_and_both_s),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(lax_encodings),
		cmocka_unit_test(overflowing_numbers),
		cmocka_unit_test(secret_keys),
		cmocka_unit_test(taproot_tweak),
	};

	return cmocka_run_group_tests_name("secp", tests, NULL, NULL);
}
