/*
 * Transactions: decoding to the letter, rules without and with coins.
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
#include "consensus/script.h"
#include "consensus/script_flags.h"
#include "consensus/tx_inputs.h"
#include "crypto/hash.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

struct parsed {
	struct bytes raw;
	struct arena arena;
	struct tx tx;
	size_t left;
};

static bool parse(struct parsed *p, const char *hex, bool allow_witness)
{
	struct reader r;
	bool ok;

	memset(p, 0, sizeof *p);
	assert_true(hex_append(&p->raw, hex));
	r = reader_of(bytes_span(&p->raw));
	ok = tx_read(&p->tx, &r, &p->arena, allow_witness);
	assert_int_equal(ok, !r.failed);
	p->left = reader_left(&r);
	return ok;
}

static void parsed_clear(struct parsed *p)
{
	arena_clear(&p->arena);
	bytes_clear(&p->raw);
}

static bool refused(const char *hex)
{
	struct parsed p;
	bool ok = parse(&p, hex, true);

	parsed_clear(&p);
	return !ok;
}

/* read -> write -> the same bytes, from the raw form and from the fields. */
static void check_round_trip(const struct parsed *p)
{
	struct bytes out = { 0 };
	struct tx copy = p->tx;

	tx_write(&out, &p->tx, true);
	assert_true(span_eq(bytes_span(&out), bytes_span(&p->raw)));
	assert_int_equal(tx_size(&p->tx, true), out.n);
	tx_finish(&copy);
	assert_null(copy.raw.p);
	assert_memory_equal(copy.txid.b, p->tx.txid.b, 32);
	assert_memory_equal(copy.wtxid.b, p->tx.wtxid.b, 32);
	assert_int_equal(copy.stripped_bytes, p->tx.stripped_bytes);
	assert_int_equal(tx_weight(&copy), tx_weight(&p->tx));
	out.n = 0;
	tx_write(&out, &copy, true);
	assert_true(span_eq(bytes_span(&out), bytes_span(&p->raw)));
	out.n = 0;
	tx_write(&out, &p->tx, false);
	assert_int_equal(out.n, p->tx.stripped_bytes);
	assert_int_equal(out.n, tx_size(&copy, false));
	sha256d(copy.wtxid.b, out.p, out.n);
	assert_memory_equal(copy.wtxid.b, p->tx.txid.b, 32);
	bytes_clear(&out);
}

/* BIP143's example of P2WPKH: two inputs, one of them with a witness. */
static const char witness_tx[] =
	"01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541d"
	"b4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd"
	"3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc"
	"22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa8"
	"9e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000"
	"001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000"
	"001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac00024730440220"
	"3609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220"
	"573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121"
	"025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711"
	"000000";

static void test_witness_form(void **state)
{
	struct parsed p;
	char hex[65];

	(void)state;
	assert_true(parse(&p, witness_tx, true));
	assert_int_equal(p.left, 0);
	assert_true(p.tx.has_witness);
	assert_int_equal(p.tx.in_count, 2);
	assert_int_equal(p.tx.in[0].witness_count, 0);
	assert_int_equal(p.tx.in[1].witness_count, 2);
	assert_int_equal(p.tx.in[1].witness[1].n, 33);
	assert_int_equal(p.tx.lock_time, 17);
	hash_to_rpc_hex(hex, p.tx.txid.b);
	assert_string_equal(hex, "e8151a2af31c368a35053ddd4bdb285a"
				 "8595c769a3ad83e0fa02314a602d4609");
	check_round_trip(&p);
	parsed_clear(&p);
	/* Read as the plain form it has no inputs, and does not end here. */
	assert_true(parse(&p, witness_tx, false));
	assert_int_equal(p.tx.in_count, 0);
	assert_true(p.left > 0);
	parsed_clear(&p);
}

/* Every truncation is refused, and so are other endings. */
static void test_truncated(void **state)
{
	char *hex = xstrdup(witness_tx);

	(void)state;
	for (size_t n = strlen(hex); n > 0; n -= 2) {
		hex[n - 2] = 0;
		assert_true(refused(hex));
	}
	free(hex);
}

#define IN_1 "01" \
	"0000000000000000000000000000000000000000000000000000000000000001" \
	"00000000" "00" "ffffffff"
#define OUT_1 "01" "0000000000000000" "00"

