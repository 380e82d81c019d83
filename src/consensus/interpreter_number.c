/*
 * Operations on numbers, OP_1ADD to OP_WITHIN.  Operands have at most four
 * bytes; results may have five, and are then no operands any more.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"

static enum script_error one_operand(struct eval *e, unsigned op)
{
	int64_t a;

	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&a, e, 1, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	switch (op) {
	case OP_1ADD:
		a++;
		break;
	case OP_1SUB:
		a--;
		break;
	case OP_NEGATE:
		a = -a;
		break;
	case OP_ABS:
		a = a < 0 ? -a : a;
		break;
	case OP_NOT:
		a = a == 0;
		break;
	default:                /* OP_0NOTEQUAL */
		a = a != 0;
		break;
	}
	stack_drop(e->stack, 1);
	stack_push_number(e->stack, a);
	return SCRIPT_OK;
}

static int64_t combine(unsigned op, int64_t a, int64_t b)
{
	switch (op) {
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_BOOLAND:
		return a && b;
	case OP_BOOLOR:
		return a || b;
	case OP_NUMEQUAL:
	case OP_NUMEQUALVERIFY:
		return a == b;
	case OP_NUMNOTEQUAL:
		return a != b;
	case OP_LESSTHAN:
		return a < b;
	case OP_GREATERTHAN:
		return a > b;
	case OP_LESSTHANOREQUAL:
		return a <= b;
	case OP_GREATERTHANOREQUAL:
		return a >= b;
	case OP_MIN:
		return MIN_OF(a, b);
	default:                /* OP_MAX */
		return MAX_OF(a, b);
	}
}

static enum script_error two_operands(struct eval *e, unsigned op)
{
	int64_t a, b;

	if (!eval_has(e, 2))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&a, e, 2, 4) || !eval_number(&b, e, 1, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	a = combine(op, a, b);
	if (op == OP_NUMEQUALVERIFY)
		return eval_answer(e, 2, a, true, SCRIPT_ERR_NUMEQUALVERIFY);
	stack_drop(e->stack, 2);
	stack_push_number(e->stack, a);
	return SCRIPT_OK;
}

/* x min max -- (min <= x < max) */
static enum script_error op_within(struct eval *e)
{
	int64_t x, min, max;

	if (!eval_has(e, 3))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&x, e, 3, 4) || !eval_number(&min, e, 2, 4) ||
	    !eval_number(&max, e, 1, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	return eval_answer(e, 3, min <= x && x < max, false, SCRIPT_OK);
}

enum script_error eval_number_op(struct eval *e, unsigned op)
{
	if (op == OP_WITHIN)
		return op_within(e);
	if (op >= OP_1ADD && op <= OP_0NOTEQUAL)
		return one_operand(e, op);
	if (op >= OP_ADD)
		return two_operands(e, op);
	return SCRIPT_ERR_BAD_OPCODE;   /* OP_RESERVED1, OP_RESERVED2 */
}
