/*
 * The secret key of an onion service of ours: an Ed25519 seed in a file of
 * its own, from which tor's key file is written at each start.
 */
#ifndef CLOISTER_TOR_ONION_KEY_H
#define CLOISTER_TOR_ONION_KEY_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/onion_address.h"

struct onion_key {
	uint8_t seed[32];         /* secret */
	uint8_t public[ONION_KEY_BYTES];
	char address[ONION_TEXT_SIZE];
};

/** Derive public key and address; false if the library fails. */
NODISCARD bool onion_key_from_seed(struct onion_key *k,
				   const uint8_t seed[static 32]);
/** Append tor's hs_ed25519_secret_key file to out (96 secret bytes). */
void onion_key_write_tor(struct bytes *out, const struct onion_key *k);
void onion_key_clear(struct onion_key *k);

/**
 * Read keys/onion_NAME.key below dir, or make a new one if neither it nor
 * keys/onion_NAME.addr (the address it had) is there.  A key that is missing,
 * damaged or of another address than the recorded one is ERR_INPUT, and
 * nothing is overwritten: an address that others know is not lost by mistake.
 */
NODISCARD enum err onion_key_open(struct onion_key *k, const char *dir,
				  const char *name, struct why *why);

#endif
