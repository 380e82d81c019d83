/*
 * Onion addresses and keys.  The constants were computed with Python:
 *
 *   pub = bytes.fromhex("d75a98…511a")       # RFC 8032, 7.1, TEST 1
 *   ck = hashlib.sha3_256(b".onion checksum" + pub + b"\x03").digest()[:2]
 *   base64.b32encode(pub + ck + b"\x03").decode().lower() + ".onion"
 *   h = bytearray(hashlib.sha512(seed).digest())
 *   h[0] &= 248; h[31] &= 127; h[31] |= 64
 */
#include "config.h"

#include "test_tor.h"

#include "tor/onion_key.h"

#include <string.h>

#define SEED TEST_TOR_SEED
#define PUBLIC \
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ADDRESS TEST_TOR_ADDRESS
#define ADDRESS_UPPER \
	"25NJQAMCWEFLPVKL73J4SZAHHIHOC4XT3KTCGJNPAINGR5YHKENL5SID.ONION"
/* the same key as if of version 2, its checksum right for that */
#define ADDRESS_V2 \
	"25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkendphqc.onion"
#define EXPANDED \
	"307c83864f2833cb427a2ef1c00a013cfdff2768d980c0a3a520f006904de94f" \
	"9b4f0afe280b746a778684e75442502057b7473a03f08f96f5a38e9287e01f8f"

static bool is_onion(const char *text)
{
	uint8_t key[ONION_KEY_BYTES];

	return onion_parse(key, text);
}

static void test_address_reads_and_writes(void **state)
{
	uint8_t want[32], got[32];
	char text[ONION_TEXT_SIZE];

	(void)state;
	assert_true(hex_decode(want, 32, PUBLIC));
	assert_true(onion_parse(got, ADDRESS));
	assert_memory_equal(got, want, 32);
	assert_true(is_onion(ADDRESS_UPPER));
	onion_format(text, want);
	assert_string_equal(text, ADDRESS);
}

static void test_address_rejects(void **state)
{
	char text[] = ADDRESS;
	size_t i;

	(void)state;
	/* any one digit changed breaks checksum or version */
	for (i = 0; i < 56; i++) {
		char was = text[i];

		text[i] = was == 'a' ? 'b' : 'a';
		assert_false(is_onion(text));
		text[i] = was;
	}
	assert_true(is_onion(text));
	assert_false(is_onion(ADDRESS_V2));
	assert_false(is_onion(""));
	assert_false(is_onion(".onion"));
	assert_false(is_onion(ADDRESS "x"));
	assert_false(is_onion("x" ADDRESS));
	assert_false(is_onion("expyuzz4wqqyqhjn.onion"));
	text[60] = '0';
	assert_false(is_onion(text));
	text[60] = 'o';
	text[3] = '1';
	assert_false(is_onion(text));
}

static void test_key_from_seed(void **state)
{
	struct onion_key k;
	struct secret b = {0};
	uint8_t seed[32], want[64];

	(void)state;
	assert_true(hex_decode(seed, 32, SEED));
	assert_true(onion_key_from_seed(&k, seed));
	assert_string_equal(k.address, ADDRESS);
	onion_key_write_tor(&b, &k);
	assert_int_equal(b.n, 96);
	assert_memory_equal(b.p, "== ed25519v1-secret: type0 ==\0\0\0", 32);
	assert_true(hex_decode(want, 64, EXPANDED));
	assert_memory_equal(b.p + 32, want, 64);
	secret_clear(&b);
	onion_key_clear(&k);
}

int test_tor_onion(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_reads_and_writes),
		cmocka_unit_test(test_address_rejects),
		cmocka_unit_test(test_key_from_seed),
	};

	return cmocka_run_group_tests_name("tor: onion", tests, NULL, NULL);
}
