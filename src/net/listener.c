/*
 * Accepting, and waiting for the PROXY line of each new connection.  Of the
 * stream behind the line nothing is read: that is the new owner's.
 */
#include "config.h"

#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/loop.h"
#include "net/proxy_line.h"

#define LINE_TIMEOUT_MS 10000
#define PENDING_MAX 64
#define BATCH 32               /* accepted in one turn of the loop */
#define RETRY_MS 1000          /* after running out of descriptors */

/* A connection whose line is awaited. */
struct pending {
	struct pending *next, **prev;
	struct listener *listener;
	struct watch *watch;
	struct timer *timer;
	int fd;
	size_t n;
	uint8_t line[PROXY_LINE_MAX];
};

struct listener {
	struct loop *loop;
	struct watch *watch;           /* NULL while paused or full */
	struct timer *retry;
	struct listener_options options;
	accept_fn *fn;
	void *arg;
	struct pending *pending;
	unsigned n_pending;
	int fd;
	bool paused;
	bool *gone;                    /* set by listener_free() inside fn */
	struct log_limit trouble;
};

static void on_acceptable(int fd, void *arg);

/* Watch the descriptor if there is room and nobody paused us. */
static void update_watch(struct listener *ls)
{
	bool want = !ls->paused && !timer_is_set(ls->retry) &&
		    ls->n_pending < ls->options.max_pending;

	if (want && !ls->watch) {
		ls->watch = watch_new(ls->loop, ls->fd, on_acceptable, ls);
	} else if (!want && ls->watch) {
		watch_free(ls->watch);
		ls->watch = NULL;
	}
}

static void on_retry(void *arg)
{
	update_watch(arg);
}

/* Forget p; its descriptor is the caller's, or closed with close_fd. */
static void pending_free(struct pending *p, bool close_fd)
{
	*p->prev = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->listener->n_pending--;
	watch_free(p->watch);
	timer_free(p->timer);
	if (close_fd)
		close(p->fd);
	free(p);
}

static void pending_drop(struct pending *p, const char *reason)
{
	struct listener *ls = p->listener;

	if (log_limit_ok(&ls->trouble, 5, 60000, NULL))
		log_warn(LOG_NET, "inbound connection dropped: %s", reason);
	pending_free(p, true);
	update_watch(ls);
}

static void on_line_timeout(void *arg)
{
	pending_drop(arg, "no PROXY line in time");
}

/*
 * Take bytes into p->line, not past a line's end.  All that is taken belongs
 * to the line, since no end was in it before.  False at the stream's end.
 */
static bool take_line_bytes(struct pending *p)
{
	uint8_t *to = p->line + p->n;
	size_t room = sizeof(p->line) - p->n;
	ssize_t got = recv(p->fd, to, room, MSG_PEEK);
	const uint8_t *end;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	end = memchr(to, '\n', (size_t)got);
	if (end)
		got = end - to + 1;
	if (recv(p->fd, to, (size_t)got, 0) != got)
		return false;
	p->n += (size_t)got;
	return true;
}

static void on_line_bytes(int fd, void *arg)
{
	struct pending *p = arg;
	struct listener *ls = p->listener;
	struct accepted a = { .fd = fd, .has_circuit = true };
	size_t size;

	if (!take_line_bytes(p)) {
		pending_drop(p, "closed before its PROXY line");
		return;
	}
	switch (proxy_line_parse(&a.circuit, &size,
				 span_of(p->line, p->n))) {
	case PROXY_LINE_MORE:
		return;
	case PROXY_LINE_BAD:
		pending_drop(p, "not a PROXY line of Tor");
		return;
	case PROXY_LINE_OK:
		break;
	}
	pending_free(p, false);
	update_watch(ls);
	ls->fn(&a, ls->arg);            /* may free ls */
}

static void pending_new(struct listener *ls, int fd)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->listener = ls;
	p->fd = fd;
	p->next = ls->pending;
	p->prev = &ls->pending;
	if (p->next)
		p->next->prev = &p->next;
	ls->pending = p;
	ls->n_pending++;
	p->watch = watch_new(ls->loop, fd, on_line_bytes, p);
	p->timer = timer_new(ls->loop, on_line_timeout, p);
	timer_set(p->timer, ls->options.line_timeout_ms);
}

/* Out of descriptors or memory: the backlog waits, we try again soon. */
static void accept_trouble(struct listener *ls)
{
	if (log_limit_ok(&ls->trouble, 5, 60000, NULL))
		log_warn(LOG_NET, "cannot accept a connection: %s",
			 strerrordesc_np(errno));
	timer_set(ls->retry, RETRY_MS);
	update_watch(ls);
}

/* False if ls is gone. */
static bool hand_over(struct listener *ls, int fd)
{
	struct accepted a = { .fd = fd };
	bool gone = false;
	int one = 1;

	/* Refused on unix sockets, which never wait. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ls->options.proxy_line) {
		pending_new(ls, fd);
		update_watch(ls);
		return true;
	}
	ls->gone = &gone;
	ls->fn(&a, ls->arg);
	if (gone)
		return false;
	ls->gone = NULL;
	return true;
}

static void on_acceptable(int listen_fd, void *arg)
{
	struct listener *ls = arg;
	int i, fd;

	for (i = 0; i < BATCH && ls->watch; i++) {
		fd = accept4(listen_fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (!hand_over(ls, fd))
				return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			accept_trouble(ls);
			return;
		}
	}
}

struct listener *listener_new(struct loop *l, TAKES int fd,
			      const struct listener_options *o,
			      accept_fn *fn, void *arg)
{
	struct listener *ls = xcalloc(1, sizeof(*ls));

	if (o)
		ls->options = *o;
	if (!ls->options.line_timeout_ms)
		ls->options.line_timeout_ms = LINE_TIMEOUT_MS;
	if (!ls->options.max_pending)
		ls->options.max_pending = PENDING_MAX;
	ls->loop = l;
	ls->fd = fd;
	ls->fn = fn;
	ls->arg = arg;
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	ls->retry = timer_new(l, on_retry, ls);
	update_watch(ls);
	return ls;
}

void listener_pause(struct listener *ls)
{
	ls->paused = true;
	update_watch(ls);
}

void listener_resume(struct listener *ls)
{
	ls->paused = false;
	update_watch(ls);
}

void listener_free(struct listener *ls)
{
	if (!ls)
		return;
	if (ls->gone)
		*ls->gone = true;
	while (ls->pending)
		pending_free(ls->pending, true);
	watch_free(ls->watch);
	timer_free(ls->retry);
	close(ls->fd);
	free(ls);
}
