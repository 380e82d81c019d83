/*
 * SipHash-c-d (Aumasson and Bernstein), with c and d known when compiling.
 */
#include "config.h"

#include "crypto/hash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	       (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	       (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

static inline struct sip sip_start(uint64_t k0, uint64_t k1)
{
	return (struct sip){
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline void sip_rounds(struct sip *s, int n)
{
	for (; n > 0; n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void sip_word(struct sip *s, uint64_t m, int c)
{
	s->v3 ^= m;
	sip_rounds(s, c);
	s->v0 ^= m;
}

static inline uint64_t sip_end(struct sip *s, uint64_t last, int c, int d)
{
	sip_word(s, last, c);
	s->v2 ^= 0xff;
	sip_rounds(s, d);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline struct sip sip_u256(uint64_t k0, uint64_t k1, const uint8_t *h,
				  int c)
{
	struct sip s = sip_start(k0, k1);

	sip_word(&s, load_le64(h), c);
	sip_word(&s, load_le64(h + 8), c);
	sip_word(&s, load_le64(h + 16), c);
	sip_word(&s, load_le64(h + 24), c);
	return s;
}

uint64_t siphash(uint64_t k0, uint64_t k1, const void *data, size_t n)
{
	struct sip s = sip_start(k0, k1);
	const uint8_t *p = data;
	uint64_t last = (uint64_t)n << 56;
	size_t left = n, i;

	for (; left >= 8; left -= 8, p += 8)
		sip_word(&s, load_le64(p), 2);
	for (i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	return sip_end(&s, last, 2, 4);
}

uint64_t siphash_u256(uint64_t k0, uint64_t k1, const uint8_t h[static 32])
{
	struct sip s = sip_u256(k0, k1, h, 2);

	return sip_end(&s, UINT64_C(32) << 56, 2, 4);
}

uint64_t siphash_u256_u32(uint64_t k0, uint64_t k1,
			  const uint8_t h[static 32], uint32_t n)
{
	struct sip s = sip_u256(k0, k1, h, 2);

	return sip_end(&s, UINT64_C(36) << 56 | n, 2, 4);
}

uint64_t siphash13_u256_u32(uint64_t k0, uint64_t k1,
			    const uint8_t h[static 32], uint32_t n)
{
	struct sip s = sip_u256(k0, k1, h, 1);

	return sip_end(&s, UINT64_C(36) << 56 | n, 1, 3);
}
