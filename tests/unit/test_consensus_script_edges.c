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

#include "consensus/script.h"
#include "consensus/sighash.h"
#include "consensus/taproot.h"
#include "crypto/secp.h"
#include "tests/unit/script_text.h"
#include "tests/unit/test_consensus.h"

#define V0_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS)
#define TAP_FLAGS (V0_FLAGS | SCRIPT_VERIFY_TAPROOT)
#define MAX_WITNESS 1100

/* A transaction of two inputs and two outputs; the tests spend input `in`. */
struct scene {
	struct arena arena;
	struct tx tx;
	struct tx_in in[2];
	struct tx_out out[2], spent[2];
	struct span witness[MAX_WITNESS];
	struct sighash_cache cache;
	uint32_t at;             /* the input spent */
	uint8_t internal[32];    /* of the Taproot output, if one was made */
	int parity;
};

static const uint8_t op_true[1] = { OP_1 };

static struct scene *scene_new(void)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->in[0].prevout.txid.b[0] = 1;
	s->in[1].prevout.txid.b[0] = 2;
	s->in[0].sequence = s->in[1].sequence = 0xfffffffe;
	s->out[0] = (struct tx_out){ 1000, span_of(op_true, 1) };
	s->out[1] = (struct tx_out){ 2000, span_of(op_true, 1) };
	s->spent[0] = (struct tx_out){ 3000, span_of(op_true, 1) };
	s->spent[1] = (struct tx_out){ 4000, span_of(op_true, 1) };
	s->tx = (struct tx){ .version = 2, .in_count = 2, .out_count = 2,
			     .in = s->in, .out = s->out };
	s->in[0].witness = s->in[1].witness = s->witness;
	return s;
}

static void scene_free(struct scene *s)
{
	arena_clear(&s->arena);
	free(s);
}

static struct span keep(struct scene *s, struct bytes *b)
{
	struct span out = arena_copy(&s->arena, bytes_span(b));

	bytes_clear(b);
	return out;
}

/* A script in words, with hex of spans for %. */
static struct span words(struct scene *s, const char *text, ...)
{
	struct bytes b = { 0 };
	char line[8192];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof line, text, ap);
	va_end(ap);
	assert_true(script_parse(&b, line));
	return keep(s, &b);
}

/* "0x.. 0x…": the direct push of these bytes, in words. */
static const char *push(struct scene *s, struct span v)
{
	char *out = arena_alloc(&s->arena, 2 * v.n + 8);

	assert_in_range(v.n, 1, 75);
	snprintf(out, 8, "0x%02x 0x", (unsigned)v.n);
	hex_encode(out + 7, v.p, v.n);
	return out;
}

static void set_pubkey(struct scene *s, struct span script)
{
	s->spent[s->at].script_pubkey = script;
}

static void set_sig(struct scene *s, struct span script)
{
	s->in[s->at].script_sig = script;
}

static void add_witness(struct scene *s, struct span v)
{
	s->witness[s->in[s->at].witness_count++] = v;
	assert_true(s->in[s->at].witness_count < MAX_WITNESS);
}

static enum script_error run(struct scene *s, uint32_t flags)
{
	enum script_error err;
	bool ok;

	sighash_cache_init(&s->cache, &s->tx, s->spent);
	ok = script_verify(&s->tx, s->at, s->spent, flags, &s->cache, &err);
	assert_int_equal(ok, err == SCRIPT_OK);
	return err;
}

#define EXPECT(s, flags, want) \
	assert_string_equal(script_error_name(run(s, flags)), want)

/* ---- keys and signatures --------------------------------------------- */

static void secret(uint8_t key[static 32], uint8_t which)
{
	memset(key, which, 32);
}

