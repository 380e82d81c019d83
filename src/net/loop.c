/*
 * The event loop over libevent.  Stopping goes through an eventfd, so that
 * any thread and a signal handler may ask for it.
 */
#include "config.h"

#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
	struct event *stop_event;
	int stop_fd;
	bool stopped;
};

struct timer {
	struct event *event;
	timer_fn *fn;
	void *arg;
	int64_t interval_ms;    /* 0: one-shot */
};

struct watch {
	struct event *event;
	watch_fn *fn;
	void *arg;
};

static struct timeval timeval_of(int64_t ms)
{
	ms = MAX_OF(ms, 0);
	return (struct timeval){ .tv_sec = ms / 1000,
				 .tv_usec = ms % 1000 * 1000 };
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	l->stopped = true;
	event_base_loopbreak(l->base);
}

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	/* A write to a closed stream is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	l->base = event_base_new();
	CHECK(l->base);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(l->stop_fd >= 0);
	/* Never read: once asked to stop, the loop stays stopped. */
	l->stop_event = event_new(l->base, l->stop_fd, EV_READ | EV_PERSIST,
				  on_stop, l);
	CHECK(l->stop_event && event_add(l->stop_event, NULL) == 0);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	event_free(l->stop_event);
	/* libevent frees some connections only when it comes round again. */
	event_base_loop(l->base, EVLOOP_NONBLOCK);
	event_base_free(l->base);
	close(l->stop_fd);
	free(l);
}

struct event_base *loop_event_base(struct loop *l)
{
	return l->base;
}

void loop_run(struct loop *l)
{
	while (!l->stopped)
		CHECK(event_base_loop(l->base, 0) >= 0);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

bool loop_run_once(struct loop *l, int64_t wait_ms)
{
	struct timeval tv = timeval_of(wait_ms);
	struct event *limit;

	if (l->stopped)
		return false;
	if (wait_ms <= 0) {
		CHECK(event_base_loop(l->base, EVLOOP_NONBLOCK) >= 0);
		return !l->stopped;
	}
	limit = evtimer_new(l->base, on_waited, NULL);
	CHECK(limit && evtimer_add(limit, &tv) == 0);
	CHECK(event_base_loop(l->base, EVLOOP_ONCE) >= 0);
	event_free(limit);
	return !l->stopped;
}

void loop_stop(struct loop *l)
{
	int saved = errno;
	uint64_t one = 1;
	ssize_t did;

	/* It fails only when the counter is full: asked already. */
	did = write(l->stop_fd, &one, sizeof(one));
	(void)did;
	errno = saved;
}

/* ---- timers -------------------------------------------------------------- */

static void timer_arm(struct timer *t, int64_t after_ms)
{
	struct timeval tv = timeval_of(after_ms);

	CHECK(evtimer_add(t->event, &tv) == 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	if (t->interval_ms)
		timer_arm(t, t->interval_ms);
	t->fn(t->arg);          /* may free t */
}

struct timer *timer_new(struct loop *l, timer_fn *fn, void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	t->fn = fn;
	t->arg = arg;
	t->event = evtimer_new(l->base, on_timer, t);
	CHECK(t->event);
	return t;
}

void timer_set(struct timer *t, int64_t after_ms)
{
	t->interval_ms = 0;
	timer_arm(t, after_ms);
}

void timer_set_every(struct timer *t, int64_t interval_ms)
{
	CHECK(interval_ms > 0);
	t->interval_ms = interval_ms;
	timer_arm(t, interval_ms);
}

void timer_unset(struct timer *t)
{
	t->interval_ms = 0;
	evtimer_del(t->event);
}

bool timer_is_set(const struct timer *t)
{
	return evtimer_pending(t->event, NULL);
}

void timer_free(struct timer *t)
{
	if (!t)
		return;
	event_free(t->event);
	free(t);
}

/* ---- descriptors --------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)what;
	w->fn(fd, w->arg);      /* may free w */
}

struct watch *watch_new(struct loop *l, int fd, watch_fn *fn, void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->fn = fn;
	w->arg = arg;
	w->event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable,
			     w);
	CHECK(w->event && event_add(w->event, NULL) == 0);
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	event_free(w->event);
	free(w);
}

static void on_mailbox(int fd, void *arg)
{
	(void)fd;
	(void)mailbox_drain(arg);
}

struct watch *watch_mailbox_new(struct loop *l, struct mailbox *m)
{
	return watch_new(l, mailbox_fd(m), on_mailbox, m);
}
