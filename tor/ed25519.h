/*
 * OpenSSL's Ed25519, behind a door of its own (its headers and err.h both
 * claim the name ERR_STATE).  Pure; any thread.
 */
#ifndef CLOISTER_TOR_ED25519_H
#define CLOISTER_TOR_ED25519_H

#include "base/base.h"

/** The public key of a seed (RFC 8032, 5.1.5); false if OpenSSL fails. */
NODISCARD bool ed25519_public(uint8_t out[static 32],
			      const uint8_t seed[static 32]);

#endif
