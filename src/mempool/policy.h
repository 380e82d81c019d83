/*
 * Policy: what a transaction must keep to, beyond consensus, to be relayed
 * and mined by this node.  The reference node's rules, limits and words.
 * Pure; any thread.
 */
#ifndef CLOISTER_MEMPOOL_POLICY_H
#define CLOISTER_MEMPOOL_POLICY_H

#include "address/script_type.h"
#include "consensus/params.h"
#include "consensus/script_flags.h"
#include "consensus/tx.h"
#include "mempool/feerate.h"

#define POLICY_MAX_TX_WEIGHT_WU 400000
#define POLICY_MIN_TX_BYTES 65           /* without witness: CVE-2017-12842 */
#define POLICY_MAX_SCRIPT_SIG_BYTES 1650
#define POLICY_MAX_SIGOPS_COST (80000 / 5)
#define POLICY_MAX_LEGACY_SIGOPS 2500    /* BIP54 */
#define POLICY_MAX_P2SH_SIGOPS 15
#define POLICY_BYTES_PER_SIGOP 20
#define POLICY_MAX_CLUSTERS_REPLACED 100
#define POLICY_MAX_PACKAGE_COUNT 25
#define POLICY_MAX_PACKAGE_WEIGHT_WU 404000

#define TRUC_VERSION 3                   /* BIP431 */
#define TRUC_MAX_VSIZE 10000
#define TRUC_CHILD_MAX_VSIZE 1000

/* Flags of scripts in the mempool: all that blocks demand, and more. */
#define POLICY_SCRIPT_FLAGS \
	(SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_DERSIG | \
	 SCRIPT_VERIFY_NULLDUMMY | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | \
	 SCRIPT_VERIFY_CHECKSEQUENCEVERIFY | SCRIPT_VERIFY_WITNESS | \
	 SCRIPT_VERIFY_TAPROOT | SCRIPT_VERIFY_STRICTENC | \
	 SCRIPT_VERIFY_MINIMALDATA | \
	 SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS | \
	 SCRIPT_VERIFY_CLEANSTACK | SCRIPT_VERIFY_MINIMALIF | \
	 SCRIPT_VERIFY_NULLFAIL | SCRIPT_VERIFY_LOW_S | \
	 SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM | \
	 SCRIPT_VERIFY_WITNESS_PUBKEYTYPE | SCRIPT_VERIFY_CONST_SCRIPTCODE | \
	 SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION | \
	 SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS | \
	 SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)

/* The owner's choices.  policy_defaults() fills in the reference node's. */
struct policy {
	int64_t min_relay_sat_kvb;       /* -minrelaytxfee: 100 */
	int64_t incremental_sat_kvb;     /* -incrementalrelayfee: 100 */
	int64_t dust_sat_kvb;            /* -dustrelayfee: 3000 */
	bool require_standard;           /* !-acceptnonstdtxn */
	bool permit_bare_multisig;       /* -permitbaremultisig: no */
	bool data_carrier;               /* -datacarrier: yes */
	size_t data_carrier_bytes;       /* -datacarriersize: 100,000 */
	unsigned cluster_count;          /* -limitclustercount: 64 */
	int64_t cluster_bytes;           /* -limitclustersize: 101,000 */
	size_t max_memory_bytes;         /* -maxmempool: 300 MB */
	int64_t expiry_s;                /* -mempoolexpiry: 336 h */
};

void policy_defaults(struct policy *p);

/* How a refusal is to be treated, as the reference node's results do. */
enum reject_class {
	REJECT_NONE,
	REJECT_CONSENSUS,        /* breaks a rule of blocks */
	REJECT_NONSTANDARD,
	REJECT_INPUTS_NONSTANDARD,
	REJECT_MISSING_INPUTS,   /* an orphan, or spent already */
	REJECT_PREMATURE,        /* locks or maturity: valid later */
	REJECT_WITNESS_MUTATED,  /* this witness is bad, the txid may be good */
	REJECT_WITNESS_STRIPPED,
	REJECT_CONFLICT,         /* in the pool or in the chain already */
	REJECT_POLICY,           /* fees, limits of the pool */
	REJECT_RECONSIDERABLE,   /* fees too low alone: try it in a package */
};

struct reject {
	enum reject_class class;
	char reason[128];        /* "min relay fee not met" */
	char details[384];       /* "10 < 11"; may be empty */
};

/** Fill in and return false.  details: a format, may be "". */
bool reject_set(struct reject *r, enum reject_class class, const char *reason,
		const char *details, ...) PRINTF_LIKE(4, 5);
/** "reason, details", as sendrawtransaction answers. */
void reject_text(char out[static 520], const struct reject *r);

/** IsStandardTx: version, weight, scripts, outputs.  Dust: at most one
 * output, and its fee is asked about by policy_dust_fee_ok(). */
NODISCARD bool policy_standard(struct reject *r, const struct policy *p,
			       const struct tx *tx);
/** Dust only where the transaction pays no fee (ephemeral dust). */
NODISCARD bool policy_dust_fee_ok(struct reject *r, const struct policy *p,
				  const struct tx *tx, int64_t fee_sat,
				  int64_t modified_fee_sat);
/** ValidateInputsStandardness: kinds of the spent outputs, P2SH sigops. */
NODISCARD bool policy_inputs_standard(struct reject *r, const struct tx *tx,
				      const struct tx_out *spent);
/** IsWitnessStandard: sizes of witness stacks and scripts. */
NODISCARD bool policy_witness_standard(const struct tx *tx,
				       const struct tx_out *spent);
/** BIP54: legacy signature operations of scripts run by the inputs. */
NODISCARD bool policy_legacy_sigops_ok(const struct tx *tx,
				       const struct tx_out *spent);
/** Does it spend a witness program other than P2A?  (Without a witness the
 * witness was taken off on the way.) */
bool policy_spends_witness(const struct tx *tx, const struct tx_out *spent);

/** Least amount that is no dust; 0 for what can never be spent. */
int64_t policy_dust_sat(const struct tx_out *out, int64_t dust_sat_kvb);
bool policy_is_dust(const struct tx_out *out, int64_t dust_sat_kvb);
/** Is this output script of a standard form? */
bool policy_standard_output(struct span script, enum script_type *type);

/** Weight and sigops as one size, in weight units. */
int64_t policy_adjusted_weight(uint64_t weight_wu, uint64_t sigops_cost);

#endif
