/*
 * A connection over a bufferevent.  Its callbacks come deferred, from the
 * loop, so freeing the connection inside one is safe; on_read is the only
 * one after whose call this file still touches the connection, and it looks
 * at `gone` first.
 */
#include "config.h"

#include "net/conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

#define INPUT_MAX (64 * 1024)
#define OUTPUT_HIGH (1024 * 1024)
#define STEP_MAX (64 * 1024)     /* one read or write of the system */

struct conn {
	struct bufferevent *bev;
	struct loop *loop;
	struct timer *flush_timer;
	const struct conn_callbacks *cb;
	void *arg;
	struct conn_limits limits;
	struct conn_stats stats;
	int fd;                  /* ours to close; -1: the bufferevent's */
	bool *gone;              /* set by conn_free() inside on_read */
	bool read_paused, write_paused;
	bool eof;                /* seen while paused: told on resuming */
	bool flushing, ended;
	bool finished;           /* the other end of the pair knows */
};

/* Of a pair: the other end reads what is left, then an end of file.  On what
 * is no pair, both do nothing. */
static void pair_finish(struct conn *c)
{
	c->finished = true;
	bufferevent_flush(c->bev, EV_WRITE, BEV_FINISHED);
}

static void pair_abort(struct conn *c)
{
	struct bufferevent *other = bufferevent_pair_get_partner(c->bev);

	if (other && !c->finished)
		bufferevent_trigger_event(other, BEV_EVENT_ERROR |
					  BEV_EVENT_READING,
					  BEV_TRIG_DEFER_CALLBACKS);
}

static void conn_end(struct conn *c, enum conn_end end)
{
	if (c->ended)
		return;
	c->ended = true;
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	if (c->flush_timer)
		timer_unset(c->flush_timer);
	if (end == CONN_FLUSHED && conn_queued(c) == 0)
		pair_finish(c);
	c->cb->on_end(c, end, c->arg);
}

/* ---- reading ------------------------------------------------------------- */

/* Offer what is held; false if the connection is gone or ended. */
static bool offer(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in), used;
	bool gone = false;

	if (n == 0 || c->read_paused)
		return true;
	c->gone = &gone;
	used = c->cb->on_read(c, span_of(evbuffer_pullup(in, -1), n), c->arg);
	if (gone)
		return false;
	c->gone = NULL;
	CHECK(used <= n);
	if (c->ended)
		return false;
	if (used == 0 && n >= c->limits.input_max && !c->read_paused) {
		conn_end(c, CONN_OVERFLOW);
		return false;
	}
	evbuffer_drain(in, used);
	return true;
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (c->ended || c->flushing || !offer(c))
		return;
	if (c->eof && !c->read_paused)
		conn_end(c, CONN_EOF);
}

/* Call on_readable from the loop. */
static void offer_later(struct conn *c)
{
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS |
			    BEV_TRIG_DEFER_CALLBACKS);
}

void conn_pause_reading(struct conn *c)
{
	if (c->read_paused)
		return;
	c->read_paused = true;
	bufferevent_disable(c->bev, EV_READ);
}

void conn_resume_reading(struct conn *c)
{
	if (!c->read_paused)
		return;
	c->read_paused = false;
	if (c->ended || c->flushing)
		return;
	if (!c->eof)
		bufferevent_enable(c->bev, EV_READ);
	offer_later(c);
}

bool conn_reading_paused(const struct conn *c)
{
	return c->read_paused;
}

/* ---- writing ------------------------------------------------------------- */

size_t conn_queued(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

bool conn_write_paused(const struct conn *c)
{
	return c->write_paused;
}

static void tell_paused(struct conn *c, bool paused)
{
	c->write_paused = paused;
	if (c->cb->on_write_paused)
		c->cb->on_write_paused(c, paused, c->arg);
}

void conn_write(struct conn *c, struct span out)
{
	if (c->ended || c->flushing || out.n == 0)
		return;
	CHECK(bufferevent_write(c->bev, out.p, out.n) == 0);
	if (!c->write_paused && conn_queued(c) > c->limits.output_high)
		tell_paused(c, true);
}

/* Called when the output has fallen to its low-water mark. */
static void on_writable(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (c->ended)
		return;
	if (c->flushing) {
		if (conn_queued(c) == 0)
			conn_end(c, CONN_FLUSHED);
	} else if (c->write_paused &&
		   conn_queued(c) <= c->limits.output_high / 2) {
		tell_paused(c, false);
	}
}

static void on_flush_timeout(void *arg)
{
	conn_end(arg, CONN_FLUSHED);
}

void conn_close_after_flush(struct conn *c, int64_t timeout_ms)
{
	if (c->ended || c->flushing)
		return;
	c->flushing = true;
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	c->flush_timer = timer_new(c->loop, on_flush_timeout, c);
	timer_set(c->flush_timer, timeout_ms);
	bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

/* ---- both ---------------------------------------------------------------- */

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_ERROR) {
		conn_end(c, CONN_ERROR);
	} else if (what & BEV_EVENT_EOF) {
		c->eof = true;
		/* What was held when reading paused comes first. */
		if (!c->read_paused)
			conn_end(c, CONN_EOF);
		else if (c->cb->on_end_held)
			c->cb->on_end_held(c, c->arg);
	}
}

