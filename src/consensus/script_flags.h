/*
 * Script verification flags, with the bit positions of the reference node's
 * script/interpreter.h, so that test vectors and tools agree.
 * Seven are rules of blocks, by height (params.c); the others are policy for
 * transactions on their own, here because vectors ask for them.
 */
#ifndef CLOISTER_CONSENSUS_SCRIPT_FLAGS_H
#define CLOISTER_CONSENSUS_SCRIPT_FLAGS_H

enum {
	SCRIPT_VERIFY_NONE = 0,
	SCRIPT_VERIFY_P2SH = 1 << 0, /* rule: BIP16 */
	SCRIPT_VERIFY_STRICTENC = 1 << 1, /* of hash types and keys too */
	SCRIPT_VERIFY_DERSIG = 1 << 2, /* rule: BIP66 */
	SCRIPT_VERIFY_LOW_S = 1 << 3, /* BIP62 rule 5 */
	SCRIPT_VERIFY_NULLDUMMY = 1 << 4, /* rule: BIP147 */
	SCRIPT_VERIFY_SIGPUSHONLY = 1 << 5, /* BIP62 rule 2 */
	SCRIPT_VERIFY_MINIMALDATA = 1 << 6, /* BIP62 rules 3, 4 */
	SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS = 1 << 7,
	SCRIPT_VERIFY_CLEANSTACK = 1 << 8, /* BIP62 rule 6; wants WITNESS */
	SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9, /* rule: BIP65 */
	SCRIPT_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10, /* rule: BIP112 */
	SCRIPT_VERIFY_WITNESS = 1 << 11, /* rule: BIP141; wants P2SH */
	SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1 << 12,
	SCRIPT_VERIFY_MINIMALIF = 1 << 13, /* in BIP342 a rule */
	SCRIPT_VERIFY_NULLFAIL = 1 << 14, /* BIP146 */
	SCRIPT_VERIFY_WITNESS_PUBKEYTYPE = 1 << 15,
	SCRIPT_VERIFY_CONST_SCRIPTCODE = 1 << 16,
	SCRIPT_VERIFY_TAPROOT = 1 << 17, /* rule: BIP341, 342 */
	SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1 << 18,
	SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS = 1 << 19,
	SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1 << 20,
};

#endif
