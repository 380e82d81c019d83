/*
 * The code behind Bech32, for decoding and for finding errors.
 */
#ifndef CLOISTER_CRYPTO_BECH32_PRIV_H
#define CLOISTER_CRYPTO_BECH32_PRIV_H

#include "crypto/bech32.h"

#define BECH32_CHECKSUM_N 6
/* What the code makes of a whole text: names the kind. */
#define BECH32_RESIDUE 1u
#define BECH32M_RESIDUE 0x2bc830a3u

/** One symbol more, modulo the code's generator. */
uint32_t bech32_step(uint32_t c, uint8_t value);
/** After the prefix (lower case). */
uint32_t bech32_start(const char *hrp);
/** The number that a character stands for, or -1. */
int bech32_value(char c);

/** The sentence for a wrong residue over n values: it names the kind that
 * one or two changes would make. */
const char *bech32_checksum_reason(uint32_t residue, size_t n);

#endif