static void test_malformed(void **state)
{
	struct parsed p;

	(void)state;
	/* Plain and witness form of a small one. */
	assert_true(parse(&p, "01000000" IN_1 OUT_1 "00000000", true));
	assert_false(p.tx.has_witness);
	check_round_trip(&p);
	parsed_clear(&p);
	assert_true(parse(&p, "01000000" "0001" IN_1 OUT_1 "0100" "00000000",
			  true));
	assert_true(p.tx.has_witness);
	assert_int_equal(p.tx.in[0].witness[0].n, 0);
	check_round_trip(&p);
	parsed_clear(&p);
	/* A witness record with nothing in it. */
	assert_true(refused("01000000" "0001" IN_1 OUT_1 "00" "00000000"));
	assert_true(refused("01000000" "0001" "00" OUT_1 "00000000"));
	/* Flags nobody knows. */
	assert_true(refused("01000000" "0002" IN_1 OUT_1 "00000000"));
	assert_true(refused("01000000" "0003" IN_1 OUT_1 "0100" "00000000"));
	/* Counts longer than needed, and larger than the data. */
	assert_true(refused("01000000" "fd0100"
		"0000000000000000000000000000000000000000000000000000000000000"
		"001" "00000000" "00" "ffffffff" OUT_1 "00000000"));
	assert_true(refused("01000000" "feffffff00" IN_1 OUT_1 "00000000"));
	assert_true(refused("01000000" "ffffffffffffffffff" OUT_1 "00000000"));
	assert_true(refused("01000000" IN_1 "fe00000001" "00000000"));
	/* No inputs, no outputs: the flag is 0. */
	assert_true(parse(&p, "01000000" "0000" "00000000", true));
	assert_int_equal(p.tx.in_count + p.tx.out_count, 0);
	assert_int_equal(p.tx.stripped_bytes, 10);
	check_round_trip(&p);
	parsed_clear(&p);
	/* The same start in the plain form: no inputs, one output. */
	assert_true(parse(&p, "01000000" "00" OUT_1 "00000000", false));
	assert_int_equal(p.tx.out_count, 1);
	parsed_clear(&p);
	/* What follows is left in the reader. */
	assert_true(parse(&p, "01000000" IN_1 OUT_1 "00000000" "abcd", true));
	assert_int_equal(p.left, 2);
	parsed_clear(&p);
}

/* ---- the reference node's vectors ---- */

static bool has_flag(const char *list, const char *flag)
{
	const char *at = strstr(list, flag);
	size_t n = strlen(flag);

	return at && (at == list || at[-1] == ',') &&
	       (at[n] == 0 || at[n] == ',');
}

static void check_vectors(const char *name, bool valid)
{
	json_object *j = vector_json(name);
	unsigned cases = 0, passed = 0;

	if (!j)
		skip();
	for (size_t i = 0; i < json_object_array_length(j); i++) {
		json_object *c = json_object_array_get_idx(j, i);
		const char *hex, *flags;
		struct parsed p;
		bool bad;

		if (json_object_array_length(c) != 3)
			continue;
		hex = json_object_get_string(json_object_array_get_idx(c, 1));
		flags = json_object_get_string(
			json_object_array_get_idx(c, 2));
		bad = !valid && has_flag(flags, "BADTX");
		cases++;
		assert_true(parse(&p, hex, true));
		check_round_trip(&p);
		passed += (tx_check(&p.tx) != VERDICT_OK) == bad;
		parsed_clear(&p);
	}
	assert_true(cases > 0);
	assert_int_equal(passed, cases);
	json_object_put(j);
}

static void test_core_valid(void **state)
{
	(void)state;
	check_vectors("core/tx_valid.json", true);
}

static void test_core_invalid(void **state)
{
	(void)state;
	check_vectors("core/tx_invalid.json", false);
}

/* ---- rules ---- */

static struct tx_in inputs[40];
static struct tx_out outputs[3];

/* A transaction with n different inputs and one output of 1 coin. */
static struct tx sample(uint32_t n)
{
	struct tx tx = { .version = 2, .in_count = n, .out_count = 1,
			 .in = inputs, .out = outputs };

	memset(inputs, 0, sizeof inputs);
	memset(outputs, 0, sizeof outputs);
	for (uint32_t i = 0; i < n; i++) {
		inputs[i].prevout.txid.b[5] = 7;
		inputs[i].prevout.n = i;
		inputs[i].sequence = TX_SEQUENCE_FINAL;
	}
	outputs[0].value_sat = COIN_SAT;
	return tx;
}

