/*
 * The script interpreter: reads operations one after another, applies the
 * limits, and hands each to its family.  What differs between the original
 * rules, witness v0 and tapscript is tested where it matters, on e->version.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"

/* ---- helpers for the families ---------------------------------------- */

bool eval_number(int64_t *out, const struct eval *e, uint32_t i,
		 size_t max_bytes)
{
	return script_number_read(out, stack_top(e->stack, i), max_bytes,
				  e->flags & SCRIPT_VERIFY_MINIMALDATA);
}

enum script_error eval_answer(struct eval *e, uint32_t n, bool v, bool verify,
			      enum script_error err)
{
	stack_drop(e->stack, n);
	if (verify)
		return v ? SCRIPT_OK : err;
	stack_push_bool(e->stack, v);
	return SCRIPT_OK;
}

/* ---- conditions ------------------------------------------------------ */

static void ifs_enter(struct conditions *c, bool taken)
{
	c->depth++;
	if (!taken && !c->skipped)
		c->skipped = c->depth;
}

static void ifs_else(struct conditions *c)
{
	if (!c->skipped)
		c->skipped = c->depth;
	else if (c->skipped == c->depth)
		c->skipped = 0;
}

static void ifs_leave(struct conditions *c)
{
	if (c->skipped == c->depth)
		c->skipped = 0;
	c->depth--;
}

static enum script_error op_if(struct eval *e, bool negate)
{
	struct span v;
	bool minimal, taken;

	if (e->ifs.skipped) {
		ifs_enter(&e->ifs, false);
		return SCRIPT_OK;
	}
	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	v = stack_top(e->stack, 1);
	minimal = v.n == 0 || (v.n == 1 && v.p[0] == 1);
	/* BIP342: a rule in tapscript; in v0 a policy. */
	if (e->version == SIG_TAPSCRIPT && !minimal)
		return SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
	if (e->version == SIG_WITNESS_V0 && !minimal &&
	    (e->flags & SCRIPT_VERIFY_MINIMALIF))
		return SCRIPT_ERR_MINIMALIF;
	taken = element_is_true(v) != negate;
	stack_drop(e->stack, 1);
	ifs_enter(&e->ifs, taken);
	return SCRIPT_OK;
}

static enum script_error op_verify(struct eval *e)
{
	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!element_is_true(stack_top(e->stack, 1)))
		return SCRIPT_ERR_VERIFY;
	stack_drop(e->stack, 1);
	return SCRIPT_OK;
}

/* From OP_NOP to OP_RETURN; IF to ENDIF come here in skipped branches too. */
static enum script_error control_op(struct eval *e, unsigned op)
{
	switch (op) {
	case OP_NOP:
		return SCRIPT_OK;
	case OP_IF:
	case OP_NOTIF:
		return op_if(e, op == OP_NOTIF);
	case OP_ELSE:
		if (!e->ifs.depth)
			return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
		ifs_else(&e->ifs);
		return SCRIPT_OK;
	case OP_ENDIF:
		if (!e->ifs.depth)
			return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
		ifs_leave(&e->ifs);
		return SCRIPT_OK;
	case OP_VERIFY:
		return op_verify(e);
	case OP_RETURN:
		return SCRIPT_ERR_OP_RETURN;
	default:                /* OP_VER, OP_VERIF, OP_VERNOTIF */
		return SCRIPT_ERR_BAD_OPCODE;
	}
}

/* ---- the loop -------------------------------------------------------- */

/* CVE-2010-5137: these make a script fail even where not executed. */
static bool is_disabled(unsigned op)
{
	switch (op) {
	case OP_CAT:
	case OP_SUBSTR:
	case OP_LEFT:
	case OP_RIGHT:
	case OP_INVERT:
	case OP_AND:
	case OP_OR:
	case OP_XOR:
	case OP_2MUL:
	case OP_2DIV:
	case OP_MUL:
	case OP_DIV:
	case OP_MOD:
	case OP_LSHIFT:
	case OP_RSHIFT:
		return true;
	default:
		return false;
	}
}

