/*
 * Blocks that break each rule, and the vectors for them.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_check.h"
#include "consensus/script_verify.h"
#include "consensus/tx_inputs.h"
#include "consensus/witness_commitment.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

static struct block *block_of_hex(const char *hex)
{
	struct bytes raw = { 0 };

	assert_true(hex_append(&raw, hex));
	return block_decode(&raw);
}

/* Block 1 of signet: its solution, spoilt in every part, is refused. */
static void test_signet_solution(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_SIGNET);
	static const uint8_t op_true[] = { 0x51 }, op_return[] = { 0x6a };
	struct bytes file = { 0 }, raw;
	struct reader r;
	struct span body;
	struct block *b;
	struct finding f;
	size_t coinbase_end;

	(void)state;
	if (!vector_read(&file, "chains/signet-0-120.blk"))
		skip();
	r = reader_of(bytes_span(&file));
	for (int i = 0; i < 2; i++) {
		read_u32(&r);
		body = read_span(&r, read_u32(&r));
	}
	raw = (struct bytes){ 0 };
	bytes_append(&raw, body.p, body.n);
	b = block_decode(&raw);
	assert_non_null(b);
	assert_true(signet_solution_ok(&p, b));
	coinbase_end = b->raw.n;
	/* Other challenges: one that anybody meets, one that nobody does. */
	chain_params_set_signet(&p, span_of(op_true, 1));
	assert_true(signet_solution_ok(&p, b));
	chain_params_set_signet(&p, span_of(op_return, 1));
	assert_false(signet_solution_ok(&p, b));
	block_unref(b);

	p = chain_params_get(CHAIN_SIGNET);
	for (size_t i = 0; i < coinbase_end; i++) {
		/* The nonce and the bits are not signed. */
		if (i >= 72 && i < 80)
			continue;
		raw = (struct bytes){ 0 };
		bytes_append(&raw, body.p, body.n);
		raw.p[i] ^= 1;
		b = block_decode(&raw);
		if (!b)
			continue;
		block_check(&f, &p, b);
		/* The coinbase's witness is in neither, but in the other
		 * commitment. */
		assert_true(f.verdict == VERDICT_BAD_SIGNET_SOLUTION ||
			    f.verdict == VERDICT_BAD_MERKLE_ROOT ||
			    (!f.verdict && block_is_mutated(b, true)));
		if (i < 36 || (i >= 68 && i < 72))
			assert_int_equal(f.verdict,
					 VERDICT_BAD_SIGNET_SOLUTION);
		block_unref(b);
	}
	bytes_clear(&file);
}

/* ---- CheckBlock vectors ---- */

static bool vector_block_ok(json_object *c)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	bool check_pow = json_object_get_boolean(
		json_object_array_get_idx(c, 2));
	int64_t now = json_object_get_int64(json_object_array_get_idx(c, 3));
	struct block *b = block_of_hex(json_object_get_string(
		json_object_array_get_idx(c, 4)));
	struct finding f;
	bool ok;

	if (!b)
		return false;
	block_check(&f, &p, b);
	ok = f.verdict == VERDICT_OK &&
	     (!check_pow || pow_ok(&p, &b->hash, b->header.bits)) &&
	     (!now || (int64_t)b->header.time <= now + 7200);
	block_unref(b);
	return ok;
}

static void check_block_vectors(const char *name, bool valid)
{
	json_object *j = vector_json(name);
	unsigned cases = 0, passed = 0;

	if (!j)
		skip();
	for (size_t i = 0; i < json_object_array_length(j); i++) {
		json_object *c = json_object_array_get_idx(j, i);

		if (json_object_array_length(c) != 5)
			continue;
		cases++;
		passed += vector_block_ok(c) == valid;
	}
	vector_report(name, cases, passed);
	assert_true(cases > 0);
	assert_int_equal(passed, cases);
	json_object_put(j);
}

