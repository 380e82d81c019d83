/*
 * The steps of one input's verification: the two scripts, then what hides
 * behind them (BIP16, BIP141, BIP341), then what must be left.
 */
#include "config.h"

#include "consensus/script_verify.h"

#include "consensus/interpreter_priv.h"

/* Core ExecuteWitnessScript. */
enum script_error witness_run(const struct spend *spend, uint32_t flags,
			      enum sig_version version, struct stack *stack,
			      struct span script, uint32_t element_count,
			      struct sighash_tap *tap, int64_t weight)
{
	const struct span *witness = spend->tx->in[spend->in].witness;
	enum script_error err;
	uint32_t i;

	for (i = 0; i < element_count; i++)
		if (witness[i].n > SCRIPT_MAX_ELEMENT_BYTES)
			return SCRIPT_ERR_PUSH_SIZE;
	stack_init(stack);
	i = element_count > STACK_MAX_START ?
	    element_count - STACK_MAX_START : 0;
	for (; i < element_count; i++)
		stack_push(stack, witness[i]);
	err = script_run(spend, flags, version, stack, script, tap, weight);
	if (!err && stack->n != 1)
		err = SCRIPT_ERR_CLEANSTACK;
	if (!err && !element_is_true(stack_top(stack, 1)))
		err = SCRIPT_ERR_EVAL_FALSE;
	return err;
}

/* BIP141, P2WPKH: the script that a key's hash stands for. */
static enum script_error v0_keyhash(const struct spend *spend, uint32_t flags,
				    struct stack *stack, struct span program)
{
	uint8_t script[25] = { OP_DUP, OP_HASH160, 20 };

	if (spend->tx->in[spend->in].witness_count != 2)
		return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
	memcpy(script + 3, program.p, 20);
	script[23] = OP_EQUALVERIFY;
	script[24] = OP_CHECKSIG;
	return witness_run(spend, flags, SIG_WITNESS_V0, stack,
			   span_of(script, sizeof script), 2, NULL, 0);
}

/* BIP141, P2WSH: the last element is the script. */
static enum script_error v0_scripthash(const struct spend *spend,
				       uint32_t flags, struct stack *stack,
				       struct span program)
{
	const struct tx_in *in = &spend->tx->in[spend->in];
	uint8_t hash[32];
	struct span script;

	if (in->witness_count == 0)
		return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
	script = in->witness[in->witness_count - 1];
	sha256(hash, script.p, script.n);
	if (memcmp(hash, program.p, 32) != 0)
		return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
	return witness_run(spend, flags, SIG_WITNESS_V0, stack, script,
			   in->witness_count - 1, NULL, 0);
}

/* Core VerifyWitnessProgram. */
static enum script_error program_verify(const struct spend *spend,
					uint32_t flags, struct stack *stack,
					struct span form, bool in_p2sh)
{
	struct span program;
	unsigned version;

	CHECK(script_is_witness_program(form, &version, &program));
	if (version == 0) {
		if (program.n == 32)
			return v0_scripthash(spend, flags, stack, program);
		if (program.n == 20)
			return v0_keyhash(spend, flags, stack, program);
		return SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
	}
	if (script_is_p2tr(form) && !in_p2sh)
		return taproot_verify(spend, flags, stack, program);
	if (script_is_p2a(form) && !in_p2sh)
		return SCRIPT_OK;
	if (flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM)
		return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
	return SCRIPT_OK;       /* versions to come */
}

static bool is_witness_form(struct span script, uint32_t flags)
{
	struct span program;
	unsigned version;

	return (flags & SCRIPT_VERIFY_WITNESS) &&
	       script_is_witness_program(script, &version, &program);
}

/* Is script_sig one plain push of these bytes, at most 42? */
static bool is_only_push_of(struct span script_sig, struct span redeem)
{
	return script_sig.n == redeem.n + 1 && script_sig.p[0] == redeem.n &&
	       memcmp(script_sig.p + 1, redeem.p, redeem.n) == 0;
}

static enum script_error run_base(const struct spend *spend, uint32_t flags,
				  struct stack *stack, struct span script)
{
	return script_run(spend, flags, SIG_BASE, stack, script, NULL, 0);
}

static enum script_error must_be_true(const struct stack *stack)
{
	return stack->n && element_is_true(stack_top(stack, 1)) ?
	       SCRIPT_OK : SCRIPT_ERR_EVAL_FALSE;
}

