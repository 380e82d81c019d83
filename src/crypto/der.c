/*
 * The lax reader.  Forgiven: a wrong length of the sequence, lengths in long
 * form with leading zeros, negative and padded numbers, bytes after the end.
 */
#include "config.h"

#include "crypto/der.h"

#include "base/reader.h"

/* The sequence's length says nothing: skip it. */
static void skip_length(struct reader *r)
{
	uint8_t first = read_u8(r);

	if (first & 0x80)
		(void)read_span(r, first & 0x7f);
}

/* A length, in either form; fails at once past 2^24. */
static size_t read_length(struct reader *r)
{
	uint8_t first = read_u8(r);
	struct span digits;
	size_t n = 0;

	if (!(first & 0x80))
		return first;
	digits = read_span(r, first & 0x7f);
	while (digits.n && digits.p[0] == 0) {
		digits.p++;
		digits.n--;
	}
	if (digits.n >= 4) {
		r->failed = true;
		return 0;
	}
	for (; digits.n; digits.p++, digits.n--)
		n = n << 8 | digits.p[0];
	return n;
}

/* An integer's bytes without leading zeros. */
static struct span read_integer(struct reader *r)
{
	struct span v;
	size_t n;

	if (read_u8(r) != 0x02)
		r->failed = true;
	n = read_length(r);
	v = read_span(r, n);
	while (v.n && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	return v;
}

bool der_lax_read(uint8_t rs[static 64], struct span sig)
{
	struct reader in = reader_of(sig);
	struct span r, s;

	memset(rs, 0, 64);
	if (read_u8(&in) != 0x30)
		return false;
	skip_length(&in);
	r = read_integer(&in);
	s = read_integer(&in);
	if (in.failed)
		return false;
	if (r.n > 32 || s.n > 32)
		return true;
	if (r.n)
		memcpy(rs + 32 - r.n, r.p, r.n);
	if (s.n)
		memcpy(rs + 64 - s.n, s.p, s.n);
	return true;
}
