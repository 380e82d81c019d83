/*
 * Policy: each limit kept and passed by one.
 */
#include "config.h"

#include "test_mempool.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/opcode.h"
#include "mempool/policy.h"
#include "mempool_rig.h"

/* A standard transaction to spoil. */
struct scene {
	struct policy policy;
	struct tx tx;
	struct tx_in in[3];
	struct tx_out out[4], spent[3];
	struct span witness[110];
	uint8_t big[500000];
	struct reject r;
};

static const struct span plain_script = { rig_script, 34 };

static struct scene *scene_new(void)
{
	struct scene *s = xcalloc(1, sizeof *s);

	policy_defaults(&s->policy);
	s->tx = (struct tx){ .version = 2, .in_count = 1, .in = s->in,
			     .out_count = 1, .out = s->out };
	s->out[0] = (struct tx_out){ 100000, plain_script };
	s->spent[0] = s->out[0];
	return s;
}

static const char *standard(struct scene *s)
{
	tx_finish(&s->tx);
	s->r = (struct reject){ 0 };
	return policy_standard(&s->r, &s->policy, &s->tx) ? "" : s->r.reason;
}

static void test_versions(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	for (uint32_t v = 1; v <= 3; v++) {
		s->tx.version = v;
		assert_string_equal(standard(s), "");
	}
	s->tx.version = 0;
	assert_string_equal(standard(s), "version");
	s->tx.version = 4;
	assert_string_equal(standard(s), "version");
	s->tx.version = UINT32_MAX;
	assert_string_equal(standard(s), "version");
	free(s);
}

static void test_weight(void **state)
{
	struct scene *s = scene_new();
	size_t room;

	(void)state;
	s->tx.has_witness = true;
	s->in[0].witness = s->witness;
	s->in[0].witness_count = 1;
	s->witness[0] = span_of(s->big, 300000);
	tx_finish(&s->tx);
	room = 400000 - (size_t)tx_weight(&s->tx);
	s->witness[0].n += room;
	assert_string_equal(standard(s), "");
	assert_int_equal(tx_weight(&s->tx), 400000);
	s->witness[0].n++;
	assert_string_equal(standard(s), "tx-size");
	free(s);
}

static void test_script_sig(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	s->in[0].script_sig = span_of(s->big, 1650); /* OP_0s */
	assert_string_equal(standard(s), "");
	s->in[0].script_sig.n++;
	assert_string_equal(standard(s), "scriptsig-size");
	s->big[5] = OP_NOP;
	s->in[0].script_sig.n = 100;
	assert_string_equal(standard(s), "scriptsig-not-pushonly");
	free(s);
}

static void test_outputs(void **state)
{
	static const uint8_t nop[] = { OP_NOP };
	static const uint8_t p2a[] = { OP_1, 2, 0x4e, 0x73 };
	static const uint8_t v16[] = { OP_16, 2, 1, 2 };
	uint8_t multisig[3 + 4 * 34] = { OP_1 };
	struct scene *s = scene_new();

	(void)state;
	s->out[0].script_pubkey = span_of(nop, 1);
	assert_string_equal(standard(s), "scriptpubkey");
	s->out[0].script_pubkey = span_of(p2a, sizeof p2a);
	assert_string_equal(standard(s), "");
	s->out[0].script_pubkey = span_of(v16, sizeof v16);
	assert_string_equal(standard(s), "");
	/* 1 of 3 keys, then 1 of 4. */
	for (int i = 0; i < 4; i++) {
		multisig[1 + 34 * i] = 33;
		multisig[2 + 34 * i] = 2;
	}
	multisig[1 + 3 * 34] = OP_3;
	multisig[2 + 3 * 34] = OP_CHECKMULTISIG;
	s->out[0].script_pubkey = span_of(multisig, 3 + 3 * 34);
	assert_string_equal(standard(s), "bare-multisig");
	s->policy.permit_bare_multisig = true;
	assert_string_equal(standard(s), "");
	multisig[1 + 3 * 34] = 33;
	multisig[2 + 3 * 34] = 2;
	multisig[1 + 4 * 34] = OP_4;
	multisig[2 + 4 * 34] = OP_CHECKMULTISIG;
	s->out[0].script_pubkey = span_of(multisig, sizeof multisig);
	assert_string_equal(standard(s), "scriptpubkey");
	free(s);
}

