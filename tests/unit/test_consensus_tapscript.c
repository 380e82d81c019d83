/*
 * Corners of tapscript, with spends built and signed here.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/taproot.h"
#include "crypto/secp.h"
#include "tests/unit/script_scene.h"
#include "tests/unit/test_consensus.h"

/* An output of one tapscript leaf under key 9. */
static void set_tapscript(struct scene *s, struct span script)
{
	uint8_t leaf[32], tweak[32], out[34] = { OP_1, 32 };

	memcpy(s->internal, xonly(s, 9).p, 32);
	taproot_leaf_hash(leaf, TAPROOT_LEAF_TAPSCRIPT, script);
	taproot_tweak(tweak, s->internal, leaf);
	assert_true(secp_xonly_tweak_add(out + 2, &s->parity, s->internal,
					 tweak));
	set_pubkey(s, arena_copy(&s->arena, span_of(out, sizeof out)));
}

static void add_script_and_control(struct scene *s, struct span script)
{
	uint8_t control[33];

	control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | s->parity);
	memcpy(control + 1, s->internal, 32);
	add_witness(s, script);
	add_witness(s, arena_copy(&s->arena, span_of(control, 33)));
}

static struct span sign_leaf(struct scene *s, uint8_t which,
			     struct span script, uint32_t codesep_pos,
			     uint8_t type)
{
	struct sighash_tap t = { .has_leaf = true,
				 .codesep_pos = codesep_pos };
	uint32_t count = s->in[s->at].witness_count;
	uint8_t key[32], msg[32], aux[32] = { 0 }, sig[65];
	struct spend p;

	taproot_leaf_hash(t.leaf_hash, TAPROOT_LEAF_TAPSCRIPT, script);
	s->in[s->at].witness_count = 1;
	p = spend_of(s);
	assert_true(sighash_taproot(msg, &p, &t, type));
	s->in[s->at].witness_count = count;
	secret(key, which);
	assert_true(secp_schnorr_sign(sig, msg, key, aux));
	sig[64] = type;
	return arena_copy(&s->arena, span_of(sig, type ? 65 : 64));
}

static void test_checksigadd_two_of_three(void **state)
{
	struct scene *s = scene_new();
	struct span script = words(
		s, "%s CHECKSIG %s CHECKSIGADD CODESEPARATOR %s CHECKSIGADD "
		"2 NUMEQUAL", push(s, xonly(s, 1)), push(s, xonly(s, 2)),
		push(s, xonly(s, 3)));
	const uint32_t none = 0xffffffff;

	(void)state;
	set_tapscript(s, script);
	/* The separator is operation 4: it is in the third message only. */
	add_witness(s, sign_leaf(s, 3, script, 4, SIGHASH_SINGLE));
	add_witness(s, NOTHING);
	add_witness(s, sign_leaf(s, 1, script, none, SIGHASH_DEFAULT));
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "OK");
	s->witness[1] = sign_leaf(s, 2, script, none, SIGHASH_ALL);
	EXPECT(s, TAP_FLAGS, "EVAL_FALSE");
	s->witness[0] = NOTHING;
	EXPECT(s, TAP_FLAGS, "OK");
	s->witness[0] = sign_leaf(s, 3, script, none, SIGHASH_SINGLE);
	EXPECT(s, TAP_FLAGS, "SCHNORR_SIG");
	scene_free(s);
}

/* Each signature uses 50 of the witness's weight and 50 more. */
static void test_validation_weight(void **state)
{
	struct scene *s = scene_new();
	struct span script = words(
		s, "%s 2DUP CHECKSIGVERIFY 2DUP CHECKSIGVERIFY "
		"2DUP CHECKSIGVERIFY 2DUP CHECKSIGVERIFY CHECKSIG",
		push(s, xonly(s, 1)));

	(void)state;
	set_tapscript(s, script);
	add_witness(s, sign_leaf(s, 1, script, 0xffffffff, SIGHASH_DEFAULT));
	add_script_and_control(s, script);
	/* 1 + 65 + 43 + 34 + 50 = 193: three signatures. */
	assert_int_equal(script.n, 42);
	EXPECT(s, TAP_FLAGS, "TAPSCRIPT_VALIDATION_WEIGHT");
	scene_free(s);
}

static void test_op_success_comes_first(void **state)
{
	struct scene *s = scene_new();
	struct bytes big = { 0 };
	struct span script = words(s, "0x50 0x05 0x00");
	uint8_t zeros[600] = { 0 };

	(void)state;
	set_tapscript(s, script);
	bytes_append(&big, zeros, sizeof zeros);
	add_witness(s, keep(s, &big));
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "OK");
	EXPECT(s, TAP_FLAGS | SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS,
	       "DISCOURAGE_OP_SUCCESS");
	EXPECT(s, V0_FLAGS, "OK");
	/* Behind a malformed push it is not reached; without it, the
	 * element is too big. */
	s->in[0].witness_count = 1;
	script = words(s, "0x05 0x50");
	set_tapscript(s, script);
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "BAD_OPCODE");
	s->in[0].witness_count = 1;
	script = words(s, "DROP 1");
	set_tapscript(s, script);
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "PUSH_SIZE");
	scene_free(s);
}

static void test_tapscript_drops_old_limits(void **state)
{
	struct scene *s = scene_new();
	struct span script = repeat(s, "", "NOP NOP NOP NOP", 3000, "1");

	(void)state;
	set_tapscript(s, script);
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "OK");
	s->in[0].witness_count = 0;
	script = words(s, "0 0 0 CHECKMULTISIG");
	set_tapscript(s, script);
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "TAPSCRIPT_CHECKMULTISIG");
	s->in[0].witness_count = 0;
	script = words(s, "2 IF ENDIF 1");
	set_tapscript(s, script);
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "TAPSCRIPT_MINIMALIF");
	scene_free(s);
}

int run_tapscript_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksigadd_two_of_three),
		cmocka_unit_test(test_validation_weight),
		cmocka_unit_test(test_op_success_comes_first),
		cmocka_unit_test(test_tapscript_drops_old_limits),
	};

	return cmocka_run_group_tests_name("tapscript", tests, NULL, NULL);
}
