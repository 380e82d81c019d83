/*
 * Standardness of what a transaction spends, and of the witnesses it brings.
 */
#include "config.h"

#include "consensus/tx_inputs.h"
#include "mempool/policy.h"

#define MAX_P2WSH_SCRIPT_BYTES 3600
#define MAX_P2WSH_ITEMS 100
#define MAX_P2WSH_ITEM_BYTES 80
#define MAX_TAPSCRIPT_ITEM_BYTES 80
#define ANNEX_TAG 0x50
#define LEAF_MASK 0xfe
#define LEAF_TAPSCRIPT 0xc0

/*
 * What scriptSig (push only) leaves on top: the redeem script of P2SH.
 *
 * return   false if nothing is left, or a push cannot be executed
 */
static bool redeem_script(struct span *out, struct span script_sig)
{
	struct script_iter it = script_iter_of(script_sig);
	struct script_op op = { .code = OP_INVALIDOPCODE };
	bool any = false;

	while (script_next(&it, &op)) {
		if (op.code == OP_RESERVED ||
		    op.data.n > SCRIPT_MAX_ELEMENT_BYTES)
			return false;
		any = true;
	}
	/* What a number opcode pushes is no script with operations. */
	*out = op.code <= OP_PUSHDATA4 ? op.data : span_of(NULL, 0);
	return any && !it.bad;
}

bool policy_legacy_sigops_ok(const struct tx *tx, const struct tx_out *spent)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct span sig = tx->in[i].script_sig;
		struct span pub = spent[i].script_pubkey;

		n += script_sigops(sig, true);
		n += script_is_p2sh(pub) ? script_sigops_p2sh(pub, sig)
					 : script_sigops(pub, true);
		if (n > POLICY_MAX_LEGACY_SIGOPS)
			return false;
	}
	return true;
}

#define INPUTS_REASON "bad-txns-nonstandard-inputs"

static bool p2sh_standard(struct reject *r, uint32_t i, struct span pub,
			  struct span sig)
{
	struct span redeem;
	unsigned n;

	if (!redeem_script(&redeem, sig))
		return reject_set(r, REJECT_INPUTS_NONSTANDARD, INPUTS_REASON,
				  "input %u P2SH redeemscript missing",
				  (unsigned)i);
	n = script_sigops_p2sh(pub, sig);
	if (n > POLICY_MAX_P2SH_SIGOPS)
		return reject_set(r, REJECT_INPUTS_NONSTANDARD, INPUTS_REASON,
				  "p2sh redeemscript sigops exceed limit "
				  "(input %u: %u > %u)", (unsigned)i, n,
				  POLICY_MAX_P2SH_SIGOPS);
	return true;
}

bool policy_inputs_standard(struct reject *r, const struct tx *tx,
			    const struct tx_out *spent)
{
	if (!policy_legacy_sigops_ok(tx, spent))
		return reject_set(r, REJECT_INPUTS_NONSTANDARD, INPUTS_REASON,
				  "non-witness sigops exceed bip54 limit");
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct span pub = spent[i].script_pubkey;
		struct script_solution s;

		script_solve(&s, pub);
		if (s.type == SCRIPT_TYPE_NONSTANDARD)
			return reject_set(r, REJECT_INPUTS_NONSTANDARD,
					  INPUTS_REASON,
					  "input %u script unknown",
					  (unsigned)i);
		if (s.type == SCRIPT_TYPE_WITNESS_UNKNOWN)
			return reject_set(r, REJECT_INPUTS_NONSTANDARD,
					  INPUTS_REASON, "input %u witness "
					  "program is undefined",
					  (unsigned)i);
		if (s.type == SCRIPT_TYPE_SCRIPTHASH &&
		    !p2sh_standard(r, i, pub, tx->in[i].script_sig))
			return false;
	}
	return true;
}

/* ---- witnesses ---- */

static bool items_within(const struct span *items, uint32_t n, size_t max)
{
	for (uint32_t i = 0; i < n; i++)
		if (items[i].n > max)
			return false;
	return true;
}

static bool p2wsh_standard(const struct tx_in *in)
{
	uint32_t args = in->witness_count - 1;

	return in->witness[args].n <= MAX_P2WSH_SCRIPT_BYTES &&
	       args <= MAX_P2WSH_ITEMS &&
	       items_within(in->witness, args, MAX_P2WSH_ITEM_BYTES);
}

static bool p2tr_standard(const struct tx_in *in)
{
	uint32_t n = in->witness_count;
	struct span last = in->witness[n - 1];

	/* An annex has no meaning yet. */
	if (n >= 2 && last.n && last.p[0] == ANNEX_TAG)
		return false;
	if (n < 2)
		return true;
	if (!last.n)
		return false;
	return (last.p[0] & LEAF_MASK) != LEAF_TAPSCRIPT ||
	       items_within(in->witness, n - 2, MAX_TAPSCRIPT_ITEM_BYTES);
}

static bool witness_standard(const struct tx_in *in, struct span pub)
{
	bool p2sh = script_is_p2sh(pub);
	struct span program;
	unsigned version;

	if (script_is_p2a(pub))
		return false;
	if (p2sh && !redeem_script(&pub, in->script_sig))
		return false;
	if (!script_is_witness_program(pub, &version, &program))
		return false;
	if (version == 0 && program.n == 32)
		return p2wsh_standard(in);
	if (version == 1 && program.n == 32 && !p2sh)
		return p2tr_standard(in);
	return true;
}

bool policy_witness_standard(const struct tx *tx, const struct tx_out *spent)
{
	for (uint32_t i = 0; i < tx->in_count; i++)
		if (tx->in[i].witness_count &&
		    !witness_standard(&tx->in[i], spent[i].script_pubkey))
			return false;
	return true;
}

bool policy_spends_witness(const struct tx *tx, const struct tx_out *spent)
{
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct span pub = spent[i].script_pubkey, program;
		unsigned version;

		if (script_is_p2a(pub))
			continue;
		if (script_is_p2sh(pub) &&
		    !redeem_script(&pub, tx->in[i].script_sig))
			continue;
		if (script_is_witness_program(pub, &version, &program))
			return true;
	}
	return false;
}
