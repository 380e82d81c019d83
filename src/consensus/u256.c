/*
 * 256-bit arithmetic in four 64-bit limbs, least significant first.  Results
 * are modulo 2^256; every output may be the same object as an input.
 */
#include "config.h"

#include "consensus/u256.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

int u256_cmp(const struct u256 *a, const struct u256 *b)
{
	for (int i = 3; i >= 0; i--) {
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	}
	return 0;
}

bool u256_is_zero(const struct u256 *a)
{
	return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0;
}

void u256_add(struct u256 *out, const struct u256 *a, const struct u256 *b)
{
	wide carry = 0;

	for (int i = 0; i < 4; i++) {
		carry += (wide)a->w[i] + b->w[i];
		out->w[i] = (uint64_t)carry;
		carry >>= 64;
	}
}

void u256_sub(struct u256 *out, const struct u256 *a, const struct u256 *b)
{
	uint64_t borrow = 0;

	for (int i = 0; i < 4; i++) {
		wide d = (wide)a->w[i] - b->w[i] - borrow;

		out->w[i] = (uint64_t)d;
		borrow = (uint64_t)(d >> 64) & 1;
	}
}

void u256_mul_u32(struct u256 *out, const struct u256 *a, uint32_t m)
{
	wide carry = 0;

	for (int i = 0; i < 4; i++) {
		carry += (wide)a->w[i] * m;
		out->w[i] = (uint64_t)carry;
		carry >>= 64;
	}
}

void u256_shl(struct u256 *out, const struct u256 *a, unsigned n)
{
	struct u256 r = { { 0 } };
	unsigned limbs = n / 64, bits = n % 64;

	for (unsigned i = limbs; i < 4; i++) {
		r.w[i] = a->w[i - limbs] << bits;
		if (bits && i > limbs)
			r.w[i] |= a->w[i - limbs - 1] >> (64 - bits);
	}
	*out = r;
}

void u256_shr(struct u256 *out, const struct u256 *a, unsigned n)
{
	struct u256 r = { { 0 } };
	unsigned limbs = n / 64, bits = n % 64;

	for (unsigned i = 0; i + limbs < 4; i++) {
		r.w[i] = a->w[i + limbs] >> bits;
		if (bits && i + limbs + 1 < 4)
			r.w[i] |= a->w[i + limbs + 1] << (64 - bits);
	}
	*out = r;
}

unsigned u256_bits(const struct u256 *a)
{
	for (unsigned i = 4; i-- > 0;) {
		if (a->w[i])
			return 64 * i + 64 -
			       (unsigned)__builtin_clzll(a->w[i]);
	}
	return 0;
}

static unsigned limb_count(const struct u256 *a)
{
	return (u256_bits(a) + 63) / 64;
}

/* By one limb: as on paper. */
static void div_limb(struct u256 *quotient, const struct u256 *a, uint64_t b)
{
	uint64_t rest = 0;

	for (int i = 3; i >= 0; i--) {
		wide part = (wide)rest << 64 | a->w[i];

		quotient->w[i] = (uint64_t)(part / b);
		rest = (uint64_t)(part % b);
	}
}

/*
 * One digit of the quotient, from the two highest limbs of what is left and
 * of the divisor (whose top bit is set): never too small, and too large by
 * one only seldom.
 */
static uint64_t guess_digit(const uint64_t *rest, const uint64_t *b, unsigned n)
{
	wide high = (wide)rest[n] << 64 | rest[n - 1];
	wide q = high / b[n - 1], r = high % b[n - 1];

	while (q >> 64 || q * b[n - 2] > (r << 64 | rest[n - 2])) {
		q--;
		r += b[n - 1];
		if (r >> 64)
			break;
	}
	return (uint64_t)q;
}

