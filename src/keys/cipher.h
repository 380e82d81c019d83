/*
 * scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439) as OpenSSL has them,
 * behind a door of their own (its headers and err.h both claim the name
 * ERR_STATE).  Pure; any thread.
 */
#ifndef CLOISTER_KEYS_CIPHER_H
#define CLOISTER_KEYS_CIPHER_H

#include "base/bytes.h"

#define CIPHER_KEY_SIZE 32
#define CIPHER_SALT_SIZE 32
#define CIPHER_NONCE_SIZE 12
#define CIPHER_TAG_SIZE 16

/* What guessing a passphrase costs: memory is 128 * r * N bytes. */
struct scrypt_cost {
	uint8_t log2_n, r, p;
};

/** Is the cost within what this program is ready to spend (256 MiB, a few
 * seconds)? */
bool scrypt_cost_ok(const struct scrypt_cost *c);
/** The cost must be ok (CHECK).  False if there is no memory for it. */
NODISCARD bool cipher_derive(uint8_t key[static CIPHER_KEY_SIZE],
			     struct span passphrase,
			     const uint8_t salt[static CIPHER_SALT_SIZE],
			     const struct scrypt_cost *cost);

struct cipher_box {
	const uint8_t *key, *nonce;
	struct span header;      /* authenticated, not encrypted */
};
/** out gets in.n + CIPHER_TAG_SIZE bytes. */
NODISCARD bool cipher_seal(uint8_t *out, const struct cipher_box *b,
			   struct span in);
/** out gets in.n - CIPHER_TAG_SIZE bytes; false if it is not authentic. */
NODISCARD bool cipher_open(uint8_t *out, const struct cipher_box *b,
			   struct span in);

#endif
