/*
 * Plain TCP to numeric loopback addresses, and nothing else.
 */
#include "config.h"

#include "net/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"

#define BACKLOG 128

struct loopback {
	struct transport transport;
	struct loop *loop;
	struct loopback_dial *dials;
};

struct loopback_dial {
	struct dial dial;
	struct loopback_dial *next, **prev;
	struct event *event;
	int fd;
	enum dial_result early;       /* what is known before waiting */
	dial_fn *done;
	void *arg;
};

static bool address_read(struct sockaddr_in *out, const char *host,
			 uint16_t port)
{
	*out = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port) };
	return inet_pton(AF_INET, host, &out->sin_addr) == 1 &&
	       ntohl(out->sin_addr.s_addr) >> 24 == 127;
}

bool loopback_address_ok(const char *host)
{
	struct sockaddr_in ignored;

	return address_read(&ignored, host, 0);
}

/* ---- dialling ------------------------------------------------------------ */

/* Forget d; its descriptor is the caller's, if it was set to -1 before. */
static void dial_free(struct loopback_dial *d)
{
	*d->prev = d->next;
	if (d->next)
		d->next->prev = d->prev;
	event_free(d->event);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

static enum dial_result result_of(int e)
{
	switch (e) {
	case 0:
		return DIAL_OK;
	case ECONNREFUSED:
	case ECONNRESET:
		return DIAL_REFUSED;
	case ETIMEDOUT:
		return DIAL_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		return DIAL_UNREACHABLE;
	default:
		return DIAL_OTHER;
	}
}

static int socket_error(int fd)
{
	socklen_t n = sizeof(int);
	int e = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n))
		return errno;
	return e;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loopback_dial *d = arg;
	enum dial_result r = d->early;
	dial_fn *done = d->done;
	void *done_arg = d->arg;

	if (r == DIAL_OK)
		r = what & EV_TIMEOUT ? DIAL_TIMEOUT
				      : result_of(socket_error(fd));
	if (r == DIAL_OK)
		d->fd = -1;             /* the callee's now */
	dial_free(d);
	done(r, r == DIAL_OK ? fd : -1, done_arg);
}

/* Start connecting; what fails at once is the result. */
static enum dial_result start(struct loopback_dial *d,
			      const struct dial_target *target)
{
	struct sockaddr_in to;
	int one = 1;

	if (!address_read(&to, target->host, target->port))
		return DIAL_BAD_ADDRESS;
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (d->fd < 0)
		return DIAL_OTHER;
	setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(d->fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	    errno == EINPROGRESS)
		return DIAL_OK;
	return result_of(errno);
}

static struct dial *loopback_dial(struct transport *t,
				  const struct dial_target *target,
				  dial_fn *done, void *arg)
{
	struct loopback *lb = CONTAINER_OF(t, struct loopback, transport);
	struct loopback_dial *d = xcalloc(1, sizeof(*d));
	int64_t ms = MAX_OF(target->timeout_ms, 0);
	struct timeval tv = { 0 };

	d->dial.transport = t;
	d->next = lb->dials;
	d->prev = &lb->dials;
	if (d->next)
		d->next->prev = &d->next;
	lb->dials = d;
	d->fd = -1;
	d->done = done;
	d->arg = arg;
	d->early = start(d, target);
	if (d->early == DIAL_OK) {
		tv.tv_sec = ms / 1000;
		tv.tv_usec = ms % 1000 * 1000;
	}
	d->event = event_new(loop_event_base(lb->loop),
			     d->early == DIAL_OK ? d->fd : -1, EV_WRITE,
			     on_event, d);
	CHECK(d->event && event_add(d->event, &tv) == 0);
	return &d->dial;
}

static void loopback_cancel(struct dial *dial)
{
	dial_free(CONTAINER_OF(dial, struct loopback_dial, dial));
}

static void loopback_free(struct transport *t)
{
	struct loopback *lb = CONTAINER_OF(t, struct loopback, transport);

	while (lb->dials)
		dial_free(lb->dials);
	free(lb);
}

struct transport *loopback_transport_new(struct loop *l)
{
	static const struct transport_ops ops = {
		"loopback", loopback_dial, loopback_cancel, loopback_free
	};
	struct loopback *lb = xcalloc(1, sizeof(*lb));

	lb->transport.ops = &ops;
	lb->loop = l;
	return &lb->transport;
}

/* ---- listening ----------------------------------------------------------- */

enum err loopback_listen(int *fd, const char *host, uint16_t *port,
			 struct why *why)
{
	struct sockaddr_in at;
	socklen_t at_n = sizeof(at);
	enum err e;
	int f, one = 1;

	if (!address_read(&at, host, *port))
		return why_set(why, ERR_INPUT,
			       "%s is not a loopback address (127.0.0.0/8)",
			       host);
	f = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f < 0)
		return why_errno(why, "cannot make a socket");
	setsockopt(f, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(f, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(f, BACKLOG) ||
	    getsockname(f, (struct sockaddr *)&at, &at_n)) {
		e = why_errno(why, "cannot listen on %s:%u", host, *port);
		close(f);
		return e;
	}
	*fd = f;
	*port = ntohs(at.sin_port);
	return ERR_NONE;
}
