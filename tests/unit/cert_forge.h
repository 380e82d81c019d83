/*
 * Certificates as no node makes them: any field can be wrong.
 */
#ifndef CLOISTER_TEST_CERT_FORGE_H
#define CLOISTER_TEST_CERT_FORGE_H

#include "base/bytes.h"
#include "tls/node_id.h"
#include "tls/ossl_priv.h"

/* {0} has an unsound value where a sound one matters: begin with
 * forge_root() or forge_leaf(). */
struct forge {
	EVP_PKEY *key;           /* whose certificate; borrowed */
	EVP_PKEY *signer;        /* borrowed */
	const char *digest;      /* NULL: the key's own (Ed25519) */
	const char *subject, *issuer;    /* CN */
	const char *unit;        /* OU of the subject; NULL: none */
	const char *uri[3];      /* of the SAN; NULL: none */
	int64_t from_unix, until_unix;
	long version;            /* 2: X.509 v3 */
	int ca;                  /* 1, 0; -1: no basicConstraints */
	int pathlen;             /* -1: none */
	int usage;               /* number of the bit; -1: none */
	bool server, client;     /* extended usages */
	bool unknown_critical, same_extension_twice;
	size_t junk;             /* bytes in an extension that nobody knows */
};

/** A fresh key: "ED25519", "P-256", "P-384", "RSA", "ED448". */
EVP_PKEY *forge_key(const char *type);
/** The id of an Ed25519 key; its text and URI, for as long as *t lives. */
struct forge_id {
	struct node_id id;
	char text[NODE_ID_TEXT_SIZE];
	char uri[NODE_ID_TEXT_SIZE + 16];
};
void forge_id_of(struct forge_id *t, EVP_PKEY *key);

/** What a node would make, to be changed. */
struct forge forge_root(EVP_PKEY *identity, const struct forge_id *t);
struct forge forge_leaf(EVP_PKEY *identity, EVP_PKEY *leaf,
			const struct forge_id *t, int64_t now);
/** Append the certificate. */
void forge_make(struct bytes *der, const struct forge *f);

#endif
