/*
 * The link: its codec, and both ends over a real socket pair.
 */
#include "config.h"

#include "test_tor.h"

#include "base/base.h"
#include "tor/link.h"
#include "tor/inherited.h"
#include "tor/node_link.h"
#include "tor/warden_link.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct link_msg tor_msg(void)
{
	struct link_msg m = {
		.type = LINK_TOR_STATE,
		.u.tor = {
			.phase = TOR_BOOTSTRAPPING, .bootstrap_percent = 45,
			.circuits = 7, .clock_skew_s = -3600, .restarts = 2,
			.version = "0.4.9.11", .summary = "45 %: asking",
			.problem = "none",
		},
	};

	return m;
}

static struct link_msg door_msg(void)
{
	struct link_msg m = {
		.type = LINK_DOOR,
		.u.door = {
			.name = "public", .state = DOOR_REACHABLE,
			.address = "a.onion", .port = 8333, .uploads = 12,
		},
	};

	return m;
}

static void check_round_trip(const struct link_msg *m, enum link_side side)
{
	struct bytes a = {0}, b = {0};
	struct link_msg got;
	size_t n;

	link_msg_write(&a, m);
	assert_true(a.n <= LINK_MESSAGE_MAX);
	assert_true(link_msg_read(&got, side, bytes_span(&a)));
	assert_int_equal(got.type, m->type);
	link_msg_write(&b, &got);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	/* cut or lengthened, or from the other side, it is refused */
	for (n = 0; n < a.n; n++)
		assert_false(link_msg_read(&got, side, span_of(a.p, n)));
	bytes_append(&b, "", 1);
	assert_false(link_msg_read(&got, side, bytes_span(&b)));
	assert_false(link_msg_read(&got, side == LINK_FROM_NODE
				   ? LINK_FROM_WARDEN : LINK_FROM_NODE,
				   bytes_span(&a)));
	/* another version is refused */
	a.p[0]++;
	assert_false(link_msg_read(&got, side, bytes_span(&a)));
	bytes_clear(&a);
	bytes_clear(&b);
}

static void test_codec_round_trips(void **state)
{
	static const enum link_type from_warden[] = {
		LINK_STOP, LINK_LOG_REOPEN,
	};
	struct link_msg m = tor_msg();
	size_t i;

	(void)state;
	check_round_trip(&m, LINK_FROM_WARDEN);
	m = door_msg();
	check_round_trip(&m, LINK_FROM_WARDEN);
	for (i = 0; i < ARRAY_SIZE(from_warden); i++) {
		m = (struct link_msg){ .type = from_warden[i] };
		check_round_trip(&m, LINK_FROM_WARDEN);
	}
	m = (struct link_msg){ .type = LINK_READY };
	check_round_trip(&m, LINK_FROM_NODE);
	m = (struct link_msg){ .type = LINK_HEALTH };
	m.u.health.item[HEALTH_ONION] = (struct health_item){
		.state = HEALTH_BAD, .since_ms = 1, .repairs = 2,
		.last = REPAIR_FORGET, .repaired_ms = 3, .bad_ms = 4,
	};
	m.u.health.ready_ms = 5;
	m.u.health.recovery_ms = INT64_MAX / 2;
	check_round_trip(&m, LINK_FROM_WARDEN);
	m = (struct link_msg){ .type = LINK_REFRESH };
	strcpy(m.u.auth.address, TEST_TOR_ADDRESS);
	check_round_trip(&m, LINK_FROM_NODE);
	m = (struct link_msg){ .type = LINK_NEWNYM };
	check_round_trip(&m, LINK_FROM_NODE);
	m = (struct link_msg){ .type = LINK_SOCKS_OPEN,
			       .u.socks = { .id = 77, .kind = SOCKS_SEED } };
	check_round_trip(&m, LINK_FROM_NODE);
	m = (struct link_msg){ .type = LINK_SOCKS,
			       .u.socks = { .id = 77,
					      .result = SOCKS_OPEN_BUSY } };
	check_round_trip(&m, LINK_FROM_WARDEN);
	m = (struct link_msg){ .type = LINK_CLOSE_CIRCUIT, .u.circuit = 25 };
	check_round_trip(&m, LINK_FROM_NODE);
}