static void test_tx_check_rules(void **state)
{
	static const uint8_t zeros[1000000];
	struct tx tx = sample(0);

	(void)state;
	assert_int_equal(tx_check(&tx), VERDICT_VIN_EMPTY);
	tx = sample(1);
	tx.out_count = 0;
	assert_int_equal(tx_check(&tx), VERDICT_VOUT_EMPTY);
	tx = sample(1);
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	inputs[0].script_sig = span_of(zeros, 1000000 - 4 - 1 - 36 - 5 - 4 -
				       1 - 9 - 4);
	assert_int_equal(tx_size(&tx, false), 1000000);
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	inputs[0].script_sig.n++;
	assert_int_equal(tx_check(&tx), VERDICT_TX_OVERSIZE);
	tx = sample(1);
	outputs[0].value_sat = -1;
	assert_int_equal(tx_check(&tx), VERDICT_VOUT_NEGATIVE);
	outputs[0].value_sat = MAX_MONEY_SAT + 1;
	assert_int_equal(tx_check(&tx), VERDICT_VOUT_TOOLARGE);
	outputs[0].value_sat = MAX_MONEY_SAT;
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	tx.out_count = 2;
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	outputs[1].value_sat = 1;
	assert_int_equal(tx_check(&tx), VERDICT_TXOUT_TOTAL_TOOLARGE);
}

static void test_tx_check_inputs_twice(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= 40; n++) {
		struct tx tx = sample(n);

		assert_int_equal(tx_check(&tx), VERDICT_OK);
		inputs[n - 1].prevout.n = n / 3;
		assert_int_equal(tx_check(&tx), VERDICT_INPUTS_DUPLICATE);
		inputs[n - 1].prevout.txid.b[31] = 1;
		assert_int_equal(tx_check(&tx), VERDICT_OK);
		memset(&inputs[n / 2].prevout, 0, 32);
		inputs[n / 2].prevout.n = UINT32_MAX;
		assert_int_equal(tx_check(&tx), VERDICT_PREVOUT_NULL);
	}
}

/* Inputs made to collide in the table: still right, and not slow. */
static void test_tx_check_collisions(void **state)
{
	enum { N = 20000 };
	struct tx_in *many = xcalloc(N, sizeof *many);
	struct tx tx = sample(1);

	(void)state;
	tx.in = many;
	tx.in_count = N;
	for (uint32_t i = 0; i < N; i++) {
		/* The same first bytes and number, another last byte. */
		many[i].prevout.txid.b[0] = 1;
		many[i].prevout.txid.b[30] = (uint8_t)i;
		many[i].prevout.txid.b[31] = (uint8_t)(i >> 8);
	}
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	many[N - 1].prevout = many[17].prevout;
	assert_int_equal(tx_check(&tx), VERDICT_INPUTS_DUPLICATE);
	for (uint32_t i = 0; i < N; i++) {
		memset(&many[i].prevout, 1, 32);
		many[i].prevout.n = i;
	}
	assert_int_equal(tx_check(&tx), VERDICT_OK);
	many[N - 1].prevout.n = N - 2;
	assert_int_equal(tx_check(&tx), VERDICT_INPUTS_DUPLICATE);
	free(many);
}

static void test_tx_check_coinbase(void **state)
{
	static const uint8_t script[101];
	struct tx tx = sample(1);

	(void)state;
	memset(&inputs[0].prevout, 0, 32);
	inputs[0].prevout.n = UINT32_MAX;
	assert_true(tx_is_coinbase(&tx));
	for (size_t n = 0; n <= sizeof script; n++) {
		inputs[0].script_sig = span_of(script, n);
		assert_int_equal(tx_check(&tx), n < 2 || n > 100 ?
				 VERDICT_COINBASE_LENGTH : VERDICT_OK);
	}
	inputs[0].prevout.n = 0;
	assert_false(tx_is_coinbase(&tx));
}

static void test_final(void **state)
{
	struct tx tx = sample(2);

	(void)state;
	inputs[1].sequence = 0;
	assert_true(tx_is_final(&tx, 0, 0));
	tx.lock_time = 100;
	assert_false(tx_is_final(&tx, 100, 2000000000));
	assert_true(tx_is_final(&tx, 101, 0));
	tx.lock_time = 499999999;
	assert_false(tx_is_final(&tx, 499999999, INT64_C(4000000000)));
	tx.lock_time = 500000000;
	assert_false(tx_is_final(&tx, 600000000, 500000000));
	assert_true(tx_is_final(&tx, 0, 500000001));
	tx.lock_time = UINT32_MAX;
	assert_false(tx_is_final(&tx, 0, UINT32_MAX));
	inputs[1].sequence = TX_SEQUENCE_FINAL;
	assert_true(tx_is_final(&tx, 0, 0));
}

static void test_inputs_and_fee(void **state)
{
	struct tx_out spent[2] = { { .value_sat = COIN_SAT },
				   { .value_sat = 5 } };
	struct coin_meta meta[2] = { { 100, true }, { 100, false } };
	struct tx tx = sample(2);
	int64_t fee = -1;

	(void)state;
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 199),
			 VERDICT_PREMATURE_COINBASE);
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 200),
			 VERDICT_OK);
	assert_int_equal(fee, 5);
	outputs[0].value_sat = COIN_SAT + 5;
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 200),
			 VERDICT_OK);
	assert_int_equal(fee, 0);
	outputs[0].value_sat++;
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 200),
			 VERDICT_IN_BELOW_OUT);
	spent[1].value_sat = MAX_MONEY_SAT - COIN_SAT + 1;
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 200),
			 VERDICT_INPUT_VALUES);
	spent[1].value_sat = -1;
	assert_int_equal(tx_check_inputs(&fee, &tx, spent, meta, 200),
			 VERDICT_INPUT_VALUES);
}

