/*
 * The container of secrets.  The known one was made with Python:
 *
 *   salt, nonce = bytes(range(32)), bytes(range(100, 112))
 *   key = hashlib.scrypt(b"pass phrase", salt=salt, n=16, r=2, p=1, dklen=32)
 *   head = (b"cloister-keybox\n" + bytes([1, 1, 4, 2, 1, 1]) + salt + nonce +
 *           b"\x04test" + b"\x03a.b" + bytes([5 + 16, 0]))
 *   body = ChaCha20Poly1305(key).encrypt(nonce, b"hello", head)
 *   head + body + hashlib.sha256(head + body).digest()
 */
#include "config.h"

#include "test_keys.h"

#include <string.h>

#include "crypto/hash.h"
#include "keys/keybox.h"

#define KNOWN \
	"636c6f69737465722d6b6579626f780a01010402010100010203040506070809" \
	"0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f6465666768696a6b6c6d" \
	"6e6f047465737403612e6215007f3ab1b597835c2e8a0814fad330922966e19b" \
	"aefbb9b9b5e3651b682467e78fb667a602694044ad83c6b05762a42b004194d3" \
	"9161"

static const struct scrypt_cost cheap = { 4, 2, 1 };

static void box_make(struct bytes *out, const char *passphrase)
{
	struct keybox b = { .kind = "test", .label = "a.b", .cost = cheap };
	struct secret pass = test_keys_secret(passphrase);
	struct secret in = test_keys_secret("hello");
	struct why why;

	assert_int_equal(keybox_seal(out, &b, &in, &pass, &why), ERR_NONE);
	secret_clear(&pass);
	secret_clear(&in);
}

/* Read and open; the secret must be "hello" then. */
static bool box_opens(struct span s, const char *passphrase)
{
	struct secret pass, out = {0};
	struct keybox b;
	struct why why;
	bool opened;

	if (keybox_read(&b, s) != KEYBOX_OK)
		return false;
	pass = test_keys_secret(passphrase);
	assert_int_equal(keybox_open(&out, &opened, &b, &pass, &why),
			 ERR_NONE);
	if (opened) {
		assert_int_equal(out.n, 5);
		assert_memory_equal(out.p, "hello", 5);
	} else {
		assert_null(out.p);
	}
	secret_clear(&out);
	secret_clear(&pass);
	return opened;
}

static void box_round_trip(void **state)
{
	struct bytes a = {0}, b = {0}, again = {0};
	struct keybox box;

	(void)state;
	box_make(&a, "one");
	box_make(&b, "one");
	/* Salt and nonce are new each time. */
	assert_false(span_eq(bytes_span(&a), bytes_span(&b)));
	assert_true(box_opens(bytes_span(&a), "one"));
	assert_true(box_opens(bytes_span(&b), "one"));
	assert_false(box_opens(bytes_span(&a), "One"));
	assert_false(box_opens(bytes_span(&a), "one "));
	assert_null(memmem(a.p, a.n, "hello", 5));
	assert_int_equal(keybox_read(&box, bytes_span(&a)), KEYBOX_OK);
	assert_string_equal(box.kind, "test");
	assert_string_equal(box.label, "a.b");
	keybox_write(&again, &box);
	assert_true(span_eq(bytes_span(&again), bytes_span(&a)));
	bytes_clear(&a);
	bytes_clear(&b);
	bytes_clear(&again);
}

static void box_known(void **state)
{
	struct bytes b = {0};

	(void)state;
	assert_true(hex_append(&b, KNOWN));
	assert_true(box_opens(bytes_span(&b), "pass phrase"));
	assert_false(box_opens(bytes_span(&b), "pass phrasf"));
	bytes_clear(&b);
}

static void sum_mend(struct bytes *b)
{
	sha256(b->p + b->n - 32, b->p, b->n - 32);
}