static void test_data_carrier(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	s->policy.data_carrier_bytes = 100;
	s->big[0] = OP_RETURN;
	s->tx.out_count = 2;
	for (int i = 0; i < 2; i++)
		s->out[i] = (struct tx_out){ 0, { s->big, 50 } };
	assert_string_equal(standard(s), "");
	s->out[1].script_pubkey.n++;
	assert_string_equal(standard(s), "datacarrier");
	s->policy.data_carrier_bytes = 101;
	assert_string_equal(standard(s), "");
	s->policy.data_carrier = false;
	assert_string_equal(standard(s), "datacarrier");
	/* The default is a limit on all together, not on one. */
	policy_defaults(&s->policy);
	s->tx.out_count = 1;
	s->out[0].script_pubkey.n = 90000;
	assert_string_equal(standard(s), "");
	free(s);
}

static int64_t dust_of(const uint8_t *script, size_t n)
{
	const struct tx_out out = { 0, { script, n } };

	return policy_dust_sat(&out, 3000);
}

static void test_dust(void **state)
{
	uint8_t p2pkh[25] = { OP_DUP, OP_HASH160, 20 };
	uint8_t p2wpkh[22] = { OP_0, 20 }, p2tr[34] = { OP_1, 32 };
	static const uint8_t p2a[] = { OP_1, 2, 0x4e, 0x73 };
	static const uint8_t data[] = { OP_RETURN };
	struct scene *s = scene_new();

	(void)state;
	p2pkh[23] = OP_EQUALVERIFY;
	p2pkh[24] = OP_CHECKSIG;
	assert_int_equal(dust_of(p2pkh, sizeof p2pkh), 546);
	assert_int_equal(dust_of(p2wpkh, sizeof p2wpkh), 294);
	assert_int_equal(dust_of(p2tr, sizeof p2tr), 330);
	assert_int_equal(dust_of(p2a, sizeof p2a), 240);
	assert_int_equal(dust_of(data, sizeof data), 0);
	s->tx.out_count = 2;
	s->out[0].value_sat = 330;
	s->out[1] = s->out[0];
	assert_string_equal(standard(s), "");
	s->out[0].value_sat = 329;
	assert_string_equal(standard(s), "");    /* one may be ephemeral */
	assert_true(policy_dust_fee_ok(&s->r, &s->policy, &s->tx, 0, 0));
	assert_false(policy_dust_fee_ok(&s->r, &s->policy, &s->tx, 1, 1));
	assert_false(policy_dust_fee_ok(&s->r, &s->policy, &s->tx, 0, 1));
	assert_string_equal(s->r.reason, "dust");
	s->out[1].value_sat = 0;
	assert_string_equal(standard(s), "dust");
	free(s);
}

static bool inputs_ok(struct scene *s)
{
	return policy_inputs_standard(&s->r, &s->tx, s->spent);
}

static void test_inputs(void **state)
{
	static const uint8_t nop[] = { OP_NOP };
	static const uint8_t v16[] = { OP_16, 2, 1, 2 };
	uint8_t p2sh[23] = { OP_HASH160, 20 };
	uint8_t sig[2 + 16];
	struct scene *s = scene_new();

	(void)state;
	p2sh[22] = OP_EQUAL;
	assert_true(inputs_ok(s));
	s->spent[0].script_pubkey = span_of(nop, 1);
	assert_false(inputs_ok(s));
	assert_string_equal(s->r.reason, "bad-txns-nonstandard-inputs");
	s->spent[0].script_pubkey = span_of(v16, sizeof v16);
	assert_false(inputs_ok(s));
	s->spent[0].script_pubkey = span_of(p2sh, sizeof p2sh);
	assert_false(inputs_ok(s));              /* no redeem script */
	/* A redeem script of 15 OP_CHECKSIG, then of 16. */
	memset(sig, OP_CHECKSIG, sizeof sig);
	sig[0] = 15;
	s->in[0].script_sig = span_of(sig, 16);
	assert_true(inputs_ok(s));
	sig[0] = 16;
	s->in[0].script_sig.n = 17;
	assert_false(inputs_ok(s));
	free(s);
}

