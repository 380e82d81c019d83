/*
 * This node as TLS sees it: its leaf key and certificates, the ids it knows,
 * and all its streams.  The leaf key is made here, lives in memory alone and
 * is replaced with its certificate.  Loop thread only.
 */
#ifndef CLOISTER_TLS_TLS_NODE_H
#define CLOISTER_TLS_TLS_NODE_H

#include "base/clock.h"
#include "tls/pins.h"
#include "tls/tls_ca.h"
#include "tls/tls_fail.h"

struct loop;
struct tls_node;

struct tls_node_options {
	struct loop *loop;
	const struct clock *clock;
	struct pins *pins;               /* borrowed */
	struct tls_ca *ca;               /* NULL: none; borrowed */
	int64_t handshake_ms;            /* 0: 30 s */
	int64_t close_ms;                /* to send the last bytes; 0: 5 s */
	int64_t skew_s;                  /* 0: CERT_SKEW_S; negative: none */
	unsigned handshakes_max;         /* at once at one place; 0: 64 */
	/* Send this to the signer (tls_sign()); its answer is for
	 * tls_node_answer().  Asked again every minute while there is none. */
	void (*request)(void *ctx, struct span request);
	/* A new leaf is in use.  Optional. */
	void (*renewed)(void *ctx);
	void *ctx;
};

/** Asks for the first leaf from the loop's next turn. */
struct tls_node *tls_node_new(const struct tls_node_options *o);
/** Ends all streams: their conns with CONN_ERROR, handshakes without a word
 * (`done` is not called). */
void tls_node_free(struct tls_node *n);               /* NULL is fine */

/** The signer's answer.  ERR_INPUT if it does not fit what was asked. */
NODISCARD enum err tls_node_answer(struct tls_node *n, struct span answer,
				   struct why *why);
/** Has it a leaf?  Before, every handshake fails with TLS_NOT_READY. */
bool tls_node_ready(const struct tls_node *n);
/** Our own id; NULL before the first leaf. */
const struct node_id *tls_node_id(const struct tls_node *n);
/** Chain and leaf key as PEM, new strings; the key is secret.  False before
 * the first leaf. */
NODISCARD bool tls_node_pem(const struct tls_node *n, char **chain,
			    char **key);
/** When the leaf ends, in seconds since 1970; 0 before the first. */
int64_t tls_node_leaf_until(const struct tls_node *n);

/** Look at the clock now: it was set.  Else it is looked at every minute. */
void tls_node_look(struct tls_node *n);

/**
 * Revocation: end every stream with this id now, and every handshake at a
 * place that is only for it, or that has shown it.  Set its pin first.
 *
 * return   how many ended
 */
size_t tls_node_drop(struct tls_node *n, const struct node_id *id);

/* How handshakes ended, by enum tls_fail (TLS_OK: succeeded). */
const uint64_t *tls_node_counts(const struct tls_node *n);

#endif
