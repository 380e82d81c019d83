/*
 * The keys of client authorization (rend-spec-v3, "restricted discovery"):
 * X25519, by OpenSSL, and the texts in which tor wants keys.  Pure; any
 * thread.
 */
#ifndef CLOISTER_TOR_CLIENT_KEY_H
#define CLOISTER_TOR_CLIENT_KEY_H

#include "base/base.h"

#define CLIENT_KEY_SIZE 32
/* Characters of base 64 for n bytes, and a NUL. */
#define BASE64_TEXT_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/** A new pair; false if OpenSSL fails. */
NODISCARD bool client_key_make(uint8_t private[static CLIENT_KEY_SIZE],
			       uint8_t public[static CLIENT_KEY_SIZE]);
/** The public half (RFC 7748). */
NODISCARD bool client_key_public(uint8_t out[static CLIENT_KEY_SIZE],
				 const uint8_t private[static CLIENT_KEY_SIZE]);
/** Base 64 with padding: BASE64_TEXT_SIZE(n) bytes at out. */
void base64_encode(char *out, const uint8_t *p, size_t n);

#endif