/* BIP54: what the inputs run, witness apart. */
static void test_legacy_sigops(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	memset(s->big, OP_CHECKSIG, 2501);
	s->spent[0].script_pubkey = span_of(s->big, 2500);
	assert_true(policy_legacy_sigops_ok(&s->tx, s->spent));
	s->spent[0].script_pubkey.n++;
	assert_false(policy_legacy_sigops_ok(&s->tx, s->spent));
	s->spent[0].script_pubkey.n = 2000;
	s->tx.in_count = 2;
	s->spent[1].script_pubkey = span_of(s->big, 501);
	assert_false(policy_legacy_sigops_ok(&s->tx, s->spent));
	free(s);
}

static bool witness_ok(struct scene *s, uint32_t n)
{
	s->in[0].witness = s->witness;
	s->in[0].witness_count = n;
	return policy_witness_standard(&s->tx, s->spent);
}

static void test_p2wsh_witness(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	for (int i = 0; i < 110; i++)
		s->witness[i] = span_of(s->big, 80);
	assert_true(witness_ok(s, 101));
	assert_false(witness_ok(s, 102));
	s->witness[3].n = 81;
	assert_false(witness_ok(s, 50));
	s->witness[3].n = 80;
	s->witness[49].n = 3600;
	assert_true(witness_ok(s, 50));
	s->witness[49].n = 3601;
	assert_false(witness_ok(s, 50));
	free(s);
}

static void test_taproot_witness(void **state)
{
	uint8_t p2tr[34] = { OP_1, 32 }, control[33] = { 0xc1 };
	static const uint8_t p2a[] = { OP_1, 2, 0x4e, 0x73 };
	uint8_t annex[2] = { 0x50 };
	struct scene *s = scene_new();

	(void)state;
	s->spent[0].script_pubkey = span_of(p2tr, sizeof p2tr);
	s->witness[0] = span_of(s->big, 64);
	assert_true(witness_ok(s, 1));
	s->witness[1] = span_of(annex, 2);
	assert_false(witness_ok(s, 2));
	s->witness[0].n = 80;
	s->witness[1] = span_of(s->big, 9000);   /* the script: any size */
	s->witness[2] = span_of(control, 33);
	assert_true(witness_ok(s, 3));
	s->witness[0].n = 81;
	assert_false(witness_ok(s, 3));
	control[0] = 0xc2;                       /* another leaf version */
	assert_true(witness_ok(s, 3));
	s->witness[2].n = 0;
	assert_false(witness_ok(s, 3));
	s->spent[0].script_pubkey = span_of(p2a, sizeof p2a);
	assert_false(witness_ok(s, 1));
	assert_true(witness_ok(s, 0));
	assert_false(policy_spends_witness(&s->tx, s->spent));
	s->spent[0].script_pubkey = plain_script;
	assert_true(policy_spends_witness(&s->tx, s->spent));
	/* No witness where there is no program. */
	p2tr[0] = OP_NOP;
	s->spent[0].script_pubkey = span_of(p2tr, sizeof p2tr);
	assert_false(witness_ok(s, 1));
	free(s);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(policy_adjusted_weight(400, 20), 400);
	assert_int_equal(policy_adjusted_weight(400, 21), 420);
}

int test_mempool_policy(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_script_sig),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_data_carrier),
		cmocka_unit_test(test_dust),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_legacy_sigops),
		cmocka_unit_test(test_p2wsh_witness),
		cmocka_unit_test(test_taproot_witness),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
