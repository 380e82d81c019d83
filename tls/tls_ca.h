/*
 * A private CA beside pinning: whose chain ends in it is who the CA says, and
 * needs no pin.  Certificates that its CRL lists are refused; the CRL's file
 * is read again when it has changed.  Loop thread only.
 */
#ifndef CLOISTER_TLS_TLS_CA_H
#define CLOISTER_TLS_TLS_CA_H

#include "base/err.h"

struct tls_ca;

/**
 * Read the CA's certificates (PEM).  ERR_INPUT if there is none in the file,
 * or what is there is no CA's.
 *
 * crl_path     NULL: nothing is ever revoked by the CA
 */
NODISCARD enum err tls_ca_new(struct tls_ca **out, const char *ca_path,
			      const char *crl_path, struct why *why);
void tls_ca_free(struct tls_ca *ca);        /* NULL is fine */

#endif
