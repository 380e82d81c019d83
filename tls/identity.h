/*
 * The identity key and what is signed with it.  Warden only: the node gets
 * certificates, never this key.
 *
 * keys/node_identity.key is the key (keys/key_file.h), keys/node_identity.id
 * the node id it had when it was made, so that a lost key is noticed and not
 * replaced: friends have pinned it.
 */
#ifndef CLOISTER_TLS_IDENTITY_H
#define CLOISTER_TLS_IDENTITY_H

#include "base/secret.h"
#include "tls/node_id.h"

#define IDENTITY_KEY_KIND "node-identity"
#define IDENTITY_SEED_SIZE 32

struct identity {
	struct secret seed;
	struct node_id id;
	bool encrypted;          /* on disk */
};

struct identity_store {
	const char *dir;                   /* chain data directory */
	const struct secret *passphrase;   /* NULL or empty: none */
	bool keep_plain;                   /* it is for reading only */
};

/** Read; make one if there never was one; encrypt a plain one if there is a
 * passphrase.  The owner clears *out in any case. */
NODISCARD enum err identity_open(const struct identity_store *s,
				 struct identity *out, struct why *why);
/** Read only: ERR_INPUT, with what to do, if it is not there. */
NODISCARD enum err identity_load(const struct identity_store *s,
				 struct identity *out, struct why *why);
/** Put one in its place, as onion_store_restore() does. */
NODISCARD enum err identity_restore(const struct identity_store *s,
				    bool *changed,
				    const struct identity *id, bool force,
				    struct why *why);
/** Has this node an identity, or had it one? */
bool identity_exists(const char *dir);
/** False if the seed has not 32 bytes. */
NODISCARD bool identity_from_seed(struct identity *out, struct span seed);
void identity_clear(struct identity *id);

/*
 * The signer: bytes in, bytes out, so that it can live in any process.  The
 * request holds a public key and nothing else; the answer is the root and a
 * leaf for that key, whose every other field is decided here.
 */
#define SIGN_REQUEST_MAX 64      /* bytes of a request */
#define SIGN_ANSWER_MAX 2048     /* bytes of an answer */

struct signer_options {
	int64_t leaf_life_s;     /* 0: CERT_LEAF_LIFE_S */
	unsigned burst;          /* leaves at once; 0: 8 */
	int64_t every_s;         /* then one more every so often; 0: 60 */
};

struct tls_signer;
/** Copies the seed. */
struct tls_signer *tls_signer_new(const struct identity *id,
				  const struct signer_options *o);
void tls_signer_free(struct tls_signer *s);           /* NULL is fine */
const struct node_id *tls_signer_id(const struct tls_signer *s);

enum sign_result {
	SIGN_OK,
	SIGN_MALFORMED,  /* no request at all: the asker is not to be trusted */
	SIGN_TOO_OFTEN,
};
/** Append the answer.  Nothing is appended unless SIGN_OK. */
enum sign_result tls_sign(struct tls_signer *s, struct bytes *answer,
			  struct span request, int64_t now_unix);

#endif
