/*
 * MuHash3072.  A number is 48 words, least first, kept below 2^3072 but not
 * below the modulus p = 2^3072 - 1103717 until the end.
 */
#include "config.h"

#include "crypto/muhash.h"

#include "crypto/hash.h"

#include <stdlib.h>

#define WORDS 48
#define GAP UINT64_C(1103717)      /* 2^3072 - p */

__extension__ typedef unsigned __int128 u128;

/* ---- ChaCha20 (RFC 8439), as a stream of a key's first bytes ------------ */

static inline uint32_t rotl32(uint32_t x, int k)
{
	return x << k | x >> (32 - k);
}

static inline void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotl32(*d ^ *a, 16);
	*c += *d;
	*b = rotl32(*b ^ *c, 12);
	*a += *b;
	*d = rotl32(*d ^ *a, 8);
	*c += *d;
	*b = rotl32(*b ^ *c, 7);
}

static void chacha20_block(uint64_t out[static 8], const uint32_t in[static 16])
{
	uint32_t x[16];
	int i;

	memcpy(x, in, sizeof(x));
	for (i = 0; i < 10; i++) {
		quarter(&x[0], &x[4], &x[8], &x[12]);
		quarter(&x[1], &x[5], &x[9], &x[13]);
		quarter(&x[2], &x[6], &x[10], &x[14]);
		quarter(&x[3], &x[7], &x[11], &x[15]);
		quarter(&x[0], &x[5], &x[10], &x[15]);
		quarter(&x[1], &x[6], &x[11], &x[12]);
		quarter(&x[2], &x[7], &x[8], &x[13]);
		quarter(&x[3], &x[4], &x[9], &x[14]);
	}
	for (i = 0; i < 8; i++)
		out[i] = (uint64_t)(x[2 * i] + in[2 * i]) |
			 (uint64_t)(x[2 * i + 1] + in[2 * i + 1]) << 32;
}

/* The number that stands for an element. */
static void number_of(uint64_t out[static WORDS], struct span element)
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	uint8_t key[32];
	int i;

	sha256(key, element.p, element.n);
	for (i = 0; i < 8; i++)
		in[4 + i] = (uint32_t)key[4 * i] |
			    (uint32_t)key[4 * i + 1] << 8 |
			    (uint32_t)key[4 * i + 2] << 16 |
			    (uint32_t)key[4 * i + 3] << 24;
	for (i = 0; i < WORDS / 8; i++, in[12]++)
		chacha20_block(out + 8 * i, in);
}

/* ---- arithmetic --------------------------------------------------------- */

/* a += v * 2^0; returns the carry out of the top word. */
static uint64_t add_small(uint64_t a[static WORDS], uint64_t v)
{
	int i;

	for (i = 0; v && i < WORDS; i++) {
		a[i] += v;
		v = a[i] < v;
	}
	return v;
}

/* Fold v * 2^3072 into a: it is v * GAP.  v is at most 2^22. */
static void fold(uint64_t a[static WORDS], uint64_t v)
{
	while (v)
		v = add_small(a, v * GAP);
}

/* out = a * b mod p, columns first; out may be a or b. */
static void mul(uint64_t out[static WORDS], const uint64_t a[static WORDS],
		const uint64_t b[static WORDS])
{
	uint64_t wide[2 * WORDS];
	u128 low = 0, high, carry = 0, p;
	int i, j;

	for (i = 0; i < 2 * WORDS - 1; i++) {
		int from = i < WORDS ? 0 : i - WORDS + 1;
		int to = i < WORDS ? i : WORDS - 1;

		high = 0;
		for (j = from; j <= to; j++) {
			p = (u128)a[j] * b[i - j];
			low += (uint64_t)p;
			high += (uint64_t)(p >> 64);
		}
		wide[i] = (uint64_t)low;
		low = high + (low >> 64);
	}
	wide[i] = (uint64_t)low;

	for (i = 0; i < WORDS; i++) {
		carry += (u128)wide[WORDS + i] * GAP + wide[i];
		out[i] = (uint64_t)carry;
		carry >>= 64;
	}
	fold(out, (uint64_t)carry);
}

/* Word i of the exponent p - 2, which by Fermat inverts. */
static uint64_t exponent_word(int i)
{
	return i == 0 ? 0 - (GAP + 2) : UINT64_MAX;
}

/* out = a^(p - 2), four bits of the exponent at a time. */
static void invert(uint64_t out[static WORDS], const uint64_t a[static WORDS])
{
	uint64_t power[16][WORDS] = { { 1 } };
	int i, k, shift;

	for (i = 1; i < 16; i++)
		mul(power[i], power[i - 1], a);
	memcpy(out, power[0], sizeof(power[0]));
	for (i = WORDS - 1; i >= 0; i--) {
		for (shift = 60; shift >= 0; shift -= 4) {
			for (k = 0; k < 4; k++)
				mul(out, out, out);
			mul(out, out, power[exponent_word(i) >> shift & 15]);
		}
	}
}

/* a mod p, for good. */
static void reduce(uint64_t a[static WORDS])
{
	bool over = a[0] >= 0 - GAP;
	int i;

	for (i = 1; i < WORDS; i++)
		over = over && a[i] == UINT64_MAX;
	if (over)
		(void)add_small(a, GAP);     /* less p, mod 2^3072 */
}

/* ---- the set ------------------------------------------------------------ */

void muhash_init(struct muhash *m)
{
	*m = (struct muhash){ .num = { 1 }, .den = { 1 } };
}

void muhash_insert(struct muhash *m, struct span element)
{
	uint64_t e[WORDS];

	number_of(e, element);
	mul(m->num, m->num, e);
}

void muhash_remove(struct muhash *m, struct span element)
{
	uint64_t e[WORDS];

	number_of(e, element);
	mul(m->den, m->den, e);
}

void muhash_combine(struct muhash *m, const struct muhash *other)
{
	mul(m->num, m->num, other->num);
	mul(m->den, m->den, other->den);
}

/* The digest, from 1 / den. */
static void digest(uint8_t out[static 32], const struct muhash *m,
		   const uint64_t inverse[static WORDS])
{
	uint64_t r[WORDS];
	uint8_t raw[8 * WORDS];
	size_t i;

	mul(r, inverse, m->num);
	reduce(r);
	for (i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(r[i / 8] >> (8 * (i % 8)));
	sha256(out, raw, sizeof(raw));
}

void muhash_final(const struct muhash *m, uint8_t out[static 32])
{
	uint64_t inverse[WORDS];

	invert(inverse, m->den);
	digest(out, m, inverse);
}

/* One inverse of the product of all, then back through the factors. */
void muhash_final_many(uint8_t (*out)[32], const struct muhash *m, size_t n)
{
	uint64_t (*product)[WORDS] = xcalloc(n + 1, sizeof(*product));
	uint64_t inverse[WORDS], own[WORDS];
	size_t i;

	product[0][0] = 1;
	for (i = 0; i < n; i++)
		mul(product[i + 1], product[i], m[i].den);
	invert(inverse, product[n]);
	for (i = n; i-- > 0;) {
		mul(own, inverse, product[i]);
		digest(out[i], &m[i], own);
		mul(inverse, inverse, m[i].den);
	}
	free(product);
}
