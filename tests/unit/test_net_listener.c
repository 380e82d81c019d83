/*
 * The PROXY line, and the listener on a unix socket.
 */
#include "config.h"

#include "test_net.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/proxy_line.h"

#define LINE "PROXY TCP6 fc00:dead:beef:4dad::0:3d ::1 61 8333\r\n"

static void line_of_tor(void **state)
{
	static const char *const good[] = {
		LINE, LINE "payload",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::0:3d ::1 0 65535\r\n\xff",
	};
	uint32_t circuit;
	size_t size, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		circuit = 0;
		assert_int_equal(proxy_line_parse(&circuit, &size,
						  span_of(good[i],
							  strlen(good[i]))),
				 PROXY_LINE_OK);
		assert_int_equal(circuit, 0x3d);
		assert_int_equal(size, strchr(good[i], '\n') - good[i] + 1);
	}
	assert_int_equal(proxy_line_parse(&circuit, &size, span_of(
		"PROXY TCP6 fc00:dead:beef:4dad::ffff:1234 ::1 0 1\r\n", 51)),
		PROXY_LINE_OK);
	assert_int_equal(circuit, 0xffff1234);
}

static void line_in_parts(void **state)
{
	const size_t n = strlen(LINE);
	uint32_t circuit;
	size_t size, i;

	(void)state;
	for (i = 0; i < n; i++)
		assert_int_equal(proxy_line_parse(&circuit, &size,
						  span_of(LINE, i)),
				 PROXY_LINE_MORE);
	assert_int_equal(proxy_line_parse(&circuit, &size, span_of(LINE, n)),
			 PROXY_LINE_OK);
}

static void bad_lines(void **state)
{
	static const char *const bad[] = {
		"\n", "\r\n", "PROXY\r\n", "X", "PROXY TCP4 ",
		"PROXY UNKNOWN\r\n", "PROXY TCP6 \r\n", "PROXY TCP6 x\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61 8333\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61 8333 \r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61 8333 1\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1  8333\r\n",
		"PROXY TCP6  fc00:dead:beef:4dad::3d ::1 6 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 65536 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 -1 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::x 61 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dad:1::3d ::1 61 8333\r\n",
		"PROXY TCP6 fc00:dead:beef:4dac::3d ::1 61 8333\r\n",
		"PROXY TCP6 ::1 ::1 61 8333\r\n",
	};
	static const char with_nul[] =
		"PROXY TCP6 fc00:dead:beef:4dad::3d ::1 61 8333\0\r\n";
	char big[200];
	uint32_t circuit = 5;
	size_t size, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(proxy_line_parse(&circuit, &size,
						  span_of(bad[i],
							  strlen(bad[i]))),
				 PROXY_LINE_BAD);
	assert_int_equal(proxy_line_parse(&circuit, &size,
					  span_of(with_nul,
						  sizeof(with_nul) - 1)),
			 PROXY_LINE_BAD);
	snprintf(big, sizeof(big), "PROXY TCP6 %0150d\r\n", 0);
	assert_int_equal(proxy_line_parse(&circuit, &size,
					  span_of(big, 106)),
			 PROXY_LINE_MORE);
	assert_int_equal(proxy_line_parse(&circuit, &size,
					  span_of(big, 107)),
			 PROXY_LINE_BAD);
	assert_int_equal(proxy_line_parse(&circuit, &size,
					  span_of(big, strlen(big))),
			 PROXY_LINE_BAD);
	assert_int_equal(circuit, 5);
}

/* ---- the listener --------------------------------------------------------- */

struct door {
	struct loop *loop;
	struct listener *listener;
	char dir[40];
	struct sockaddr_un at;
	struct accepted got[8];
	int n_got;
	bool got_one, free_inside;
};

static void on_accept(const struct accepted *a, void *arg)
{
	struct door *d = arg;

	d->got[d->n_got++] = *a;
	d->got_one = true;
	assert_true(fcntl(a->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(a->fd, F_GETFD) & FD_CLOEXEC);
	if (d->free_inside) {
		listener_free(d->listener);
		d->listener = NULL;
	}
}

static void door_open(struct door *d, const struct listener_options *o)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*d = (struct door){ .loop = loop_new(),
			    .dir = "/tmp/cloister-net-XXXXXX" };
	assert_non_null(mkdtemp(d->dir));
	d->at.sun_family = AF_UNIX;
	snprintf(d->at.sun_path, sizeof(d->at.sun_path), "%s/s", d->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&d->at, sizeof(d->at)),
			 0);
	assert_int_equal(listen(fd, 32), 0);
	d->listener = listener_new(d->loop, fd, o, on_accept, d);
}

