/*
 * Dialling through a SOCKS server of the test's own on a unix socket.
 */
#include "config.h"

#include "test_tor.h"

#include "base/clock.h"
#include "base/err.h"
#include "net/loop.h"
#include "net/transport.h"
#include "tor/socks_open.h"
#include "tor/tor_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ONION TEST_TOR_ADDRESS

struct rig {
	char *dir, *path;
	struct loop *loop;
	struct transport *t;
	int listener;
	/* what became of the last dial */
	int calls, fd;
	enum dial_result result;
	enum socks_kind kind;
};

static const char *const seed_names[] = { "seed.one.example",
					  "seed.two.example", NULL };

static void on_done(enum dial_result result, int fd, void *arg)
{
	struct rig *r = arg;

	r->calls++;
	r->result = result;
	r->fd = fd;
}

/* The warden's part, without a link between. */
static void open_it(void *ctx, uint32_t id, enum socks_kind kind)
{
	struct rig *r = ctx;
	struct link_socks s = { .id = id };
	int fd;

	r->kind = kind;
	s.result = socks_open(&fd, r->path);
	tor_transport_opened(r->t, &s, fd);
}

static void rig_open(struct rig *r, bool listening)
{
	const struct socks_source source = { open_it, r };
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memset(r, 0, sizeof *r);
	r->dir = test_tor_dir_new();
	r->path = xasprintf("%s/socks", r->dir);
	r->loop = loop_new();
	r->t = tor_transport_new(r->loop, &source, seed_names);
	r->fd = r->listener = -1;
	if (!listening)
		return;
	strcpy(a.sun_path, r->path);
	r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(r->listener, (struct sockaddr *)&a, sizeof a),
			 0);
	assert_int_equal(listen(r->listener, 8), 0);
}

static void rig_close(struct rig *r)
{
	transport_free(r->t);
	loop_free(r->loop);
	if (r->listener >= 0)
		close(r->listener);
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	test_tor_dir_free(r->dir);
}

static struct dial *dial(struct rig *r, const char *host,
			 const char *isolation, int64_t timeout_ms)
{
	const struct dial_target target = {
		.host = host, .port = 8333, .isolation = isolation,
		.timeout_ms = timeout_ms,
	};
	struct dial *d = transport_dial(r->t, &target, on_done, r);

	assert_non_null(d);
	assert_int_equal(r->calls, 0);       /* never from inside */
	return d;
}

static void turn(struct rig *r)
{
	int i;

	for (i = 0; i < 10; i++)
		loop_run_once(r->loop, 2);
}

static int take(struct rig *r)
{
	int fd = -1, i;

	for (i = 0; fd < 0 && i < 200; i++) {
		loop_run_once(r->loop, 2);
		fd = accept(r->listener, NULL, NULL);
	}
	assert_true(fd >= 0);
	return fd;
}

/* Read exactly n bytes that the client must send. */
static void expect(struct rig *r, int fd, void *out, size_t n)
{
	size_t have = 0;
	int i;

	for (i = 0; have < n && i < 200; i++) {
		ssize_t got;

		loop_run_once(r->loop, 2);
		got = recv(fd, (char *)out + have, n - have, MSG_DONTWAIT);
		if (got > 0)
			have += (size_t)got;
	}
	assert_int_equal(have, n);
}

static void say(struct rig *r, int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
	turn(r);
}

/* Serve the handshake up to the request; the credentials into cred. */
static int serve(struct rig *r, char cred[static 67])
{
	char buf[128];
	int fd = take(r);

	expect(r, fd, buf, 3);
	assert_memory_equal(buf, "\x05\x01\x02", 3);
	say(r, fd, "\x05\x02", 2);
	expect(r, fd, cred, 67);
	say(r, fd, "\x01\x00", 2);
	expect(r, fd, buf, 5 + strlen(ONION) + 2);
	assert_memory_equal(buf, "\x05\x01\x00\x03\x3e" ONION "\x20\x8d",
			    5 + strlen(ONION) + 2);
	return fd;
}

static void test_connects_and_leaves_the_peers_bytes(void **state)
{
	static const uint8_t reply[22 + 5] = {
		5, 0, 0, 4, [22] = 'h', 'e', 'l', 'l', 'o',
	};
	char cred[67], buf[16];
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, true);
	(void)dial(&r, ONION, NULL, 5000);
	fd = serve(&r, cred);
	say(&r, fd, reply, sizeof reply);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.result, DIAL_OK);
	assert_true(r.fd >= 0);
	assert_int_equal(recv(r.fd, buf, sizeof buf, 0), 5);
	assert_memory_equal(buf, "hello", 5);
	close(fd);
	rig_close(&r);
}