/* Every bit counts, also where the checksum has been made right again. */
static void box_every_bit(void **state)
{
	struct bytes a = {0};

	(void)state;
	box_make(&a, "one");
	for (size_t i = 0; i < a.n * 8; i++) {
		struct bytes b = {0};
		struct keybox box;
		enum keybox_verdict v;

		bytes_append(&b, a.p, a.n);
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		v = keybox_read(&box, bytes_span(&b));
		assert_int_equal(v, i / 8 < 16 ? KEYBOX_FOREIGN :
				 i / 8 == 16 && b.p[16] > 1 ? KEYBOX_NEWER :
				 KEYBOX_DAMAGED);
		if (i / 8 < a.n - 32)
			sum_mend(&b);
		assert_false(box_opens(bytes_span(&b), "one"));
		bytes_clear(&b);
	}
	assert_true(box_opens(bytes_span(&a), "one"));
	bytes_clear(&a);
}

static void box_truncated_and_extended(void **state)
{
	struct bytes a = {0};
	struct keybox box;

	(void)state;
	box_make(&a, "one");
	for (size_t n = 0; n < a.n; n++) {
		struct bytes b = {0};

		assert_int_not_equal(keybox_read(&box, span_of(a.p, n)),
				     KEYBOX_OK);
		bytes_append(&b, a.p, n);
		if (n >= 32)
			sum_mend(&b);
		assert_int_not_equal(keybox_read(&box, bytes_span(&b)),
				     KEYBOX_OK);
		bytes_clear(&b);
	}
	bytes_append(&a, "", 1);
	assert_int_equal(keybox_read(&box, bytes_span(&a)), KEYBOX_DAMAGED);
	sum_mend(&a);
	assert_int_equal(keybox_read(&box, bytes_span(&a)), KEYBOX_DAMAGED);
	bytes_clear(&a);
}

/* One byte of a good container is another; checksum mended. */
static void expect(size_t at, uint8_t value, enum keybox_verdict want)
{
	struct bytes a = {0};
	struct keybox box;

	box_make(&a, "one");
	a.p[at] = value;
	sum_mend(&a);
	assert_int_equal(keybox_read(&box, bytes_span(&a)), want);
	bytes_clear(&a);
}

static void box_limits(void **state)
{
	(void)state;
	expect(16, 0, KEYBOX_DAMAGED);
	expect(16, 2, KEYBOX_NEWER);
	expect(17, 2, KEYBOX_NEWER);        /* another derivation */
	expect(18, 0, KEYBOX_NEWER);
	expect(18, 20, KEYBOX_OK);          /* 256 MiB with r = 2 */
	expect(18, 21, KEYBOX_NEWER);
	expect(18, 255, KEYBOX_NEWER);
	expect(19, 0, KEYBOX_NEWER);
	expect(20, 0, KEYBOX_NEWER);
	expect(21, 2, KEYBOX_NEWER);        /* another cipher */
	expect(66, 0, KEYBOX_DAMAGED);      /* no kind */
	expect(67, 'T', KEYBOX_DAMAGED);
	expect(67, '\x1b', KEYBOX_DAMAGED);
}

static void scrypt_costs(void **state)
{
	static const struct {
		struct scrypt_cost c;
		bool ok;
	} table[] = {
		{ { 17, 8, 1 }, true }, { { 18, 8, 1 }, true },
		{ { 19, 8, 1 }, false }, { { 17, 8, 8 }, true },
		{ { 17, 8, 9 }, false }, { { 15, 1, 1 }, true },
		{ { 16, 1, 1 }, false }, { { 1, 255, 255 }, true },
		{ { 64, 8, 1 }, false }, { { 24, 1, 1 }, false },
	};
	/* from Python's hashlib.scrypt */
	static const uint8_t salt[32];
	uint8_t key[32], want[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(scrypt_cost_ok(&table[i].c), table[i].ok);
	assert_true(cipher_derive(key, span_of("pleaseletmein", 13), salt,
				  &keybox_cost));
	assert_true(hex_decode(want, 32,
			       "a16b6887407adf8fc74e718a828b361b4a8c4ac1a59378879d96057201155fbf"));
	assert_memory_equal(key, want, 32);
}

int test_keys_box(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(box_round_trip),
		cmocka_unit_test(box_known),
		cmocka_unit_test(box_every_bit),
		cmocka_unit_test(box_truncated_and_extended),
		cmocka_unit_test(box_limits),
		cmocka_unit_test(scrypt_costs),
	};

	return cmocka_run_group_tests_name("keys: box", tests, NULL, NULL);
}
