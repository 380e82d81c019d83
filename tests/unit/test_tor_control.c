/*
 * The control protocol's lines, and a conversation with a peer that speaks
 * it well, badly, or not at all.
 */
#include "config.h"

#include "test_tor.h"

#include "base/base.h"
#include "base/random.h"
#include "tor/control.h"
#include "tor/tor_control.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Lines as they came, in a text: "code kind text|". */
static void note_line(void *arg, const struct control_line *l)
{
	struct bytes *b = arg;
	char *t = xasprintf("%d%s%s%s %s|", l->code, l->event ? "e" : "",
			    l->data ? "d" : "", l->last ? "L" : "", l->text);

	bytes_append(b, t, strlen(t));
	free(t);
}

/* Feed in pieces of the given size. */
static bool feed(struct bytes *notes, const char *in, size_t piece)
{
	struct control_parser p = {0};
	size_t n = strlen(in), at;
	bool ok = true;

	for (at = 0; ok && at < n; at += piece)
		ok = control_feed(&p, span_of(in + at,
					      MIN_OF(piece, n - at)),
				  note_line, notes);
	control_clear(&p);
	bytes_append(notes, "", 1);
	return ok;
}

static void check_lines(const char *in, const char *want)
{
	size_t piece;

	for (piece = 1; piece < 40; piece += 3) {
		struct bytes notes = {0};

		assert_true(feed(&notes, in, piece));
		assert_string_equal((char *)notes.p, want);
		bytes_clear(&notes);
	}
}

static void test_lines(void **state)
{
	(void)state;
	check_lines("250 OK\r\n", "250L OK|");
	check_lines("250-version=0.4.9.11\r\n250 OK\r\n",
		    "250 version=0.4.9.11|250L OK|");
	check_lines("250+circuit-status=\r\n1 BUILT\r\n..dot\r\n.\r\n"
		    "250 OK\r\n",
		    "250 circuit-status=|250d 1 BUILT|250d .dot|250L OK|");
	check_lines("650 HS_DESC UPLOADED a\r\n250 OK\r\n",
		    "650eL HS_DESC UPLOADED a|250L OK|");
	check_lines("650+NS\r\nx\r\n.\r\n650 OK\r\n",
		    "650e NS|650ed x|650eL OK|");
	check_lines("552 Unrecognized\n", "552L Unrecognized|");
}

static void check_refused(const char *in)
{
	struct bytes notes = {0};

	assert_false(feed(&notes, in, 1000000));
	bytes_clear(&notes);
}

static void test_lines_refused(void **state)
{
	struct control_parser p = {0};
	struct bytes notes = {0}, big = {0};
	int i;

	(void)state;
	check_refused("hello\r\n");
	check_refused("25\r\n");
	check_refused("250\r\n");
	check_refused("250=OK\r\n");
	check_refused("050 OK\r\n");
	check_refused("\r\n");
	/* an event inside a reply, and the other way about */
	check_refused("250-a\r\n650 HS_DESC\r\n");
	check_refused("650-a\r\n250 OK\r\n");
	assert_false(control_feed(&p, span_of("250 a\0b\r\n", 9), note_line,
				  &notes));
	/* and nothing more is read after that */
	assert_false(control_feed(&p, span_of("250 OK\r\n", 8), note_line,
				  &notes));
	assert_int_equal(notes.n, 0);
	control_clear(&p);
	/* a line without end, a message without end */
	for (i = 0; i < CONTROL_LINE_MAX + 1; i++)
		bytes_append(&big, "2", 1);
	assert_false(control_feed(&p, bytes_span(&big), note_line, &notes));
	control_clear(&p);
	for (i = 0; i < CONTROL_MESSAGE_MAX / 1000 + 2; i++)
		if (!control_feed(&p, span_of("250-", 4), note_line,
				  &notes) ||
		    !control_feed(&p, span_of(big.p, 1000), note_line,
				  &notes) ||
		    !control_feed(&p, span_of("\r\n", 2), note_line, &notes))
			break;
	assert_true(p.failed);
	assert_true(i > 900);
	control_clear(&p);
	bytes_clear(&big);
	bytes_clear(&notes);
}

