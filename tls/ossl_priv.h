/*
 * OpenSSL's headers beside ours: both claim the name ERR_STATE.
 */
#ifndef CLOISTER_TLS_OSSL_PRIV_H
#define CLOISTER_TLS_OSSL_PRIV_H

#define ERR_STATE OSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