static void test_check_block_vectors(void **state)
{
	(void)state;
	check_block_vectors("core/checkblock_valid.json", true);
	check_block_vectors("core/checkblock_invalid.json", false);
}

/* ---- blocks made to break a rule ---- */

struct maker {
	struct tx_in in[4];
	struct tx_out out[4];
	struct tx tx[8];
	struct block b;
};

static const uint8_t height_script[] = { 2, 0x2c, 1, 0 };     /* 300 */
static const uint8_t op_1[] = { 0x51 };

/* A block of n transactions at height 300 of regtest; the first is a
 * coinbase. */
static void make_block(struct maker *m, uint32_t n)
{
	memset(m, 0, sizeof *m);
	for (uint32_t i = 0; i < n; i++) {
		struct tx *tx = &m->tx[i];

		m->in[i].sequence = TX_SEQUENCE_FINAL;
		m->in[i].prevout.n = i ? i : UINT32_MAX;
		m->in[i].prevout.txid.b[0] = (uint8_t)i;
		m->in[i].script_sig = span_of(height_script,
					      sizeof height_script);
		m->out[i].value_sat = 1;
		m->out[i].script_pubkey = span_of(op_1, 1);
		tx->version = 1;
		tx->in = &m->in[i];
		tx->out = &m->out[i];
		tx->in_count = tx->out_count = 1;
	}
	m->b.tx = m->tx;
	m->b.tx_count = n;
	m->b.header.version = 4;
}

static void seal(struct maker *m)
{
	bool mutated;
	size_t n = 81, stripped = 81;

	for (uint32_t i = 0; i < m->b.tx_count; i++) {
		tx_finish(&m->tx[i]);
		n += tx_size(&m->tx[i], true);
		stripped += tx_size(&m->tx[i], false);
	}
	m->b.raw = span_of(NULL, n);             /* only the size is used */
	m->b.stripped_bytes = (uint32_t)stripped;
	block_merkle_root(m->b.header.merkle_root, &mutated, &m->b);
}

static enum verdict verdict_of(struct maker *m, int32_t *tx)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct finding f;

	seal(m);
	block_check(&f, &p, &m->b);
	if (!f.verdict)
		block_check_context(&f, &p, &m->b, 300, 1000);
	if (tx)
		*tx = f.tx;
	return f.verdict;
}

static void test_shape_rules(void **state)
{
	struct maker m;
	int32_t tx;

	(void)state;
	make_block(&m, 3);
	assert_int_equal(verdict_of(&m, &tx), VERDICT_OK);
	assert_int_equal(tx, -1);
	make_block(&m, 3);
	m.b.tx_count = 0;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_BLOCK_LENGTH);
	make_block(&m, 3);
	m.in[0].prevout.n = 5;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_COINBASE_MISSING);
	make_block(&m, 3);
	m.in[2].prevout = m.in[0].prevout;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_COINBASE_MULTIPLE);
	make_block(&m, 3);
	m.out[1].value_sat = -1;
	assert_int_equal(verdict_of(&m, &tx), VERDICT_VOUT_NEGATIVE);
	assert_int_equal(tx, 1);
	make_block(&m, 3);
	m.in[0].script_sig.n = 2;
	m.tx[2].lock_time = 300;
	m.in[2].sequence = 0;
	assert_int_equal(verdict_of(&m, &tx), VERDICT_TXNS_NONFINAL);
	assert_int_equal(tx, 2);
	m.tx[2].lock_time = 299;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_COINBASE_HEIGHT);
}

static void test_sigops_limit(void **state)
{
	uint8_t *script = xmalloc(20001);
	struct maker m;

	(void)state;
	memset(script, 0xac, 20001);             /* OP_CHECKSIG */
	make_block(&m, 2);
	m.out[1].script_pubkey = span_of(script, 20000);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_OK);
	m.out[1].script_pubkey.n++;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_BLOCK_SIGOPS);
	free(script);
}

