/*
 * Hashes, and the operations that check signatures: how signatures, keys
 * and code are taken from the stack and the script.  What makes one
 * signature good is in signature_check.c.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"

enum script_error eval_hash_op(struct eval *e, unsigned op)
{
	uint8_t out[32];
	struct span v;
	size_t n = 32;

	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	v = stack_top(e->stack, 1);
	switch (op) {
	case OP_RIPEMD160:
		ripemd160(out, v.p, v.n);
		n = 20;
		break;
	case OP_SHA1:
		sha1(out, v.p, v.n);
		n = 20;
		break;
	case OP_SHA256:
		sha256(out, v.p, v.n);
		break;
	case OP_HASH160:
		hash160(out, v.p, v.n);
		n = 20;
		break;
	default:                /* OP_HASH256 */
		sha256d(out, v.p, v.n);
		break;
	}
	stack_drop(e->stack, 1);
	stack_push_own(e->stack, out, n);
	return SCRIPT_OK;
}

/* ---- deleting signatures from the code (original rules only) --------- */

/* The code under check, in `edited` once something was deleted from it. */
struct script_code {
	struct span span;
	bool is_edited;
	uint8_t edited[SCRIPT_MAX_BYTES];
};

/* A signature cannot sign itself: its push is taken out of the code. */
static enum script_error delete_signature(struct eval *e,
					  struct script_code *code,
					  struct span sig)
{
	uint8_t push[SCRIPT_MAX_ELEMENT_BYTES + 3];
	size_t k = 0, n;

	if (sig.n >= code->span.n)
		return SCRIPT_OK;       /* no room for it in the code */
	if (sig.n > 0xff) {
		push[k++] = OP_PUSHDATA2;
		push[k++] = (uint8_t)sig.n;
		push[k++] = (uint8_t)(sig.n >> 8);
	} else {
		if (sig.n >= OP_PUSHDATA1)
			push[k++] = OP_PUSHDATA1;
		push[k++] = (uint8_t)sig.n;
	}
	if (sig.n)
		memcpy(push + k, sig.p, sig.n);
	if (!script_find_and_delete(NULL, &n, code->span,
				    span_of(push, k + sig.n)))
		return SCRIPT_OK;
	if (e->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE)
		return SCRIPT_ERR_SIG_FINDANDDELETE;
	script_find_and_delete(code->edited, &n, code->span,
			       span_of(push, k + sig.n));
	code->span = span_of(code->edited, n);
	code->is_edited = true;
	return SCRIPT_OK;
}

/* The memo knows code by its address: edited code must not stay in it. */
static void forget_edited(struct eval *e, const struct script_code *code)
{
	if (code->is_edited)
		e->memo->have = 0;
}

/* ---- one signature --------------------------------------------------- */

/* *ok: is it good?  The return value: may the script go on? */
static enum script_error check_before_taproot(struct eval *e, bool *ok,
					      struct span sig,
					      struct span pubkey)
{
	struct script_code code;
	enum script_error err = SCRIPT_OK;

	code.span = e->code;
	code.is_edited = false;
	if (e->version == SIG_BASE)
		err = delete_signature(e, &code, sig);
	if (!err)
		err = signature_encoding(sig, e->flags);
	if (!err)
		err = pubkey_encoding(pubkey, e->flags, e->version);
	if (err)
		return err;
	*ok = signature_check_ecdsa(e, sig, pubkey, code.span);
	forget_edited(e, &code);
	if (!*ok && (e->flags & SCRIPT_VERIFY_NULLFAIL) && sig.n)
		return SCRIPT_ERR_SIG_NULLFAIL;         /* BIP146 */
	return SCRIPT_OK;
}

/* BIP342, "Rules for signature opcodes", in its order. */
static enum script_error check_tapscript(struct eval *e, bool *ok,
					 struct span sig, struct span pubkey)
{
	*ok = sig.n != 0;
	if (*ok) {
		e->weight_left -= TAPSCRIPT_SIGOP_WEIGHT;
		if (e->weight_left < 0)
			return SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT;
	}
	if (pubkey.n == 0)
		return SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY;
	if (pubkey.n == 32)
		return *ok ? signature_check_schnorr(e->spend, e->tap, sig,
						     pubkey.p)
			   : SCRIPT_OK;
	/* A public key of unknown type: any signature is good. */
	if (e->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)
		return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
	return SCRIPT_OK;
}

static enum script_error check_signature(struct eval *e, bool *ok,
					 struct span sig, struct span pubkey)
{
	if (e->version == SIG_TAPSCRIPT)
		return check_tapscript(e, ok, sig, pubkey);
	return check_before_taproot(e, ok, sig, pubkey);
}

/* sig pubkey -- bool */
static enum script_error op_checksig(struct eval *e, bool verify)
{
	enum script_error err;
	bool ok;

	if (!eval_has(e, 2))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	err = check_signature(e, &ok, stack_top(e->stack, 2),
			      stack_top(e->stack, 1));
	if (err)
		return err;
	return eval_answer(e, 2, ok, verify, SCRIPT_ERR_CHECKSIGVERIFY);
}

