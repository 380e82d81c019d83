/*
 * For clients that have a TLS library's context of their own (libcurl): let
 * it take the one node that is meant, and no other.  Pure; any thread.
 */
#ifndef CLOISTER_TLS_TLS_ONLY_H
#define CLOISTER_TLS_TLS_ONLY_H

#include "tls/node_id.h"
#include "tls/tls_fail.h"

struct tls_only {
	struct node_id id;
	bool asked;              /* a chain was shown */
	enum tls_fail fail;      /* what was wrong with it */
};

/** From now on the context (an SSL_CTX) judges chains by this alone; o must
 * outlive it. */
void tls_only_set(void *ssl_ctx, struct tls_only *o);

#endif
