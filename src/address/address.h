/*
 * Addresses: the short texts that stand for the usual output scripts, and
 * private keys in wallet import format.  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_ADDRESS_H
#define CLOISTER_ADDRESS_ADDRESS_H

#include "base/err.h"
#include "consensus/params.h"

/* Room for any address and its NUL. */
#define ADDRESS_MAX_CHARS 128

/**
 * The address of an output script: P2PKH, P2SH, witness version 0 to 16.
 *
 * return   false, and out empty, if the script has none
 */
NODISCARD bool address_of_script(char out[static ADDRESS_MAX_CHARS],
				 const struct chain_params *p,
				 struct span script);
/**
 * Append the script that an address of this chain pays to.
 *
 * why      on failure: the reference node's sentence (validateaddress'
 *          "error"); may be NULL
 */
NODISCARD bool address_to_script(struct bytes *out,
				 const struct chain_params *p,
				 const char *address, struct why *why);

/** Scripts of hashes. */
void script_write_p2pkh(struct bytes *out, const uint8_t hash[static 20]);
void script_write_p2sh(struct bytes *out, const uint8_t hash[static 20]);
void script_write_witness(struct bytes *out, unsigned version,
			  struct span program);

/* A private key; wipe it after use. */
struct wif_key {
	uint8_t secret[32];
	bool compressed;
};

#define WIF_MAX_CHARS 64

/** False also if the number is no valid key. */
NODISCARD bool wif_decode(struct wif_key *out, const struct chain_params *p,
			  const char *text);
void wif_encode(char out[static WIF_MAX_CHARS], const struct chain_params *p,
		const struct wif_key *key);

#endif
