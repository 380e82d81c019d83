/*
 * The growing buffer, hex, constant-time compare and wipe.
 */
#include "config.h"

#include "base/bytes.h"

#include <stdlib.h>

void bytes_clear(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

void bytes_reserve(struct bytes *b, size_t extra)
{
	size_t cap;

	if (b->cap - b->n >= extra)
		return;
	CHECK(extra <= SIZE_MAX / 4 && b->n <= SIZE_MAX / 4);
	cap = MAX_OF(b->cap + b->cap / 2, b->n + extra);
	cap = MAX_OF(cap, 32);
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
}

void bytes_append(struct bytes *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	bytes_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void bytes_consume(struct bytes *b, size_t n)
{
	CHECK(n <= b->n);
	if (n == 0)
		return;
	b->n -= n;
	if (b->n)
		memmove(b->p, b->p + n, b->n);
}

void hex_encode(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

char *hex_new(struct span s)
{
	char *out;

	CHECK(s.n < SIZE_MAX / 4);
	out = xmalloc(2 * s.n + 1);
	hex_encode(out, s.p, s.n);
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(uint8_t *out, size_t out_n, const char *hex)
{
	size_t i;

	/* A string that ends early fails at its NUL. */
	for (i = 0; i < out_n; i++) {
		int hi = hex_digit(hex[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return hex[2 * out_n] == '\0';
}

bool hex_append(struct bytes *b, const char *hex)
{
	size_t n = strlen(hex);

	if (n % 2 || n == 0)
		return n == 0;
	bytes_reserve(b, n / 2);
	if (!hex_decode(b->p + b->n, n / 2, hex))
		return false;
	b->n += n / 2;
	return true;
}

bool bytes_equal_ct(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;
	size_t i;

	for (i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

void bytes_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}
