/*
 * SHA-256's compression function in plain C (FIPS 180-4).
 */
#include "config.h"

#include "crypto/sha256_priv.h"

#include <string.h>

const uint32_t sha256_start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotr(uint32_t x, int k)
{
	return x >> k | x << (32 - k);
}

static inline uint32_t sigma_big0(uint32_t x)
{
	return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22);
}

static inline uint32_t sigma_big1(uint32_t x)
{
	return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25);
}

static inline uint32_t sigma0(uint32_t x)
{
	return rotr(x, 7) ^ rotr(x, 18) ^ x >> 3;
}

static inline uint32_t sigma1(uint32_t x)
{
	return rotr(x, 17) ^ rotr(x, 19) ^ x >> 10;
}

/* One round; the eight names turn by one from call to call. */
#define ROUND(a, b, c, d, e, f, g, h, i) do { \
	uint32_t t = (h) + sigma_big1(e) + (((e) & (f)) ^ (~(e) & (g))) + \
		     sha256_k[i] + w[(i) & 15]; \
	(d) += t; \
	(h) = t + sigma_big0(a) + (((a) & (b)) | ((c) & ((a) | (b)))); \
} while (0)

static void plain_block(uint32_t s[static 8], const uint8_t *p)
{
	uint32_t a = s[0], b = s[1], c = s[2], d = s[3];
	uint32_t e = s[4], f = s[5], g = s[6], h = s[7];
	uint32_t w[16];
	int i, j;

	for (i = 0; i < 16; i++)
		w[i] = load_be32(p + 4 * i);
	for (i = 0; i < 64; i += 8) {
		for (j = i; i >= 16 && j < i + 8; j++)
			w[j & 15] += sigma1(w[(j - 2) & 15]) +
				     w[(j - 7) & 15] +
				     sigma0(w[(j - 15) & 15]);
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

static void plain_blocks(uint32_t s[static 8], const uint8_t *p, size_t n)
{
	for (; n; n--, p += 64)
		plain_block(s, p);
}

static void plain_double_64(uint8_t *out, const uint8_t *in, size_t n)
{
	/* What follows 64 and 32 bytes: a one bit, zeros, the length. */
	static const uint8_t pad_64[64] = { 0x80, [62] = 0x02 };
	uint8_t block[64] = { [32] = 0x80, [62] = 0x01 };
	uint32_t s[8];
	int i;

	for (; n; n--, in += 64, out += 32) {
		memcpy(s, sha256_start, sizeof(s));
		plain_block(s, in);
		plain_block(s, pad_64);
		for (i = 0; i < 8; i++)
			store_be32(block + 4 * i, s[i]);
		memcpy(s, sha256_start, sizeof(s));
		plain_block(s, block);
		for (i = 0; i < 8; i++)
			store_be32(out + 4 * i, s[i]);
	}
}

const struct sha256_kernel sha256_plain = {
	"plain", plain_blocks, plain_double_64
};
