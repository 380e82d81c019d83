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

/** cert_check() of certificates that are read already. */
enum tls_fail cert_check_x509(struct cert_facts *out, X509 *const *chain,
			      size_t n, const struct cert_rules *rules);

#endif
