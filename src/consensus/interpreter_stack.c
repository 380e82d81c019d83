/*
 * Operations that move elements, OP_TOALTSTACK to OP_TUCK, and the three
 * that look at one or two: OP_SIZE, OP_EQUAL, OP_EQUALVERIFY.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"

/* How many elements must be there; more may be asked of PICK and ROLL. */
static uint32_t elements_needed(unsigned op)
{
	switch (op) {
	case OP_FROMALTSTACK:
	case OP_DEPTH:
		return 0;
	case OP_2DROP:
	case OP_2DUP:
	case OP_NIP:
	case OP_OVER:
	case OP_PICK:
	case OP_ROLL:
	case OP_SWAP:
	case OP_TUCK:
	case OP_EQUAL:
	case OP_EQUALVERIFY:
		return 2;
	case OP_3DUP:
	case OP_ROT:
		return 3;
	case OP_2OVER:
	case OP_2SWAP:
		return 4;
	case OP_2ROT:
		return 6;
	default:
		return 1;
	}
}

static enum script_error op_pick_roll(struct eval *e, bool roll)
{
	struct stack *s = e->stack;
	int64_t n;

	if (!eval_number(&n, e, 1, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	stack_drop(s, 1);
	if (n < 0 || n >= s->n)
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (roll)
		stack_raise(s, (uint32_t)n + 1);
	else
		stack_push_copy(s, (uint32_t)n + 1);
	return SCRIPT_OK;
}

static enum script_error op_from_alt(struct eval *e)
{
	if (!e->stack->alt_n)
		return SCRIPT_ERR_INVALID_ALTSTACK_OPERATION;
	stack_from_alt(e->stack);
	return SCRIPT_OK;
}

static void copy_n(struct stack *s, uint32_t count, uint32_t from)
{
	while (count--)
		stack_push_copy(s, from);
}

static void raise_n(struct stack *s, uint32_t count, uint32_t from)
{
	while (count--)
		stack_raise(s, from);
}

enum script_error eval_stack_op(struct eval *e, unsigned op)
{
	struct stack *s = e->stack;

	if (!eval_has(e, elements_needed(op)))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	switch (op) {           /* comments: bottom to top */
	case OP_TOALTSTACK:
		stack_to_alt(s);
		break;
	case OP_FROMALTSTACK:
		return op_from_alt(e);
	case OP_2DROP:
		stack_drop(s, 2);
		break;
	case OP_2DUP:           /* a b -- a b a b */
		copy_n(s, 2, 2);
		break;
	case OP_3DUP:           /* a b c -- a b c a b c */
		copy_n(s, 3, 3);
		break;
	case OP_2OVER:          /* a b c d -- a b c d a b */
		copy_n(s, 2, 4);
		break;
	case OP_2ROT:           /* a b c d e f -- c d e f a b */
		raise_n(s, 2, 6);
		break;
	case OP_2SWAP:          /* a b c d -- c d a b */
		raise_n(s, 2, 4);
		break;
	case OP_IFDUP:
		if (element_is_true(stack_top(s, 1)))
			stack_push_copy(s, 1);
		break;
	case OP_DEPTH:
		stack_push_number(s, s->n);
		break;
	case OP_DROP:
		stack_drop(s, 1);
		break;
	case OP_DUP:
		stack_push_copy(s, 1);
		break;
	case OP_NIP:            /* a b -- b */
		stack_raise(s, 2);
		stack_drop(s, 1);
		break;
	case OP_OVER:           /* a b -- a b a */
		stack_push_copy(s, 2);
		break;
	case OP_PICK:
	case OP_ROLL:
		return op_pick_roll(e, op == OP_ROLL);
	case OP_ROT:            /* a b c -- b c a */
		stack_raise(s, 3);
		break;
	case OP_SWAP:
		stack_raise(s, 2);
		break;
	case OP_TUCK:           /* a b -- b a b */
		stack_push_copy(s, 1);
		stack_sink(s, 3);
		break;
	case OP_SIZE:           /* a -- a length */
		stack_push_number(s, (int64_t)stack_top(s, 1).n);
		break;
	case OP_EQUAL:
	case OP_EQUALVERIFY:
		return eval_answer(e, 2, span_eq(stack_top(s, 1),
						 stack_top(s, 2)),
				   op == OP_EQUALVERIFY,
				   SCRIPT_ERR_EQUALVERIFY);
	default:
		return SCRIPT_ERR_BAD_OPCODE;
	}
	return SCRIPT_OK;
}
