/*
 * Mutual TLS 1.3 over a connected descriptor, whatever carries it.  After the
 * handshake there is a struct conn of plain bytes (net/conn.h), with its
 * limits, backpressure and end, so that whoever speaks over it need not know.
 * Loop thread only.
 */
#ifndef CLOISTER_TLS_TLS_STREAM_H
#define CLOISTER_TLS_TLS_STREAM_H

#include "net/conn.h"
#include "tls/tls_node.h"

/* What a stream is for.  Each has an ALPN name of its own. */
enum tls_purpose {
	TLS_P2P,         /* "cloister/p2p" */
	TLS_ENROL,       /* "cloister/enrol" */
	TLS_RPC,         /* "cloister/rpc"; as a server also "http/1.1" or
			  * none, for curl */
};

enum tls_who {
	TLS_ONLY,        /* the one id `only`; it must be pinned as trusted */
	TLS_PINNED,      /* any that is pinned as trusted */
	TLS_EXACTLY,     /* the one id `only`, pinned or not (enrolment: the
			  * invite names it) */
	TLS_ANYONE,      /* any that is not revoked (enrolment: the token
			  * decides) */
};

/* A door, or a place that we dial: what it is for and who may be there. */
struct tls_place {
	enum tls_purpose purpose;
	enum tls_who who;
	struct node_id only;
	char name[48];           /* for the log: "door kim" */
	struct conn_limits limits;       /* of the plain conn; {0} will do */
};

struct tls_result {
	enum tls_fail fail;
	struct node_id id;       /* whom we speak with, or who tried */
	bool has_id;             /* always if TLS_OK; else it was shown, not
				    proven */
	int64_t leaf_until;      /* unix: of its leaf, if TLS_OK */
	/* TLS_OK: plain bytes, the callee's, reading paused and without an
	 * owner: conn_set_callbacks(), then conn_resume_reading(). */
	struct conn *conn;
};

/** Called once, from the loop, never from inside a call of tls_*. */
typedef void tls_done_fn(const struct tls_result *r, void *arg);

struct tls_stream;

/**
 * Start a handshake as server or client; fd as listeners and transports hand
 * it over.  The handle is gone when `done` is called; the stream then ends
 * with its conn.
 */
struct tls_stream *tls_stream_accept(struct tls_node *n, TAKES int fd,
				     const struct tls_place *place,
				     tls_done_fn *done, void *arg);
struct tls_stream *tls_stream_connect(struct tls_node *n, TAKES int fd,
				      const struct tls_place *place,
				      tls_done_fn *done, void *arg);
/** Give up a handshake: `done` is never called.  NULL is fine. */
void tls_stream_cancel(struct tls_stream *s);

#endif
