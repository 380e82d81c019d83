/*
 * Header rules over real chains: difficulty, proof of work, times, versions.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "consensus/block_check.h"
#include "consensus/script.h"
#include "crypto/hash.h"
#include "tests/unit/header_list.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

static void check_chain(const struct chain_params *p, const char *name,
			const struct bytes *raw)
{
	struct header_list l = { 0 };
	unsigned passed = 0, retargets = 0;
	struct block_hash hash;

	header_list_read(&l, raw);
	block_header_hash(&hash, &l.h[0]);
	assert_memory_equal(hash.b, p->genesis_hash.b, 32);
	for (int i = 1; i < l.n; i++) {
		passed += header_list_ok(p, &l, i);
		retargets += i % difficulty_interval(p) == 0;
		if (passed != (unsigned)i)
			fail_msg("%s: header %d is refused", name, i);
	}
	vector_report(name, (unsigned)l.n - 1, passed);
	printf("  (%u retargets)\n", retargets);
	free(l.h);
}

static void test_mainnet_headers(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes raw = { 0 };

	(void)state;
	if (!vector_read(&raw, "headers/mainnet-0-10236.raw"))
		skip();
	assert_int_equal(raw.n, 10237 * BLOCK_HEADER_BYTES);
	check_chain(&p, "headers/mainnet-0-10236.raw", &raw);
	bytes_clear(&raw);
}

static void test_signet_headers(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_SIGNET);
	struct bytes raw = { 0 };

	(void)state;
	if (!vector_read(&raw, "headers/signet-0-2015.raw"))
		skip();
	check_chain(&p, "headers/signet-0-2015.raw", &raw);
	bytes_clear(&raw);
}

static void test_testnet3_headers(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_TESTNET3);
	struct bytes raw = { 0 };

	(void)state;
	if (!vector_read_packed(&raw, "headers/testnet3-0-35141.ser.xz"))
		skip();
	check_chain(&p, "headers/testnet3-0-35141.ser.xz", &raw);
	bytes_clear(&raw);
}

/* Headers from the middle: everything but the first period's target. */
static void test_mainnet_40000(void **state)
{
	static const char name[] = "headers/mainnet-40000-49999.raw";
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes raw = { 0 };
	struct header_list part = { 0 }, l = { 0 };
	unsigned passed = 0, cases = 0;

	(void)state;
	if (!vector_read(&raw, name))
		skip();
	header_list_read(&part, &raw);
	l.n = 40000 + part.n;
	l.h = xcalloc((size_t)l.n, sizeof *l.h);
	memcpy(l.h + 40000, part.h, (size_t)part.n * sizeof *l.h);
	for (int i = 40320 + 11; i < l.n; i++, cases++)
		passed += header_list_ok(&p, &l, i);
	vector_report(name, cases, passed);
	assert_int_equal(passed, cases);
	free(l.h);
	free(part.h);
	bytes_clear(&raw);
}

/* A wrong one must be refused: each rule, in order. */
static void test_header_rules(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_TESTNET4);
	struct block_header h = { .version = 0x20000000, .time = 5000,
				  .bits = 0x1d00ffff };
	struct header_context ctx = {
		.height = 2016, .expected_bits = 0x1d00ffff,
		.median_time_past = 4999, .prev_time = 5600,
		.now_unix = 5000 - 7200,
	};
	struct finding f;
	char text[160];

	(void)state;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_OK);
	ctx.now_unix--;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_TIME_TOO_NEW);
	ctx.now_unix = 0;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_OK);
	ctx.prev_time++;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_TIME_TIMEWARP);
	ctx.height = 2017;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_OK);
	ctx.median_time_past = 5000;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_TIME_TOO_OLD);
	h.bits--;
	header_check(&f, &p, &h, &ctx);
	assert_int_equal(f.verdict, VERDICT_BAD_DIFFBITS);
	finding_text(text, &f, true);
	assert_string_equal(text, "bad-diffbits");
}

static void test_version_rules(void **state)
{
	static const struct {
		int height;
		uint32_t version;
		bool ok;
	} cases[] = {
		{ 227930, 1, true }, { 227931, 1, false },
		{ 227931, 2, true }, { 363724, 2, true },
		{ 363725, 2, false }, { 363725, 3, true },
		{ 388380, 3, true }, { 388381, 3, false },
		{ 388381, 4, true }, { 388381, 0x80000000, false },
		{ 1, 0x80000000, true },
	};
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct block_header h = { .bits = 1, .time = 10 };
	struct header_context ctx = { .expected_bits = 1 };
	struct finding f;
	char text[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ctx.height = cases[i].height;
		h.version = cases[i].version;
		header_check(&f, &p, &h, &ctx);
		assert_int_equal(f.verdict, cases[i].ok ? VERDICT_OK :
				 VERDICT_BAD_VERSION);
	}
	ctx.height = 500000;
	h.version = 1;
	header_check(&f, &p, &h, &ctx);
	finding_text(text, &f, true);
	assert_string_equal(text, "bad-version(0x00000001)");
}