/* Limits that hold for operations executed and skipped alike. */
static enum script_error check_limits(struct eval *e,
				      const struct script_op *op)
{
	if (op->data.n > SCRIPT_MAX_ELEMENT_BYTES)
		return SCRIPT_ERR_PUSH_SIZE;
	/* BIP342 has no operation limit.  OP_RESERVED does not count. */
	if (e->version != SIG_TAPSCRIPT && op->code > OP_16 &&
	    ++e->op_count > SCRIPT_MAX_OPS)
		return SCRIPT_ERR_OP_COUNT;
	if (is_disabled(op->code))
		return SCRIPT_ERR_DISABLED_OPCODE;
	if (op->code == OP_CODESEPARATOR && e->version == SIG_BASE &&
	    (e->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
		return SCRIPT_ERR_OP_CODESEPARATOR;
	return SCRIPT_OK;
}

static enum script_error push_op(struct eval *e, const struct script_op *op)
{
	if (op->code <= OP_PUSHDATA4) {
		if ((e->flags & SCRIPT_VERIFY_MINIMALDATA) &&
		    !script_push_is_minimal(op))
			return SCRIPT_ERR_MINIMALDATA;
		stack_push(e->stack, op->data);
		return SCRIPT_OK;
	}
	if (op->code == OP_RESERVED)
		return SCRIPT_ERR_BAD_OPCODE;
	stack_push_number(e->stack, (int)op->code - (int)(OP_1 - 1));
	return SCRIPT_OK;
}

/* rest: the script after this operation. */
static enum script_error eval_op(struct eval *e, const struct script_op *op,
				 struct span rest)
{
	unsigned code = op->code;

	if (e->ifs.skipped && (code < OP_IF || code > OP_ENDIF))
		return SCRIPT_OK;
	if (code == OP_CODESEPARATOR) {
		e->code = rest;
		if (e->tap)
			e->tap->codesep_pos = e->op_pos;
		return SCRIPT_OK;
	}
	if (code <= OP_16)
		return push_op(e, op);
	if (code <= OP_RETURN)
		return control_op(e, code);
	if (code <= OP_EQUALVERIFY)
		return eval_stack_op(e, code);
	if (code <= OP_WITHIN)
		return eval_number_op(e, code);
	if (code <= OP_HASH256)
		return eval_hash_op(e, code);
	if (code <= OP_CHECKMULTISIGVERIFY || code == OP_CHECKSIGADD)
		return eval_signature_op(e, code);
	if (code <= OP_NOP10)
		return eval_locktime_op(e, code);
	return SCRIPT_ERR_BAD_OPCODE;
}

/* Core EvalScript. */
static enum script_error run(struct eval *e, struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;
	enum script_error err;

	if (e->version != SIG_TAPSCRIPT && script.n > SCRIPT_MAX_BYTES)
		return SCRIPT_ERR_SCRIPT_SIZE;
	for (; script_next(&it, &op); e->op_pos++) {
		err = check_limits(e, &op);
		if (err)
			return err;
		err = eval_op(e, &op,
			      span_of(it.p, (size_t)(it.end - it.p)));
		if (err)
			return err;
		if (e->stack->n + e->stack->alt_n > SCRIPT_MAX_STACK)
			return SCRIPT_ERR_STACK_SIZE;
	}
	if (it.bad)
		return SCRIPT_ERR_BAD_OPCODE;
	return e->ifs.depth ? SCRIPT_ERR_UNBALANCED_CONDITIONAL : SCRIPT_OK;
}

enum script_error script_run(const struct spend *spend, uint32_t flags,
			     enum sig_version version, struct stack *stack,
			     struct span script, struct sighash_tap *tap,
			     int64_t weight)
{
	struct sighash_memo memo;
	struct eval e = {
		.spend = spend,
		.flags = flags,
		.version = version,
		.stack = stack,
		.code = script,
		.memo = &memo,
		.tap = tap,
		.weight_left = weight,
	};

	memo.code = span_of(NULL, 0);
	memo.have = 0;
	if (tap)
		tap->codesep_pos = 0xffffffff;
	stack_drop_alt(stack);  /* no script sees another's */
	return run(&e, script);
}
