/*
 * Onion service addresses, version 3: 56 characters of base 32 before
 * ".onion", holding an Ed25519 key, a checksum and the version.
 */
#ifndef CLOISTER_P2P_ONION_H
#define CLOISTER_P2P_ONION_H

#include "base/bytes.h"

#define ONION_KEY_BYTES 32
#define ONION_TEXT_SIZE 63       /* with ".onion" and a NUL */

struct onion {
	uint8_t key[ONION_KEY_BYTES];
	uint16_t port;
};

static inline bool onion_eq(const struct onion *a, const struct onion *b)
{
	return a->port == b->port &&
	       memcmp(a->key, b->key, ONION_KEY_BYTES) == 0;
}

/** False unless it is a whole, lower- or upper-case v3 address with the
 * right checksum. */
NODISCARD bool onion_parse(uint8_t key[static ONION_KEY_BYTES],
			   const char *host);
void onion_format(char out[static ONION_TEXT_SIZE],
		  const uint8_t key[static ONION_KEY_BYTES]);

#endif
