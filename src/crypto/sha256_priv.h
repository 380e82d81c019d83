/*
 * SHA-256's compression function in its variants, and what they share.
 */
#ifndef CLOISTER_CRYPTO_SHA256_PRIV_H
#define CLOISTER_CRYPTO_SHA256_PRIV_H

#include "base/base.h"

extern const uint32_t sha256_k[64];
extern const uint32_t sha256_start[8];

struct sha256_kernel {
	const char *name;
	/** Take n blocks of 64 bytes into the state. */
	void (*blocks)(uint32_t s[static 8], const uint8_t *p, size_t n);
	/** n double hashes of 64 bytes; out may be in. */
	void (*double_64)(uint8_t *out, const uint8_t *in, size_t n);
};

extern const struct sha256_kernel sha256_plain;
/** The x86 SHA extensions, or NULL where there are none. */
const struct sha256_kernel *sha256_ni_get(void);

static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline void store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
