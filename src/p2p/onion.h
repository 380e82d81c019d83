/*
 * Where a peer is: the key of its onion service, and a port.
 */
#ifndef CLOISTER_P2P_ONION_H
#define CLOISTER_P2P_ONION_H

#include "base/bytes.h"
#include "crypto/onion_address.h"

struct onion {
	uint8_t key[ONION_KEY_BYTES];
	uint16_t port;
};

static inline bool onion_eq(const struct onion *a, const struct onion *b)
{
	return a->port == b->port &&
	       memcmp(a->key, b->key, ONION_KEY_BYTES) == 0;
}

#endif
