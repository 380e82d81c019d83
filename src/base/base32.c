/*
 * Base 32, five bits at a time.
 */
#include "config.h"

#include "base/base32.h"

static int digit_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

void base32_encode(char *out, const uint8_t *p, size_t n)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint32_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc = acc << 8 | p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = alphabet[acc >> (bits - 5) & 31];
	}
	if (bits)
		*out++ = alphabet[acc << (5 - bits) & 31];
	*out = '\0';
}

bool base32_decode(uint8_t *out, size_t n, const char *text, size_t digits)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t k = 0;

	if (digits != BASE32_DIGITS(n))
		return false;
	for (size_t i = 0; i < digits; i++) {
		int v = digit_value(text[i]);

		if (v < 0)
			return false;
		acc = acc << 5 | (uint32_t)v;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[k++] = (uint8_t)(acc >> bits);
		}
	}
	return (acc & ((1u << bits) - 1)) == 0;
}
