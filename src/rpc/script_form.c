/*
 * Kinds of output scripts, and scripts in words.
 */
#include "config.h"

#include "rpc/script_form.h"

#include <stdio.h>
#include <stdlib.h>

bool pubkey_size_ok(struct span key)
{
	if (key.n == 0)
		return false;
	if (key.p[0] == 2 || key.p[0] == 3)
		return key.n == 33;
	return (key.p[0] == 4 || key.p[0] == 6 || key.p[0] == 7) &&
	       key.n == 65;
}

static bool one(struct script_parts *parts, struct span s)
{
	parts->count = 1;
	parts->data[0] = s;
	return true;
}

static bool is_pubkey(struct span s, struct script_parts *parts)
{
	struct span key;

	if (s.n != 35 && s.n != 67)
		return false;
	key = span_of(s.p + 1, s.n - 2);
	return s.p[0] == key.n && s.p[s.n - 1] == OP_CHECKSIG &&
	       pubkey_size_ok(key) && one(parts, key);
}

static bool is_pubkeyhash(struct span s, struct script_parts *parts)
{
	return s.n == 25 && s.p[0] == OP_DUP && s.p[1] == OP_HASH160 &&
	       s.p[2] == 20 && s.p[23] == OP_EQUALVERIFY &&
	       s.p[24] == OP_CHECKSIG && one(parts, span_of(s.p + 3, 20));
}