static void test_pow_limits(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct block_hash zero = { { 0 } }, h = { { 0 } };

	(void)state;
	assert_true(pow_ok(&p, &zero, 0x1d00ffff));
	assert_false(pow_ok(&p, &zero, 0x1d010000));     /* above the limit */
	assert_false(pow_ok(&p, &zero, 0x00000000));
	assert_false(pow_ok(&p, &zero, 0x1d80ffff));     /* negative */
	assert_false(pow_ok(&p, &zero, 0xff00ffff));     /* overflow */
	/* target ffff << 208, exactly, and one more */
	h.b[26] = h.b[27] = 0xff;
	assert_true(pow_ok(&p, &h, 0x1d00ffff));
	h.b[0] = 1;
	assert_false(pow_ok(&p, &h, 0x1d00ffff));
}

static void test_step_bounds(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);

	(void)state;
	assert_true(difficulty_step_ok(&p, 2015, 0x1c0168fd, 0x1c0168fd));
	assert_false(difficulty_step_ok(&p, 2015, 0x1c0168fd, 0x1c0168fe));
	/* four times harder, four times easier, and one more */
	assert_true(difficulty_step_ok(&p, 4032, 0x1c00ffff, 0x1b3fffc0));
	assert_false(difficulty_step_ok(&p, 4032, 0x1c00ffff, 0x1b3fffbf));
	assert_true(difficulty_step_ok(&p, 4032, 0x1c00ffff, 0x1c03fffc));
	assert_false(difficulty_step_ok(&p, 4032, 0x1c00ffff, 0x1c03fffd));
	/* not above the limit */
	assert_true(difficulty_step_ok(&p, 4032, 0x1d00ffff, 0x1d00ffff));
	assert_false(difficulty_step_ok(&p, 4032, 0x1d00ffff, 0x1d010000));
	p = chain_params_get(CHAIN_TESTNET3);
	assert_true(difficulty_step_ok(&p, 4032, 0x1c00ffff, 0x1d00ffff));
}

/* BIP94 retargets from the period's first block, others from its last. */
static void test_bip94_retarget(void **state)
{
	struct chain_params p3 = chain_params_get(CHAIN_TESTNET3);
	struct chain_params p4 = chain_params_get(CHAIN_TESTNET4);
	struct header_list l = { .n = 2016 };

	(void)state;
	l.h = xcalloc((size_t)l.n, sizeof *l.h);
	for (int i = 0; i < l.n; i++) {
		l.h[i].time = (uint32_t)(1000000 + i * 600);
		l.h[i].bits = 0x1c00ffff;
	}
	l.h[2015].bits = 0x1d00ffff;
	l.h[2015].time = 1000000 + 14 * 24 * 60 * 60;
	assert_int_equal(next_bits(&p3, &l.h[2015], 2015, 0, header_list_get,
				   &l), 0x1d00ffff);
	assert_int_equal(next_bits(&p4, &l.h[2015], 2015, 0, header_list_get,
				   &l), 0x1c00ffff);
	/* Within the period: 20 minutes and a second make it easy … */
	assert_int_equal(next_bits(&p4, &l.h[9], 9, l.h[9].time + 1200,
				   header_list_get, &l), 0x1c00ffff);
	assert_int_equal(next_bits(&p4, &l.h[9], 9, l.h[9].time + 1201,
				   header_list_get, &l), 0x1d00ffff);
	/* … and the one after goes back to the last real difficulty. */
	l.h[9].bits = l.h[8].bits = 0x1d00ffff;
	assert_int_equal(next_bits(&p4, &l.h[9], 9, l.h[9].time + 600,
				   header_list_get, &l), 0x1c00ffff);
	free(l.h);
}

/* ---- checkpoints: [ ["hash", target of the next period], … ] ---- */

static void read_decimal(struct u256 *out, const char *s)
{
	memset(out, 0, sizeof *out);
	for (; *s >= '0' && *s <= '9'; s++) {
		struct u256 digit = { { (uint64_t)(*s - '0') } };

		u256_mul_u32(out, out, 10);
		u256_add(out, out, &digit);
	}
}

