/*
 * HMAC-SHA512 (RFC 4231), over OpenSSL.
 */
#include "config.h"

#include "crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void hmac_sha512(uint8_t out[static 64], struct span key, struct span msg)
{
	static const uint8_t none;

	CHECK(HMAC(EVP_sha512(), key.n ? key.p : &none, (int)key.n, msg.p,
		   msg.n, out, NULL));
}