static struct span pubkey(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[33];

	secret(key, which);
	assert_true(secp_pubkey_create(out, key));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

static struct span hybrid(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[65];

	secret(key, which);
	assert_true(secp_pubkey_uncompressed(out, key));
	out[0] = (uint8_t)(6 | (out[64] & 1));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

static struct span xonly(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[32];

	secret(key, which);
	assert_true(secp_xonly_create(out, key));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

static struct spend spend_of(struct scene *s)
{
	struct spend p = { &s->tx, s->at, s->spent, &s->cache };

	sighash_cache_init(&s->cache, &s->tx, s->spent);
	return p;
}

static struct span sign(struct scene *s, uint8_t which, struct span code,
			uint8_t type, enum sig_version version)
{
	struct sighash_memo memo = { .have = 0 };
	struct spend p = spend_of(s);
	uint8_t key[32], msg[32], sig[73];
	size_t n;

	secret(key, which);
	if (version != SIG_BASE && !s->cache.has_bip143) {
		/* The witness comes after signing: say there will be one. */
		s->in[s->at].witness_count = 1;
		p = spend_of(s);
		s->in[s->at].witness_count = 0;
	}
	sighash_ecdsa(msg, &memo, &p, version, code, type);
	assert_true(secp_ecdsa_sign(sig, &n, msg, key));
	sig[n] = type;
	return arena_copy(&s->arena, span_of(sig, n + 1));
}

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
	sig = sign(s, 1, words(s, ""), SIGHASH_SINGLE, SIG_BASE);
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

static struct span wsh(struct scene *s, struct span script)
{
	uint8_t out[34] = { OP_0, 32 };

	sha256(out + 2, script.p, script.n);
	return arena_copy(&s->arena, span_of(out, sizeof out));
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
	set_sig(s, words(s, ""));
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

static struct span repeat(struct scene *s, const char *first,
			  const char *word, unsigned count, const char *last)
{
	struct bytes b = { 0 };
	unsigned i;

	assert_true(script_parse(&b, first));
	for (i = 0; i < count; i++)
		assert_true(script_parse(&b, word));
	assert_true(script_parse(&b, last));
	return keep(s, &b);
}

static void test_limits(void **state)
{
	struct scene *s = scene_new();
	uint8_t *big = xcalloc(1, 10001);

	(void)state;
	set_pubkey(s, repeat(s, "", "NOP", 201, "1"));
	EXPECT(s, 0, "OK");
	set_pubkey(s, repeat(s, "", "NOP", 202, "1"));
	EXPECT(s, 0, "OP_COUNT");
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
		add_witness(s, words(s, ""));
	add_witness(s, span_of(twenty, 1));
	add_witness(s, script);
	/* 20 keys, both counts and the dummy go, one comes: 999 are left. */
	EXPECT(s, V0_FLAGS, "CLEANSTACK");
	s->witness[1020] = words(s, "");
	s->witness[1021] = span_of(twenty, 1);
	add_witness(s, script);
	EXPECT(s, V0_FLAGS, "CLEANSTACK");
	s->witness[1021] = words(s, "");
	s->witness[1022] = span_of(twenty, 1);
	add_witness(s, script);
	EXPECT(s, V0_FLAGS, "STACK_SIZE");
	scene_free(s);
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
	/* The version is unsigned here as in the reference node. */
	s->tx.version = 0xffffffff;
	set_pubkey(s, words(s, "0x03 0x100040 CHECKSEQUENCEVERIFY"));
	EXPECT(s, csv, "OK");
	s->tx.version = 1;
	EXPECT(s, csv, "UNSATISFIED_LOCKTIME");
	scene_free(s);
}

/* ---- P2SH and witness programs --------------------------------------- */

static struct span p2sh(struct scene *s, struct span script)
{
	uint8_t out[23] = { OP_HASH160, 20, [22] = OP_EQUAL };

	hash160(out + 2, script.p, script.n);
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

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
	set_pubkey(s, p2sh(s, words(s, "")));
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
	set_sig(s, words(s, ""));
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
	set_sig(s, words(s, ""));
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

/* ---- Taproot --------------------------------------------------------- */

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
	add_witness(s, words(s, ""));
	add_witness(s, sign_leaf(s, 1, script, none, SIGHASH_DEFAULT));
	add_script_and_control(s, script);
	EXPECT(s, TAP_FLAGS, "OK");
	s->witness[1] = sign_leaf(s, 2, script, none, SIGHASH_ALL);
	EXPECT(s, TAP_FLAGS, "EVAL_FALSE");
	s->witness[0] = words(s, "");
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

int run_script_edges_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_is_deleted_from_the_code),
		cmocka_unit_test(test_only_exact_pushes_are_deleted),
		cmocka_unit_test(
			test_multisig_deletes_all_its_signatures_first),
		cmocka_unit_test(test_edited_codes_are_not_confused),
		cmocka_unit_test(test_code_starts_after_the_last_separator),
		cmocka_unit_test(test_v0_code_keeps_its_separators),
		cmocka_unit_test(test_single_without_an_output),
		cmocka_unit_test(test_hybrid_keys),
		cmocka_unit_test(test_multisig_looks_only_at_keys_it_reaches),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_alt_stack_is_private),
		cmocka_unit_test(test_witness_of_too_many_elements),
		cmocka_unit_test(test_numbers_of_five_bytes),
		cmocka_unit_test(test_lock_times),
		cmocka_unit_test(test_p2sh),
		cmocka_unit_test(test_witness_corners),
		cmocka_unit_test(test_what_fails_even_unexecuted),
		cmocka_unit_test(test_checksigadd_two_of_three),
		cmocka_unit_test(test_validation_weight),
		cmocka_unit_test(test_op_success_comes_first),
		cmocka_unit_test(test_tapscript_drops_old_limits),
	};

	return cmocka_run_group_tests_name("script edges", tests, NULL, NULL);
}