static void on_input_change(struct evbuffer *buf,
			    const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	(void)buf;
	if (info->n_added == 0)
		return;
	c->stats.bytes_in += info->n_added;
	c->stats.last_in_ms = clock_mono_ms();
}

static void on_output_change(struct evbuffer *buf,
			     const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;

	(void)buf;
	if (info->n_deleted == 0)
		return;
	c->stats.bytes_out += info->n_deleted;
	c->stats.last_out_ms = clock_mono_ms();
}

static struct conn *conn_make(struct loop *l, struct bufferevent *bev,
			      const struct conn_callbacks *cb,
			      const struct conn_limits *limits, void *arg)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	if (limits)
		c->limits = *limits;
	if (!c->limits.input_max)
		c->limits.input_max = INPUT_MAX;
	if (!c->limits.output_high)
		c->limits.output_high = OUTPUT_HIGH;
	c->bev = bev;
	c->loop = l;
	c->cb = cb;
	c->arg = arg;
	c->fd = -1;
	CHECK(evbuffer_add_cb(bufferevent_get_input(bev), on_input_change,
			      c));
	CHECK(evbuffer_add_cb(bufferevent_get_output(bev), on_output_change,
			      c));
	bufferevent_setcb(bev, on_readable, on_writable, on_event, c);
	bufferevent_setwatermark(bev, EV_READ, 0, c->limits.input_max);
	bufferevent_setwatermark(bev, EV_WRITE, c->limits.output_high / 2,
				 0);
	bufferevent_set_max_single_read(bev, STEP_MAX);
	bufferevent_set_max_single_write(bev, STEP_MAX);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return c;
}

struct conn *conn_new(struct loop *l, TAKES int fd,
		      const struct conn_callbacks *cb,
		      const struct conn_limits *limits, void *arg)
{
	struct bufferevent *bev;
	struct conn *c;

	CHECK(evutil_make_socket_nonblocking(fd) == 0);
	bev = bufferevent_socket_new(loop_event_base(l), fd,
				     BEV_OPT_DEFER_CALLBACKS);
	CHECK(bev);
	c = conn_make(l, bev, cb, limits, arg);
	c->fd = fd;
	return c;
}

struct conn *conn_new_over(struct loop *l, TAKES struct bufferevent *bev,
			   const struct conn_callbacks *cb,
			   const struct conn_limits *limits, void *arg)
{
	struct conn *c = conn_make(l, bev, cb, limits, arg);

	/* It may hold bytes that came behind the handshake. */
	offer_later(c);
	return c;
}

void conn_pair_new(struct loop *l, struct conn *out[static 2],
		   const struct conn_limits limits[static 2])
{
	struct bufferevent *bev[2];

	CHECK(bufferevent_pair_new(loop_event_base(l),
				   BEV_OPT_DEFER_CALLBACKS, bev) == 0);
	for (int i = 0; i < 2; i++) {
		out[i] = conn_make(l, bev[i], NULL, &limits[i], NULL);
		conn_pause_reading(out[i]);
	}
}

void conn_set_callbacks(struct conn *c, const struct conn_callbacks *cb,
			void *arg)
{
	c->cb = cb;
	c->arg = arg;
	if (!c->ended && !c->read_paused && !c->flushing)
		offer_later(c);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->gone)
		*c->gone = true;
	evbuffer_remove_cb(bufferevent_get_input(c->bev), on_input_change, c);
	evbuffer_remove_cb(bufferevent_get_output(c->bev), on_output_change,
			   c);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	pair_abort(c);
	if (c->fd >= 0) {
		/* Now, and not when libevent gets round to it. */
		bufferevent_setfd(c->bev, -1);
		close(c->fd);
	}
	bufferevent_free(c->bev);
	timer_free(c->flush_timer);
	free(c);
}

const struct conn_stats *conn_stats(const struct conn *c)
{
	return &c->stats;
}
