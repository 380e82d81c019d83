/*
 * Corners of the script rules where implementations have disagreed: each
 * spend is built and signed here, then bent.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/script_scene.h"
#include "tests/unit/test_consensus.h"

/* ---- FindAndDelete --------------------------------------------------- */

static void test_signature_is_deleted_from_the_code(void **state)
{
	struct scene *s = scene_new();
	const char *key = push(s, pubkey(s, 1));
	struct span sig = sign(s, 1, words(s, "DROP %s CHECKSIG", key),
			       SIGHASH_ALL, SIG_BASE);

	(void)state;
	set_sig(s, words(s, "%s", push(s, sig)));
	set_pubkey(s, words(s, "%s DROP %s CHECKSIG", push(s, sig), key));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "SIG_FINDANDDELETE");
	/* Twice as good as once. */
	sig = sign(s, 1, words(s, "DROP DROP %s CHECKSIG", key), SIGHASH_ALL,
		   SIG_BASE);
	set_sig(s, words(s, "%s", push(s, sig)));
	set_pubkey(s, words(s, "%s %s DROP DROP %s CHECKSIG", push(s, sig),
			    push(s, sig), key));
	EXPECT(s, 0, "OK");
	/* A longer push of the same bytes is not the signature's push. */
	set_pubkey(s, words(s, "0x4c %s DROP %s CHECKSIG", push(s, sig),
			    key));
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "EVAL_FALSE");
	scene_free(s);
}

/* CVE-2024-38365: a push that only contains the signature is kept.  The
 * message is the number one here, so that it can contain the signature. */
static void test_only_exact_pushes_are_deleted(void **state)
{
	struct scene *s = scene_new();
	const char *key = push(s, pubkey(s, 1));
	uint8_t more[75] = { 0 };
	struct span sig;

	(void)state;
	s->at = 1;
	s->tx.out_count = 1;
	sig = sign(s, 1, NOTHING, SIGHASH_SINGLE, SIG_BASE);
	memcpy(more, sig.p, sig.n);
	set_sig(s, words(s, "%s", push(s, sig)));
	set_pubkey(s, words(s, "%s DROP %s CHECKSIG",
			    push(s, span_of(more, sig.n + 1)), key));
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "OK");
	set_pubkey(s, words(s, "%s DROP %s CHECKSIG", push(s, sig), key));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "SIG_FINDANDDELETE");
	scene_free(s);
}

static void test_multisig_deletes_all_its_signatures_first(void **state)
{
	struct scene *s = scene_new();
	const char *k1 = push(s, pubkey(s, 1)), *k2 = push(s, pubkey(s, 2));
	struct span code = words(s, "2DROP 2 %s %s 2 CHECKMULTISIG", k1, k2);
	struct span a = sign(s, 1, code, SIGHASH_ALL, SIG_BASE);
	struct span b = sign(s, 2, code, SIGHASH_ALL, SIG_BASE);

	(void)state;
	set_pubkey(s, words(s, "%s %s 2DROP 2 %s %s 2 CHECKMULTISIG",
			    push(s, b), push(s, a), k1, k2));
	set_sig(s, words(s, "0 %s %s", push(s, a), push(s, b)));
	EXPECT(s, SCRIPT_VERIFY_NULLDUMMY, "OK");
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "SIG_FINDANDDELETE");
	set_sig(s, words(s, "0 %s %s", push(s, b), push(s, a)));
	EXPECT(s, 0, "EVAL_FALSE");
	EXPECT(s, SCRIPT_VERIFY_NULLFAIL, "NULLFAIL");
	scene_free(s);
}

