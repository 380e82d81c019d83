/*
 * Base58 with a checksum of four bytes (Base58Check).  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_BASE58_H
#define CLOISTER_ADDRESS_BASE58_H

#include "base/bytes.h"

/* Most bytes that are encoded or decoded, a checksum included. */
#define BASE58_MAX_BYTES 256
/* Room for the text of so many, and a NUL. */
#define BASE58_MAX_CHARS 360
#define BASE58_CHECKSUM_BYTES 4

void base58_encode(char out[static BASE58_MAX_CHARS], struct span bytes);
/**
 * Decode at most max (up to BASE58_MAX_BYTES) bytes; white space around the
 * text is no matter.
 */
NODISCARD bool base58_decode(uint8_t *out, size_t *out_n, size_t max,
			     const char *text);

/** payload.n is at most BASE58_MAX_BYTES - BASE58_CHECKSUM_BYTES. */
void base58check_encode(char out[static BASE58_MAX_CHARS],
			struct span payload);
/** False also if the checksum is wrong; max counts the payload. */
NODISCARD bool base58check_decode(uint8_t *out, size_t *out_n, size_t max,
				  const char *text);

#endif
