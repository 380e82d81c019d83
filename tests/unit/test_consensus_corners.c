/*
 * Corners of the rules that no vector and no other test reaches; found by
 * counting branches (docs/consensus.md).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_check.h"
#include "consensus/block_filter.h"
#include "consensus/hash_field_priv.h"
#include "consensus/taproot.h"
#include "consensus/witness_commitment.h"
#include "crypto/secp.h"
#include "tests/unit/script_scene.h"
#include "tests/unit/test_consensus.h"

/* ---- encodings --------------------------------------------------------- */

static void test_compact_sizes(void **state)
{
	static const uint64_t values[] = {
		0, 0xfc, 0xfd, 0xffff, 0x10000, 0xffffffff, 0x100000000,
		UINT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct bytes b = { 0 };
		uint8_t got[9];

		write_compact(&b, values[i]);
		assert_int_equal(put_compact(got, values[i]), b.n);
		assert_memory_equal(got, b.p, b.n);
		bytes_clear(&b);
	}
}

static void test_numbers_in_hex(void **state)
{
	static const char *const bad[] = {
		"", "0x", "0X", "1/", "1:", "1@", "1G", "1`", "1g", "1 ",
		"-1", "0y",
	};
	struct u256 a, b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(u256_from_hex(&a, bad[i]));
	assert_true(u256_from_hex(&a, "0XaBcDeF"));
	assert_true(u256_from_hex(&b, "0xAbCdEf"));
	assert_int_equal(u256_cmp(&a, &b), 0);
	assert_int_equal(a.w[0], 0xabcdef);
}

/* Each size of nBits with a word of one, two and three bytes. */
static void test_bits_overflow(void **state)
{
	struct u256 t;

	(void)state;
	assert_true(u256_from_compact(&t, 0x20007fff));
	assert_false(u256_from_compact(&t, 0x21010000));
	assert_true(u256_from_compact(&t, 0x2100ffff));
	assert_false(u256_from_compact(&t, 0x22000100));
	assert_true(u256_from_compact(&t, 0x220000ff));
	assert_false(u256_from_compact(&t, 0x23000001));
	assert_false(u256_from_compact(&t, 0xff000001));
}

static void test_null_outpoint(void **state)
{
	struct outpoint o = { .n = UINT32_MAX };

	(void)state;
	assert_true(outpoint_is_null(&o));
	o.txid.b[31] = 1;
	assert_false(outpoint_is_null(&o));
	o = (struct outpoint){ .n = 0 };
	assert_false(outpoint_is_null(&o));
}

/* ---- forms of scripts -------------------------------------------------- */

/* Every byte that makes the form what it is, made another. */
static void test_forms(void **state)
{
	uint8_t p2sh[23] = { OP_HASH160, 20, [22] = OP_EQUAL };
	uint8_t p2tr[34] = { OP_1, 32 }, p2a[4] = { OP_1, 2, 0x4e, 0x73 };
	static const size_t p2sh_at[] = { 0, 1, 22 };
	static const size_t p2tr_at[] = { 0, 1 };
	struct span s;

	(void)state;
	s = span_of(p2sh, sizeof p2sh);
	assert_true(script_is_p2sh(s));
	for (size_t i = 0; i < ARRAY_SIZE(p2sh_at); i++) {
		p2sh[p2sh_at[i]] ^= 1;
		assert_false(script_is_p2sh(s));
		p2sh[p2sh_at[i]] ^= 1;
	}
	s = span_of(p2tr, sizeof p2tr);
	assert_true(script_is_p2tr(s));
	for (size_t i = 0; i < ARRAY_SIZE(p2tr_at); i++) {
		p2tr[p2tr_at[i]] ^= 1;
		assert_false(script_is_p2tr(s));
		p2tr[p2tr_at[i]] ^= 1;
	}
	s = span_of(p2a, sizeof p2a);
	assert_true(script_is_p2a(s));
	for (size_t i = 0; i < sizeof p2a; i++) {
		p2a[i] ^= 1;
		assert_false(script_is_p2a(s));
		p2a[i] ^= 1;
	}
}

static void test_find_nothing(void **state)
{
	static const uint8_t script[] = { OP_1, OP_2 };
	struct span s = span_of(script, 2);
	uint8_t out[2];
	size_t n;

	(void)state;
	assert_int_equal(script_find_and_delete(out, &n, s, NOTHING), 0);
	assert_int_equal(n, 2);
	assert_int_equal(script_find_and_delete(out, &n, span_of(script, 1),
						s), 0);
	assert_int_equal(n, 1);
	assert_int_equal(script_find_and_delete(out, &n, s, s), 1);
	assert_int_equal(n, 0);
}

