/*
 * Segwit addresses (BIP173, BIP350).  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_SEGWIT_H
#define CLOISTER_ADDRESS_SEGWIT_H

#include "crypto/bech32.h"

/** The address of a witness program (version 0 to 16, 2 to 40 bytes). */
NODISCARD bool segwit_encode(char out[static BECH32_MAX_CHARS + 1],
			     const char *hrp, unsigned version,
			     struct span program);
/**
 * The witness program of an address: BIP173 and BIP350 with all their limits.
 *
 * why      on failure: the reference node's sentence; may be NULL
 */
NODISCARD bool segwit_decode(unsigned *version, uint8_t program[static 40],
			     size_t *program_n, const char *hrp,
			     const char *text, struct why *why);

#endif
