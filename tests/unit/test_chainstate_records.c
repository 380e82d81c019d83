/*
 * Compact forms of numbers, amounts, scripts, coins and undo data.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/random.h"
#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/coin_record_priv.h"
#include "chainstate/store_crc.h"
#include "chainstate/undo.h"
#include "crypto/secp.h"

#include <string.h>

static void assert_hex(const struct bytes *b, const char *hex)
{
	char got[512];

	assert_true(b->n * 2 < sizeof(got));
	hex_encode(got, b->p, b->n);
	assert_string_equal(got, hex);
}

static void test_varint_known(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} known[] = {
		{ 0, "00" }, { 1, "01" }, { 127, "7f" }, { 128, "8000" },
		{ 255, "807f" }, { 256, "8100" }, { 16383, "fe7f" },
		{ 16384, "ff00" }, { 16511, "ff7f" }, { 16512, "808000" },
		{ 65535, "82fe7f" }, { UINT64_C(1) << 32, "8efefeff00" },
		{ UINT64_MAX, "80fefefefefefefefe7f" },
	};
	struct bytes b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct reader r;

		b.n = 0;
		varint_write(&b, known[i].v);
		assert_hex(&b, known[i].hex);
		r = reader_of(bytes_span(&b));
		assert_int_equal(varint_read(&r), known[i].v);
		assert_false(r.failed);
		assert_int_equal(reader_left(&r), 0);
	}
	bytes_clear(&b);
}

static void test_varint_refuses(void **state)
{
	/* One more than 2^64 - 1; an endless one; one cut short. */
	static const uint8_t over[] = { 0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe,
					0xfe, 0xfe, 0xff, 0x00 };
	static const uint8_t endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	struct reader r = reader_of(span_of(over, sizeof(over)));

	(void)state;
	(void)varint_read(&r);
	assert_true(r.failed);
	r = reader_of(span_of(endless, sizeof(endless)));
	(void)varint_read(&r);
	assert_true(r.failed);
	r = reader_of(span_of(endless, 3));
	(void)varint_read(&r);
	assert_true(r.failed);
	r = reader_of(span_of("\x8e\xfe\xfe\xff\x00", 5));
	(void)varint_read_u32(&r);
	assert_true(r.failed);
}

static void test_amount(void **state)
{
	static const uint64_t known[][2] = {
		{ 0, 0 }, { 1, 1 }, { 1000000, 7 }, { 100000000, 9 },
		{ UINT64_C(5000000000), 50 },
		{ UINT64_C(2100000000000000), 21000000 },
	};
	struct prng p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_int_equal(amount_compress(known[i][0]), known[i][1]);
		assert_int_equal(amount_decompress(known[i][1]), known[i][0]);
	}
	prng_seed(&p, 7);
	for (int i = 0; i < 100000; i++) {
		uint64_t v = prng_below(&p, (uint64_t)MAX_MONEY_SAT);

		if (i % 3 == 0)
			v -= v % 1000000;
		assert_int_equal(amount_decompress(amount_compress(v)), v);
		assert_int_equal(amount_compress(amount_decompress(
					 (uint64_t)i)), i);
	}
}

/* Compress, check the size, expand, compare. */
static void script_round(struct span script, size_t compressed_n)
{
	struct bytes b = { 0 };
	struct arena a = { 0 };
	struct reader r;
	struct span again;

	script_compress(&b, script);
	assert_int_equal(b.n, compressed_n);
	r = reader_of(bytes_span(&b));
	again = script_decompress(&r, &a);
	assert_false(r.failed);
	assert_int_equal(reader_left(&r), 0);
	assert_true(span_eq(again, script));
	for (size_t cut = 0; cut < b.n; cut++) {
		r = reader_of(span_of(b.p, cut));
		(void)script_decompress(&r, &a);
		assert_true(r.failed);
	}
	arena_clear(&a);
	bytes_clear(&b);
}

static void test_scripts(void **state)
{
	uint8_t key[32] = { 1, 2, 3 }, s[100] = { 0 };

	(void)state;
	memcpy(s, "\x76\xa9\x14", 3);
	memcpy(s + 23, "\x88\xac", 2);
	script_round(span_of(s, 25), 21);
	memset(s, 0, sizeof(s));
	memcpy(s, "\xa9\x14", 2);
	s[22] = 0x87;
	script_round(span_of(s, 23), 21);
	for (int i = 0; i < 20; i++) {
		key[31] = (uint8_t)i;
		s[0] = 33;
		assert_true(secp_pubkey_create(s + 1, key));
		s[34] = 0xac;
		script_round(span_of(s, 35), 33);
		s[0] = 65;
		assert_true(secp_pubkey_uncompressed(s + 1, key));
		s[66] = 0xac;
		script_round(span_of(s, 67), 33);
		s[1] = 6 + (s[65] & 1);  /* hybrid: kept whole */
		script_round(span_of(s, 67), 68);
		s[1] = 4;
		s[65] ^= 2;              /* no point: kept whole */
		script_round(span_of(s, 67), 68);
	}
	script_round(span_of(s, 0), 1);
	script_round(span_of(s, 22), 23);
}

