/*
 * Keys of our onion services, derived from their seeds.
 */
#include "config.h"

#include "tor/onion_key.h"

#include "crypto/hash.h"
#include "tor/ed25519.h"

#include <string.h>

bool onion_key_from_seed(struct onion_key *k,
			 const uint8_t seed[static ONION_SEED_SIZE])
{
	memset(k, 0, sizeof *k);
	if (!ed25519_public(k->public, seed))
		return false;
	secret_init(&k->seed, ONION_SEED_SIZE);
	secret_append(&k->seed, seed, ONION_SEED_SIZE);
	onion_format(k->address, k->public);
	return true;
}

void onion_key_write_tor(struct secret *out, const struct onion_key *k)
{
	static const char header[32] = "== ed25519v1-secret: type0 ==";
	uint8_t *expanded;

	secret_init(out, sizeof header + 64);
	secret_append(out, header, sizeof header);
	/* RFC 8032, 5.1.5: hash the seed, clamp the scalar */
	expanded = out->p + out->n;
	sha512(expanded, k->seed.p, k->seed.n);
	expanded[0] &= 0xf8;
	expanded[31] = (uint8_t)((expanded[31] & 0x7f) | 0x40);
	out->n = out->cap;
}

void onion_key_clear(struct onion_key *k)
{
	secret_clear(&k->seed);
	memset(k, 0, sizeof *k);
}
