/*
 * Lines that tor prints.
 */
#include "config.h"

#include "tor/tor_output.h"

#include "base/clock.h"
#include "tor/tor_text.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024   /* what is longer is cut */
#define KEPT 2
#define FRESH_MS 5000         /* older complaints explain no end */
#define LOG_BURST 20
#define LOG_EVERY_MS 5000
#define REPEAT_MS (10 * 60 * 1000)   /* the same line again */

struct tor_output {
	struct event *readable;
	int fd;
	char line[LINE_MAX_BYTES + 1];
	size_t n;
	char first[LINE_MAX_BYTES + 1];
	char kept[KEPT][LINE_MAX_BYTES + 1];      /* a ring */
	int64_t kept_ms[KEPT];
	unsigned kept_count;
	struct log_limit limit;
	int64_t logged_ms;
	bool doubts_clock;
};

/* Is text what was said last, not long ago? */
static bool is_repeated(const struct tor_output *o, const char *text)
{
	return o->kept_count > 0 &&
	       strcmp(o->kept[(o->kept_count - 1) % KEPT], text) == 0 &&
	       clock_mono_ms() - o->logged_ms < REPEAT_MS;
}

static void keep(struct tor_output *o, const char *text)
{
	o->kept_ms[o->kept_count % KEPT] = clock_mono_ms();
	strcpy(o->kept[o->kept_count++ % KEPT], text);
}

/* A warning or an error: keep it, log it. */
static void complaint(struct tor_output *o, enum log_level level,
		      const char *text)
{
	bool repeated = is_repeated(o, text);
	unsigned dropped = 0;

	if (strstr(text, "certificate expired") ||
	    strstr(text, "not yet valid"))
		o->doubts_clock = true;
	keep(o, text);
	if (repeated || !log_limit_ok(&o->limit, LOG_BURST, LOG_EVERY_MS,
				      &dropped))
		return;
	o->logged_ms = clock_mono_ms();
	if (dropped)
		log_info(LOG_TOR, "tor: %u lines held back", dropped);
	log_write(level, LOG_TOR, "tor: %s", text);
}

static void end_line(struct tor_output *o)
{
	char text[LINE_MAX_BYTES + 1];
	enum log_level level;
	bool foreign;

	o->line[o->n] = '\0';
	o->n = 0;
	if (!o->first[0])
		strcpy(o->first, o->line);
	tor_text_scrub(text, sizeof text,
		       tor_log_text(&level, &foreign, o->line));
	if (!text[0])
		return;
	if (foreign)
		keep(o, text);
	if (level <= LOG_LEVEL_INFO)
		complaint(o, level, text);
	else if (log_wants(LOG_TOR, level))
		log_write(level, LOG_TOR, "tor: %s", text);
}

void tor_output_drain(struct tor_output *o)
{
	char buf[4096];
	ssize_t n, i;

	while ((n = read(o->fd, buf, sizeof buf)) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n')
				end_line(o);
			else if (o->n < LINE_MAX_BYTES && buf[i])
				o->line[o->n++] = buf[i];
		}
	}
	if (n == 0) {
		event_del(o->readable);
		if (o->n)
			end_line(o);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tor_output_drain(arg);
}

struct tor_output *tor_output_new(struct event_base *base, int fd)
{
	struct tor_output *o = xcalloc(1, sizeof *o);

	o->fd = fd;
	evutil_make_socket_nonblocking(fd);
	o->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable,
				o);
	CHECK(o->readable);
	event_add(o->readable, NULL);
	return o;
}

void tor_output_free(struct tor_output *o)
{
	if (!o)
		return;
	event_free(o->readable);
	close(o->fd);
	free(o);
}

const char *tor_output_first(const struct tor_output *o)
{
	return o->first;
}

bool tor_output_doubts_clock(struct tor_output *o)
{
	bool doubts = o->doubts_clock;

	o->doubts_clock = false;
	return doubts;
}

void tor_output_complaints(char *out, size_t size, const struct tor_output *o)
{
	unsigned count = MIN_OF(o->kept_count, (unsigned)KEPT);
	unsigned i = o->kept_count - count;
	int64_t since = clock_mono_ms() - FRESH_MS;
	size_t n = 0;

	CHECK(size > 0);
	out[0] = '\0';
	for (; i < o->kept_count && n + 1 < size; i++) {
		if (o->kept_ms[i % KEPT] < since)
			continue;
		snprintf(out + n, size - n, "%s%s", n ? "; " : "",
			 o->kept[i % KEPT]);
		n = strlen(out);
	}
}
