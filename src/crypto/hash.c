/*
 * The hash functions that OpenSSL does for us.  Its low-level calls, where
 * there are any: scripts hash millions of short strings, for which an EVP
 * context costs more than the hash.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "config.h"

#include "crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>

void sha1(uint8_t out[static 20], const void *p, size_t n)
{
	SHA_CTX c;

	CHECK(SHA1_Init(&c) && SHA1_Update(&c, p, n) && SHA1_Final(out, &c));
}

void ripemd160(uint8_t out[static 20], const void *p, size_t n)
{
	RIPEMD160_CTX c;

	CHECK(RIPEMD160_Init(&c) && RIPEMD160_Update(&c, p, n) &&
	      RIPEMD160_Final(out, &c));
}

void hash160(uint8_t out[static 20], const void *p, size_t n)
{
	uint8_t h[32];

	sha256(h, p, n);
	ripemd160(out, h, sizeof(h));
}

void sha512(uint8_t out[static 64], const void *p, size_t n)
{
	SHA512_CTX c;

	CHECK(SHA512_Init(&c) && SHA512_Update(&c, p, n) &&
	      SHA512_Final(out, &c));
}

void sha3_256(uint8_t out[static 32], const void *p, size_t n)
{
	CHECK(EVP_Digest(p, n, out, NULL, EVP_sha3_256(), NULL));
}