/* rest -= q * b; the digit that was right, if q was one too large. */
static uint64_t take_digit(uint64_t *rest, const uint64_t *b, unsigned n,
			   uint64_t q)
{
	wide carry = 0, d;
	uint64_t borrow = 0;

	for (unsigned i = 0; i <= n; i++) {
		carry += i < n ? (wide)q * b[i] : 0;
		d = (wide)rest[i] - (uint64_t)carry - borrow;
		rest[i] = (uint64_t)d;
		borrow = (uint64_t)(d >> 64) & 1;
		carry >>= 64;
	}
	if (!borrow)
		return q;
	carry = 0;
	for (unsigned i = 0; i <= n; i++) {
		carry += (wide)rest[i] + (i < n ? b[i] : 0);
		rest[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return q - 1;
}

/* Knuth's algorithm D: long division in digits of 64 bits. */
void u256_div(struct u256 *out, const struct u256 *a, const struct u256 *b)
{
	struct u256 quotient = { { 0 } }, divisor, low;
	unsigned n = limb_count(b), shift;
	uint64_t rest[5];

	CHECK(n > 0);
	if (n == 1) {
		div_limb(&quotient, a, b->w[0]);
		*out = quotient;
		return;
	}
	shift = 64 * n - u256_bits(b);
	u256_shl(&divisor, b, shift);
	u256_shl(&low, a, shift);
	memcpy(rest, low.w, sizeof low.w);
	rest[4] = shift ? a->w[3] >> (64 - shift) : 0;
	for (unsigned i = 4 - n + 1; i-- > 0;)
		quotient.w[i] = take_digit(rest + i, divisor.w, n,
					   guess_digit(rest + i, divisor.w,
						       n));
	*out = quotient;
}

void u256_from_le(struct u256 *out, const uint8_t b[static 32])
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t w = 0;

		for (unsigned k = 8; k-- > 0;)
			w = w << 8 | b[8 * i + k];
		out->w[i] = w;
	}
}

void u256_to_le(uint8_t b[static 32], const struct u256 *a)
{
	for (unsigned i = 0; i < 32; i++)
		b[i] = (uint8_t)(a->w[i / 8] >> 8 * (i % 8));
}

bool u256_from_hex(struct u256 *out, const char *hex)
{
	char digits[65];
	uint8_t b[32];
	size_t n;

	if (hex[0] == '0' && (hex[1] == 'x' || hex[1] == 'X'))
		hex += 2;
	n = strlen(hex);
	if (n == 0 || n > 64)
		return false;
	memset(digits, '0', 64 - n);
	memcpy(digits + 64 - n, hex, n + 1);
	if (!hex_decode(b, sizeof b, digits))
		return false;
	for (size_t i = 0; i < sizeof b / 2; i++) {
		uint8_t was = b[i];

		b[i] = b[31 - i];
		b[31 - i] = was;
	}
	u256_from_le(out, b);
	return true;
}

void u256_to_hex(char out[static 65], const struct u256 *a)
{
	for (int i = 0; i < 4; i++)
		snprintf(out + 16 * i, 17, "%016llx",
			 (unsigned long long)a->w[3 - i]);
}

double u256_to_double(const struct u256 *a)
{
	double r = 0;

	for (int i = 3; i >= 0; i--)
		r = r * 18446744073709551616.0 + (double)a->w[i];
	return r;
}

/* nBits: one byte of size in bytes, then 23 bits of the number's highest
 * part with a sign bit above them. */
bool u256_from_compact(struct u256 *out, uint32_t bits)
{
	uint32_t size = bits >> 24, word = bits & 0x7fffff;
	struct u256 r = { { 0 } };
	bool overflow;

	if (size <= 3)
		word >>= 8 * (3 - size);
	r.w[0] = word;
	if (size > 3)
		u256_shl(&r, &r, 8 * (size - 3));
	*out = r;
	overflow = size > 34 || (word > 0xff && size > 33) ||
		   (word > 0xffff && size > 32);
	return word != 0 && !(bits & 0x800000) && !overflow;
}

uint32_t u256_to_compact(const struct u256 *a)
{
	uint32_t size = (u256_bits(a) + 7) / 8, word;
	struct u256 t;

	if (size <= 3) {
		word = (uint32_t)(a->w[0] << 8 * (3 - size));
	} else {
		u256_shr(&t, a, 8 * (size - 3));
		word = (uint32_t)t.w[0];
	}
	/* The sign bit must stay clear. */
	if (word & 0x800000) {
		word >>= 8;
		size++;
	}
	return word | size << 24;
}

void u256_block_work(struct u256 *out, uint32_t bits)
{
	struct u256 target, more, one = { { 1 } };

	if (!u256_from_compact(&target, bits)) {
		memset(out, 0, sizeof *out);
		return;
	}
	/* 2^256 / (t + 1) is (2^256 - (t + 1)) / (t + 1) + 1, and the
	 * number in brackets is t with all bits turned. */
	u256_add(&more, &target, &one);
	for (int i = 0; i < 4; i++)
		target.w[i] = ~target.w[i];
	u256_div(out, &target, &more);
	u256_add(out, out, &one);
}