static void test_script_of_no_point_is_refused(void **state)
{
	uint8_t rec[33] = { 4 };
	struct arena a = { 0 };
	struct reader r;
	int refused = 0;

	(void)state;
	/* About half of all x are on the curve. */
	for (int i = 0; i < 40; i++) {
		rec[32] = (uint8_t)i;
		r = reader_of(span_of(rec, sizeof(rec)));
		(void)script_decompress(&r, &a);
		refused += r.failed;
	}
	assert_in_range(refused, 5, 35);
	arena_clear(&a);
}

static void test_key_order_is_number_order(void **state)
{
	static const uint32_t n[] = {
		0, 1, 127, 128, 129, 16383, 16384, 16511, 16512, 2097151,
		2097152, 268435455, 268435456, 0x7fffffff, 0xffffffff,
	};
	uint8_t last[COIN_KEY_MAX] = { 0 }, key[COIN_KEY_MAX];
	struct outpoint o, again;
	size_t size;

	(void)state;
	memset(o.txid.b, 0x5a, 32);
	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		memset(key, 0, sizeof(key));
		o.n = n[i];
		size = coin_key_encode(key, &o);
		assert_true(memcmp(last, key, sizeof(key)) < 0);
		memcpy(last, key, sizeof(key));
		assert_true(coin_key_decode(&again, span_of(key, size)));
		assert_true(outpoint_eq(&o, &again));
		assert_false(coin_key_decode(&again,
					     span_of(key, size - 1)));
	}
}

static void undo_random(struct block_undo *u, struct arena *a,
			struct prng *p)
{
	u->count = (uint32_t)prng_below(p, 20);
	u->txs = arena_calloc(a, u->count, sizeof(*u->txs));
	for (uint32_t i = 0; i < u->count; i++) {
		struct tx_undo *t = &u->txs[i];

		t->count = 1 + (uint32_t)prng_below(p, 5);
		t->coins = arena_calloc(a, t->count, sizeof(*t->coins));
		for (uint32_t j = 0; j < t->count; j++) {
			uint8_t *s = arena_alloc(a, COIN_SCRIPT_MAX);

			coin_from_seed(&t->coins[j], s, prng_u64(p));
			if (j == 0)
				t->coins[j].height = 0;
		}
	}
}

static void test_undo_round_trip(void **state)
{
	struct prng p;

	(void)state;
	prng_seed(&p, 99);
	for (int round = 0; round < 50; round++) {
		struct block_undo u, v;
		struct arena a = { 0 };
		struct bytes b = { 0 }, again = { 0 };
		struct reader r;

		undo_random(&u, &a, &p);
		block_undo_write(&b, &u);
		r = reader_of(bytes_span(&b));
		assert_true(block_undo_read(&v, &r, &a));
		assert_int_equal(reader_left(&r), 0);
		assert_int_equal(u.count, v.count);
		for (uint32_t i = 0; i < u.count; i++) {
			assert_int_equal(u.txs[i].count, v.txs[i].count);
			for (uint32_t j = 0; j < u.txs[i].count; j++)
				assert_coin_eq(&u.txs[i].coins[j],
					       &v.txs[i].coins[j]);
		}
		block_undo_write(&again, &v);
		assert_true(span_eq(bytes_span(&b), bytes_span(&again)));
		for (size_t cut = 0; cut < b.n; cut += 1 + b.n / 50) {
			r = reader_of(span_of(b.p, cut));
			assert_false(block_undo_read(&v, &r, &a));
		}
		bytes_clear(&b);
		bytes_clear(&again);
		arena_clear(&a);
	}
}

static void test_undo_claims_are_bounded(void **state)
{
	/* 33 million transactions, or coins, in a few bytes. */
	struct block_undo u;
	struct arena a = { 0 };
	struct reader r = reader_of(span_of("\xfe\0\0\0\2", 5));

	(void)state;
	assert_false(block_undo_read(&u, &r, &a));
	r = reader_of(span_of("\1\xfe\0\0\0\2", 6));
	assert_false(block_undo_read(&u, &r, &a));
	assert_true(a.size_bytes < 10000);
	arena_clear(&a);
}

/* RFC 3720 B.4 gives the sum of 32 zero bytes; LevelDB's own code the rest. */
static void test_checksums(void **state)
{
#ifdef HAVE_LEVELDB_INSIDE
	char buf[300] = { 0 };

	(void)state;
	assert_int_equal(store_crc(0, buf, 32), 0x8a9136aau);
	for (int i = 0; i < 2000; i++) {
		uint32_t from = (uint32_t)random_u64();
		size_t at = (size_t)random_below(sizeof(buf));
		size_t n = (size_t)random_below(sizeof(buf) - at + 1);

		random_bytes(buf + at, n);
		assert_int_equal(store_crc(from, buf + at, n),
				 store_crc_plain(from, buf + at, n));
	}
#else
	(void)state;
	skip();
#endif
}

int run_record_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_varint_known),
		cmocka_unit_test(test_varint_refuses),
		cmocka_unit_test(test_amount),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_script_of_no_point_is_refused),
		cmocka_unit_test(test_key_order_is_number_order),
		cmocka_unit_test(test_undo_round_trip),
		cmocka_unit_test(test_undo_claims_are_bounded),
	};

	return cmocka_run_group_tests_name("chainstate records", tests, NULL,
					   NULL);
}
