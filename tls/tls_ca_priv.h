/*
 * A private CA, as handshakes ask it.
 */
#ifndef CLOISTER_TLS_TLS_CA_PRIV_H
#define CLOISTER_TLS_TLS_CA_PRIV_H

#include "tls/cert_priv.h"
#include "tls/tls_ca.h"

/**
 * Judge a chain, leaf first: it ends in the CA, is not revoked and valid now,
 * and each certificate below the CA's names the same node id by its URI, so
 * that an intermediate speaks for nobody but itself.  out->by_ca is set.
 *
 * With a CRL file that cannot be read nobody passes.
 */
enum tls_fail tls_ca_check(struct tls_ca *ca, struct cert_facts *out,
			   X509 *const *chain, size_t n,
			   const struct cert_rules *rules);

/** Look at the CRL's file.  Another number than before: it was read anew, and
 * who passed by the old one may be on it. */
unsigned tls_ca_list_reads(struct tls_ca *ca);

#endif
