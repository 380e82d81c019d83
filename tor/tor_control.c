/*
 * Commands to tor and what comes back.  Replies come in the order of the
 * commands, so a ring of callbacks is enough.
 */
#include "config.h"

#include "tor/tor_control.h"

#include "base/clock.h"
#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#define PENDING_MAX 128
#define ANSWER_TIMEOUT_MS 20000
#define CHECK_EVERY_S 2

struct tor_control {
	struct bufferevent *bev;
	struct event *check;
	struct tor_control_events events;
	void *arg;
	struct control_parser parser;
	tor_reply_fn *pending[PENDING_MAX];
	size_t first, count;
	int64_t waiting_since_ms;     /* for the first of them */
	int64_t checked_ms;
	bool lost;
};

static void lose(struct tor_control *c, const char *reason)
{
	if (c->lost)
		return;
	c->lost = true;
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	event_del(c->check);
	c->events.lost(c->arg, reason);
}

static void on_line(void *arg, const struct control_line *line)
{
	struct tor_control *c = arg;
	tor_reply_fn *reply;

	if (c->lost)
		return;
	if (line->event) {
		c->events.event(c->arg, line);
		return;
	}
	if (c->count == 0) {
		lose(c, "tor answered what was not asked");
		return;
	}
	reply = c->pending[c->first];
	if (line->last) {
		c->first = (c->first + 1) % PENDING_MAX;
		c->count--;
		c->waiting_since_ms = clock_mono_ms();
	}
	if (reply)
		reply(c->arg, line);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct tor_control *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	bool ok = true;

	while (ok && !c->lost && evbuffer_get_length(in) > 0) {
		size_t n = evbuffer_get_contiguous_space(in);

		ok = control_feed(&c->parser,
				  span_of(evbuffer_pullup(in, (ssize_t)n), n),
				  on_line, c);
		evbuffer_drain(in, n);
	}
	if (!ok)
		lose(c, "tor does not speak the control protocol");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		lose(arg, NULL);
}

static void on_check(evutil_socket_t fd, short what, void *arg)
{
	struct tor_control *c = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	/* Were we frozen ourselves?  Then tor gets its time anew. */
	if (now - c->checked_ms > 3 * CHECK_EVERY_S * 1000)
		c->waiting_since_ms = now;
	c->checked_ms = now;
	if (c->count > 0 && now - c->waiting_since_ms > ANSWER_TIMEOUT_MS)
		lose(c, "tor has stopped answering");
}

struct tor_control *tor_control_new(struct event_base *base, int fd,
				    const struct tor_control_events *events,
				    void *arg)
{
	struct timeval every = { CHECK_EVERY_S, 0 };
	struct tor_control *c = xcalloc(1, sizeof *c);

	c->events = *events;
	c->arg = arg;
	c->checked_ms = clock_mono_ms();
	evutil_make_socket_nonblocking(fd);
	c->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->check = event_new(base, -1, EV_PERSIST, on_check, c);
	CHECK(c->bev && c->check);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	event_add(c->check, &every);
	return c;
}

void tor_control_free(struct tor_control *c)
{
	if (!c)
		return;
	event_free(c->check);
	bufferevent_free(c->bev);
	control_clear(&c->parser);
	free(c);
}

void tor_control_send(struct tor_control *c, const char *command,
		      tor_reply_fn *reply)
{
	if (c->lost)
		return;
	if (c->count == PENDING_MAX) {
		log_debug(LOG_TOR, "too many commands wait; one is dropped");
		return;
	}
	if (c->count == 0)
		c->waiting_since_ms = clock_mono_ms();
	c->pending[(c->first + c->count++) % PENDING_MAX] = reply;
	bufferevent_write(c->bev, command, strlen(command));
	bufferevent_write(c->bev, "\r\n", 2);
}

size_t tor_control_pending(const struct tor_control *c)
{
	return c->count;
}
