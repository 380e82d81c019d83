/*
 * Hash functions against published digests, against each other, and SHA-256
 * against OpenSSL's.
 */
#include "config.h"

#include "test_crypto.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/sha256_priv.h"

static void known_digests(void **state)
{
	uint8_t out[64];

	(void)state;
	sha256(out, "", 0);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb924"
			    "27ae41e4649b934ca495991b7852b855");
	sha256(out, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
		    "mnopnopq", 56);
	assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039"
			    "a33ce45964ff2167f6ecedd419db06c1");
	sha256d(out, "hello", 5);
	assert_hex(out, 32, "9595c9df90075148eb06860365df3358"
			    "4b75bff782a510c6cd4883a419833d50");
	sha1(out, "abc", 3);
	assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	sha1(out, "", 0);
	assert_hex(out, 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	ripemd160(out, "abc", 3);
	assert_hex(out, 20, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
	ripemd160(out, "", 0);
	assert_hex(out, 20, "9c1185a5c5e9fc54612808977ee8f548b2258d31");
	sha512(out, "abc", 3);
	assert_hex(out, 64, "ddaf35a193617abacc417349ae204131"
			    "12e6fa4e89a97ea20a9eeee64b55d39a"
			    "2192992a274fc1a836ba3c23a3feebbd"
			    "454d4423643ce80e2a9ac94fa54ca49f");
	sha3_256(out, "abc", 3);
	assert_hex(out, 32, "3a985da74fe225b2045c172d6bd390bd"
			    "855f086e3e9d525b46bfe24511431532");
	sha3_256(out, "", 0);
	assert_hex(out, 32, "a7ffc6f8bf1ed76651c14756a061d662"
			    "f580ff4de43b49fa82d80a4b80f8434a");
}

static void hash160_of_a_key(void **state)
{
	/* The generator as a compressed key. */
	uint8_t key[33], out[20];

	(void)state;
	assert_true(hex_decode(key, 33, "0279be667ef9dcbbac55a06295ce870b07"
			       "029bfcdb2dce28d959f2815b16f81798"));
	hash160(out, key, 33);
	assert_hex(out, 20, "751e76e8199196d454941c45d1b3a323f1433bd6");
}

/* RFC 4231, cases 2, 3 and 6. */
static void hmac_of_the_rfc(void **state)
{
	static const char long_text[] =
		"Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t key[131], msg[50], out[32];

	(void)state;
	hmac_sha256(out, span_of("Jefe", 4),
		    span_of("what do ya want for nothing?", 28));
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c7"
			    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(msg, 0xdd, sizeof(msg));
	hmac_sha256(out, span_of(key, 20), span_of(msg, 50));
	assert_hex(out, 32, "773ea91e36800e46854db8ebd09181a7"
			    "2959098b3ef8c122d9635514ced565fe");
	hmac_sha256(out, span_of(key, 131), span_of(long_text, 54));
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f"
			    "8e0bc6213728c5140546040f0ee37f54");
}

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
	struct prng rnd;
	size_t i;

	prng_seed(&rnd, seed);
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)prng_u64(&rnd);
}

static void sha256_of_every_length(void **state)
{
	uint8_t data[600], mine[32], theirs[32], twice[32];
	struct sha256 h;
	size_t n;

	(void)state;
	fill(data, sizeof(data), 1);
	for (n = 0; n <= sizeof(data); n++) {
		assert_int_equal(EVP_Digest(data, n, theirs, NULL,
					    EVP_sha256(), NULL), 1);
		sha256(mine, data, n);
		assert_memory_equal(mine, theirs, 32);
		sha256(twice, theirs, 32);
		sha256d(mine, data, n);
		assert_memory_equal(mine, twice, 32);
		sha256_init(&h);
		sha256_update(&h, data, n);
		sha256d_final(&h, mine);
		assert_memory_equal(mine, twice, 32);
	}
}

static void sha256_in_pieces(void **state)
{
	uint8_t data[1000], whole[32], out[32];
	struct sha256 h, middle;
	struct prng rnd;
	int i;

	(void)state;
	prng_seed(&rnd, 2);
	fill(data, sizeof(data), 3);
	sha256(whole, data, sizeof(data));
	for (i = 0; i < 500; i++) {
		size_t at = 0, n;

		sha256_init(&h);
		while (at < sizeof(data)) {
			n = prng_below(&rnd, 150);
			n = MIN_OF(n, sizeof(data) - at);
			sha256_update(&h, data + at, n);
			at += n;
			middle = h;
			/* Finishing a copy leaves the original alone. */
			sha256_final(&middle, out);
		}
		sha256_final(&h, out);
		assert_memory_equal(out, whole, 32);
	}
}

static void kernels_agree(void **state)
{
	const struct sha256_kernel *k = sha256_ni_get();
	uint8_t data[9 * 64], a[9 * 32], b[9 * 32];
	uint32_t s[8], t[8];
	size_t n;

	(void)state;
	print_message("SHA-256 kernel: %s\n", sha256_impl());
	assert_true(sha256_self_test());
	if (!k) {
		print_message("no SHA extensions here: plain only\n");
		skip();
	}
	assert_string_equal(sha256_impl(), k->name);
	fill(data, sizeof(data), 4);
	for (n = 0; n <= 9; n++) {
		memcpy(s, sha256_start, sizeof(s));
		memcpy(t, sha256_start, sizeof(t));
		k->blocks(s, data, n);
		sha256_plain.blocks(t, data, n);
		assert_memory_equal(s, t, sizeof(s));
		k->double_64(a, data, n);
		sha256_plain.double_64(b, data, n);
		assert_memory_equal(a, b, 32 * n);
	}
}

static void merkle_level_in_place(void **state)
{
	uint8_t data[7 * 64], expected[7 * 32];
	size_t i;

	(void)state;
	fill(data, sizeof(data), 5);
	for (i = 0; i < 7; i++)
		sha256d(expected + 32 * i, data + 64 * i, 64);
	sha256d_64(data, data, 7);
	assert_memory_equal(data, expected, sizeof(expected));
	/* The plain kernel too. */
	fill(data, sizeof(data), 5);
	sha256_plain.double_64(data, data, 7);
	assert_memory_equal(data, expected, sizeof(expected));
}

static void tagged(void **state)
{
	uint8_t twice[64], mine[32], expected[32];
	struct sha256 h;

	(void)state;
	sha256(twice, "TapLeaf", 7);
	memcpy(twice + 32, twice, 32);
	sha256(expected, twice, 64);
	sha256_tagged_init(&h, "TapLeaf");
	sha256_final(&h, mine);
	assert_memory_equal(mine, expected, 32);
}

int test_crypto_hash(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(hash160_of_a_key),
		cmocka_unit_test(hmac_of_the_rfc),
		cmocka_unit_test(sha256_of_every_length),
		cmocka_unit_test(sha256_in_pieces),
		cmocka_unit_test(kernels_agree),
		cmocka_unit_test(merkle_level_in_place),
		cmocka_unit_test(tagged),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
