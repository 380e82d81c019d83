/*
 * Bech32 (BIP173) and Bech32m (BIP350): text with a checksum for addresses
 * and ids.  Pure; any thread.
 */
#ifndef CLOISTER_CRYPTO_BECH32_H
#define CLOISTER_CRYPTO_BECH32_H

#include "base/bytes.h"
#include "base/err.h"

#define BECH32_MAX_CHARS 90
#define BECH32_MAX_HRP 83

enum bech32_kind {
	BECH32_NONE,     /* not a valid text of either kind */
	BECH32,
	BECH32M,
};

/* A decoded text: values are numbers below 32. */
struct bech32 {
	enum bech32_kind kind;
	char hrp[BECH32_MAX_HRP + 1];    /* lower case */
	size_t n;
	uint8_t values[BECH32_MAX_CHARS];
};

/** hrp is lower case; all of it must fit BECH32_MAX_CHARS. */
NODISCARD bool bech32_encode(char out[static BECH32_MAX_CHARS + 1],
			     enum bech32_kind kind, const char *hrp,
			     struct span values);
/** why: on failure, the reference node's sentence; may be NULL. */
NODISCARD bool bech32_decode(struct bech32 *out, const char *text,
			     struct why *why);

/**
 * Which characters make bech32_decode() fail, from 0: for a wrong checksum
 * the one or two whose change would mend it, if that is all.
 *
 * n        how many; 0 if the text is fine or the places are not known
 * return   new array, free() it
 */
size_t *bech32_error_places(size_t *n, const char *text);

/** Bytes as groups of five bits, zeros after the last; returns how many. */
size_t bech32_values_of(uint8_t *out, struct span bytes);
/** And back; false if there are more than max, or bits left over that are
 * four or more, or not zero. */
NODISCARD bool bech32_bytes_of(uint8_t *out, size_t *out_n, size_t max,
			       struct span values);

#endif
