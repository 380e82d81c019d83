/*
 * A tor that says anything: lines, keywords, events and the state made of
 * them; the way the bytes are cut makes no difference.
 */
#include "config.h"

#include "base/base.h"
#include "tor/control.h"
#include "tor/tor_text.h"
#include "tor/tor_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	struct tor_watch watch;
	size_t lines, bytes;
};

static void on_line(void *arg, const struct control_line *l)
{
	struct sink *s = arg;
	char text[100];

	s->lines++;
	s->bytes += strlen(l->text);
	if (l->event)
		tor_watch_event(&s->watch, l->text, (int64_t)s->lines);
	else
		tor_watch_bootstrap(&s->watch, l->text, (int64_t)s->lines);
	(void)tor_watch_circuit_joined(l->text);
	tor_text_scrub(text, sizeof text, l->text);
	CHECK(strlen(text) < sizeof text);
}

static bool feed(struct sink *s, const uint8_t *data, size_t size,
		 size_t piece)
{
	struct control_parser p = {0};
	bool ok = true;
	size_t at;

	memset(s, 0, sizeof *s);
	tor_watch_init(&s->watch, TOR_STARTING);
	tor_watch_door(&s->watch, "abcd.onion", 8333, NULL);
	for (at = 0; ok && at < size; at += piece)
		ok = control_feed(&p, span_of(data + at,
					      MIN_OF(piece, size - at)),
				  on_line, s);
	tor_watch_tick(&s->watch, 1000000);
	control_clear(&p);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink a, b;
	bool ok = feed(&a, data, size, size ? size : 1);

	CHECK(feed(&b, data, size, 7) == ok);
	CHECK(a.lines == b.lines && a.bytes == b.bytes);
	CHECK(a.watch.state.phase == b.watch.state.phase);
	CHECK(a.watch.door.state == b.watch.door.state);
	CHECK(a.watch.state.bootstrap_percent <= 100);
	return 0;
}