static void test_strict_signatures(void **state)
{
	static const uint8_t good[] = { 0x30, 6, 2, 1, 1, 2, 1, 1, 0x81 };
	uint8_t sig[sizeof good];

	(void)state;
	assert_false(script_signature_is_strict(NOTHING));
	assert_true(script_signature_is_strict(span_of(good, sizeof good)));
	assert_false(script_signature_is_strict(span_of(good, 8)));
	for (size_t i = 0; i < sizeof good; i++) {
		if (i == 4 || i == 7)
			continue;        /* the numbers may be others */
		memcpy(sig, good, sizeof good);
		sig[i] ^= 0x44;
		assert_false(script_signature_is_strict(
			span_of(sig, sizeof sig)));
	}
}

/* BIP16 and BIP141 count nothing that is not there. */
static void test_sigops_of_nothing(void **state)
{
	struct scene *s = scene_new();
	struct span redeem = words(s, "CHECKSIG"), sig;
	struct span form = p2sh(s, redeem), v0 = wsh(s, redeem);

	(void)state;
	sig = words(s, "%s", push(s, redeem));
	assert_int_equal(script_sigops_p2sh(form, sig), 1);
	sig = words(s, "NOP %s", push(s, redeem));
	assert_int_equal(script_sigops_p2sh(form, sig), 0);
	assert_int_equal(script_sigops_witness(form, sig, &redeem, 1), 0);
	assert_int_equal(script_sigops_witness(v0, NOTHING, &redeem, 1), 1);
	assert_int_equal(script_sigops_witness(v0, NOTHING, NULL, 0), 0);
	v0 = words(s, "0 0x03 0x010203");        /* no such length yet */
	assert_int_equal(script_sigops_witness(v0, NOTHING, &redeem, 1), 0);
	scene_free(s);
}

/* ---- signatures -------------------------------------------------------- */

/* A signature is deleted from the code whichever way its length is pushed. */
static void test_long_signatures_are_deleted(void **state)
{
	static const unsigned lengths[] = { 75, 76, 255, 256, 300, 520 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct scene *s = scene_new();
		uint8_t bytes[520] = { 0x30 };
		struct bytes b = { 0 };
		struct span sig = span_of(bytes, lengths[i]);

		script_push_data(&b, sig);
		script_push_data(&b, pubkey(s, 1));
		script_push_op(&b, OP_CHECKSIG);
		script_push_op(&b, OP_NOT);
		set_pubkey(s, keep(s, &b));
		EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "SIG_FINDANDDELETE");
		EXPECT(s, 0, "OK");
		scene_free(s);
	}
}

/* 65 bytes must begin with 4, 6 or 7; nothing else is looked at by a key's
 * length. */
static void test_heads_of_keys(void **state)
{
	struct scene *s = scene_new();
	uint8_t key[65];

	(void)state;
	memcpy(key, hybrid(s, 1).p, 65);
	for (unsigned head = 0; head < 256; head++) {
		struct span code, k = span_of(key, 65);

		key[0] = (uint8_t)head;
		code = words(s, "%s CHECKSIG", push(s, k));
		set_pubkey(s, code);
		set_sig(s, words(s, "%s", push(s, sign(
			s, 1, code, SIGHASH_ALL, SIG_BASE))));
		assert_int_equal(run(s, 0) == SCRIPT_OK,
				 head == 4 ||
				 head == (6u | (key[64] & 1)));
	}
	scene_free(s);
}

/* SIGHASH_SINGLE without an output: the hash is one, not only through the
 * memo. */
static void test_single_without_output(void **state)
{
	static const uint8_t one[32] = { 1 };
	struct scene *s = scene_new();
	uint8_t hash[32];
	struct spend p;

	(void)state;
	s->at = 1;
	s->tx.out_count = 1;
	p = spend_of(s);
	sighash_legacy(hash, &p, words(s, "1"), SIGHASH_SINGLE);
	assert_memory_equal(hash, one, 32);
	sighash_legacy(hash, &p, words(s, "1"), SIGHASH_ALL);
	assert_memory_not_equal(hash, one, 32);
	scene_free(s);
}

/* ---- Taproot's room for later ------------------------------------------ */

/* An output of one leaf, and the witness that shows it. */
static void set_leaf(struct scene *s, uint8_t version, struct span script)
{
	uint8_t leaf[32], out[34] = { OP_1, 32 }, control[33];
	int parity;

	memcpy(control + 1, xonly(s, 9).p, 32);
	taproot_leaf_hash(leaf, version, script);
	taproot_tweak(leaf, control + 1, leaf);
	assert_true(secp_xonly_tweak_add(out + 2, &parity, control + 1,
					 leaf));
	control[0] = (uint8_t)(version | parity);
	set_pubkey(s, arena_copy(&s->arena, span_of(out, sizeof out)));
	add_witness(s, script);
	add_witness(s, arena_copy(&s->arena, span_of(control, 33)));
}

