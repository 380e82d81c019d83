/*
 * The secret key of an onion service of ours: an Ed25519 seed, from which
 * tor's key file is written at each start.  Warden only.
 */
#ifndef CLOISTER_TOR_ONION_KEY_H
#define CLOISTER_TOR_ONION_KEY_H

#include "base/err.h"
#include "base/secret.h"
#include "crypto/onion_address.h"

#define ONION_KEY_KIND "onion-seed"
#define ONION_SEED_SIZE 32

/* {0} is an empty one. */
struct onion_key {
	struct secret seed;
	uint8_t public[ONION_KEY_BYTES];
	char address[ONION_TEXT_SIZE];
	bool encrypted;           /* in its file */
};

/** Derive public key and address; false if the library fails.  *k is
 * overwritten; clear it in any case. */
NODISCARD bool onion_key_from_seed(struct onion_key *k,
				   const uint8_t seed[static ONION_SEED_SIZE]);
/** Tor's hs_ed25519_secret_key file, in a new secret of 96 bytes. */
void onion_key_write_tor(struct secret *out, const struct onion_key *k);
void onion_key_clear(struct onion_key *k);

#endif