/* Edited code of one operation must not serve the next one's message. */
static void test_edited_codes_are_not_confused(void **state)
{
	struct scene *s = scene_new();
	const char *k1 = push(s, pubkey(s, 1)), *k2 = push(s, pubkey(s, 2));
	struct span code, a, b;

	(void)state;
	/* Only b stands in the script, so a signs with b's push in place:
	 * make b sign first, over the code without itself. */
	code = words(s, "DROP %s CHECKSIGVERIFY %s CHECKSIG", k1, k2);
	b = sign(s, 2, code, SIGHASH_ALL, SIG_BASE);
	code = words(s, "%s DROP %s CHECKSIGVERIFY %s CHECKSIG", push(s, b),
		     k1, k2);
	a = sign(s, 1, code, SIGHASH_ALL, SIG_BASE);
	set_pubkey(s, code);
	set_sig(s, words(s, "%s %s", push(s, b), push(s, a)));
	EXPECT(s, 0, "OK");
	/* The same code for two signatures of one kind: once hashed. */
	code = words(s, "%s CHECKSIGVERIFY %s CHECKSIG", k1, k2);
	a = sign(s, 1, code, SIGHASH_NONE, SIG_BASE);
	b = sign(s, 2, code, SIGHASH_NONE | SIGHASH_ANYONECANPAY, SIG_BASE);
	set_pubkey(s, code);
	set_sig(s, words(s, "%s %s", push(s, b), push(s, a)));
	EXPECT(s, 0, "OK");
	s->out[0].value_sat++;
	EXPECT(s, 0, "OK");
	s->in[1].prevout.n++;   /* a signs all inputs, b its own */
	EXPECT(s, 0, "CHECKSIGVERIFY");
	scene_free(s);
}

/* The same for two codes, each with one push deleted, of one length. */
static void test_two_edited_codes_in_one_script(void **state)
{
	struct scene *s = scene_new();
	const char *k1 = push(s, pubkey(s, 1)), *k2 = push(s, pubkey(s, 2));
	uint8_t bytes[72] = { 0x77, [71] = SIGHASH_ALL };
	struct span junk = span_of(bytes, sizeof bytes), sig = NOTHING;

	(void)state;
	/* A wrong signature as long as the right one, which signs it. */
	while (sig.n != junk.n && bytes[1]++ < 100)
		sig = sign(s, 2, words(s, "%s 2DROP %s CHECKSIG DROP "
				       "%s CHECKSIG", push(s, junk), k1, k2),
			   SIGHASH_ALL, SIG_BASE);
	assert_int_equal(sig.n, junk.n);
	set_pubkey(s, words(s, "%s %s 2DROP %s CHECKSIG DROP %s CHECKSIG",
			    push(s, junk), push(s, sig), k1, k2));
	set_sig(s, words(s, "%s %s", push(s, sig), push(s, junk)));
	EXPECT(s, 0, "OK");
	scene_free(s);
}

/* ---- messages -------------------------------------------------------- */

static void test_code_starts_after_the_last_separator(void **state)
{
	struct scene *s = scene_new();
	const char *k1 = push(s, pubkey(s, 1)), *k2 = push(s, pubkey(s, 2));
	struct span a, b;

	(void)state;
	set_pubkey(s, words(s, "%s CHECKSIGVERIFY CODESEPARATOR %s CHECKSIG",
			    k1, k2));
	a = sign(s, 1, words(s, "%s CHECKSIGVERIFY %s CHECKSIG", k1, k2),
		 SIGHASH_ALL, SIG_BASE);
	b = sign(s, 2, words(s, "%s CHECKSIG", k2), SIGHASH_ALL, SIG_BASE);
	set_sig(s, words(s, "%s %s", push(s, b), push(s, a)));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "OP_CODESEPARATOR");
	/* One that is skipped does not count as executed. */
	set_pubkey(s, words(s, "0 IF CODESEPARATOR ENDIF %s CHECKSIG", k1));
	a = sign(s, 1, words(s, "0 IF ENDIF %s CHECKSIG", k1), SIGHASH_ALL,
		 SIG_BASE);
	set_sig(s, words(s, "%s", push(s, a)));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_CONST_SCRIPTCODE, "OP_CODESEPARATOR");
	scene_free(s);
}

static void test_v0_code_keeps_its_separators(void **state)
{
	struct scene *s = scene_new();
	const char *k1 = push(s, pubkey(s, 1)), *k2 = push(s, pubkey(s, 2));
	struct span script = words(
		s, "%s CHECKSIGVERIFY CODESEPARATOR %s CHECKSIG", k1, k2);

	(void)state;
	set_pubkey(s, wsh(s, script));
	add_witness(s, sign(s, 2, words(s, "%s CHECKSIG", k2), SIGHASH_ALL,
			    SIG_WITNESS_V0));
	add_witness(s, sign(s, 1, script, SIGHASH_ALL, SIG_WITNESS_V0));
	add_witness(s, script);
	EXPECT(s, V0_FLAGS | SCRIPT_VERIFY_CONST_SCRIPTCODE, "OK");
	/* BIP143 signs the amount. */
	s->spent[0].value_sat++;
	EXPECT(s, V0_FLAGS, "CHECKSIGVERIFY");
	scene_free(s);
}

