/*
 * What nodes and streams know of each other.
 */
#ifndef CLOISTER_TLS_TLS_NODE_PRIV_H
#define CLOISTER_TLS_TLS_NODE_PRIV_H

#include "base/log.h"
#include "net/loop.h"
#include "tls/cert_priv.h"
#include "tls/tls_node.h"
#include "tls/tls_stream.h"

struct tls_node {
	struct tls_node_options opt;
	SSL_CTX *ctx;                    /* NULL before the first leaf */
	struct tls_key *asked;           /* its leaf is asked for; or NULL */
	struct node_id id;
	int64_t until_unix, renew_unix;
	int64_t look_ms;                 /* how often the clock is looked at */
	struct timer *timer;
	struct tls_stream *streams;
	unsigned list_reads;             /* of the CA, when last looked at */
	uint64_t counts[TLS_FAIL_COUNT];
	struct log_limit said[TLS_FAIL_COUNT], said_skew, said_late;
};

/** A context with our chain, and all rules of the handshake. */
SSL_CTX *tls_ctx_new(const struct tls_key *leaf_key, struct span leaf,
		     struct span root);
/** The library's queue of errors, emptied, as a cause. */
enum tls_fail tls_fail_of_library(void);

/* Called by the context, about the stream that is the SSL's app data. */
/** Judge the chain that the other side sent. */
enum tls_fail tls_stream_judge(struct tls_stream *s, X509 *const *chain,
			       size_t n);
enum tls_purpose tls_stream_purpose(const struct tls_stream *s);

/** The name that a client asks for, behind its length. */
struct span tls_alpn_of(enum tls_purpose p);

/** End it now, for this cause. */
void tls_stream_end(struct tls_stream *s, enum tls_fail why);
/** Is it with this id, or may it become so? */
bool tls_stream_concerns(const struct tls_stream *s,
			 const struct node_id *id);
/** Did the CA vouch for whom it is with? */
bool tls_stream_by_ca(const struct tls_stream *s);
struct tls_stream *tls_stream_next(const struct tls_stream *s);

#endif
