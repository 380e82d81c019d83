/*
 * Certificates as OpenSSL holds them.
 */
#ifndef CLOISTER_TLS_CERT_PRIV_H
#define CLOISTER_TLS_CERT_PRIV_H

#include "tls/cert.h"
#include "tls/ossl_priv.h"

#define CERT_URI_SIZE (sizeof NODE_ID_URI_SCHEME - 1 + NODE_ID_TEXT_SIZE)

/** "cloister:clid1…" */
void cert_uri(char out[static CERT_URI_SIZE], const struct node_id *id);

/** Borrowed. */
EVP_PKEY *tls_key_pkey(const struct tls_key *k);
/** NULL unless it is exactly one certificate of at most CERT_DER_MAX bytes. */
X509 *cert_read(struct span der);
/** Seconds since 1970; false if it is no time. */
NODISCARD bool cert_time(int64_t *out, const ASN1_TIME *t);

/** The id of its URI; false unless there is exactly one of our scheme. */
NODISCARD bool cert_uri_id(struct node_id *out, X509 *x);
/** Its dates, judged; *used grows to what of the tolerance it takes. */
enum tls_fail cert_dates(X509 *x, const struct cert_rules *rules,
			 int64_t *from, int64_t *until, int64_t *used);
/** Key, usages, extensions of a leaf; root: its issuer's key, or NULL. */
enum tls_fail cert_leaf_fields(X509 *leaf, EVP_PKEY *root);
/** cert_check() of certificates that are read already. */
enum tls_fail cert_check_x509(struct cert_facts *out, X509 *const *chain,
			      size_t n, const struct cert_rules *rules);

#endif