static void test_size_limits(void **state)
{
	uint8_t *zeros = xcalloc(1, 4000000);
	struct span item = span_of(zeros, 0);
	uint8_t commitment[38] = { 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed };
	struct span nonce = span_of(zeros, 32);
	struct maker m;
	size_t rest;

	(void)state;
	make_block(&m, 2);
	seal(&m);
	rest = 1000000 - m.b.stripped_bytes - 4;  /* length takes 5 */
	m.out[1].script_pubkey = span_of(zeros, rest + 1);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_OK);
	assert_int_equal(m.b.stripped_bytes, 1000000);
	m.out[1].script_pubkey.n++;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_BLOCK_LENGTH);

	/* The weight counts the witness. */
	make_block(&m, 2);
	m.in[0].witness = &nonce;
	m.in[0].witness_count = 1;
	m.in[1].witness = &item;
	m.in[1].witness_count = 1;
	m.out[0].script_pubkey = span_of(commitment, sizeof commitment);
	seal(&m);
	item.n = (size_t)(MAX_BLOCK_WEIGHT_WU - block_weight(&m.b) - 4);
	seal(&m);
	witness_commitment_hash(commitment + 6, &m.b, zeros);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_OK);
	assert_int_equal(block_weight(&m.b), MAX_BLOCK_WEIGHT_WU);
	item.n++;
	seal(&m);
	witness_commitment_hash(commitment + 6, &m.b, zeros);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_BLOCK_WEIGHT);
	free(zeros);
}

static void test_commitment_rules(void **state)
{
	uint8_t commitment[40] = { 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed };
	uint8_t zeros[33] = { 0 };
	struct span nonce = span_of(zeros, 32), item = span_of(zeros, 1);
	struct maker m;

	(void)state;
	make_block(&m, 2);
	m.in[1].witness = &item;
	m.in[1].witness_count = 1;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_UNEXPECTED_WITNESS);
	m.out[0].script_pubkey = span_of(commitment, 38);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_WITNESS_NONCE_SIZE);
	m.in[0].witness = &nonce;
	m.in[0].witness_count = 1;
	assert_int_equal(verdict_of(&m, NULL),
			 VERDICT_BAD_WITNESS_MERKLE_MATCH);
	witness_commitment_hash(commitment + 6, &m.b, zeros);
	assert_int_equal(verdict_of(&m, NULL), VERDICT_OK);
	assert_false(block_is_mutated(&m.b, true));
	/* More after the hash is no matter, less is no commitment. */
	m.out[0].script_pubkey.n = 40;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_OK);
	m.out[0].script_pubkey.n = 37;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_UNEXPECTED_WITNESS);
	m.out[0].script_pubkey.n = 38;
	nonce.n = 33;
	assert_int_equal(verdict_of(&m, NULL), VERDICT_BAD_WITNESS_NONCE_SIZE);
	nonce.n = 32;
	zeros[0] = 1;
	assert_int_equal(verdict_of(&m, NULL),
			 VERDICT_BAD_WITNESS_MERKLE_MATCH);
	assert_true(block_is_mutated(&m.b, true));
}

/* CVE-2012-2459: 1 2 3 and 1 2 3 3 have the same root. */
static void test_mutated_merkle(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct maker m;
	struct finding f;

	(void)state;
	make_block(&m, 3);
	seal(&m);
	m.tx[3] = m.tx[2];
	m.b.tx_count = 4;
	block_check(&f, &p, &m.b);
	assert_int_equal(f.verdict, VERDICT_BAD_TXNS_DUPLICATE);
	assert_int_equal(verdict_class(f.verdict), VERDICT_CLASS_MUTATED);
	assert_true(block_is_mutated(&m.b, true));
	m.b.header.merkle_root[0] ^= 1;
	block_check(&f, &p, &m.b);
	assert_int_equal(f.verdict, VERDICT_BAD_MERKLE_ROOT);
	m.b.tx_count = 3;
	m.b.header.merkle_root[0] ^= 1;
	block_check(&f, &p, &m.b);
	assert_int_equal(f.verdict, VERDICT_OK);
	/* The pair in the middle of a level is seen, too: 1 1 2 2. */
	m.tx[1] = m.tx[0];
	seal(&m);
	block_check(&f, &p, &m.b);
	assert_int_equal(f.verdict, VERDICT_BAD_TXNS_DUPLICATE);
}

