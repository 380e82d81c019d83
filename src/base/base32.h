/*
 * Base 32 (RFC 4648) without padding, as onion addresses and invites are
 * written.  Pure; any thread.
 */
#ifndef CLOISTER_BASE_BASE32_H
#define CLOISTER_BASE_BASE32_H

#include "base/bytes.h"

/* Digits for n bytes, without a NUL. */
#define BASE32_DIGITS(n) (((n) * 8 + 4) / 5)

/** Write BASE32_DIGITS(n) lower-case digits and a NUL. */
void base32_encode(char *out, const uint8_t *p, size_t n);
/**
 * Read exactly n bytes from exactly BASE32_DIGITS(n) digits at text, of
 * either case.  Bits beyond the last byte must be zero.
 */
NODISCARD bool base32_decode(uint8_t *out, size_t n, const char *text,
			     size_t digits);

#endif