static void test_single_without_an_output(void **state)
{
	struct scene *s = scene_new();
	struct span code = words(s, "%s CHECKSIG", push(s, pubkey(s, 1)));
	struct span sig;

	(void)state;
	s->at = 1;
	s->tx.out_count = 1;
	sig = sign(s, 1, code, SIGHASH_SINGLE, SIG_BASE);
	set_pubkey(s, code);
	set_sig(s, words(s, "%s", push(s, sig)));
	EXPECT(s, 0, "OK");
	/* It signs nothing at all. */
	s->tx.version = 77;
	s->in[1].prevout.n = 5;
	EXPECT(s, 0, "OK");
	s->tx.out_count = 2;
	EXPECT(s, 0, "EVAL_FALSE");
	scene_free(s);
}

/* ---- keys ------------------------------------------------------------ */

static void test_hybrid_keys(void **state)
{
	struct scene *s = scene_new();
	struct span code = words(s, "%s CHECKSIG", push(s, hybrid(s, 1)));
	struct span sig = sign(s, 1, code, SIGHASH_ALL, SIG_BASE);
	uint8_t *wrong;

	(void)state;
	set_pubkey(s, code);
	set_sig(s, words(s, "%s", push(s, sig)));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_STRICTENC, "PUBKEYTYPE");
	/* The wrong parity in the first byte: not a key. */
	wrong = (uint8_t *)xmemdup(code.p, code.n);
	wrong[1] ^= 1;
	set_pubkey(s, span_of(wrong, code.n));
	EXPECT(s, 0, "EVAL_FALSE");
	free(wrong);
	/* In v0 only policy forbids them. */
	set_sig(s, NOTHING);
	set_pubkey(s, wsh(s, code));
	add_witness(s, sign(s, 1, code, SIGHASH_ALL, SIG_WITNESS_V0));
	add_witness(s, code);
	EXPECT(s, V0_FLAGS, "OK");
	EXPECT(s, V0_FLAGS | SCRIPT_VERIFY_WITNESS_PUBKEYTYPE,
	       "WITNESS_PUBKEYTYPE");
	scene_free(s);
}

static void test_multisig_looks_only_at_keys_it_reaches(void **state)
{
	struct scene *s = scene_new();
	struct span code = words(s, "1 0x01 0x00 %s 2 CHECKMULTISIG",
				 push(s, pubkey(s, 1)));

	(void)state;
	set_pubkey(s, code);
	set_sig(s, words(s, "0 %s", push(s, sign(s, 1, code, SIGHASH_ALL,
						 SIG_BASE))));
	/* The last key is tried first and fits; the bad one is not read. */
	EXPECT(s, SCRIPT_VERIFY_STRICTENC, "OK");
	code = words(s, "1 %s 0x01 0x00 2 CHECKMULTISIG",
		     push(s, pubkey(s, 1)));
	set_pubkey(s, code);
	set_sig(s, words(s, "0 %s", push(s, sign(s, 1, code, SIGHASH_ALL,
						 SIG_BASE))));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_STRICTENC, "PUBKEYTYPE");
	scene_free(s);
}

/* ---- limits ---------------------------------------------------------- */

