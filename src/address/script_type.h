/*
 * What kind of output script is this, and what stands in it?  The reference
 * node's Solver.  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_SCRIPT_TYPE_H
#define CLOISTER_ADDRESS_SCRIPT_TYPE_H

#include "consensus/script.h"

enum script_type {
	SCRIPT_TYPE_NONSTANDARD,
	SCRIPT_TYPE_PUBKEY,
	SCRIPT_TYPE_PUBKEYHASH,
	SCRIPT_TYPE_SCRIPTHASH,
	SCRIPT_TYPE_MULTISIG,
	SCRIPT_TYPE_NULLDATA,
	SCRIPT_TYPE_ANCHOR,
	SCRIPT_TYPE_WITNESS_V0_KEYHASH,
	SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH,
	SCRIPT_TYPE_WITNESS_V1_TAPROOT,
	SCRIPT_TYPE_WITNESS_UNKNOWN,
};

/* A script taken apart; spans borrow from it. */
struct script_solution {
	enum script_type type;
	unsigned required;       /* signatures of a multisig */
	unsigned version;        /* of a witness program */
	size_t count;            /* of parts: keys, or the hash or program */
	struct span parts[SCRIPT_MAX_MULTISIG_KEYS];
};

void script_solve(struct script_solution *out, struct span script);
/** "pubkeyhash", "witness_v1_taproot", … */
const char *script_type_name(enum script_type t);

/** The first byte of a public key announces this length (hybrid keys too);
 * whether it is a point is not asked. */
bool script_key_size_ok(struct span key);

#endif