static const char *next_checkpoint(struct block_hash *hash,
				   struct u256 *target, const char *s)
{
	char hex[65];

	s = strchr(s, '"');
	if (!s)
		return NULL;
	memcpy(hex, s + 1, 64);
	hex[64] = 0;
	assert_true(hash_from_rpc_hex(hash->b, hex));
	s += 66;
	s += strcspn(s, "0123456789");
	read_decimal(target, s);
	return s;
}

static unsigned check_checkpoints(const struct chain_params *p, const char *s)
{
	struct u256 target, back;
	struct block_hash hash;
	uint32_t last = u256_to_compact(&p->pow_limit), bits;
	unsigned n = 0;

	while ((s = next_checkpoint(&hash, &target, s)) != NULL) {
		n++;
		assert_true(pow_ok(p, &hash, last));
		if (u256_is_zero(&target))
			continue;
		bits = u256_to_compact(&target);
		assert_true(u256_from_compact(&back, bits));
		assert_int_equal(u256_cmp(&back, &target), 0);
		assert_true(difficulty_step_ok(p, (int)n * 2016, last, bits));
		last = bits;
	}
	return n;
}

static void test_checkpoints(void **state)
{
	static const struct {
		enum chain_id id;
		const char *name;
		unsigned n;
	} files[] = {
		{ CHAIN_MAIN, "headers/mainnet-checkpoints.json", 473 },
		{ CHAIN_TESTNET3, "headers/testnet-checkpoints.json", 0 },
		{ CHAIN_TESTNET4, "headers/testnet4-checkpoints.json", 0 },
		{ CHAIN_SIGNET, "headers/signet-checkpoints.json", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct chain_params p = chain_params_get(files[i].id);
		struct bytes text = { 0 };
		unsigned n;

		if (!vector_read(&text, files[i].name))
			skip();
		bytes_append(&text, "", 1);
		n = check_checkpoints(&p, (const char *)text.p);
		assert_true(n >= files[i].n && n > 0);
		vector_report(files[i].name, n, n);
		bytes_clear(&text);
	}
}

/* ---- states and headers at the edges of periods and halvings ---- */

static const char *text_of(json_object *j, const char *key)
{
	return json_object_get_string(json_object_object_get(j, key));
}

static int64_t int_of(json_object *j, const char *key)
{
	return json_object_get_int64(json_object_object_get(j, key));
}

static bool epoch_start(struct block_header *out, int height, void *arg)
{
	(void)height;
	*out = *(struct block_header *)arg;
	return true;
}

static void check_light(json_object *j)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	json_object *s = json_object_object_get(j, "chain_state");
	json_object *e = json_object_object_get(j, "expected");
	json_object *b = json_object_array_get_idx(
		json_object_object_get(j, "blocks"), 0);
	json_object *h = json_object_object_get(b, "header");
	json_object *times = json_object_object_get(s, "prev_timestamps");
	struct block_header prev = { 0 }, first = { 0 }, now = { 0 };
	struct header_context ctx = { 0 };
	struct u256 work, sum, target;
	struct header_list l = { 0 };
	struct block_hash hash;
	struct finding f;
	char hex[65];

	l.n = (int)json_object_array_length(times);
	l.h = xcalloc((size_t)l.n, sizeof *l.h);
	for (int i = 0; i < l.n; i++)
		l.h[i].time = (uint32_t)json_object_get_int64(
			json_object_array_get_idx(times, (size_t)i));
	read_decimal(&target, text_of(s, "current_target"));
	prev.bits = first.bits = u256_to_compact(&target);
	prev.time = l.h[l.n - 1].time;
	first.time = (uint32_t)int_of(s, "epoch_start_time");
	now.version = (uint32_t)int_of(h, "version");
	now.time = (uint32_t)int_of(h, "time");
	now.bits = (uint32_t)int_of(h, "bits");
	now.nonce = (uint32_t)int_of(h, "nonce");
	assert_true(hash_from_rpc_hex(now.prev.b,
				      text_of(s, "best_block_hash")));
	assert_true(hash_from_rpc_hex(now.merkle_root, text_of(
		json_object_object_get(b, "data"), "merkle_root")));

	ctx.height = (int)int_of(s, "block_height") + 1;
	ctx.expected_bits = next_bits(&p, &prev, ctx.height - 1, now.time,
				      epoch_start, &first);
	ctx.median_time_past = header_list_mtp(&l, l.n - 1);
	ctx.prev_time = prev.time;
	ctx.now_unix = now.time;
	header_check(&f, &p, &now, &ctx);
	assert_int_equal(f.verdict, VERDICT_OK);
	block_header_hash(&hash, &now);
	hash_to_rpc_hex(hex, hash.b);
	assert_string_equal(hex, text_of(e, "best_block_hash"));
	assert_true(pow_ok(&p, &hash, now.bits));
	read_decimal(&sum, text_of(s, "total_work"));
	u256_block_work(&work, now.bits);
	u256_add(&sum, &sum, &work);
	read_decimal(&work, text_of(e, "total_work"));
	assert_int_equal(u256_cmp(&sum, &work), 0);
	free(l.h);
}