static void check_refused(const struct link_msg *m)
{
	struct bytes b = {0};
	struct link_msg got;

	link_msg_write(&b, m);
	assert_false(link_msg_read(&got, LINK_FROM_NODE, bytes_span(&b)));
	assert_false(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	bytes_clear(&b);
}

static void test_codec_refuses_odd_health(void **state)
{
	struct link_msg m = { .type = LINK_HEALTH };

	(void)state;
	m.u.health.item[0].state = HEALTH_STATE_COUNT;
	check_refused(&m);
	m.u.health.item[0].state = HEALTH_GOOD;
	m.u.health.item[1].last = REPAIR_COUNT;
	check_refused(&m);
	m.u.health.item[1].last = REPAIR_NONE;
	m.u.health.item[2].since_ms = -1;
	check_refused(&m);
	/* it becomes part of a command */
	m = (struct link_msg){ .type = LINK_REFRESH };
	strcpy(m.u.auth.address, "x SERVER=y");
	check_refused(&m);
}

static void test_codec_of_private_doors(void **state)
{
	struct link_msg m = { .type = LINK_DOOR_ADD };

	(void)state;
	strcpy(m.u.wish.name, "d0123456789");
	m.u.wish.ports = DOOR_PORT_BIT(DOOR_ENROL);
	memset(m.u.wish.client, 0xa5, sizeof m.u.wish.client);
	check_round_trip(&m, LINK_FROM_NODE);
	m.u.wish.ports = 0;
	check_refused(&m);
	m.u.wish.ports = DOOR_PORT_ALL + 1;
	check_refused(&m);
	m.type = LINK_DOOR_REMOVE;
	m.u.wish.forget = true;
	check_round_trip(&m, LINK_FROM_NODE);
	/* it becomes a path, and part of a command */
	strcpy(m.u.wish.name, "public");
	check_refused(&m);
	strcpy(m.u.wish.name, "d../../tor1");
	check_refused(&m);
	strcpy(m.u.wish.name, "d01234567890");
	check_refused(&m);
	m = (struct link_msg){ .type = LINK_DOOR_LISTEN,
			       .u.wish = { .name = "dffffffffff",
					   .port = DOOR_RPC } };
	check_round_trip(&m, LINK_FROM_WARDEN);
	m = (struct link_msg){ .type = LINK_CLIENT_AUTH_ADD,
			       .u.auth = { .address = TEST_TOR_ADDRESS } };
	check_round_trip(&m, LINK_FROM_NODE);
	m.type = LINK_CLIENT_AUTH_REMOVE;
	check_round_trip(&m, LINK_FROM_NODE);
	m.u.auth.address[3] ^= 1;
	check_refused(&m);
	strcpy(m.u.auth.address, "x GETINFO address");
	check_refused(&m);
	m = (struct link_msg){ .type = LINK_DOORS_TOLD };
	check_round_trip(&m, LINK_FROM_NODE);
	m = (struct link_msg){ .type = LINK_SIGN, .u.blob = { 3, "abc" } };
	check_round_trip(&m, LINK_FROM_NODE);
	m.type = LINK_SIGNED;
	m.u.blob.n = LINK_BLOB_MAX;
	check_round_trip(&m, LINK_FROM_WARDEN);
}

static void test_codec_keeps_fields(void **state)
{
	struct link_msg m = tor_msg(), got;
	struct bytes b = {0};

	(void)state;
	link_msg_write(&b, &m);
	assert_true(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	assert_int_equal(got.u.tor.phase, TOR_BOOTSTRAPPING);
	assert_int_equal(got.u.tor.bootstrap_percent, 45);
	assert_int_equal(got.u.tor.circuits, 7);
	assert_int_equal(got.u.tor.clock_skew_s, -3600);
	assert_int_equal(got.u.tor.restarts, 2);
	assert_string_equal(got.u.tor.version, "0.4.9.11");
	assert_string_equal(got.u.tor.summary, "45 %: asking");
	bytes_clear(&b);
	m = door_msg();
	link_msg_write(&b, &m);
	assert_true(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	assert_int_equal(got.u.door.state, DOOR_REACHABLE);
	assert_string_equal(got.u.door.address, "a.onion");
	assert_int_equal(got.u.door.port, 8333);
	assert_int_equal(got.u.door.uploads, 12);
	bytes_clear(&b);
}

static void test_codec_bounds(void **state)
{
	struct link_msg m = tor_msg(), got;
	struct bytes b = {0};

	(void)state;
	memset(m.u.tor.summary, 'x', LINK_TEXT_MAX);
	memset(m.u.tor.problem, 'y', LINK_TEXT_MAX);
	m.u.tor.problem[5] = '\n';
	link_msg_write(&b, &m);
	assert_true(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	assert_int_equal(strlen(got.u.tor.summary), LINK_TEXT_MAX);
	assert_int_equal(got.u.tor.problem[5], '?');
	/* phase, percent and text length out of range */
	b.p[2] = TOR_PHASE_COUNT;
	assert_false(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	b.p[2] = 0;
	b.p[3] = 101;
	assert_false(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	b.p[3] = 100;
	assert_true(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	b.p[16] = LINK_TOR_VERSION_MAX + 1;
	assert_false(link_msg_read(&got, LINK_FROM_WARDEN, bytes_span(&b)));
	bytes_clear(&b);
}

static void test_text_is_cut_between_characters(void **state)
{
	char out[5];

	(void)state;
	link_text_set(out, sizeof out, "abc\xc3\xa9");
	assert_string_equal(out, "abc");
	link_text_set(out, sizeof out, "abcd");
	assert_string_equal(out, "abcd");
	link_text_set(out, sizeof out, "ab\xc3\xa9");
	assert_string_equal(out, "ab\xc3\xa9");
}

/* ---- both ends ---- */

struct ends {
	struct event_base *base;
	struct warden_link *warden;
	struct node_link *node;
	int states, doors, stops, reopens, lost;
	int socks, socks_fd;
	enum socks_kind kind;
	uint32_t asked;
	struct link_socks last_socks;
	int ready, newnym, nonsense;
	uint32_t last_circuit;
	int circuits;
	bool free_on_stop;
};

static void on_state(void *arg, const struct link_tor_state *s)
{
	struct ends *e = arg;

	(void)s;
	e->states++;
}

static void on_door(void *arg, const struct link_door *d)
{
	struct ends *e = arg;

	(void)d;
	e->doors++;
}

static void on_stop(void *arg)
{
	struct ends *e = arg;

	e->stops++;
	if (e->free_on_stop) {
		node_link_free(e->node);
		e->node = NULL;
	}
}

static void on_reopen(void *arg, int fd)
{
	struct ends *e = arg;
	char c = 'x';

	e->reopens++;
	assert_int_equal(write(fd, &c, 1), 1);
}

static void on_socks(void *arg, const struct link_socks *s, int fd)
{
	struct ends *e = arg;

	e->socks++;
	e->last_socks = *s;
	e->socks_fd = fd;
}

static void on_lost(void *arg)
{
	struct ends *e = arg;

	e->lost++;
}

static void on_message(void *arg, const struct link_msg *m)
{
	struct ends *e = arg;

	e->ready += m->type == LINK_READY;
	e->newnym += m->type == LINK_NEWNYM;
	if (m->type == LINK_SOCKS_OPEN) {
		e->asked = m->u.socks.id;
		e->kind = m->u.socks.kind;
	}
	if (m->type == LINK_CLOSE_CIRCUIT) {
		e->circuits++;
		e->last_circuit = m->u.circuit;
	}
}

static void on_nonsense(void *arg)
{
	struct ends *e = arg;

	e->nonsense++;
}

/* Open both ends; with raw != NULL the warden's end is left to the test. */
static void ends_open(struct ends *e, int *raw_warden, int *raw_node)
{
	static const struct node_link_events node_events = {
		.tor_state = on_state,
		.door = on_door,
		.stop = on_stop,
		.log_reopen = on_reopen,
		.socks = on_socks,
		.lost = on_lost,
	};
	static const struct warden_link_events warden_events = {
		on_message, on_nonsense,
	};
	int pair[2];

	memset(e, 0, sizeof *e);
	e->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (raw_warden)
		*raw_warden = pair[0];
	else
		e->warden = warden_link_new(e->base, pair[0], &warden_events,
					    e);
	if (raw_node)
		*raw_node = pair[1];
	else
		e->node = node_link_new(e->base, pair[1], &node_events, e);
}

static void ends_close(struct ends *e)
{
	warden_link_free(e->warden);
	node_link_free(e->node);
	event_base_free(e->base);
}

static void turn(struct ends *e)
{
	int i;

	for (i = 0; i < 500; i++)
		event_base_loop(e->base, EVLOOP_NONBLOCK);
}

/* A descriptor crosses with its answer; one without it ends the node. */
static void test_descriptors_cross(void **state)
{
	struct link_socks ok = { .id = 9, .result = SOCKS_OPEN_OK };
	struct link_socks down = { .id = 10, .result = SOCKS_OPEN_DOWN };
	struct ends e;
	int pair[2];
	char c = 0;

	(void)state;
	ends_open(&e, NULL, NULL);
	node_link_socks_open(e.node, 9, SOCKS_SEED);
	turn(&e);
	assert_int_equal(e.asked, 9);
	assert_int_equal(e.kind, SOCKS_SEED);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	warden_link_socks(e.warden, &ok, pair[0]);
	turn(&e);
	assert_int_equal(e.socks, 1);
	assert_int_equal(e.last_socks.id, 9);
	assert_true(e.socks_fd >= 0 && e.socks_fd != pair[1]);
	assert_int_equal(write(e.socks_fd, "x", 1), 1);
	assert_int_equal(read(pair[1], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(e.socks_fd);
	assert_int_equal(read(pair[1], &c, 1), 0);
	close(pair[1]);
	warden_link_socks(e.warden, &down, -1);
	turn(&e);
	assert_int_equal(e.socks, 2);
	assert_int_equal(e.last_socks.result, SOCKS_OPEN_DOWN);
	assert_int_equal(e.socks_fd, -1);
	warden_link_socks(e.warden, &ok, -1);
	turn(&e);
	assert_int_equal(e.socks, 2);
	assert_int_equal(e.lost, 1);
	ends_close(&e);
}

static void test_link_carries_both_ways(void **state)
{
	struct link_msg tor = tor_msg(), door = door_msg();
	struct ends e;
	int log[2];
	char c;

	(void)state;
	ends_open(&e, NULL, NULL);
	assert_int_equal(node_link_tor_state(e.node)->phase, TOR_STARTING);
	warden_link_tor_state(e.warden, &tor.u.tor);
	warden_link_tor_state(e.warden, &tor.u.tor);    /* no news */
	warden_link_door(e.warden, &door.u.door);
	assert_int_equal(pipe(log), 0);
	warden_link_log_reopen(e.warden, log[1]);
	warden_link_stop(e.warden);
	node_link_ready(e.node);
	node_link_newnym(e.node);
	node_link_close_circuit(e.node, 4711);
	turn(&e);
	assert_int_equal(e.states, 1);
	assert_int_equal(e.doors, 1);
	assert_int_equal(e.reopens, 1);
	assert_int_equal(read(log[0], &c, 1), 1);
	close(log[0]);
	close(log[1]);
	assert_int_equal(e.stops, 1);
	assert_int_equal(e.ready, 1);
	assert_int_equal(e.newnym, 1);
	assert_int_equal(e.last_circuit, 4711);
	assert_int_equal(node_link_tor_state(e.node)->circuits, 7);
	assert_string_equal(node_link_public_door(e.node)->address,
			    "a.onion");
	assert_int_equal(e.lost, 0);
	assert_int_equal(e.nonsense, 0);
	ends_close(&e);
}

/* A node that does not read: nothing grows, and it gets the newest state. */
static void test_link_survives_a_slow_reader(void **state)
{
	struct link_msg tor = tor_msg(), got;
	struct ends e;
	uint8_t buf[LINK_MESSAGE_MAX];
	uint32_t last = 0;
	ssize_t n;
	int raw, i;

	(void)state;
	ends_open(&e, NULL, &raw);
	for (i = 1; i <= 5000; i++) {
		tor.u.tor.circuits = (uint32_t)i;
		warden_link_tor_state(e.warden, &tor.u.tor);
	}
	for (i = 0; i < 5000 && last != 5000; i++) {
		event_base_loop(e.base, EVLOOP_NONBLOCK);
		n = recv(raw, buf, sizeof buf, MSG_DONTWAIT);
		if (n < 0)
			continue;
		assert_true(link_msg_read(&got, LINK_FROM_WARDEN,
					  span_of(buf, (size_t)n)));
		assert_true(got.u.tor.circuits > last);
		last = got.u.tor.circuits;
	}
	assert_int_equal(last, 5000);
	close(raw);
	ends_close(&e);
}

static void test_node_drops_excess_closes(void **state)
{
	struct ends e;
	int raw;
	uint32_t i;

	(void)state;
	ends_open(&e, &raw, NULL);
	for (i = 0; i < 100000; i++)
		node_link_close_circuit(e.node, i);
	turn(&e);
	assert_int_equal(e.lost, 0);
	close(raw);
	turn(&e);
	assert_int_equal(e.lost, 1);
	ends_close(&e);
}

static void test_node_is_told_of_a_lost_warden(void **state)
{
	struct ends e;
	int raw;

	(void)state;
	ends_open(&e, &raw, NULL);
	assert_int_equal(send(raw, "\x01\x63", 2, 0), 2);
	turn(&e);
	assert_int_equal(e.lost, 1);
	close(raw);
	turn(&e);
	assert_int_equal(e.lost, 1);
	ends_close(&e);
}

static void test_warden_notices_nonsense(void **state)
{
	struct ends e;
	int raw;

	(void)state;
	ends_open(&e, NULL, &raw);
	assert_int_equal(send(raw, "\x01\x03", 2, 0), 2);  /* a STOP */
	assert_int_equal(send(raw, "\x01\x40", 2, 0), 2);
	turn(&e);
	assert_int_equal(e.nonsense, 1);
	assert_int_equal(e.ready, 0);
	close(raw);
	ends_close(&e);
}

static void test_node_may_free_in_a_callback(void **state)
{
	struct link_msg tor = tor_msg();
	struct ends e;

	(void)state;
	ends_open(&e, NULL, NULL);
	e.free_on_stop = true;
	warden_link_stop(e.warden);
	warden_link_tor_state(e.warden, &tor.u.tor);
	turn(&e);
	assert_int_equal(e.stops, 1);
	assert_int_equal(e.states, 0);
	ends_close(&e);
}

static void test_inherited_names(void **state)
{
	char text[64];
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	snprintf(text, sizeof text, "link=%d,rpc=%d,bad=x", pair[0], pair[1]);
	assert_int_equal(inherited_fd("rpc"), -1);
	setenv("CLOISTER_FDS", text, 1);
	assert_int_equal(inherited_fd("link"), pair[0]);
	assert_int_equal(inherited_fd("rpc"), pair[1]);
	assert_int_equal(inherited_fd("bad"), -1);
	assert_int_equal(inherited_fd("lin"), -1);
	assert_int_equal(inherited_fd("pc"), -1);
	unsetenv("CLOISTER_FDS");
	close(pair[0]);
	close(pair[1]);
}

int test_tor_link(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec_round_trips),
		cmocka_unit_test(test_codec_refuses_odd_health),
		cmocka_unit_test(test_codec_of_private_doors),
		cmocka_unit_test(test_codec_keeps_fields),
		cmocka_unit_test(test_codec_bounds),
		cmocka_unit_test(test_text_is_cut_between_characters),
		cmocka_unit_test(test_link_carries_both_ways),
		cmocka_unit_test(test_descriptors_cross),
		cmocka_unit_test(test_link_survives_a_slow_reader),
		cmocka_unit_test(test_node_drops_excess_closes),
		cmocka_unit_test(test_node_is_told_of_a_lost_warden),
		cmocka_unit_test(test_warden_notices_nonsense),
		cmocka_unit_test(test_node_may_free_in_a_callback),
		cmocka_unit_test(test_inherited_names),
	};

	return cmocka_run_group_tests_name("tor: link", tests, NULL, NULL);
}
