/*
 * The system's randomness, and a deterministic generator (xoshiro256**).
 */
#include "config.h"

#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		CHECK(got > 0);
		p += got;
		n -= (size_t)got;
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

/* Values below this are rejected, so that the rest is a multiple of bound. */
static uint64_t reject_below(uint64_t bound)
{
	CHECK(bound > 0);
	return (0 - bound) % bound;
}

uint64_t random_below(uint64_t bound)
{
	uint64_t least = reject_below(bound), v;

	do
		v = random_u64();
	while (v < least);
	return v % bound;
}

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void prng_seed(struct prng *p, uint64_t seed)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(p->s); i++)
		p->s[i] = splitmix(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t prng_u64(struct prng *p)
{
	uint64_t *s = p->s;
	uint64_t out = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
	uint64_t least = reject_below(bound), v;

	do
		v = prng_u64(p);
	while (v < least);
	return v % bound;
}