static int64_t mtp_of(int height, void *arg)
{
	*(int *)arg = height;
	return 1000 * (int64_t)height;   /* of the block before it */
}

static void test_sequence_locks(void **state)
{
	struct coin_meta meta[2] = { { 50, false }, { 60, false } };
	struct tx tx = sample(2);
	int asked = -1;

	(void)state;
#define LOCKS(h, t) tx_sequence_locks_ok(&tx, meta, h, t, mtp_of, &asked)
	assert_true(LOCKS(60, 0));               /* disabled by the top bit */
	inputs[0].sequence = 10;                 /* ten blocks after 50 */
	assert_false(LOCKS(59, 0));
	assert_true(LOCKS(60, 0));
	inputs[1].sequence = 2 | 0x0fbf0000;
	assert_false(LOCKS(61, 0));              /* other bits mean nothing */
	assert_true(LOCKS(62, 0));
	inputs[1].sequence = (1u << 22) | 3;     /* 1536 s after MTP of 59 */
	assert_false(LOCKS(62, 61535));
	assert_true(LOCKS(62, 61536));
	assert_int_equal(asked, 60);
	meta[1].height = 0;
	assert_true(LOCKS(62, 2536));
	assert_int_equal(asked, 1);
	inputs[1].sequence |= 1u << 31;
	assert_true(LOCKS(62, 0));
	inputs[0].sequence = 0xffff;
	assert_false(LOCKS(62, 0));
	tx.version = 1;
	assert_true(LOCKS(62, 0));
	tx.version = 0xffffffff;                 /* unsigned since ever */
	assert_false(LOCKS(62, 0));
#undef LOCKS
}

/* One signature of each kind of script. */
static void test_sigop_cost(void **state)
{
	static const uint8_t checksig[] = { OP_CHECKSIG };
	static const uint8_t multi[] = { OP_1, OP_2, OP_CHECKMULTISIG };
	static const uint8_t push_multi[] = { 3, OP_1, OP_2,
					      OP_CHECKMULTISIG };
	uint8_t p2sh[23] = { OP_HASH160, 20 }, p2wpkh[22] = { 0, 20 };
	uint8_t p2wsh[34] = { 0, 32 };
	struct span witness = span_of(multi, sizeof multi);
	struct tx_out spent[1] = { { 0 } };
	struct tx tx = sample(1);
	uint32_t both = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS;

	(void)state;
	p2sh[22] = OP_EQUAL;
	outputs[0].script_pubkey = span_of(checksig, 1);
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 4);
	outputs[0].script_pubkey = span_of(multi, sizeof multi);
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 80);
	assert_int_equal(tx_legacy_sigops(&tx), 20);
	outputs[0].script_pubkey = span_of(NULL, 0);
	spent[0].script_pubkey = span_of(p2sh, sizeof p2sh);
	inputs[0].script_sig = span_of(push_multi, sizeof push_multi);
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 8);
	assert_int_equal(tx_sigop_cost(&tx, spent, 0), 0);
	inputs[0].script_sig = span_of(NULL, 0);
	spent[0].script_pubkey = span_of(p2wpkh, sizeof p2wpkh);
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 1);
	assert_int_equal(tx_sigop_cost(&tx, spent, SCRIPT_VERIFY_P2SH), 0);
	spent[0].script_pubkey = span_of(p2wsh, sizeof p2wsh);
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 0);
	inputs[0].witness = &witness;
	inputs[0].witness_count = 1;
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 2);
	p2wsh[0] = OP_1;
	assert_int_equal(tx_sigop_cost(&tx, spent, both), 0);
}

int run_tx_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_witness_form),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_core_valid),
		cmocka_unit_test(test_core_invalid),
		cmocka_unit_test(test_tx_check_rules),
		cmocka_unit_test(test_tx_check_inputs_twice),
		cmocka_unit_test(test_tx_check_collisions),
		cmocka_unit_test(test_tx_check_coinbase),
		cmocka_unit_test(test_final),
		cmocka_unit_test(test_inputs_and_fee),
		cmocka_unit_test(test_sequence_locks),
		cmocka_unit_test(test_sigop_cost),
	};

	return cmocka_run_group_tests_name("tx", tests, NULL, NULL);
}