/* What is left to say at the end, besides the error. */
struct outcome {
	bool had_witness;        /* a witness program was verified */
	bool clean;              /* one element was left */
};

/* BIP16: run what script_sig pushed last; stack is as script_sig left it. */
static enum script_error p2sh_verify(const struct spend *spend,
				     uint32_t flags, struct stack *stack,
				     struct outcome *o)
{
	struct span script_sig = spend->tx->in[spend->in].script_sig;
	struct element top = *stack_element(stack, 1);
	struct span redeem = element_span(&top);
	enum script_error err;

	stack_drop(stack, 1);
	err = run_base(spend, flags, stack, redeem);
	if (!err)
		err = must_be_true(stack);
	o->clean = stack->n == 1;
	if (err || !is_witness_form(redeem, flags))
		return err;
	o->had_witness = o->clean = true;
	if (!is_only_push_of(script_sig, redeem))
		return SCRIPT_ERR_WITNESS_MALLEATED_P2SH;
	return program_verify(spend, flags, stack, redeem, true);
}

/* Core VerifyScript, in its order, up to the last two questions. */
static enum script_error scripts_verify(const struct spend *spend,
					uint32_t flags, struct stack *stack,
					struct outcome *o)
{
	struct span script_sig = spend->tx->in[spend->in].script_sig;
	struct span script_pubkey = spend->spent[spend->in].script_pubkey;
	bool p2sh = (flags & SCRIPT_VERIFY_P2SH) &&
		    script_is_p2sh(script_pubkey);
	struct element pushed_last;
	enum script_error err;

	stack_init(stack);
	err = run_base(spend, flags, stack, script_sig);
	if (err)
		return err;
	if (stack->n)
		pushed_last = *stack_element(stack, 1);
	err = run_base(spend, flags, stack, script_pubkey);
	if (!err)
		err = must_be_true(stack);
	if (err)
		return err;
	o->clean = stack->n == 1;
	if (is_witness_form(script_pubkey, flags)) {
		if (script_sig.n)
			return SCRIPT_ERR_WITNESS_MALLEATED;
		o->had_witness = o->clean = true;
		return program_verify(spend, flags, stack, script_pubkey,
				      false);
	}
	if (!p2sh)
		return SCRIPT_OK;
	if (!script_is_push_only(script_sig))
		return SCRIPT_ERR_SIG_PUSHONLY;
	/* HASH160 <hash> EQUAL replaced just the top: put it back. */
	*stack_element(stack, 1) = pushed_last;
	return p2sh_verify(spend, flags, stack, o);
}

/* The rest of it: what must come first, and what must be left. */
static enum script_error input_verify(const struct spend *spend,
				      uint32_t flags)
{
	const struct tx_in *in = &spend->tx->in[spend->in];
	struct outcome o = { false, false };
	struct stack stack;
	enum script_error err;

	/* Else adding P2SH to WITNESS or CLEANSTACK would be no soft fork. */
	CHECK(!(flags & SCRIPT_VERIFY_WITNESS) ||
	      (flags & SCRIPT_VERIFY_P2SH));
	CHECK(!(flags & SCRIPT_VERIFY_CLEANSTACK) ||
	      (flags & SCRIPT_VERIFY_WITNESS));
	if ((flags & SCRIPT_VERIFY_SIGPUSHONLY) &&
	    !script_is_push_only(in->script_sig))
		return SCRIPT_ERR_SIG_PUSHONLY;
	err = scripts_verify(spend, flags, &stack, &o);
	if (err)
		return err;
	if ((flags & SCRIPT_VERIFY_CLEANSTACK) && !o.clean)
		return SCRIPT_ERR_CLEANSTACK;
	if ((flags & SCRIPT_VERIFY_WITNESS) && !o.had_witness &&
	    in->witness_count)
		return SCRIPT_ERR_WITNESS_UNEXPECTED;
	return SCRIPT_OK;
}

bool script_verify(const struct tx *tx, uint32_t in,
		   const struct tx_out *spent, uint32_t flags,
		   const struct sighash_cache *cache, enum script_error *err)
{
	struct spend spend = { tx, in, spent, cache };

	CHECK(in < tx->in_count);
	*err = input_verify(&spend, flags);
	return *err == SCRIPT_OK;
}