static void test_light(void **state)
{
	static const int heights[] = {
		116927, 150012, 169, 2015, 209999, 24834, 32255, 403199,
		478557, 481823, 489888, 491406, 57042, 629999, 709631, 72575,
		757738, 757752, 774627, 839999, 91721,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heights); i++) {
		char name[80];
		json_object *j;

		snprintf(name, sizeof name,
			 "headers/raito-light/light_%d.json", heights[i]);
		j = vector_json(name);
		if (!j)
			skip();
		check_light(j);
		json_object_put(j);
	}
	vector_report("headers/raito-light", ARRAY_SIZE(heights),
		      ARRAY_SIZE(heights));
}

/* ---- another mainnet: 2016 blocks mined in the quickest way ---- */

static void alternate_coinbase_txid(uint8_t out[static 32], int height)
{
	struct bytes script = { 0 }, pay = { 0 };
	struct tx_in in = { .sequence = TX_SEQUENCE_FINAL };
	struct tx_out value = { .value_sat = 50 * COIN_SAT };
	struct tx tx = { .version = 2, .in_count = 1, .out_count = 1,
			 .in = &in, .out = &value };

	script_push_number(&script, height);
	if (height <= 16)
		script_push_op(&script, OP_0);
	assert_true(hex_append(&pay, "76a914eadbac7f36c37e39361168b7aaee3cb2"
				     "4a25312d88ac"));
	in.prevout.n = UINT32_MAX;
	in.script_sig = bytes_span(&script);
	value.script_pubkey = bytes_span(&pay);
	tx_finish(&tx);
	memcpy(out, tx.txid.b, 32);
	bytes_clear(&script);
	bytes_clear(&pay);
}

static void test_alternate_mainnet(void **state)
{
	static const char name[] = "core/mainnet_alt.json";
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct header_list l = { .n = 1 };
	json_object *j = vector_json(name), *times, *nonces;

	(void)state;
	if (!j)
		skip();
	times = json_object_object_get(j, "timestamps");
	nonces = json_object_object_get(j, "nonces");
	assert_int_equal(json_object_array_length(times), 2016);
	l.h = xcalloc(2017, sizeof *l.h);
	l.h[0] = p.genesis;
	for (int i = 1; i <= 2016; i++) {
		struct block_header *h = &l.h[i];
		struct block_hash prev;

		block_header_hash(&prev, h - 1);
		h->version = 0x20000000;
		h->prev = prev;
		h->time = (uint32_t)json_object_get_int64(
			json_object_array_get_idx(times, (size_t)i - 1));
		h->nonce = (uint32_t)json_object_get_int64(
			json_object_array_get_idx(nonces, (size_t)i - 1));
		alternate_coinbase_txid(h->merkle_root, i);
		h->bits = next_bits(&p, h - 1, i - 1, h->time, header_list_get,
				    &l);
		l.n = i + 1;
		assert_true(header_list_ok(&p, &l, i));
	}
	assert_int_equal(l.h[2015].bits, 0x1d00ffff);
	assert_int_equal(l.h[2016].bits, 0x1c3fffc0);
	vector_report(name, 2016, 2016);
	free(l.h);
	json_object_put(j);
}

int run_headers_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet_headers),
		cmocka_unit_test(test_signet_headers),
		cmocka_unit_test(test_testnet3_headers),
		cmocka_unit_test(test_mainnet_40000),
		cmocka_unit_test(test_header_rules),
		cmocka_unit_test(test_version_rules),
		cmocka_unit_test(test_pow_limits),
		cmocka_unit_test(test_step_bounds),
		cmocka_unit_test(test_bip94_retarget),
		cmocka_unit_test(test_checkpoints),
		cmocka_unit_test(test_light),
		cmocka_unit_test(test_alternate_mainnet),
	};

	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
