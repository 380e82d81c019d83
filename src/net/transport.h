/*
 * How outbound streams come to be.  A transport turns a host and a port into
 * a connected descriptor; Tor's (over SOCKS5 on a unix socket) and, on
 * regtest only, loopback's implement it.  They do not know each other, and
 * nobody else connects anywhere.  Loop thread only.
 *
 * An implementation embeds struct transport and struct dial as first members
 * of its own structures.
 */
#ifndef CLOISTER_NET_TRANSPORT_H
#define CLOISTER_NET_TRANSPORT_H

#include "base/base.h"

enum dial_result {
	DIAL_OK = 0,
	DIAL_REFUSED,        /* the far end is there and says no */
	DIAL_UNREACHABLE,    /* no way to it now: network, rendezvous, exit */
	DIAL_TIMEOUT,
	DIAL_NOT_FOUND,      /* the onion service has no descriptor */
	DIAL_BAD_ADDRESS,    /* malformed, or not for this transport */
	DIAL_AUTH_REQUIRED,  /* the onion service wants a client key */
	DIAL_PROXY_DOWN,     /* the transport's own means do not work (Tor) */
	DIAL_OTHER,
};

/** Words for the log: "refused", "descriptor not found", … */
const char *dial_result_name(enum dial_result r);

/* Where to, and how.  Strings are copied before transport_dial() returns. */
struct dial_target {
	const char *host;       /* name or numeric, without brackets */
	uint16_t port;
	const char *isolation;  /* streams of unlike keys never share a
				   circuit; NULL: the transport's default */
	int64_t timeout_ms;
	bool seed_name;         /* one of the names the transport was given */
};

/**
 * Called once, from the loop, never from inside transport_dial().  On DIAL_OK
 * fd is a connected, non-blocking, close-on-exec stream that nothing has been
 * read from, and is the callee's; otherwise -1.  The handle is gone by then.
 */
typedef void dial_fn(enum dial_result result, int fd, void *arg);

struct transport;
struct dial;

struct transport_ops {
	const char *name;
	struct dial *(*dial)(struct transport *t,
			     const struct dial_target *target,
			     dial_fn *done, void *arg);
	void (*cancel)(struct dial *d);
	void (*free)(struct transport *t);
};

struct transport {
	const struct transport_ops *ops;
};

/* One attempt under way: the handle to cancel it. */
struct dial {
	struct transport *transport;
};

/** Never NULL: what fails at once fails through `done`. */
NODISCARD static inline struct dial *
transport_dial(struct transport *t, const struct dial_target *target,
	       dial_fn *done, void *arg)
{
	return t->ops->dial(t, target, done, arg);
}

/** Give up: `done` is never called, the handle is gone.  NULL is fine. */
static inline void dial_cancel(struct dial *d)
{
	if (d)
		d->transport->ops->cancel(d);
}

/** Cancels what is under way.  NULL is fine. */
static inline void transport_free(struct transport *t)
{
	if (t)
		t->ops->free(t);
}

#endif