/* OP_1 to OP_16, or a minimal push of a number; at least min, at most 20. */
static bool small_number(const struct script_op *op, unsigned min,
			 unsigned *out)
{
	int64_t v;

	if (op->code >= OP_1 && op->code <= OP_16)
		v = (int64_t)op->code - OP_1 + 1;
	else if (op->code > OP_PUSHDATA4 || !script_push_is_minimal(op) ||
		 !script_number_read(&v, op->data, 4, true))
		return false;
	if (v < min || v > SCRIPT_MAX_MULTISIG_KEYS)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool is_multisig(struct span s, struct script_parts *parts)
{
	struct script_iter it = script_iter_of(s);
	struct script_op op;
	unsigned total;

	if (s.n == 0 || s.p[s.n - 1] != OP_CHECKMULTISIG ||
	    !script_next(&it, &op) || !small_number(&op, 1, &parts->required))
		return false;
	parts->count = 0;
	for (;;) {
		if (!script_next(&it, &op))
			return false;
		if (op.code > OP_PUSHDATA4 || !pubkey_size_ok(op.data))
			break;
		if (parts->count == ARRAY_SIZE(parts->data))
			return false;
		parts->data[parts->count++] = op.data;
	}
	return small_number(&op, parts->required, &total) &&
	       total == parts->count && it.p + 1 == it.end;
}

static enum script_form witness_form(unsigned version, struct span program,
				     struct span s,
				     struct script_parts *parts)
{
	one(parts, program);
	if (version == 0 && program.n == 20)
		return FORM_WITNESS_V0_KEYHASH;
	if (version == 0 && program.n == 32)
		return FORM_WITNESS_V0_SCRIPTHASH;
	if (version == 1 && program.n == 32)
		return FORM_WITNESS_V1_TAPROOT;
	if (script_is_p2a(s))
		return FORM_ANCHOR;
	return version ? FORM_WITNESS_UNKNOWN : FORM_NONSTANDARD;
}

enum script_form script_form(struct span s, struct script_parts *parts)
{
	struct span program;
	unsigned version;

	*parts = (struct script_parts){ 0 };
	if (script_is_p2sh(s)) {
		one(parts, span_of(s.p + 2, 20));
		return FORM_SCRIPTHASH;
	}
	if (script_is_witness_program(s, &version, &program))
		return witness_form(version, program, s, parts);
	if (s.n >= 1 && s.p[0] == OP_RETURN &&
	    script_is_push_only(span_of(s.p + 1, s.n - 1)))
		return FORM_NULLDATA;
	if (is_pubkey(s, parts))
		return FORM_PUBKEY;
	if (is_pubkeyhash(s, parts))
		return FORM_PUBKEYHASH;
	if (is_multisig(s, parts))
		return FORM_MULTISIG;
	return FORM_NONSTANDARD;
}

const char *script_form_name(enum script_form f)
{
	static const char *const names[] = {
		[FORM_NONSTANDARD] = "nonstandard",
		[FORM_PUBKEY] = "pubkey",
		[FORM_PUBKEYHASH] = "pubkeyhash",
		[FORM_SCRIPTHASH] = "scripthash",
		[FORM_MULTISIG] = "multisig",
		[FORM_NULLDATA] = "nulldata",
		[FORM_ANCHOR] = "anchor",
		[FORM_WITNESS_V0_SCRIPTHASH] = "witness_v0_scripthash",
		[FORM_WITNESS_V0_KEYHASH] = "witness_v0_keyhash",
		[FORM_WITNESS_V1_TAPROOT] = "witness_v1_taproot",
		[FORM_WITNESS_UNKNOWN] = "witness_unknown",
	};

	return names[f];
}

/* ---- in words ---- */

static const char *sighash_word(uint8_t type)
{
	switch (type) {
	case 0x01:
		return "ALL";
	case 0x02:
		return "NONE";
	case 0x03:
		return "SINGLE";
	case 0x81:
		return "ALL|ANYONECANPAY";
	case 0x82:
		return "NONE|ANYONECANPAY";
	case 0x83:
		return "SINGLE|ANYONECANPAY";
	}
	return NULL;
}

/* One of the two integers of a strict DER signature, at p[at]. */
static bool der_integer_ok(struct span s, size_t at, size_t len)
{
	return s.p[at - 2] == 0x02 && len > 0 && !(s.p[at] & 0x80) &&
	       !(len > 1 && s.p[at] == 0 && !(s.p[at + 1] & 0x80));
}

/* BIP66's form, hash type included. */
static bool looks_like_signature(struct span s)
{
	size_t len_r, len_s;

	if (s.n < 9 || s.n > 73 || s.p[0] != 0x30 || s.p[1] != s.n - 3)
		return false;
	len_r = s.p[3];
	if (5 + len_r >= s.n)
		return false;
	len_s = s.p[5 + len_r];
	return len_r + len_s + 7 == s.n && der_integer_ok(s, 4, len_r) &&
	       der_integer_ok(s, 6 + len_r, len_s) &&
	       sighash_word(s.p[s.n - 1]);
}

static void append_text(struct bytes *b, const char *s)
{
	bytes_append(b, s, strlen(s));
}

static void append_push(struct bytes *b, struct span data, bool sighash)
{
	const char *word = NULL;
	char number[24];
	int64_t v;
	char *hex;

	if (data.n <= 4) {
		if (!script_number_read(&v, data, 4, false))
			v = 0;
		snprintf(number, sizeof number, "%lld", (long long)v);
		append_text(b, number);
		return;
	}
	if (sighash && looks_like_signature(data)) {
		word = sighash_word(data.p[data.n - 1]);
		data.n--;
	}
	hex = hex_new(data);
	append_text(b, hex);
	free(hex);
	if (word) {
		append_text(b, "[");
		append_text(b, word);
		append_text(b, "]");
	}
}

char *script_asm(struct span script, bool sighash)
{
	struct script_iter it = script_iter_of(script);
	struct bytes b = { 0 };
	struct script_op op;

	if (script_is_unspendable(script))
		sighash = false;
	while (it.p < it.end) {
		if (b.n)
			append_text(&b, " ");
		if (!script_next(&it, &op)) {
			append_text(&b, "[error]");
			break;
		}
		if (op.code <= OP_PUSHDATA4)
			append_push(&b, op.data, sighash);
		else
			append_text(&b, opcode_name(op.code));
	}
	bytes_append(&b, "", 1);
	return (char *)b.p;
}

bool script_ops_ok(struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	while (script_next(&it, &op))
		if (op.code > OP_NOP10 ||
		    (op.code <= OP_PUSHDATA4 &&
		     op.data.n > SCRIPT_MAX_ELEMENT_BYTES))
			return false;
	return !it.bad;
}
