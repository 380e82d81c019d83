/*
 * One node's chain, judged by the rules of cert_check.c.
 */
#include "config.h"

#include "tls/tls_only.h"

#include <time.h>

#include "tls/cert_priv.h"

#define CHAIN_MAX 8

static int on_verify(X509_STORE_CTX *store, void *arg)
{
	struct tls_only *o = arg;
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
	const struct cert_rules rules = { .now_unix = time(NULL),
					  .skew_s = CERT_SKEW_S };
	size_t n = (size_t)MAX_OF(sk_X509_num(sent), 0);
	X509 *chain[CHAIN_MAX];
	struct cert_facts facts;

	n = MIN_OF(n, CHAIN_MAX);
	for (size_t i = 0; i < n; i++)
		chain[i] = sk_X509_value(sent, (int)i);
	o->asked = true;
	o->fail = cert_check_x509(&facts, chain, n, &rules);
	if (!o->fail && !node_id_eq(&facts.id, &o->id))
		o->fail = TLS_UNKNOWN_ID;
	X509_STORE_CTX_set_error(store, o->fail ?
			X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
	return o->fail == TLS_OK;
}

void tls_only_set(void *ssl_ctx, struct tls_only *o)
{
	o->asked = false;
	o->fail = TLS_OK;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, on_verify, o);
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
}
