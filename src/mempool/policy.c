/*
 * Standardness of a transaction as it stands, and the reject texts.
 */
#include "config.h"

#include "mempool/policy.h"

#include <stdarg.h>
#include <stdio.h>

/* What spending an output adds to a transaction, at least: an input with a
 * signature and a key, in a witness or not. */
#define SPEND_BYTES (32 + 4 + 1 + 107 + 4)
#define SPEND_WITNESS_BYTES (32 + 4 + 1 + 107 / 4 + 4)

#define MAX_BARE_KEYS 3

void policy_defaults(struct policy *p)
{
	*p = (struct policy){
		.min_relay_sat_kvb = 100,
		.incremental_sat_kvb = 100,
		.dust_sat_kvb = 3000,
		.require_standard = true,
		.data_carrier = true,
		.data_carrier_bytes = 100000,
		.cluster_count = 64,
		.cluster_bytes = 101000,
		.max_memory_bytes = 300 * 1000000,
		.expiry_s = 336 * 3600,
	};
}

bool reject_set(struct reject *r, enum reject_class class, const char *reason,
		const char *details, ...)
{
	va_list ap;

	r->class = class;
	snprintf(r->reason, sizeof r->reason, "%s", reason);
	va_start(ap, details);
	vsnprintf(r->details, sizeof r->details, details, ap);
	va_end(ap);
	return false;
}

void reject_text(char out[static 520], const struct reject *r)
{
	snprintf(out, 520, "%s%s%s", r->reason, r->details[0] ? ", " : "",
		 r->details);
}

static bool not_standard(struct reject *r, const char *reason)
{
	return reject_set(r, REJECT_NONSTANDARD, reason, "%s", "");
}

int64_t policy_adjusted_weight(uint64_t weight_wu, uint64_t sigops_cost)
{
	return (int64_t)MAX_OF(weight_wu,
			       sigops_cost * POLICY_BYTES_PER_SIGOP);
}

/* ---- dust ---- */

int64_t policy_dust_sat(const struct tx_out *out, int64_t dust_sat_kvb)
{
	struct span program;
	unsigned version;
	size_t size = 8 + compact_size(out->script_pubkey.n) +
		      out->script_pubkey.n;

	if (script_is_unspendable(out->script_pubkey))
		return 0;
	size += script_is_witness_program(out->script_pubkey, &version,
					  &program) ? SPEND_WITNESS_BYTES
						    : SPEND_BYTES;
	return fee_at_rate(dust_sat_kvb, (int64_t)size);
}

bool policy_is_dust(const struct tx_out *out, int64_t dust_sat_kvb)
{
	return out->value_sat < policy_dust_sat(out, dust_sat_kvb);
}

static unsigned count_dust(const struct policy *p, const struct tx *tx)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < tx->out_count; i++)
		n += policy_is_dust(&tx->out[i], p->dust_sat_kvb);
	return n;
}

bool policy_dust_fee_ok(struct reject *r, const struct policy *p,
			const struct tx *tx, int64_t fee_sat,
			int64_t modified_fee_sat)
{
	if ((!fee_sat && !modified_fee_sat) || !count_dust(p, tx))
		return true;
	return reject_set(r, REJECT_NONSTANDARD, "dust",
			  "tx with dust output must be 0-fee");
}

/* ---- outputs and inputs as they stand ---- */

bool policy_standard_output(struct span script, enum script_type *type)
{
	struct script_solution s;

	script_solve(&s, script);
	*type = s.type;
	switch (s.type) {
	case SCRIPT_TYPE_NONSTANDARD:
		return false;
	case SCRIPT_TYPE_MULTISIG:
		return s.count >= 1 && s.count <= MAX_BARE_KEYS &&
		       s.required >= 1 && s.required <= s.count;
	case SCRIPT_TYPE_PUBKEY:
	case SCRIPT_TYPE_PUBKEYHASH:
	case SCRIPT_TYPE_SCRIPTHASH:
	case SCRIPT_TYPE_NULLDATA:
	case SCRIPT_TYPE_ANCHOR:
	case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
	case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
	case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
	case SCRIPT_TYPE_WITNESS_UNKNOWN:
		break;
	}
	return true;
}

static bool outputs_standard(struct reject *r, const struct policy *p,
			     const struct tx *tx)
{
	size_t data_left = p->data_carrier ? p->data_carrier_bytes : 0;

	for (uint32_t i = 0; i < tx->out_count; i++) {
		struct span script = tx->out[i].script_pubkey;
		enum script_type type;

		if (!policy_standard_output(script, &type))
			return not_standard(r, "scriptpubkey");
		if (type == SCRIPT_TYPE_NULLDATA) {
			if (script.n > data_left)
				return not_standard(r, "datacarrier");
			data_left -= script.n;
		} else if (type == SCRIPT_TYPE_MULTISIG &&
			   !p->permit_bare_multisig) {
			return not_standard(r, "bare-multisig");
		}
	}
	return true;
}

bool policy_standard(struct reject *r, const struct policy *p,
		     const struct tx *tx)
{
	if (tx->version < 1 || tx->version > TRUC_VERSION)
		return not_standard(r, "version");
	if (tx_weight(tx) > POLICY_MAX_TX_WEIGHT_WU)
		return not_standard(r, "tx-size");
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct span sig = tx->in[i].script_sig;

		if (sig.n > POLICY_MAX_SCRIPT_SIG_BYTES)
			return not_standard(r, "scriptsig-size");
		if (!script_is_push_only(sig))
			return not_standard(r, "scriptsig-not-pushonly");
	}
	if (!outputs_standard(r, p, tx))
		return false;
	/* One, which a child must spend at once (ephemeral dust). */
	if (count_dust(p, tx) > 1)
		return not_standard(r, "dust");
	return true;
}
