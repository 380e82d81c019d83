/*
 * OP_NOP1 to OP_NOP10, two of which became lock times.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"

/* Both of one kind, and what the script asks has been reached? */
static bool reached(int64_t asked, int64_t has, int64_t threshold)
{
	return (asked < threshold) == (has < threshold) && asked <= has;
}

/* BIP65 */
static bool lock_time_ok(const struct spend *s, int64_t asked)
{
	return reached(asked, s->tx->lock_time, LOCKTIME_THRESHOLD) &&
	       s->tx->in[s->in].sequence != TX_SEQUENCE_FINAL;
}

/* BIP112 */
static bool sequence_ok(const struct spend *s, int64_t asked)
{
	const uint32_t mask = SEQUENCE_IS_TIME | SEQUENCE_MASK;
	uint32_t has = s->tx->in[s->in].sequence;

	if (s->tx->version < 2 || (has & SEQUENCE_DISABLE))
		return false;
	return reached(asked & mask, has & mask, SEQUENCE_IS_TIME);
}

static enum script_error op_lock(struct eval *e, bool relative)
{
	int64_t asked;

	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	/* Five bytes, so that all 32 bits of the field can be said. */
	if (!eval_number(&asked, e, 1, 5))
		return SCRIPT_ERR_SCRIPTNUM;
	if (asked < 0)
		return SCRIPT_ERR_NEGATIVE_LOCKTIME;
	if (relative && (asked & SEQUENCE_DISABLE))
		return SCRIPT_OK;       /* kept for later meanings */
	if (relative ? sequence_ok(e->spend, asked) :
		       lock_time_ok(e->spend, asked))
		return SCRIPT_OK;
	return SCRIPT_ERR_UNSATISFIED_LOCKTIME;
}

enum script_error eval_locktime_op(struct eval *e, unsigned op)
{
	switch (op) {
	case OP_CHECKLOCKTIMEVERIFY:
		if (!(e->flags & SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY))
			return SCRIPT_OK;
		return op_lock(e, false);
	case OP_CHECKSEQUENCEVERIFY:
		if (!(e->flags & SCRIPT_VERIFY_CHECKSEQUENCEVERIFY))
			return SCRIPT_OK;
		return op_lock(e, true);
	default:
		if (e->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS)
			return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS;
		return SCRIPT_OK;
	}
}