static void test_limits(void **state)
{
	struct scene *s = scene_new();
	uint8_t *big = xcalloc(1, 10001);

	(void)state;
	set_pubkey(s, repeat(s, "", "NOP", 201, "1"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, repeat(s, "", "NOP", 202, "1"));
	EXPECT(s, 0, "OP_COUNT");
	set_pubkey(s, repeat(s, "", "16", 300, ""));
	EXPECT(s, 0, "OK");
	/* Skipped operations count, OP_RESERVED does not. */
	set_pubkey(s, repeat(s, "0 IF", "NOP RESERVED", 199, "ENDIF 1"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, repeat(s, "0 IF", "NOP", 200, "ENDIF 1"));
	EXPECT(s, 0, "OP_COUNT");
	/* The keys of CHECKMULTISIG count. */
	set_pubkey(s, repeat(s, "0 0 1 2 3 3", "NOP", 197, "CHECKMULTISIG"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, repeat(s, "0 0 1 2 3 3", "NOP", 198, "CHECKMULTISIG"));
	EXPECT(s, 0, "OP_COUNT");
	set_pubkey(s, repeat(s, "", "1", 1000, ""));
	EXPECT(s, 0, "OK");
	set_pubkey(s, repeat(s, "", "1", 1001, "DROP"));
	EXPECT(s, 0, "STACK_SIZE");
	set_pubkey(s, repeat(s, "1 TOALTSTACK", "1", 1000, ""));
	EXPECT(s, 0, "STACK_SIZE");
	set_pubkey(s, repeat(s, "", "1", 998, "3DUP"));
	EXPECT(s, 0, "STACK_SIZE");
	memset(big, OP_1, 10001);
	set_pubkey(s, span_of(big, 10001));
	EXPECT(s, 0, "SCRIPT_SIZE");
	big[0] = OP_PUSHDATA2;
	big[1] = 0x09;          /* 521 bytes, not executed */
	big[2] = 0x02;
	set_sig(s, words(s, "0"));
	set_pubkey(s, span_of(big, 600));
	EXPECT(s, 0, "PUSH_SIZE");
	big[1] = 0x08;
	EXPECT(s, 0, "OK");
	free(big);
	scene_free(s);
}

/* The alt stack of one script is not seen by the next. */
static void test_alt_stack_is_private(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	set_sig(s, words(s, "1 2 TOALTSTACK"));
	set_pubkey(s, words(s, "FROMALTSTACK"));
	EXPECT(s, 0, "INVALID_ALTSTACK_OPERATION");
	set_sig(s, words(s, "1 2 TOALTSTACK 3 TOALTSTACK"));
	set_pubkey(s, words(s, "4 TOALTSTACK 1 EQUALVERIFY FROMALTSTACK"));
	EXPECT(s, 0, "OK");
	set_sig(s, words(s, "1 IF 1"));
	set_pubkey(s, words(s, "ENDIF"));
	EXPECT(s, 0, "UNBALANCED_CONDITIONAL");
	scene_free(s);
}

/* In v0 a witness may have more elements than a stack: the first operation
 * runs before anything is counted. */
static void test_witness_of_too_many_elements(void **state)
{
	static const uint8_t twenty[1] = { 20 };
	struct scene *s = scene_new();
	struct span script = words(s, "CHECKMULTISIG");
	unsigned i;

	(void)state;
	set_pubkey(s, wsh(s, script));
	for (i = 0; i < 1020; i++)
		add_witness(s, NOTHING);
	add_witness(s, span_of(twenty, 1));
	add_witness(s, script);
	/* 20 keys, both counts and the dummy go, one comes: 999 are left. */
	EXPECT(s, V0_FLAGS, "CLEANSTACK");
	s->witness[1020] = NOTHING;
	s->witness[1021] = span_of(twenty, 1);
	add_witness(s, script);
	EXPECT(s, V0_FLAGS, "CLEANSTACK");
	s->witness[1021] = NOTHING;
	s->witness[1022] = span_of(twenty, 1);
	add_witness(s, script);
	EXPECT(s, V0_FLAGS, "STACK_SIZE");
	scene_free(s);
}

/* n elements, the top ones making CHECKMULTISIG take 43 and give one. */
static enum script_error run_multisig_on(unsigned n)
{
	static const uint8_t twenty[1] = { 20 };
	struct scene *s = scene_new();
	struct span script = words(s, "CHECKMULTISIG");
	enum script_error err;

	set_pubkey(s, wsh(s, script));
	for (unsigned i = 1; i <= n; i++)
		add_witness(s, i == n || i + 21 == n ? span_of(twenty, 1) :
						       NOTHING);
	add_witness(s, script);
	err = run(s, V0_FLAGS);
	scene_free(s);
	return err;
}

/* More elements than can matter are not even put on the stack. */
static void test_witness_of_far_too_many_elements(void **state)
{
	static const struct {
		const char *script, *want;
	} cases[] = {
		{ "1", "STACK_SIZE" }, { "2DROP", "STACK_SIZE" },
		{ "DEPTH", "STACK_SIZE" }, { "RETURN", "OP_RETURN" },
		{ "", "CLEANSTACK" }, { "CAT", "DISABLED_OPCODE" },
		{ "0x4c", "BAD_OPCODE" }, { "VERIFY", "VERIFY" },
	};

	(void)state;
	for (unsigned n = 1041; n <= 1047; n++)
		assert_int_equal(run_multisig_on(n), n <= 1042 ?
				 SCRIPT_ERR_CLEANSTACK :
				 SCRIPT_ERR_STACK_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene *s = scene_new();
		struct span script = words(s, "%s", cases[i].script);

		set_pubkey(s, wsh(s, script));
		while (s->in[0].witness_count < 1090)
			add_witness(s, NOTHING);
		add_witness(s, script);
		EXPECT(s, V0_FLAGS, cases[i].want);
		scene_free(s);
	}
}

/* ---- numbers and lock times ------------------------------------------ */

static void test_numbers_of_five_bytes(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	set_pubkey(s, words(s, "2147483647 1ADD SIZE 5 EQUALVERIFY"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "2147483647 1ADD 1SUB"));
	EXPECT(s, 0, "SCRIPTNUM");
	set_pubkey(s, words(s, "2147483647 DUP ADD 0x05 0xfeffffff00 EQUAL"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "0 0x05 0x0000000000 BOOLOR"));
	EXPECT(s, 0, "SCRIPTNUM");
	scene_free(s);
}

static void test_lock_times(void **state)
{
	const uint32_t cltv = SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
	const uint32_t csv = SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
	struct scene *s = scene_new();

	(void)state;
	s->tx.lock_time = 0xffffffff;
	set_pubkey(s, words(s, "4294967295 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "OK");
	set_pubkey(s, words(s, "0x05 0x0000000001 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "UNSATISFIED_LOCKTIME");
	set_pubkey(s, words(s, "0x06 0xffffff7f0000 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "SCRIPTNUM");
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "499999999 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "UNSATISFIED_LOCKTIME");
	set_pubkey(s, words(s, "-1 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "NEGATIVE_LOCKTIME");
	s->in[0].sequence = TX_SEQUENCE_FINAL;
	set_pubkey(s, words(s, "4294967295 CHECKLOCKTIMEVERIFY"));
	EXPECT(s, cltv, "UNSATISFIED_LOCKTIME");

	/* Bits of the sequence that mean nothing are not compared. */
	s->in[0].sequence = 0x00ff0010;
	set_pubkey(s, words(s, "0x03 0x100040 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "OK");
	set_pubkey(s, words(s, "0x03 0x110040 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "UNSATISFIED_LOCKTIME");
	set_pubkey(s, words(s, "0x02 0x1000 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "UNSATISFIED_LOCKTIME");
	set_pubkey(s, words(s, "0x05 0x0000008000 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "OK");
	s->in[0].sequence = 0x80000010;
	set_pubkey(s, words(s, "16 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "UNSATISFIED_LOCKTIME");
	s->in[0].sequence = 0x00000010;
	EXPECT(s, csv, "OK");
	s->in[0].sequence = 0x00ff0010;
	/* The version is unsigned here as in the reference node. */
	s->tx.version = 0xffffffff;
	set_pubkey(s, words(s, "0x03 0x100040 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "OK");
	s->tx.version = 1;
	EXPECT(s, csv, "UNSATISFIED_LOCKTIME");
	scene_free(s);
}

/* ---- P2SH and witness programs --------------------------------------- */

static void test_p2sh(void **state)
{
	static const uint8_t one[1] = { 1 };
	struct scene *s = scene_new();

	(void)state;
	/* OP_1 pushes the byte 01, as a script a push of a missing byte. */
	set_pubkey(s, p2sh(s, span_of(one, 1)));
	set_sig(s, words(s, "1"));
	EXPECT(s, 0, "OK");
	EXPECT(s, SCRIPT_VERIFY_P2SH, "BAD_OPCODE");
	/* An empty redeem script leaves what lies below it. */
	set_pubkey(s, p2sh(s, NOTHING));
	set_sig(s, words(s, "1 0"));
	EXPECT(s, SCRIPT_VERIFY_P2SH, "OK");
	set_sig(s, words(s, "0"));
	EXPECT(s, SCRIPT_VERIFY_P2SH, "EVAL_FALSE");
	/* script_sig must only push, but that is asked late. */
	set_sig(s, words(s, "1 0 NOP"));
	EXPECT(s, SCRIPT_VERIFY_P2SH, "SIG_PUSHONLY");
	EXPECT(s, 0, "OK");
	scene_free(s);
}

static void test_witness_corners(void **state)
{
	struct scene *s = scene_new();
	uint8_t v0[34] = { OP_0, 32 };

	(void)state;
	/* A program of zeros is a false top element before it is more. */
	set_pubkey(s, span_of(v0, 34));
	EXPECT(s, V0_FLAGS, "EVAL_FALSE");
	v0[5] = 1;
	EXPECT(s, V0_FLAGS, "WITNESS_PROGRAM_WITNESS_EMPTY");
	v0[1] = 31;
	set_pubkey(s, span_of(v0, 33));
	EXPECT(s, V0_FLAGS, "WITNESS_PROGRAM_WRONG_LENGTH");
	set_sig(s, words(s, "0"));
	EXPECT(s, V0_FLAGS, "WITNESS_MALLEATED");
	/* Pay-to-anchor: anyone, with any witness; in P2SH a version to
	 * come. */
	set_sig(s, NOTHING);
	set_pubkey(s, words(s, "1 0x02 0x4e73"));
	EXPECT(s, TAP_FLAGS |
	       SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, "OK");
	add_witness(s, words(s, "1"));
	EXPECT(s, TAP_FLAGS | SCRIPT_VERIFY_CLEANSTACK, "OK");
	set_pubkey(s, p2sh(s, words(s, "1 0x02 0x4e73")));
	set_sig(s, words(s, "0x04 0x51024e73"));
	EXPECT(s, TAP_FLAGS, "OK");
	EXPECT(s, TAP_FLAGS |
	       SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM,
	       "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM");
	/* The push must be the direct one. */
	set_sig(s, words(s, "0x4c04 0x51024e73"));
	EXPECT(s, TAP_FLAGS, "WITNESS_MALLEATED_P2SH");
	set_pubkey(s, words(s, "1"));
	set_sig(s, NOTHING);
	EXPECT(s, TAP_FLAGS, "WITNESS_UNEXPECTED");
	EXPECT(s, 0, "OK");
	scene_free(s);
}

/* ---- skipped branches ------------------------------------------------ */

static void test_what_fails_even_unexecuted(void **state)
{
	struct scene *s = scene_new();

	(void)state;
	set_pubkey(s, words(s, "0 IF CAT ENDIF 1"));
	EXPECT(s, 0, "DISABLED_OPCODE");
	set_pubkey(s, words(s, "0 IF VERIF ENDIF 1"));
	EXPECT(s, 0, "BAD_OPCODE");
	set_pubkey(s, words(s, "0 IF VER RESERVED RETURN 0xff 0xba ENDIF 1"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "0 IF 0x05 0x00"));
	EXPECT(s, 0, "BAD_OPCODE");
	/* Any number of ELSEs; nested ones follow their own IF. */
	set_pubkey(s, words(s, "1 IF 0 ELSE 1 ELSE DROP 1 ENDIF"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "0 IF 1 IF RETURN ELSE RETURN ENDIF "
			       "ELSE 1 ENDIF"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, words(s, "1 ELSE"));
	EXPECT(s, 0, "UNBALANCED_CONDITIONAL");
	scene_free(s);
}

int run_script_edges_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_is_deleted_from_the_code),
		cmocka_unit_test(test_only_exact_pushes_are_deleted),
		cmocka_unit_test(
			test_multisig_deletes_all_its_signatures_first),
		cmocka_unit_test(test_edited_codes_are_not_confused),
		cmocka_unit_test(test_two_edited_codes_in_one_script),
		cmocka_unit_test(test_code_starts_after_the_last_separator),
		cmocka_unit_test(test_v0_code_keeps_its_separators),
		cmocka_unit_test(test_single_without_an_output),
		cmocka_unit_test(test_hybrid_keys),
		cmocka_unit_test(test_multisig_looks_only_at_keys_it_reaches),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_alt_stack_is_private),
		cmocka_unit_test(test_witness_of_too_many_elements),
		cmocka_unit_test(test_witness_of_far_too_many_elements),
		cmocka_unit_test(test_numbers_of_five_bytes),
		cmocka_unit_test(test_lock_times),
		cmocka_unit_test(test_p2sh),
		cmocka_unit_test(test_witness_corners),
		cmocka_unit_test(test_what_fails_even_unexecuted),
	};

	return cmocka_run_group_tests_name("script edges", tests, NULL, NULL);
}