static void test_credentials_isolate(void **state)
{
	char cred[4][67];
	static const char *const keys[4] = { NULL, NULL, "a", "a" };
	struct rig r;
	int i;

	(void)state;
	rig_open(&r, true);
	for (i = 0; i < 4; i++) {
		struct dial *d = dial(&r, ONION, keys[i], 5000);

		close(serve(&r, cred[i]));
		(void)d;
		turn(&r);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.result, DIAL_PROXY_DOWN);
		r.calls = 0;
	}
	assert_int_equal(cred[0][0], 1);
	assert_int_equal(cred[0][1], 32);
	assert_memory_not_equal(cred[0], cred[1], 67);
	assert_memory_equal(cred[2], cred[3], 67);
	assert_memory_not_equal(cred[0], cred[2], 67);
	rig_close(&r);
}

static void test_errors_are_mapped(void **state)
{
	static const struct {
		uint8_t code;
		enum dial_result result;
	} table[] = {
		{ 0x01, DIAL_REFUSED }, { 0x02, DIAL_OTHER },
		{ 0x04, DIAL_UNREACHABLE }, { 0x05, DIAL_REFUSED },
		{ 0x06, DIAL_TIMEOUT }, { 0xf0, DIAL_NOT_FOUND },
		{ 0xf2, DIAL_UNREACHABLE }, { 0xf3, DIAL_UNREACHABLE },
		{ 0xf4, DIAL_AUTH_REQUIRED }, { 0xf5, DIAL_AUTH_REQUIRED },
		{ 0xf6, DIAL_BAD_ADDRESS }, { 0xf7, DIAL_TIMEOUT },
		{ 0x77, DIAL_OTHER },
	};
	uint8_t reply[10] = { 5, 0, 0, 1 };
	char cred[67];
	struct rig r;
	size_t i;

	(void)state;
	rig_open(&r, true);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int fd;

		(void)dial(&r, ONION, NULL, 5000);
		fd = serve(&r, cred);
		reply[1] = table[i].code;
		say(&r, fd, reply, sizeof reply);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.result, table[i].result);
		assert_int_equal(r.fd, -1);
		close(fd);
		r.calls = 0;
	}
	rig_close(&r);
}

static void check_fails(struct rig *r, const char *host,
			enum dial_result want)
{
	int i;

	(void)dial(r, host, NULL, 100);
	for (i = 0; r->calls == 0 && i < 200; i++)
		loop_run_once(r->loop, 10);
	assert_int_equal(r->calls, 1);
	assert_int_equal(r->result, want);
	assert_int_equal(r->fd, -1);
	r->calls = 0;
}

static void test_only_onions_are_dialled(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, true);
	check_fails(&r, "127.0.0.1", DIAL_BAD_ADDRESS);
	check_fails(&r, "example.com", DIAL_BAD_ADDRESS);
	check_fails(&r, "x" ONION, DIAL_BAD_ADDRESS);
	check_fails(&r, "", DIAL_BAD_ADDRESS);
	/* nobody connected to the proxy for these */
	assert_int_equal(accept(r.listener, NULL, NULL), -1);
	rig_close(&r);
}

static void test_no_proxy_and_timeout(void **state)
{
	struct rig r;
	int64_t start;

	(void)state;
	rig_open(&r, false);
	check_fails(&r, ONION, DIAL_PROXY_DOWN);
	rig_close(&r);
	rig_open(&r, true);
	start = clock_mono_ms();
	check_fails(&r, ONION, DIAL_TIMEOUT);      /* it never answers */
	assert_true(clock_mono_ms() - start >= 95);
	rig_close(&r);
}

static void test_nonsense_from_the_proxy(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, true);
	(void)dial(&r, ONION, NULL, 5000);
	fd = take(&r);
	say(&r, fd, "HTTP/1.0 400 no\r\n", 17);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.result, DIAL_PROXY_DOWN);
	close(fd);
	rig_close(&r);
}

static void test_cancel_and_free(void **state)
{
	char cred[67];
	struct rig r;
	struct dial *d;
	int fd;

	(void)state;
	rig_open(&r, true);
	d = dial(&r, ONION, NULL, 5000);
	dial_cancel(d);                  /* before it began */
	d = dial(&r, ONION, NULL, 5000);
	fd = serve(&r, cred);
	dial_cancel(d);                  /* in the middle */
	turn(&r);
	close(fd);
	(void)dial(&r, ONION, NULL, 5000);
	(void)dial(&r, ONION, NULL, 5000);
	turn(&r);
	rig_close(&r);                   /* with two under way */
	assert_int_equal(r.calls, 0);
}