static void door_close(struct door *d)
{
	int i;

	for (i = 0; i < d->n_got; i++)
		close(d->got[i].fd);
	listener_free(d->listener);
	loop_free(d->loop);
	unlink(d->at.sun_path);
	rmdir(d->dir);
}

static int knock(const struct door *d, const char *say)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&d->at,
				 sizeof(d->at)), 0);
	if (*say)
		assert_int_equal(write(fd, say, strlen(say)), strlen(say));
	return fd;
}

/* The far end is closed (within the loop's turns so far). */
static bool hung_up(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void plain_door(void **state)
{
	struct door d;
	int a, b;

	(void)state;
	door_open(&d, NULL);
	a = knock(&d, "");
	run_until(d.loop, &d.got_one);
	assert_false(d.got[0].has_circuit);
	listener_pause(d.listener);
	b = knock(&d, "");
	run_for(d.loop, 20);
	assert_int_equal(d.n_got, 1);
	listener_resume(d.listener);
	d.free_inside = true;
	d.got_one = false;
	run_until(d.loop, &d.got_one);
	assert_int_equal(d.n_got, 2);
	close(a);
	close(b);
	door_close(&d);
}

static void line_then_payload(void **state)
{
	static const struct listener_options o = { .proxy_line = true };
	char rest[20] = { 0 };
	struct door d;
	int a;

	(void)state;
	door_open(&d, &o);
	a = knock(&d, LINE "payload");
	run_until(d.loop, &d.got_one);
	assert_true(d.got[0].has_circuit);
	assert_int_equal(d.got[0].circuit, 0x3d);
	/* Of what follows nothing is lost. */
	assert_int_equal(read(d.got[0].fd, rest, sizeof(rest)), 7);
	assert_string_equal(rest, "payload");
	close(a);
	door_close(&d);
}

static void line_in_pieces(void **state)
{
	static const struct listener_options o = { .proxy_line = true };
	struct door d;
	size_t i;
	int a;

	(void)state;
	door_open(&d, &o);
	a = knock(&d, "");
	for (i = 0; i < strlen(LINE); i++) {
		assert_false(d.got_one);
		assert_int_equal(write(a, &LINE[i], 1), 1);
		run_for(d.loop, 1);
	}
	run_until(d.loop, &d.got_one);
	assert_int_equal(d.got[0].circuit, 0x3d);
	close(a);
	door_close(&d);
}

static void no_line_no_entry(void **state)
{
	static const struct listener_options o = {
		.proxy_line = true, .line_timeout_ms = 400
	};
	struct door d;
	int silent, wrong, left;

	(void)state;
	door_open(&d, &o);
	silent = knock(&d, "PROXY");
	wrong = knock(&d, "GET / HTTP/1.0\r\n");
	left = knock(&d, "PROXY");
	close(left);
	run_for(d.loop, 20);
	assert_true(recv(wrong, &left, 1, MSG_DONTWAIT) <= 0);
	assert_false(hung_up(silent));
	run_for(d.loop, 600);
	assert_true(hung_up(silent));
	assert_int_equal(d.n_got, 0);
	close(silent);
	close(wrong);
	door_close(&d);
}

static void waiting_room_is_bounded(void **state)
{
	static const struct listener_options o = {
		.proxy_line = true, .max_pending = 2
	};
	struct door d;
	int a, b, c;

	(void)state;
	door_open(&d, &o);
	a = knock(&d, "");
	b = knock(&d, "");
	run_for(d.loop, 20);
	/* The third has a line ready, and waits in the backlog. */
	c = knock(&d, LINE);
	run_for(d.loop, 20);
	assert_int_equal(d.n_got, 0);
	close(a);
	run_until(d.loop, &d.got_one);
	assert_int_equal(d.n_got, 1);
	close(b);
	close(c);
	door_close(&d);
}

static void freed_with_some_waiting(void **state)
{
	static const struct listener_options o = { .proxy_line = true };
	struct door d;
	int a;

	(void)state;
	door_open(&d, &o);
	a = knock(&d, "PROXY ");
	run_for(d.loop, 20);
	listener_free(d.listener);
	d.listener = NULL;
	/* Unread bytes make it a reset rather than an end. */
	assert_true(recv(a, &d.n_got, 1, MSG_DONTWAIT) <= 0);
	close(a);
	door_close(&d);
}

int test_net_listener(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_of_tor),
		cmocka_unit_test(line_in_parts),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(plain_door),
		cmocka_unit_test(line_then_payload),
		cmocka_unit_test(line_in_pieces),
		cmocka_unit_test(no_line_no_entry),
		cmocka_unit_test(waiting_room_is_bounded),
		cmocka_unit_test(freed_with_some_waiting),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
