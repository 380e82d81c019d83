/*
 * Hash functions of the protocol, over OpenSSL.  Pure; any thread.
 */
#ifndef CLOISTER_CRYPTO_HASH_H
#define CLOISTER_CRYPTO_HASH_H

#include "base/bytes.h"

/* Streaming SHA-256; copy the struct to keep a midstate. */
struct sha256 {
	uint32_t s[8];
	uint64_t n;              /* bytes so far */
	uint8_t buf[64];
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t n);
void sha256_final(struct sha256 *h, uint8_t out[static 32]);

void sha256(uint8_t out[static 32], const void *p, size_t n);
void sha256d(uint8_t out[static 32], const void *p, size_t n);
void sha256d_final(struct sha256 *h, uint8_t out[static 32]);
/** n double hashes of 64 bytes each (a merkle level): out may be in. */
void sha256d_64(uint8_t *out, const uint8_t *in, size_t n);
/** Which implementation was chosen at run time: "sha-ni", "plain", … */
const char *sha256_impl(void);
/** Check the chosen implementation against the plain one. */
NODISCARD bool sha256_self_test(void);

void sha1(uint8_t out[static 20], const void *p, size_t n);
void ripemd160(uint8_t out[static 20], const void *p, size_t n);
void hash160(uint8_t out[static 20], const void *p, size_t n);
void sha512(uint8_t out[static 64], const void *p, size_t n);
void sha3_256(uint8_t out[static 32], const void *p, size_t n);
void hmac_sha256(uint8_t out[static 32], struct span key, struct span msg);
void hmac_sha512(uint8_t out[static 64], struct span key, struct span msg);

/** BIP340: start a hash with SHA256(tag) twice already in. */
void sha256_tagged_init(struct sha256 *h, const char *tag);

/** SipHash-2-4 of any bytes. */
uint64_t siphash(uint64_t k0, uint64_t k1, const void *p, size_t n);
/** SipHash-2-4 of a 32-byte hash, and of a hash and a number (outpoint). */
uint64_t siphash_u256(uint64_t k0, uint64_t k1, const uint8_t h[static 32]);
uint64_t siphash_u256_u32(uint64_t k0, uint64_t k1,
			  const uint8_t h[static 32], uint32_t n);
/** SipHash-1-3, faster: for tables in memory. */
uint64_t siphash13_u256_u32(uint64_t k0, uint64_t k1,
			    const uint8_t h[static 32], uint32_t n);

#endif
