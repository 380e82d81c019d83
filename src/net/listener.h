/*
 * A listener: accepts on a descriptor that listens already (inherited: unix,
 * or TCP on loopback) and hands over connected descriptors.  Tor can announce
 * each with a PROXY line that carries its circuit's number.  Loop thread only.
 */
#ifndef CLOISTER_NET_LISTENER_H
#define CLOISTER_NET_LISTENER_H

#include "base/base.h"

struct listener;
struct loop;

struct accepted {
	int fd;                 /* the callee's; non-blocking, cloexec */
	bool has_circuit;
	uint32_t circuit;       /* of the PROXY line, if has_circuit */
};

typedef void accept_fn(const struct accepted *a, void *arg);

struct listener_options {
	bool proxy_line;        /* wait for one; without it, hang up */
	int64_t line_timeout_ms;   /* 0: 10 s */
	unsigned max_pending;   /* connections whose line is awaited; more
				   are not accepted meanwhile; 0: 64 */
};

/** Takes fd. */
struct listener *listener_new(struct loop *l, TAKES int fd,
			      const struct listener_options *o,
			      accept_fn *fn, void *arg);
/** Stop accepting (the backlog waits), and go on. */
void listener_pause(struct listener *ls);
void listener_resume(struct listener *ls);
void listener_free(struct listener *ls);    /* NULL is fine */

#endif
