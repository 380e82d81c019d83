/*
 * Amounts as decimal text.
 */
#include "config.h"

#include "base/amount.h"

#include <inttypes.h>
#include <stdio.h>

void amount_format(char out[static 32], int64_t sat)
{
	uint64_t v = sat < 0 ? 0 - (uint64_t)sat : (uint64_t)sat;

	snprintf(out, 32, "%s%" PRIu64 ".%08" PRIu64, sat < 0 ? "-" : "",
		 v / (uint64_t)COIN_SAT, v % (uint64_t)COIN_SAT);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* *v = *v * 10 + digit; false past what a satoshi amount can hold. */
static bool push_digit(int64_t *v, char c)
{
	return !__builtin_mul_overflow(*v, 10, v) &&
	       !__builtin_add_overflow(*v, c - '0', v);
}

bool amount_parse(int64_t *sat, const char *text)
{
	const char *s = text;
	bool negative = *s == '-';
	int64_t v = 0;
	int decimals = 0;

	s += negative;
	if (!is_digit(*s) || (s[0] == '0' && is_digit(s[1])))
		return false;
	for (; is_digit(*s); s++)
		if (!push_digit(&v, *s))
			return false;
	if (*s == '.') {
		if (!is_digit(*++s))
			return false;
		for (; is_digit(*s); s++)
			if (++decimals > 8 || !push_digit(&v, *s))
				return false;
	}
	if (*s)
		return false;
	for (; decimals < 8; decimals++)
		if (!push_digit(&v, '0'))
			return false;
	*sat = negative ? -v : v;
	return true;
}
