/*
 * The container of secrets at rest: a header that anybody may read and nobody
 * may change unnoticed, and a sealed part that a passphrase opens.  The bytes
 * are described in docs/storage.md.  Pure; any thread.
 */
#ifndef CLOISTER_KEYS_KEYBOX_H
#define CLOISTER_KEYS_KEYBOX_H

#include "base/err.h"
#include "base/secret.h"
#include "keys/cipher.h"

#define KEYBOX_KIND_MAX 31
#define KEYBOX_LABEL_MAX 95
#define KEYBOX_SECRET_MAX 60000
#define KEYBOX_SIZE_MAX 61440    /* of a whole container */

/* N = 2^17, r = 8, p = 1: 128 MiB and some tenths of a second a guess. */
extern const struct scrypt_cost keybox_cost;

struct keybox {
	char kind[KEYBOX_KIND_MAX + 1];    /* [a-z0-9_.-]+: "onion-seed" */
	char label[KEYBOX_LABEL_MAX + 1];  /* the same, or "": an address */
	struct scrypt_cost cost;
	uint8_t salt[CIPHER_SALT_SIZE];
	uint8_t nonce[CIPHER_NONCE_SIZE];
	struct span sealed;                /* borrowed; secret and tag */
};

enum keybox_verdict {
	KEYBOX_OK,
	KEYBOX_FOREIGN,    /* something else, not a container */
	KEYBOX_NEWER,      /* a version or a method that is unknown here */
	KEYBOX_DAMAGED,
};

/** Does it begin as a container does? */
bool keybox_looks_like(struct span s);
/** Read a whole container without opening it; what is sealed is borrowed
 * from s. */
enum keybox_verdict keybox_read(struct keybox *out, struct span s);
/** The twin: what keybox_read() accepts is written as the same bytes. */
void keybox_write(struct bytes *out, const struct keybox *b);

/** A new container of kind and label, appended to out.  `b` gives kind, label
 * and cost; salt and nonce are chosen here. */
NODISCARD enum err keybox_seal(struct bytes *out, const struct keybox *b,
			       const struct secret *in,
			       const struct secret *passphrase,
			       struct why *why);
/** *opened: the passphrase is right; out then holds the secret, to be
 * cleared.  Trouble is memory only. */
NODISCARD enum err keybox_open(struct secret *out, bool *opened,
			       const struct keybox *b,
			       const struct secret *passphrase,
			       struct why *why);

#endif
