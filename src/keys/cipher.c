/*
 * OpenSSL's scrypt and ChaCha20-Poly1305.
 */
#include "config.h"

#include "keys/cipher.h"

#include <openssl/evp.h>

#define MEMORY_MAX ((uint64_t)256 << 20)
#define STEPS_MAX ((uint64_t)1 << 23)     /* N * r * p */
#define MEMORY_SLACK (1 << 20)

bool scrypt_cost_ok(const struct scrypt_cost *c)
{
	uint64_t n;

	if (c->log2_n < 1 || c->log2_n > 24 || !c->r || !c->p)
		return false;
	/* RFC 7914: N < 2^(128 * r / 8), for r = 1 the one that matters. */
	if (c->r == 1 && c->log2_n >= 16)
		return false;
	n = (uint64_t)1 << c->log2_n;
	return 128 * n * c->r <= MEMORY_MAX && n * c->r * c->p <= STEPS_MAX;
}

bool cipher_derive(uint8_t key[static CIPHER_KEY_SIZE],
		   struct span passphrase,
		   const uint8_t salt[static CIPHER_SALT_SIZE],
		   const struct scrypt_cost *cost)
{
	CHECK(scrypt_cost_ok(cost));
	return EVP_PBE_scrypt((const char *)passphrase.p, passphrase.n, salt,
			      CIPHER_SALT_SIZE, (uint64_t)1 << cost->log2_n,
			      cost->r, cost->p, MEMORY_MAX + MEMORY_SLACK,
			      key, CIPHER_KEY_SIZE) == 1;
}

bool cipher_seal(uint8_t *out, const struct cipher_box *b, struct span in)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, rest;
	bool ok = c &&
		EVP_EncryptInit_ex(c, EVP_chacha20_poly1305(), NULL, b->key,
				   b->nonce) == 1 &&
		EVP_EncryptUpdate(c, NULL, &n, b->header.p,
				  (int)b->header.n) == 1 &&
		EVP_EncryptUpdate(c, out, &n, in.p, (int)in.n) == 1 &&
		EVP_EncryptFinal_ex(c, out + n, &rest) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CIPHER_TAG_SIZE,
				    out + in.n) == 1;

	EVP_CIPHER_CTX_free(c);
	return ok && (size_t)(n + rest) == in.n;
}

bool cipher_open(uint8_t *out, const struct cipher_box *b, struct span in)
{
	EVP_CIPHER_CTX *c;
	size_t body = in.n - CIPHER_TAG_SIZE;
	int n, rest;
	bool ok;

	if (in.n < CIPHER_TAG_SIZE)
		return false;
	c = EVP_CIPHER_CTX_new();
	ok = c &&
		EVP_DecryptInit_ex(c, EVP_chacha20_poly1305(), NULL, b->key,
				   b->nonce) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CIPHER_TAG_SIZE,
				    (void *)(in.p + body)) == 1 &&
		EVP_DecryptUpdate(c, NULL, &n, b->header.p,
				  (int)b->header.n) == 1 &&
		EVP_DecryptUpdate(c, out, &n, in.p, (int)body) == 1 &&
		EVP_DecryptFinal_ex(c, out + n, &rest) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}