static void test_later_leaf_versions(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	set_leaf(s, 0xc2, words(s, "RETURN"));
	EXPECT(s, TAP_FLAGS, "OK");
	EXPECT(s, TAP_FLAGS |
	       SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION,
	       "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION");
	scene_free(s);
}

static void test_later_key_types(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	add_witness(s, words(s, "1"));   /* a signature of one byte */
	set_leaf(s, TAPROOT_LEAF_TAPSCRIPT,
		 words(s, "%s CHECKSIG", push(s, pubkey(s, 1))));
	EXPECT(s, TAP_FLAGS, "OK");
	EXPECT(s, TAP_FLAGS | SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE,
	       "DISCOURAGE_UPGRADABLE_PUBKEYTYPE");
	scene_free(s);
}

/* ---- blocks that no rule about transactions has seen yet --------------- */

/* A header and these transactions. */
static struct block *block_with(const struct tx *const *txs, size_t n)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	uint8_t ids[4][32];
	struct block_header h = p.genesis;
	struct bytes raw = { 0 };
	struct block *b;

	assert_in_range(n, 0, 4);
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i], txs[i]->txid.b, 32);
	merkle_root(h.merkle_root, (const uint8_t (*)[32])ids, n);
	block_header_write(&raw, &h);
	write_compact(&raw, n);
	for (size_t i = 0; i < n; i++)
		tx_write(&raw, txs[i], true);
	b = block_decode(&raw);
	assert_non_null(b);
	return b;
}

static enum verdict context_verdict(const struct block *b, int height)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct finding f;

	block_check_context(&f, &p, b, height, 1000000000);
	return f.verdict;
}

static void test_block_of_nothing(void **state)
{
	struct block *b = block_with(NULL, 0);

	(void)state;
	assert_int_equal(context_verdict(b, 300000),
			 VERDICT_BAD_COINBASE_HEIGHT);
	assert_int_equal(context_verdict(b, 100), VERDICT_OK);
	assert_int_equal(witness_commitment_output(b), -1);
	assert_int_equal(witness_commitment_check(b, true), VERDICT_OK);
	assert_false(block_is_mutated(b, true));
	block_unref(b);
}

/* Without inputs; its outputs may carry a commitment all the same. */
static void test_coinbase_without_inputs(void **state)
{
	uint8_t commitment[38] = { 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed };
	struct tx_out out = { 0, span_of(commitment, sizeof commitment) };
	struct tx tx = { .out_count = 1, .out = &out };
	struct block b = { .tx = &tx, .tx_count = 1 };

	(void)state;
	tx_finish(&tx);
	assert_int_equal(context_verdict(&b, 300000),
			 VERDICT_BAD_COINBASE_HEIGHT);
	assert_int_equal(witness_commitment_check(&b, true),
			 VERDICT_BAD_WITNESS_NONCE_SIZE);
}

static void test_coinbase_of_another_height(void **state)
{
	static const uint8_t height[] = { 3, 0xe0, 0x93, 0x04 };  /* 300000 */
	struct tx_in in = { .prevout.n = UINT32_MAX,
			    .sequence = TX_SEQUENCE_FINAL,
			    .script_sig = span_of(height, sizeof height) };
	struct tx_out out = { 0 };
	struct tx tx = { .in_count = 1, .in = &in, .out_count = 1,
			 .out = &out };
	const struct tx *const txs[] = { &tx };
	struct block *b;

	(void)state;
	tx_finish(&tx);
	b = block_with(txs, 1);
	assert_int_equal(context_verdict(b, 300000), VERDICT_OK);
	assert_int_equal(context_verdict(b, 300001),
			 VERDICT_BAD_COINBASE_HEIGHT);
	block_unref(b);
}

/* 64 bytes can be an inner node: such a list may be another block's. */
static void test_mutated_without_coinbase(void **state)
{
	static const uint8_t four[4] = { OP_1, OP_1, OP_1, OP_1 };
	struct tx_in in = { .sequence = TX_SEQUENCE_FINAL };
	struct tx_out out = { 0, span_of(four, 4) };
	struct tx tx = { .in_count = 1, .in = &in, .out_count = 1,
			 .out = &out };
	const struct tx *const txs[] = { &tx };
	struct block *b;

	(void)state;
	tx_finish(&tx);
	assert_int_equal(tx_size(&tx, true), 64);
	b = block_with(txs, 1);
	assert_true(block_is_mutated(b, true));
	block_unref(b);
	out.script_pubkey.n = 3;
	tx_finish(&tx);
	b = block_with(txs, 1);
	assert_false(block_is_mutated(b, true));
	block_unref(b);
}

/* ---- signet ------------------------------------------------------------ */

