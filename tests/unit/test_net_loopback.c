/*
 * The loopback transport: where it goes, and where it refuses to.
 */
#include "config.h"

#include "test_net.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/loopback.h"

struct call {
	enum dial_result result;
	int fd;
	bool done;
};

static void on_dialled(enum dial_result result, int fd, void *arg)
{
	struct call *c = arg;

	assert_false(c->done);
	c->result = result;
	c->fd = fd;
	c->done = true;
}

static void only_loopback(void **state)
{
	static const char *const good[] = { "127.0.0.1", "127.255.3.4" };
	static const char *const bad[] = {
		"", "localhost", "128.0.0.1", "10.0.0.1", "0.0.0.0", "::1",
		"127.1", "0127.0.0.1", "127.0.0.1 ", "2130706433",
		"::ffff:127.0.0.1", "127.0.0.1.example.com", "0x7f.0.0.1",
	};
	struct loop *l = loop_new();
	struct transport *t = loopback_transport_new(l);
	uint16_t port = 0;
	struct why why;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(loopback_address_ok(good[i]));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dial_target to = { .host = bad[i], .port = 80,
				  .timeout_ms = 1000 };
		struct call c = { 0 };

		assert_false(loopback_address_ok(bad[i]));
		assert_non_null(transport_dial(t, &to, on_dialled, &c));
		assert_false(c.done);
		run_until(l, &c.done);
		assert_int_equal(c.result, DIAL_BAD_ADDRESS);
		assert_int_equal(c.fd, -1);
		assert_int_equal(loopback_listen(&fd, bad[i], &port, &why),
				 ERR_INPUT);
		assert_non_null(strstr(why.text, "127.0.0.0/8"));
	}
	transport_free(t);
	loop_free(l);
}

static void on_accept(const struct accepted *a, void *arg)
{
	int *fd = arg;

	*fd = a->fd;
}

static void connects(void **state)
{
	struct loop *l = loop_new();
	struct transport *t = loopback_transport_new(l);
	struct dial_target to = { .host = "127.0.0.1", .port = 0,
				  .timeout_ms = 5000 };
	struct call c = { 0 };
	struct listener *ls;
	int fd, inbound = -1;
	char byte = 0;

	(void)state;
	assert_int_equal(loopback_listen(&fd, to.host, &to.port, NULL),
			 ERR_NONE);
	assert_true(to.port != 0);
	ls = listener_new(l, fd, NULL, on_accept, &inbound);
	assert_non_null(transport_dial(t, &to, on_dialled, &c));
	run_until(l, &c.done);
	assert_int_equal(c.result, DIAL_OK);
	assert_true(fcntl(c.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(c.fd, F_GETFD) & FD_CLOEXEC);
	run_for(l, 20);
	assert_true(inbound >= 0);
	assert_int_equal(write(c.fd, "x", 1), 1);
	assert_int_equal(read(inbound, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(c.fd);
	close(inbound);

	/* Nobody listens any more. */
	listener_free(ls);
	c.done = false;
	assert_non_null(transport_dial(t, &to, on_dialled, &c));
	run_until(l, &c.done);
	assert_int_equal(c.result, DIAL_REFUSED);
	assert_int_equal(c.fd, -1);
	transport_free(t);
	loop_free(l);
}

static void cancelled_dials_are_silent(void **state)
{
	struct loop *l = loop_new();
	struct transport *t = loopback_transport_new(l);
	struct dial_target bad = { .host = "nowhere", .port = 1,
				  .timeout_ms = 1000 };
	struct dial_target to = { .host = "127.0.0.1", .port = 0,
				  .timeout_ms = 1000 };
	struct call c = { 0 };
	struct dial *first, *second;
	int fd;

	(void)state;
	assert_int_equal(loopback_listen(&fd, to.host, &to.port, NULL),
			 ERR_NONE);
	first = transport_dial(t, &bad, on_dialled, &c);
	second = transport_dial(t, &to, on_dialled, &c);
	assert_non_null(transport_dial(t, &to, on_dialled, &c));
	dial_cancel(first);
	dial_cancel(second);
	dial_cancel(NULL);
	transport_free(t);       /* with one under way */
	run_for(l, 20);
	assert_false(c.done);
	close(fd);
	loop_free(l);
}

static void names_of_results(void **state)
{
	int r;

	(void)state;
	for (r = DIAL_OK; r <= DIAL_OTHER; r++)
		assert_string_not_equal(
			dial_result_name((enum dial_result)r), "unknown");
}

int test_net_loopback(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_loopback),
		cmocka_unit_test(connects),
		cmocka_unit_test(cancelled_dials_are_silent),
		cmocka_unit_test(names_of_results),
	};

	return cmocka_run_group_tests_name("loopback", tests, NULL, NULL);
}
