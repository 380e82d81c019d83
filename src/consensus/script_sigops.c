/*
 * Counting signature operations without executing anything: by the rules
 * of 2010, of BIP16 and of BIP141.
 */
#include "config.h"

#include "consensus/script.h"

unsigned script_sigops(struct span script, bool accurate)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;
	unsigned last = OP_INVALIDOPCODE, n = 0;

	while (script_next(&it, &op)) {
		switch (op.code) {
		case OP_CHECKSIG:
		case OP_CHECKSIGVERIFY:
			n++;
			break;
		case OP_CHECKMULTISIG:
		case OP_CHECKMULTISIGVERIFY:
			if (accurate && last >= OP_1 && last <= OP_16)
				n += last - OP_1 + 1;
			else
				n += SCRIPT_MAX_MULTISIG_KEYS;
			break;
		default:
			break;
		}
		last = op.code;
	}
	return n;
}

/* What the last operation of a push-only script pushes as bytes (number
 * opcodes: nothing). */
static bool last_push(struct span *out, struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	*out = span_of(NULL, 0);
	while (script_next(&it, &op)) {
		if (op.code > OP_16)
			return false;
		*out = op.data;
	}
	return !it.bad;
}

unsigned script_sigops_p2sh(struct span script_pubkey, struct span script_sig)
{
	struct span redeem;

	if (!script_is_p2sh(script_pubkey) || !last_push(&redeem, script_sig))
		return 0;
	return script_sigops(redeem, true);
}

unsigned script_sigops_witness(struct span script_pubkey,
			       struct span script_sig,
			       const struct span *witness,
			       uint32_t witness_count)
{
	struct span form = script_pubkey, program;
	unsigned version;

	if (script_is_p2sh(script_pubkey) && !last_push(&form, script_sig))
		return 0;
	if (!script_is_witness_program(form, &version, &program) || version)
		return 0;
	if (program.n == 20)
		return 1;
	if (program.n == 32 && witness_count)
		return script_sigops(witness[witness_count - 1], true);
	return 0;
}
