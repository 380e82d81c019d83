/*
 * Extended keys (BIP32): a key, a chain code, and the keys derived from them.
 * Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_EXT_KEY_H
#define CLOISTER_ADDRESS_EXT_KEY_H

#include "address/base58.h"
#include "consensus/params.h"

#define EXT_KEY_HARDENED 0x80000000u

/* Wipe one with is_private after use. */
struct ext_key {
	bool is_private;
	uint8_t depth;
	uint8_t parent[4];       /* fingerprint */
	uint32_t child;
	uint8_t chain_code[32];
	uint8_t key[33];         /* public; private: 0 and the number */
};

/** "xpub…", "xprv…" of this chain; false if it is none. */
NODISCARD bool ext_key_decode(struct ext_key *out,
			      const struct chain_params *p, const char *text);
void ext_key_encode(char out[static BASE58_MAX_CHARS],
		    const struct chain_params *p, const struct ext_key *k);

/** The public half; out may be k. */
void ext_key_neuter(struct ext_key *out, const struct ext_key *k);
void ext_key_fingerprint(uint8_t out[static 4], const struct ext_key *k);
/**
 * Child number `child`; out may be k.
 *
 * return   false: hardened from a public key, deeper than 255, or the one in
 *          2^127 that has no key
 */
NODISCARD bool ext_key_derive(struct ext_key *out, const struct ext_key *k,
			      uint32_t child);

#endif
