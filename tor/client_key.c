/*
 * X25519 keys for client authorization.
 */
#include "config.h"

#include "tor/client_key.h"

#include "base/random.h"

#include <openssl/evp.h>

bool client_key_public(uint8_t out[static CLIENT_KEY_SIZE],
		       const uint8_t private[static CLIENT_KEY_SIZE])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
						      private,
						      CLIENT_KEY_SIZE);
	size_t n = CLIENT_KEY_SIZE;
	bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, out, &n) == 1 &&
		  n == CLIENT_KEY_SIZE;

	EVP_PKEY_free(pkey);
	return ok;
}

bool client_key_make(uint8_t private[static CLIENT_KEY_SIZE],
		     uint8_t public[static CLIENT_KEY_SIZE])
{
	random_bytes(private, CLIENT_KEY_SIZE);
	/* RFC 7748, 5: any 32 bytes, clamped */
	private[0] &= 0xf8;
	private[31] = (uint8_t)((private[31] & 0x7f) | 0x40);
	return client_key_public(public, private);
}

void base64_encode(char *out, const uint8_t *p, size_t n)
{
	(void)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}