/* sig n pubkey -- n or n+1 (BIP342) */
static enum script_error op_checksigadd(struct eval *e)
{
	enum script_error err;
	int64_t n;
	bool ok;

	if (e->version != SIG_TAPSCRIPT)
		return SCRIPT_ERR_BAD_OPCODE;
	if (!eval_has(e, 3))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&n, e, 2, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	err = check_signature(e, &ok, stack_top(e->stack, 3),
			      stack_top(e->stack, 1));
	if (err)
		return err;
	stack_drop(e->stack, 3);
	stack_push_number(e->stack, n + ok);
	return SCRIPT_OK;
}

/* ---- several --------------------------------------------------------- */

/* What lies on the stack for CHECKMULTISIG, by distance from the top. */
struct multisig {
	uint32_t first_key, keys, first_sig, sigs, dummy;
};

/* dummy sigs… m keys… n */
static enum script_error multisig_read(struct multisig *m, struct eval *e)
{
	int64_t n;

	if (!eval_has(e, 1))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&n, e, 1, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	if (n < 0 || n > SCRIPT_MAX_MULTISIG_KEYS)
		return SCRIPT_ERR_PUBKEY_COUNT;
	m->keys = (uint32_t)n;
	e->op_count += m->keys;
	if (e->op_count > SCRIPT_MAX_OPS)
		return SCRIPT_ERR_OP_COUNT;
	m->first_key = 2;
	if (!eval_has(e, m->first_key + m->keys))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	if (!eval_number(&n, e, m->first_key + m->keys, 4))
		return SCRIPT_ERR_SCRIPTNUM;
	if (n < 0 || n > m->keys)
		return SCRIPT_ERR_SIG_COUNT;
	m->sigs = (uint32_t)n;
	m->first_sig = m->first_key + m->keys + 1;
	m->dummy = m->first_sig + m->sigs;
	if (!eval_has(e, m->dummy))
		return SCRIPT_ERR_INVALID_STACK_OPERATION;
	return SCRIPT_OK;
}

/* Signatures are in the order of their keys: one pass over the keys. */
static enum script_error multisig_match(struct eval *e, bool *ok,
					const struct multisig *m,
					struct span code)
{
	uint32_t key = m->first_key, keys = m->keys;
	uint32_t sig = m->first_sig, sigs = m->sigs;
	enum script_error err;

	while (sigs && sigs <= keys) {
		struct span s = stack_top(e->stack, sig);
		struct span k = stack_top(e->stack, key);

		/* Only keys that are reached are looked at: with STRICTENC
		 * the order of checks can be told from outside. */
		err = signature_encoding(s, e->flags);
		if (!err)
			err = pubkey_encoding(k, e->flags, e->version);
		if (err)
			return err;
		if (signature_check_ecdsa(e, s, k, code)) {
			sig++;
			sigs--;
		}
		key++;
		keys--;
	}
	*ok = sigs == 0;
	return SCRIPT_OK;
}

static enum script_error multisig_verdict(struct eval *e, bool *ok,
					  const struct multisig *m)
{
	struct script_code code;
	enum script_error err;
	uint32_t i;

	code.span = e->code;
	code.is_edited = false;
	for (i = 0; i < m->sigs && e->version == SIG_BASE; i++) {
		err = delete_signature(e, &code,
				       stack_top(e->stack, m->first_sig + i));
		if (err)
			return err;
	}
	err = multisig_match(e, ok, m, code.span);
	forget_edited(e, &code);
	return err;
}

static enum script_error op_checkmultisig(struct eval *e, bool verify)
{
	enum script_error err;
	struct multisig m;
	bool ok = false;
	uint32_t i;

	if (e->version == SIG_TAPSCRIPT)
		return SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG;
	err = multisig_read(&m, e);
	if (!err)
		err = multisig_verdict(e, &ok, &m);
	if (err)
		return err;
	for (i = 0; i < m.sigs; i++)            /* BIP146 */
		if (!ok && (e->flags & SCRIPT_VERIFY_NULLFAIL) &&
		    stack_top(e->stack, m.first_sig + i).n)
			return SCRIPT_ERR_SIG_NULLFAIL;
	/* The original code takes one element too many: BIP147. */
	if ((e->flags & SCRIPT_VERIFY_NULLDUMMY) &&
	    stack_top(e->stack, m.dummy).n)
		return SCRIPT_ERR_SIG_NULLDUMMY;
	return eval_answer(e, m.dummy, ok, verify,
			   SCRIPT_ERR_CHECKMULTISIGVERIFY);
}

enum script_error eval_signature_op(struct eval *e, unsigned op)
{
	switch (op) {
	case OP_CHECKSIG:
	case OP_CHECKSIGVERIFY:
		return op_checksig(e, op == OP_CHECKSIGVERIFY);
	case OP_CHECKMULTISIG:
	case OP_CHECKMULTISIGVERIFY:
		return op_checkmultisig(e, op == OP_CHECKMULTISIGVERIFY);
	case OP_CHECKSIGADD:
		return op_checksigadd(e);
	default:
		return SCRIPT_ERR_BAD_OPCODE;
	}
}
