/*
 * Amounts in satoshi.  Sums are checked: nothing leaves [0, MAX_MONEY].
 */
#ifndef CLOISTER_BASE_AMOUNT_H
#define CLOISTER_BASE_AMOUNT_H

#include "base/base.h"

#define COIN_SAT INT64_C(100000000)
#define MAX_MONEY_SAT (INT64_C(21000000) * COIN_SAT)

static inline bool amount_ok(int64_t a)
{
	return a >= 0 && a <= MAX_MONEY_SAT;
}

/** *sum = a + b; false (and *sum unchanged) if either or the sum is out of
 * range. */
NODISCARD static inline bool amount_add(int64_t *sum, int64_t a, int64_t b)
{
	if (!amount_ok(a) || !amount_ok(b) || !amount_ok(a + b))
		return false;
	*sum = a + b;
	return true;
}

/** Exactly eight decimals, as JSON shows amounts: "-0.00000001". */
void amount_format(char out[static 32], int64_t sat);
/** Parse a decimal with at most eight decimals, no exponent.  A minus sign is
 * accepted; whether the amount is in range is the caller's question. */
NODISCARD bool amount_parse(int64_t *sat, const char *text);

#endif
