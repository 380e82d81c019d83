/*
 * What kind of output script this is, in the reference node's words, and the
 * data in it.  Pure; borrows from the script.
 */
#ifndef CLOISTER_RPC_SCRIPT_FORM_H
#define CLOISTER_RPC_SCRIPT_FORM_H

#include "consensus/script.h"

enum script_form {
	FORM_NONSTANDARD,
	FORM_PUBKEY,
	FORM_PUBKEYHASH,
	FORM_SCRIPTHASH,
	FORM_MULTISIG,
	FORM_NULLDATA,
	FORM_ANCHOR,
	FORM_WITNESS_V0_SCRIPTHASH,
	FORM_WITNESS_V0_KEYHASH,
	FORM_WITNESS_V1_TAPROOT,
	FORM_WITNESS_UNKNOWN,
};

struct script_parts {
	unsigned required;               /* of a multisig */
	size_t count;
	struct span data[SCRIPT_MAX_MULTISIG_KEYS]; /* keys, or the hash */
};

enum script_form script_form(struct span script, struct script_parts *parts);
/** "pubkeyhash", "witness_v1_taproot", … */
const char *script_form_name(enum script_form f);
/** The first byte says this length (33 or 65); hybrid ones included. */
bool pubkey_size_ok(struct span key);
/**
 * New string: the script in words.  sighash: show what looks like a signature
 * with its hash type as "[ALL]" instead of the last byte.
 */
char *script_asm(struct span script, bool sighash);
/** No push over 520 bytes, no opcode behind OP_NOP10, well formed. */
bool script_ops_ok(struct span script);

#endif