static void test_block_refs(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes raw = { 0 };
	struct block *b;

	(void)state;
	genesis_block_write(&raw, &p);
	b = block_decode(&raw);
	assert_non_null(b);
	assert_ptr_equal(block_ref(b), b);
	block_unref(b);
	assert_int_equal(b->tx[0].version, 1);
	block_unref(b);
	block_unref(NULL);
}

static void test_malformed_blocks(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct bytes good = { 0 }, raw;

	(void)state;
	genesis_block_write(&good, &p);
	for (size_t n = 0; n <= good.n + 1; n++) {
		struct block *b;

		raw = (struct bytes){ 0 };
		bytes_append(&raw, good.p, MIN_OF(n, good.n));
		if (n > good.n)
			write_u8(&raw, 0);       /* more than a block */
		b = block_decode(&raw);
		assert_null(raw.p);
		assert_int_equal(b != NULL, n == good.n);
		block_unref(b);
	}
	/* A count that cannot be. */
	raw = (struct bytes){ 0 };
	bytes_append(&raw, good.p, 80);
	write_compact(&raw, 0x2000000);
	bytes_append(&raw, good.p + 81, good.n - 81);
	assert_null(block_decode(&raw));
	bytes_clear(&good);
}

static void test_merkle_of_leaves(void **state)
{
	const uint8_t leaves[1][32] = { { 1, 2, 3 } };
	uint8_t root[32];

	(void)state;
	merkle_root(root, leaves, 1);
	assert_memory_equal(root, leaves[0], 32);
	merkle_root(root, leaves, 0);
	assert_true(hash_is_zero(root));
}

static void test_verdict_table(void **state)
{
	struct finding f;
	char text[160];

	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		finding_set(&f, (enum verdict)v);
		finding_text(text, &f, true);
		assert_int_equal(text[0] == 0, v == VERDICT_OK);
		assert_int_equal(verdict_class((enum verdict)v) ==
				 VERDICT_CLASS_OK, v == VERDICT_OK);
		for (int k = 0; k < v; k++)
			assert_string_not_equal(
				verdict_reason((enum verdict)k),
				verdict_reason((enum verdict)v));
	}
	finding_set(&f, VERDICT_SCRIPT);
	f.script = SCRIPT_ERR_EVAL_FALSE;
	finding_text(text, &f, true);
	assert_string_equal(text, "block-script-verify-flag-failed (Script "
		"evaluated without error but finished with a false/empty top "
		"stack element)");
	finding_text(text, &f, false);
	assert_memory_equal(text, "mempool-script-verify-flag-failed (", 35);
	for (int e = 0; e < SCRIPT_ERR_COUNT; e++) {
		f.script = (enum script_error)e;
		finding_text(text, &f, false);
		assert_int_equal(text[strlen(text) - 1], ')');
	}
}

int run_blocks_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signet_solution),
		cmocka_unit_test(test_check_block_vectors),
		cmocka_unit_test(test_shape_rules),
		cmocka_unit_test(test_sigops_limit),
		cmocka_unit_test(test_size_limits),
		cmocka_unit_test(test_commitment_rules),
		cmocka_unit_test(test_mutated_merkle),
		cmocka_unit_test(test_block_refs),
		cmocka_unit_test(test_malformed_blocks),
		cmocka_unit_test(test_merkle_of_leaves),
		cmocka_unit_test(test_verdict_table),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