/* A coinbase with a commitment of any hash, then pushes of what is given. */
static struct span commitment_script(struct scene *s, struct span solution)
{
	static const uint8_t head[6] = { 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed };
	static const uint8_t tag[4] = { 0xec, 0xc7, 0xda, 0xa2 };
	uint8_t hash[32] = { 5 };
	struct bytes b = { 0 }, data = { 0 };

	bytes_append(&b, head, sizeof head);
	bytes_append(&b, hash, sizeof hash);
	bytes_append(&data, tag, sizeof tag);
	bytes_append(&data, solution.p, solution.n);
	script_push_data(&b, bytes_span(&data));
	bytes_clear(&data);
	return keep(s, &b);
}

static bool solves(struct span solution, struct span challenge)
{
	struct chain_params p = chain_params_get(CHAIN_SIGNET);
	struct scene *s = scene_new();
	struct tx_in in[2] = { { .prevout.n = UINT32_MAX }, { { { { 1 } }, 0 },
			       .sequence = 0 } };
	struct tx_out out[2] = { { 0, commitment_script(s, solution) },
				 { 0 } };
	struct tx coinbase = { .in_count = 1, .in = &in[0], .out_count = 1,
			       .out = &out[0] };
	struct tx other = { .in_count = 1, .in = &in[1], .out_count = 1,
			    .out = &out[1] };
	const struct tx *const txs[] = { &coinbase, &other };
	struct block *b;
	bool ok;

	tx_finish(&coinbase);
	tx_finish(&other);
	b = block_with(txs, 2);
	chain_params_set_signet(&p, challenge);
	ok = signet_solution_ok(&p, b);
	block_unref(b);
	scene_free(s);
	return ok;
}

/* A script, a count, elements: nothing may be missing or left over. */
static void test_forms_of_solutions(void **state)
{
	static const uint8_t good[] = { 1, OP_1, 1, 2, 7, 7 };
	static const uint8_t over[] = { 1, OP_1, 1, 2, 7, 7, 7 };
	static const uint8_t many[] = { 1, OP_1, 9, 2, 7, 7 };
	static const uint8_t equal[] = { OP_1, OP_EQUAL };

	(void)state;
	/* BIP141: a witness needs a witness program, so leave it out. */
	assert_true(solves(span_of("\1\x51\0", 3), span_of(equal, 2)));
	assert_false(solves(span_of("\1\x52\0", 3), span_of(equal, 2)));
	assert_false(solves(span_of(good, sizeof good), span_of(equal, 2)));
	assert_false(solves(span_of(over, sizeof over), span_of(equal, 2)));
	assert_false(solves(span_of(many, sizeof many), span_of(equal, 2)));
	for (size_t n = 1; n < sizeof good; n++)
		assert_false(solves(span_of(good, n), span_of(equal, 2)));
}

/* ---- filters ------------------------------------------------------------ */

static void test_filters_that_end_wrongly(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct bytes raw = { 0 }, filter = { 0 };
	struct span script;
	struct block *b;
	bool match;

	(void)state;
	genesis_block_write(&raw, &p);
	b = block_decode(&raw);
	assert_non_null(b);
	script = b->tx[0].out[0].script_pubkey;
	block_filter_write(&filter, b, NULL, 0);
	assert_true(block_filter_match(&match, bytes_span(&filter), &b->hash,
				       &script, 1));
	assert_true(match);
	/* A byte too many, though the element was found. */
	write_u8(&filter, 0);
	assert_false(block_filter_match(&match, bytes_span(&filter), &b->hash,
					&script, 1));
	/* Three bytes of ones: the unary part runs off the end. */
	filter.n = 0;
	write_u8(&filter, 1);
	for (int i = 0; i < 3; i++)
		write_u8(&filter, 0xff);
	assert_false(block_filter_match(&match, bytes_span(&filter), &b->hash,
					&script, 1));
	assert_false(match);
	bytes_clear(&filter);
	block_unref(b);
}

int run_corners_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact_sizes),
		cmocka_unit_test(test_numbers_in_hex),
		cmocka_unit_test(test_bits_overflow),
		cmocka_unit_test(test_null_outpoint),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_find_nothing),
		cmocka_unit_test(test_strict_signatures),
		cmocka_unit_test(test_sigops_of_nothing),
		cmocka_unit_test(test_long_signatures_are_deleted),
		cmocka_unit_test(test_heads_of_keys),
		cmocka_unit_test(test_single_without_output),
		cmocka_unit_test(test_later_leaf_versions),
		cmocka_unit_test(test_later_key_types),
		cmocka_unit_test(test_block_of_nothing),
		cmocka_unit_test(test_coinbase_without_inputs),
		cmocka_unit_test(test_coinbase_of_another_height),
		cmocka_unit_test(test_mutated_without_coinbase),
		cmocka_unit_test(test_forms_of_solutions),
		cmocka_unit_test(test_filters_that_end_wrongly),
	};

	return cmocka_run_group_tests_name("corners", tests, NULL, NULL);
}
