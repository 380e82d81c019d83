/*
 * Onion service addresses, version 3 (rend-spec-v3, section 6): 56 characters
 * of base 32 before ".onion", holding an Ed25519 key, a checksum and the
 * version.  Pure; any thread.
 */
#ifndef CLOISTER_CRYPTO_ONION_ADDRESS_H
#define CLOISTER_CRYPTO_ONION_ADDRESS_H

#include "base/base.h"

#define ONION_KEY_BYTES 32
#define ONION_TEXT_SIZE 63       /* with ".onion" and a NUL */

/** False unless it is a whole, lower- or upper-case v3 address with the
 * right checksum. */
NODISCARD bool onion_parse(uint8_t key[static ONION_KEY_BYTES],
			   const char *text);
/** Lower case. */
void onion_format(char out[static ONION_TEXT_SIZE],
		  const uint8_t key[static ONION_KEY_BYTES]);

#endif
