/*
 * The standard forms of output scripts.
 */
#include "config.h"

#include "address/script_type.h"

bool script_key_size_ok(struct span key)
{
	if (key.n == 33)
		return key.p[0] == 2 || key.p[0] == 3;
	return key.n == 65 &&
	       (key.p[0] == 4 || key.p[0] == 6 || key.p[0] == 7);
}

static void solved(struct script_solution *out, enum script_type type,
		   struct span part)
{
	out->type = type;
	out->count = 1;
	out->parts[0] = part;
}

static bool is_p2pk(struct span s)
{
	return (s.n == 35 || s.n == 67) && s.p[0] == s.n - 2 &&
	       s.p[s.n - 1] == OP_CHECKSIG &&
	       script_key_size_ok(span_of(s.p + 1, s.n - 2));
}

static bool is_p2pkh(struct span s)
{
	return s.n == 25 && s.p[0] == OP_DUP && s.p[1] == OP_HASH160 &&
	       s.p[2] == 20 && s.p[23] == OP_EQUALVERIFY &&
	       s.p[24] == OP_CHECKSIG;
}

/* OP_1 to OP_16, or a number pushed in the shortest way. */
static bool read_count(unsigned *out, const struct script_op *op,
		       unsigned least)
{
	int64_t v;

	if (op->code >= OP_1 && op->code <= OP_16)
		v = (int64_t)op->code - OP_1 + 1;
	else if (op->code == OP_0 || op->code > OP_PUSHDATA4 ||
		 !script_push_is_minimal(op) ||
		 !script_number_read(&v, op->data, 4, true))
		return false;
	if (v < (int64_t)least || v > SCRIPT_MAX_MULTISIG_KEYS)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool solve_multisig(struct script_solution *out, struct span s)
{
	struct script_iter it = script_iter_of(s);
	struct script_op op;
	unsigned total;

	if (!script_next(&it, &op) || !read_count(&out->required, &op, 1))
		return false;
	for (;;) {
		if (!script_next(&it, &op))
			return false;
		if (op.code > OP_PUSHDATA4 || !script_key_size_ok(op.data))
			break;
		if (out->count == ARRAY_SIZE(out->parts))
			return false;
		out->parts[out->count++] = op.data;
	}
	return read_count(&total, &op, out->required) &&
	       total == out->count && script_next(&it, &op) &&
	       op.code == OP_CHECKMULTISIG && it.p == it.end;
}

static void solve_program(struct script_solution *out, struct span script,
			  struct span program)
{
	enum script_type type = SCRIPT_TYPE_WITNESS_UNKNOWN;

	if (out->version == 0 && program.n == 20)
		type = SCRIPT_TYPE_WITNESS_V0_KEYHASH;
	else if (out->version == 0 && program.n == 32)
		type = SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH;
	else if (script_is_p2tr(script))
		type = SCRIPT_TYPE_WITNESS_V1_TAPROOT;
	else if (script_is_p2a(script))
		type = SCRIPT_TYPE_ANCHOR;
	else if (out->version == 0)
		return;
	solved(out, type, program);
}

void script_solve(struct script_solution *out, struct span script)
{
	struct span program;

	*out = (struct script_solution){ .type = SCRIPT_TYPE_NONSTANDARD };
	if (script.n == 0)
		return;
	if (script_is_p2sh(script)) {
		solved(out, SCRIPT_TYPE_SCRIPTHASH, span_of(script.p + 2, 20));
	} else if (script_is_witness_program(script, &out->version,
					     &program)) {
		solve_program(out, script, program);
	} else if (script.p[0] == OP_RETURN) {
		if (script_is_push_only(span_of(script.p + 1, script.n - 1)))
			out->type = SCRIPT_TYPE_NULLDATA;
	} else if (is_p2pk(script)) {
		solved(out, SCRIPT_TYPE_PUBKEY,
		       span_of(script.p + 1, script.n - 2));
	} else if (is_p2pkh(script)) {
		solved(out, SCRIPT_TYPE_PUBKEYHASH, span_of(script.p + 3, 20));
	} else if (solve_multisig(out, script)) {
		out->type = SCRIPT_TYPE_MULTISIG;
	} else {
		*out = (struct script_solution){
			.type = SCRIPT_TYPE_NONSTANDARD,
		};
	}
}

const char *script_type_name(enum script_type t)
{
	switch (t) {
	case SCRIPT_TYPE_NONSTANDARD:
		return "nonstandard";
	case SCRIPT_TYPE_PUBKEY:
		return "pubkey";
	case SCRIPT_TYPE_PUBKEYHASH:
		return "pubkeyhash";
	case SCRIPT_TYPE_SCRIPTHASH:
		return "scripthash";
	case SCRIPT_TYPE_MULTISIG:
		return "multisig";
	case SCRIPT_TYPE_NULLDATA:
		return "nulldata";
	case SCRIPT_TYPE_ANCHOR:
		return "anchor";
	case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
		return "witness_v0_keyhash";
	case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
		return "witness_v0_scripthash";
	case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
		return "witness_v1_taproot";
	case SCRIPT_TYPE_WITNESS_UNKNOWN:
		return "witness_unknown";
	}
	return "nonstandard";
}