static void test_keywords(void **state)
{
	static const char line[] = "STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 "
		"SUMMARY=\"a \\\"b\\\" PROGRESS=6\" X= LAST=z";
	char v[20], tiny[3];

	(void)state;
	assert_true(control_keyword(v, sizeof v, line, "PROGRESS"));
	assert_string_equal(v, "5");
	assert_true(control_keyword(v, sizeof v, line, "SUMMARY"));
	assert_string_equal(v, "a \"b\" PROGRESS=6");
	assert_true(control_keyword(tiny, sizeof tiny, line, "SUMMARY"));
	assert_string_equal(tiny, "a ");
	assert_true(control_keyword(v, sizeof v, line, "X"));
	assert_string_equal(v, "");
	assert_true(control_keyword(v, sizeof v, line, "LAST"));
	assert_string_equal(v, "z");
	assert_false(control_keyword(v, sizeof v, line, "ROGRESS"));
	assert_false(control_keyword(v, sizeof v, "A=\"open", "B"));
	assert_true(control_word(v, sizeof v, line, 2));
	assert_string_equal(v, "BOOTSTRAP");
	assert_false(control_word(v, sizeof v, "a b", 2));
}

/* ---- conversations ---- */

struct talk {
	struct event_base *base;
	struct tor_control *c;
	int peer;
	int events, lost, replies, last_code;
};

static void on_event(void *arg, const struct control_line *l)
{
	struct talk *t = arg;

	(void)l;
	t->events++;
}

static void on_lost(void *arg, const char *reason)
{
	struct talk *t = arg;

	(void)reason;
	t->lost++;
}

static void on_reply(void *arg, const struct control_line *l)
{
	struct talk *t = arg;

	t->replies++;
	t->last_code = l->code;
}

static void talk_open(struct talk *t)
{
	static const struct tor_control_events events = { on_event, on_lost };
	int pair[2];

	memset(t, 0, sizeof *t);
	t->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t->c = tor_control_new(t->base, pair[0], &events, t);
	t->peer = pair[1];
}

static void talk_close(struct talk *t)
{
	tor_control_free(t->c);
	close(t->peer);
	event_base_free(t->base);
}

static void say(struct talk *t, const void *text, size_t n)
{
	int i;

	assert_int_equal(send(t->peer, text, n, MSG_NOSIGNAL), n);
	for (i = 0; i < 20; i++)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
}

static void say_text(struct talk *t, const char *text)
{
	say(t, text, strlen(text));
}

static void test_conversation(void **state)
{
	struct talk t;
	char got[64];
	ssize_t n;

	(void)state;
	talk_open(&t);
	tor_control_send(t.c, "ONE", on_reply);
	tor_control_send(t.c, "TWO", NULL);
	tor_control_send(t.c, "THREE", on_reply);
	assert_int_equal(tor_control_pending(t.c), 3);
	say_text(&t, "650 CIRC 1 BUILT\r\n250 OK\r\n");
	assert_int_equal(t.replies, 1);
	assert_int_equal(t.events, 1);
	say_text(&t, "250-x\r\n250 OK\r\n552 no");
	assert_int_equal(t.replies, 1);
	say_text(&t, "\r\n");
	assert_int_equal(t.replies, 2);
	assert_int_equal(t.last_code, 552);
	assert_int_equal(tor_control_pending(t.c), 0);
	n = recv(t.peer, got, sizeof got, 0);
	assert_int_equal(n, 17);
	assert_memory_equal(got, "ONE\r\nTWO\r\nTHREE\r\n", 17);
	assert_int_equal(t.lost, 0);
	talk_close(&t);
}

static void test_conversation_with_garbage(void **state)
{
	struct prng r;
	uint8_t junk[3000];
	uint64_t seed = random_u64();
	struct talk t;
	int round;
	size_t i;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	prng_seed(&r, seed);
	for (round = 0; round < 50; round++) {
		talk_open(&t);
		tor_control_send(t.c, "ONE", on_reply);
		for (i = 0; i < sizeof junk; i++)
			junk[i] = (uint8_t)prng_u64(&r);
		junk[0] = 'x';     /* never the start of a line */
		junk[2999] = '\n';
		say(&t, junk, sizeof junk);
		assert_int_equal(t.lost, 1);
		assert_int_equal(t.replies, 0);
		talk_close(&t);
	}
}

static void test_conversation_lost(void **state)
{
	struct talk t;

	(void)state;
	/* an answer nobody asked for */
	talk_open(&t);
	say_text(&t, "250 OK\r\n");
	assert_int_equal(t.lost, 1);
	tor_control_send(t.c, "MORE", on_reply);     /* is dropped */
	assert_int_equal(tor_control_pending(t.c), 0);
	talk_close(&t);
	/* the far end closes */
	talk_open(&t);
	shutdown(t.peer, SHUT_RDWR);
	event_base_loop(t.base, EVLOOP_ONCE);
	assert_int_equal(t.lost, 1);
	talk_close(&t);
}

int test_tor_control(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_refused),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_conversation_with_garbage),
		cmocka_unit_test(test_conversation_lost),
	};

	return cmocka_run_group_tests_name("tor: control", tests, NULL, NULL);
}
