/*
 * What signs with the identity key: bytes in, bytes out, so that it can live
 * in a process of its own (it does: the warden's).  The request holds a public
 * key and nothing else; the answer is the root and a leaf for that key, whose
 * every other field is decided here.
 */
#ifndef CLOISTER_TLS_SIGNER_H
#define CLOISTER_TLS_SIGNER_H

#include "tls/cert.h"
#include "tls/identity.h"

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
/** The request for a key. */
void sign_request_write(struct bytes *out, const uint8_t public_key[static 32]);
/** Append the answer.  Nothing is appended unless SIGN_OK. */
enum sign_result tls_sign(struct tls_signer *s, struct bytes *answer,
			  struct span request, int64_t now_unix);

/* An answer taken apart; spans borrow from it. */
struct sign_answer {
	uint8_t public_key[32];
	struct span root, leaf;
};
/** False if it is not exactly an answer; certificates are not looked at. */
NODISCARD bool sign_answer_read(struct sign_answer *out, struct span answer);

#endif