/* A backlog that is full is waited out. */
static void test_full_backlog(void **state)
{
	struct rig r;
	int i, accepted = 0, fd;

	(void)state;
	rig_open(&r, true);
	for (i = 0; i < 40; i++)
		(void)dial(&r, ONION, NULL, 5000);
	for (i = 0; accepted < 40 && i < 2000; i++) {
		loop_run_once(r.loop, 2);
		if (i > 10)
			while ((fd = accept(r.listener, NULL, NULL)) >= 0) {
				accepted++;
				close(fd);
			}
	}
	assert_int_equal(accepted, 40);
	turn(&r);
	assert_int_equal(r.calls, 40);
	rig_close(&r);
}

/* A connection that comes for a dial given up is closed, not kept. */
static int asked;

static void ask_only(void *ctx, uint32_t id, enum socks_kind kind)
{
	(void)ctx;
	(void)kind;
	asked = (int)id;
}

static void test_late_connection(void **state)
{
	const struct socks_source source = { ask_only, NULL };
	struct link_socks s = { .result = SOCKS_OPEN_OK };
	struct rig r = { .fd = -1, .loop = loop_new() };
	int pair[2];
	char c;

	(void)state;
	r.t = tor_transport_new(r.loop, &source, NULL);
	dial(&r, ONION, NULL, 20);
	while (!r.calls)
		loop_run_once(r.loop, 5);
	assert_int_equal(r.result, DIAL_TIMEOUT);
	assert_true(asked != 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.id = (uint32_t)asked;
	tor_transport_opened(r.t, &s, pair[0]);
	assert_int_equal(read(pair[1], &c, 1), 0);
	close(pair[1]);
	transport_free(r.t);
	loop_free(r.loop);
}

static struct dial *dial_seed(struct rig *r, const char *host)
{
	const struct dial_target target = {
		.host = host, .port = 8333, .timeout_ms = 5000,
		.seed_name = true,
	};

	r->calls = 0;
	return transport_dial(r->t, &target, on_done, r);
}

/* Seeds: the name itself is what tor is given, never an address. */
static void test_seeds_are_given_by_name(void **state)
{
	static const char name[] = "seed.two.example";
	uint8_t got[4 + 1 + sizeof name - 1 + 2], hello[3], auth[67];
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, true);
	assert_non_null(dial_seed(&r, name));
	fd = take(&r);
	assert_int_equal(r.kind, SOCKS_SEED);
	expect(&r, fd, hello, sizeof hello);
	say(&r, fd, "\5\2", 2);
	expect(&r, fd, auth, sizeof auth);
	say(&r, fd, "\1\0", 2);
	expect(&r, fd, got, sizeof got);
	assert_memory_equal(got, "\5\1\0\3", 4);     /* ATYP: a name */
	assert_int_equal(got[4], sizeof name - 1);
	assert_memory_equal(got + 5, name, sizeof name - 1);
	assert_memory_equal(got + sizeof got - 2, "\x20\x8d", 2);
	say(&r, fd, "\5\0\0\1\0\0\0\0\0\0", 10);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.result, DIAL_OK);
	close(fd);
	rig_close(&r);
}

static void test_no_other_names(void **state)
{
	static const char *const bad[] = {
		"seed.three.example", "SEED.one.example", "seed.one.example.",
		"", "127.0.0.1", ONION, "seed.one.exampl",
	};
	struct rig r;
	size_t i;

	(void)state;
	rig_open(&r, true);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_non_null(dial_seed(&r, bad[i]));
		turn(&r);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.result, DIAL_BAD_ADDRESS);
	}
	/* A seed's name is no peer either. */
	r.calls = 0;
	dial(&r, "seed.one.example", NULL, 5000);
	turn(&r);
	assert_int_equal(r.result, DIAL_BAD_ADDRESS);
	assert_true(accept(r.listener, NULL, NULL) < 0);
	dial_cancel(dial_seed(&r, "seed.one.example"));
	rig_close(&r);
}

int test_tor_transport(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connects_and_leaves_the_peers_bytes),
		cmocka_unit_test(test_credentials_isolate),
		cmocka_unit_test(test_errors_are_mapped),
		cmocka_unit_test(test_only_onions_are_dialled),
		cmocka_unit_test(test_no_proxy_and_timeout),
		cmocka_unit_test(test_nonsense_from_the_proxy),
		cmocka_unit_test(test_cancel_and_free),
		cmocka_unit_test(test_full_backlog),
		cmocka_unit_test(test_late_connection),
		cmocka_unit_test(test_seeds_are_given_by_name),
		cmocka_unit_test(test_no_other_names),
	};

	return cmocka_run_group_tests_name("tor: transport", tests, NULL,
					   NULL);
}
