/*
 * Ed25519 public keys, by OpenSSL.
 */
#include "config.h"

#include "tor/ed25519.h"

#include <openssl/evp.h>

bool ed25519_public(uint8_t out[static 32], const uint8_t seed[static 32])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						      seed, 32);
	size_t n = 32;
	bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, out, &n) == 1 &&
		  n == 32;

	EVP_PKEY_free(pkey);
	return ok;
}
