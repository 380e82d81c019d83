/*
 * Certificates of a node: a root that the identity key signs itself, and a
 * short-lived leaf below it.  Both are made here from fixed fields, and a
 * chain is judged here.  No I/O, no clock; any thread.
 */
#ifndef CLOISTER_TLS_CERT_H
#define CLOISTER_TLS_CERT_H

#include "base/secret.h"
#include "tls/node_id.h"
#include "tls/tls_fail.h"

#define CERT_DER_MAX 2048        /* bytes of one, ours have about 500 */
#define CERT_LEAF_LIFE_S (30 * 86400)
#define CERT_BACKDATE_S 3600     /* a leaf is valid from before it is made */
#define CERT_SKEW_S (26 * 3600)  /* of clocks that we put up with */

/* An Ed25519 key pair. */
struct tls_key;
struct tls_key *tls_key_new(void);                    /* a fresh one */
/** NULL if the seed has not 32 bytes. */
struct tls_key *tls_key_from_seed(const struct secret *seed);
void tls_key_free(struct tls_key *k);                 /* NULL is fine */
void tls_key_public(uint8_t out[static 32], const struct tls_key *k);

/** Append the root of an identity: always the same bytes for the same key. */
void cert_make_root(struct bytes *der, const struct tls_key *identity);

struct leaf_terms {
	uint8_t public_key[32];          /* Ed25519 */
	int64_t from_unix, until_unix;
};
/** Append a leaf signed by the identity; all but the terms is fixed. */
void cert_make_leaf(struct bytes *der, const struct tls_key *identity,
		    const struct leaf_terms *terms);

/* What a chain that is shown to us says. */
struct cert_facts {
	struct node_id id;
	bool has_id;                     /* it got so far */
	bool by_ca;                      /* the CA vouches, no pin needed */
	int64_t from_unix, until_unix;   /* of the leaf */
	int64_t skew_used_s;             /* tolerance that it took; 0: none */
};

struct cert_rules {
	int64_t now_unix;
	int64_t skew_s;                  /* tolerance */
};

/**
 * Judge a chain as it was sent, leaf first: exactly leaf and root, soundly
 * signed, valid now.  Whether anybody trusts the id is the caller's question.
 */
enum tls_fail cert_check(struct cert_facts *out, const struct span *chain,
			 size_t n, const struct cert_rules *rules);

#endif
