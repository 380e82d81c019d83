/*
 * Two nodes with each other: handshakes whole, in pieces, stalled and cut;
 * bytes, backpressure, ends; who may pass; revocation; renewal.
 */
#include "config.h"

#include "tests/unit/test_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tls_rig.h"

/* ann is the server, bob the client; they have pinned each other. */
struct scene {
	struct loop *loop;
	struct tls_side ann, bob;
	struct tls_place at_ann, at_bob;
	struct tls_end a, b;
};

static void scene_start(struct scene *s, const struct tls_node_options *o,
			const struct signer_options *so)
{
	memset(s, 0, sizeof *s);
	s->loop = loop_new();
	tls_side_start(&s->ann, s->loop, 1, o, so);
	tls_side_start(&s->bob, s->loop, 2, o, so);
	pins_set(s->ann.pins, &s->bob.id, PIN_TRUSTED, "bob");
	pins_set(s->bob.pins, &s->ann.id, PIN_TRUSTED, "ann");
	s->at_ann = tls_place_only(&s->bob.id);
	s->at_bob = tls_place_only(&s->ann.id);
	tls_side_wait(&s->ann, s->loop);
	tls_side_wait(&s->bob, s->loop);
}

static void scene_stop(struct scene *s)
{
	tls_end_clear(&s->a);
	tls_end_clear(&s->b);
	tls_side_stop(&s->ann);
	tls_side_stop(&s->bob);
	loop_free(s->loop);
}

/* Let both begin on a pair of sockets. */
static void meet(struct scene *s)
{
	int fd[2];

	tls_end_clear(&s->a);
	tls_end_clear(&s->b);
	tls_sockets(fd);
	tls_end_accept(&s->a, &s->ann, fd[0], &s->at_ann);
	tls_end_connect(&s->b, &s->bob, fd[1], &s->at_bob);
}

static void meet_well(struct scene *s)
{
	meet(s);
	tls_run_until(s->loop, &s->a.told);
	tls_run_until(s->loop, &s->b.told);
	assert_int_equal(s->a.result.fail, TLS_OK);
	assert_int_equal(s->b.result.fail, TLS_OK);
}

/* Fill with what can be told apart by its place. */
static void fill(struct bytes *b, size_t n)
{
	bytes_reserve(b, n);
	for (size_t i = 0; i < n; i++)
		b->p[i] = (uint8_t)(i * 2654435761u >> 11);
	b->n = n;
}

static void wait_bytes(struct scene *s, const struct tls_end *e, size_t n)
{
	int64_t end = clock_mono_ms() + 20000;

	while (e->got.n < n && clock_mono_ms() < end)
		loop_run_once(s->loop, 100);
	assert_int_equal(e->got.n, n);
}

static void meeting(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	meet_well(&s);
	assert_true(node_id_eq(&s.a.result.id, &s.bob.id));
	assert_true(node_id_eq(&s.b.result.id, &s.ann.id));
	conn_write(s.b.conn, span_of("hello ann", 9));
	conn_write(s.a.conn, span_of("hello bob", 9));
	wait_bytes(&s, &s.a, 9);
	wait_bytes(&s, &s.b, 9);
	assert_memory_equal(s.a.got.p, "hello ann", 9);
	assert_memory_equal(s.b.got.p, "hello bob", 9);
	assert_int_equal(conn_stats(s.a.conn)->bytes_in, 9);
	assert_int_equal(tls_node_counts(s.ann.node)[TLS_OK], 1);
	scene_stop(&s);
}

/* ---- in pieces, stalled, cut --------------------------------------------- */

/* Carries bytes between two sockets: so many at a time, so many in all. */
struct relay {
	int fd[2];
	size_t step;
	size_t left[2];          /* from 0 to 1, from 1 to 0 */
	size_t carried[2];
	bool cut;                /* close when nothing is left */
};

static void carry(struct relay *r, int from)
{
	uint8_t buf[4096];
	size_t n = MIN_OF(MIN_OF(r->step, sizeof buf), r->left[from]);
	ssize_t got;

	if (r->fd[from] < 0 || r->fd[!from] < 0)
		return;
	if (n == 0) {
		if (r->cut) {
			close(r->fd[0]);
			close(r->fd[1]);
			r->fd[0] = r->fd[1] = -1;
		}
		return;
	}
	got = read(r->fd[from], buf, n);
	if (got > 0) {
		if (write(r->fd[!from], buf, (size_t)got) != got)
			return;         /* that side is gone already */
		r->left[from] -= (size_t)got;
		r->carried[from] += (size_t)got;
	}
}

static void relay_close(struct relay *r)
{
	for (int i = 0; i < 2; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
}

/* Both meet through a relay: 0 is ann's side. */
static void meet_over(struct scene *s, struct relay *r, struct tls_end *a,
		      struct tls_end *b)
{
	int at_a[2], at_b[2];

	tls_sockets(at_a);
	tls_sockets(at_b);
	r->fd[0] = at_a[1];
	r->fd[1] = at_b[1];
	tls_end_accept(a, &s->ann, at_a[0], &s->at_ann);
	tls_end_connect(b, &s->bob, at_b[0], &s->at_bob);
}

static void in_pieces(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 5, 16, 333, 4096 };
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct relay r = { .step = steps[i],
				   .left = { SIZE_MAX, SIZE_MAX } };

		meet_over(&s, &r, &s.a, &s.b);
		while (!s.a.told || !s.b.told) {
			carry(&r, 0);
			carry(&r, 1);
			loop_run_once(s.loop, 0);
		}
		assert_int_equal(s.a.result.fail, TLS_OK);
		assert_int_equal(s.b.result.fail, TLS_OK);
		conn_write(s.a.conn, span_of("piece by piece", 14));
		while (s.b.got.n < 14) {
			carry(&r, 0);
			carry(&r, 1);
			loop_run_once(s.loop, 0);
		}
		assert_memory_equal(s.b.got.p, "piece by piece", 14);
		relay_close(&r);
		tls_end_clear(&s.a);
		tls_end_clear(&s.b);
	}
	scene_stop(&s);
}

#define STOPS 400

/*
 * Stop the bytes of one direction at places all over the handshake, many
 * handshakes at once.
 */
static void stop_everywhere(int from, bool cut, enum tls_fail want)
{
	const struct tls_node_options o = { .handshake_ms = cut ? 15000
								: 4000,
					    .handshakes_max = 10 * STOPS };
	struct relay *r = xcalloc(STOPS, sizeof *r);
	struct tls_end *a = xcalloc(STOPS, sizeof *a);
	struct tls_end *b = xcalloc(STOPS, sizeof *b);
	int64_t end = clock_mono_ms() + 20000;
	struct relay whole = { .step = 4096, .left = { SIZE_MAX, SIZE_MAX } };
	size_t n = 0, open = 0;
	struct scene s;

	scene_start(&s, &o, NULL);
	meet_over(&s, &whole, &s.a, &s.b);
	while (!s.a.told || !s.b.told) {
		carry(&whole, 0);
		carry(&whole, 1);
		loop_run_once(s.loop, 0);
	}
	for (size_t at = 0; at < whole.carried[from]; n++) {
		r[n] = (struct relay){ .step = 4096, .cut = cut };
		r[n].left[from] = at;
		r[n].left[!from] = SIZE_MAX;
		meet_over(&s, &r[n], &a[n], &b[n]);
		at += whole.carried[from] / (STOPS - 1) + 1;
		assert_true(n < STOPS - 1);
	}
	for (size_t told = 0; told < n && clock_mono_ms() < end;) {
		loop_run_once(s.loop, 5);
		told = 0;
		for (size_t i = 0; i < n; i++) {
			carry(&r[i], 0);
			carry(&r[i], 1);
			told += a[i].told && b[i].told;
		}
	}
	for (size_t i = 0; i < n; i++) {
		/* Whoever waits for the missing bytes knows why it ended. */
		const struct tls_end *e = from ? &a[i] : &b[i];

		assert_true(a[i].told && b[i].told);
		assert_int_equal(e->result.fail, want);
		/* A client is done before its server; the server never. */
		open += b[i].result.fail == TLS_OK;
		assert_true(from || a[i].result.fail != TLS_OK);
	}
	assert_true(from ? open > 0 : open == 0);
	assert_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		relay_close(&r[i]);
		tls_end_clear(&a[i]);
		tls_end_clear(&b[i]);
	}
	relay_close(&whole);
	scene_stop(&s);
	free(r);
	free(a);
	free(b);
}

static void stalls(void **state)
{
	(void)state;
	stop_everywhere(0, false, TLS_TIMEOUT);
	stop_everywhere(1, false, TLS_TIMEOUT);
}

static void cuts(void **state)
{
	(void)state;
	stop_everywhere(0, true, TLS_CLOSED);
	stop_everywhere(1, true, TLS_CLOSED);
}

/* ---- bytes --------------------------------------------------------------- */

#define MUCH (3 * 1024 * 1024)

static void much_with_backpressure(void **state)
{
	struct bytes data = {0};
	struct scene s;
	size_t sent = 0;

	(void)state;
	fill(&data, MUCH);
	scene_start(&s, NULL, NULL);
	s.at_ann.limits = (struct conn_limits){ 32768, 65536 };
	s.at_bob.limits = s.at_ann.limits;
	meet_well(&s);
	/* Ann does not read: bob is told to wait, long before all is sent. */
	conn_pause_reading(s.a.conn);
	for (int i = 0; i < 300; i++) {
		while (sent < MUCH && !conn_write_paused(s.b.conn)) {
			conn_write(s.b.conn, span_of(data.p + sent, 8192));
			sent += 8192;
		}
		loop_run_once(s.loop, 1);
	}
	assert_true(conn_write_paused(s.b.conn));
	assert_true(sent < MUCH / 2);
	assert_int_equal(s.a.got.n, 0);
	/* The other direction goes on meanwhile. */
	conn_write(s.a.conn, span_of(data.p, 100000));
	wait_bytes(&s, &s.b, 100000);
	assert_memory_equal(s.b.got.p, data.p, 100000);
	conn_resume_reading(s.a.conn);
	s.a.take_max = 5000;
	while (sent < MUCH) {
		if (!conn_write_paused(s.b.conn)) {
			conn_write(s.b.conn, span_of(data.p + sent, 8192));
			sent += 8192;
		} else {
			loop_run_once(s.loop, 100);
		}
	}
	s.a.take_max = 0;
	wait_bytes(&s, &s.a, MUCH);
	assert_memory_equal(s.a.got.p, data.p, MUCH);
	assert_true(s.b.pauses > 3);
	scene_stop(&s);
	bytes_clear(&data);
}

static void whoever_closes_is_heard_to_the_last_byte(void **state)
{
	struct bytes data = {0};
	struct scene s;

	(void)state;
	fill(&data, 700000);
	scene_start(&s, NULL, NULL);
	meet_well(&s);
	conn_write(s.a.conn, bytes_span(&data));
	conn_close_after_flush(s.a.conn, 10000);
	tls_run_until(s.loop, &s.b.ended);
	assert_int_equal(s.b.end, CONN_EOF);
	assert_int_equal(s.b.got.n, data.n);
	assert_memory_equal(s.b.got.p, data.p, data.n);
	assert_int_equal(s.a.end, CONN_FLUSHED);
	/* Freed at once: the other one hears that too. */
	meet_well(&s);
	conn_free(s.b.conn);
	s.b.conn = NULL;
	tls_run_until(s.loop, &s.a.ended);
	scene_stop(&s);
	bytes_clear(&data);
}

/* Is this socket's other end closed?  Reads what comes before. */
static bool is_closed(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0)
		;
	return n == 0 || errno != EAGAIN;
}

static void closing_takes_no_longer_than_it_may(void **state)
{
	const struct tls_node_options o = { .close_ms = 300 };
	struct relay r = { .step = 4096, .left = { SIZE_MAX, SIZE_MAX } };
	struct bytes data = {0};
	struct scene s;
	char junk;

	(void)state;
	fill(&data, 900000);
	scene_start(&s, &o, NULL);
	meet_over(&s, &r, &s.a, &s.b);
	while (!s.a.told || !s.b.told) {
		carry(&r, 0);
		carry(&r, 1);
		loop_run_once(s.loop, 0);
	}
	/* Nobody reads the wire any more. */
	conn_write(s.a.conn, bytes_span(&data));
	conn_close_after_flush(s.a.conn, 200);
	tls_run_until(s.loop, &s.a.ended);
	conn_free(s.a.conn);
	s.a.conn = NULL;
	tls_run_for(s.loop, 600);
	errno = 0;
	assert_int_equal(send(r.fd[0], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	/* And one who does not read what has come. */
	conn_pause_reading(s.b.conn);
	assert_int_equal(read(r.fd[1], &junk, 1), -1);
	close(r.fd[1]);
	r.fd[1] = -1;
	tls_run_for(s.loop, 600);
	conn_resume_reading(s.b.conn);
	tls_run_until(s.loop, &s.b.ended);
	relay_close(&r);
	scene_stop(&s);
	bytes_clear(&data);
}

static void forged_records_end_it(void **state)
{
	struct relay r = { .step = 4096, .left = { SIZE_MAX, SIZE_MAX } };
	struct scene s;
	uint8_t buf[4096];
	ssize_t n = -1;

	(void)state;
	scene_start(&s, NULL, NULL);
	meet_over(&s, &r, &s.a, &s.b);
	while (!s.a.told || !s.b.told) {
		carry(&r, 0);
		carry(&r, 1);
		loop_run_once(s.loop, 0);
	}
	conn_write(s.b.conn, span_of("pay 1 to ann", 12));
	while (n < 0) {
		loop_run_once(s.loop, 10);
		n = read(r.fd[1], buf, sizeof buf);
	}
	buf[n - 20] ^= 1;
	assert_int_equal(write(r.fd[0], buf, (size_t)n), n);
	tls_run_until(s.loop, &s.a.ended);
	assert_int_equal(s.a.end, CONN_ERROR);
	assert_int_equal(s.a.got.n, 0);
	relay_close(&r);
	scene_stop(&s);
}

/* ---- who may pass -------------------------------------------------------- */

static void expect(struct scene *s, enum tls_fail at_ann)
{
	meet(s);
	tls_run_until(s->loop, &s->a.told);
	tls_run_until(s->loop, &s->b.told);
	assert_int_equal(s->a.result.fail, at_ann);
	/* A client is told when it is done itself; then that it is not
	 * wanted, and nothing more. */
	if (at_ann && s->b.conn) {
		tls_run_until(s->loop, &s->b.ended);
		assert_int_equal(s->b.got.n, 0);
	}
}

static void doors_are_for_one(void **state)
{
	struct node_id kim = { { 9 } };
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	pins_set(s.ann.pins, &kim, PIN_TRUSTED, "kim");
	expect(&s, TLS_OK);
	s.at_ann.only = kim;
	expect(&s, TLS_WRONG_DOOR);
	assert_true(s.a.result.has_id);
	assert_true(node_id_eq(&s.a.result.id, &s.bob.id));
	pins_set(s.ann.pins, &s.bob.id, PIN_UNKNOWN, NULL);
	expect(&s, TLS_UNKNOWN_ID);
	s.at_ann.only = s.bob.id;       /* his door, but no pin */
	expect(&s, TLS_UNKNOWN_ID);
	pins_set(s.ann.pins, &s.bob.id, PIN_REVOKED, "bob");
	expect(&s, TLS_REVOKED);
	s.at_ann.who = TLS_ANYONE;
	expect(&s, TLS_REVOKED);
	pins_set(s.ann.pins, &s.bob.id, PIN_UNKNOWN, NULL);
	expect(&s, TLS_OK);
	s.at_ann.who = TLS_EXACTLY;
	expect(&s, TLS_OK);
	s.at_ann.only = kim;
	expect(&s, TLS_UNKNOWN_ID);
	s.at_ann.who = TLS_PINNED;
	expect(&s, TLS_UNKNOWN_ID);
	pins_set(s.ann.pins, &s.bob.id, PIN_TRUSTED, "bob");
	expect(&s, TLS_OK);
	assert_int_equal(tls_node_counts(s.ann.node)[TLS_UNKNOWN_ID], 4);
	assert_int_equal(tls_node_counts(s.ann.node)[TLS_WRONG_DOOR], 1);
	assert_int_equal(tls_node_counts(s.ann.node)[TLS_REVOKED], 2);
	scene_stop(&s);
}

static void dials_are_for_one(void **state)
{
	struct node_id kim = { { 9 } };
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	pins_set(s.bob.pins, &kim, PIN_TRUSTED, "kim");
	s.at_bob.only = kim;
	meet(&s);
	tls_run_until(s.loop, &s.b.told);
	tls_run_until(s.loop, &s.a.told);
	assert_int_equal(s.b.result.fail, TLS_WRONG_DOOR);
	/* Ann hears that she is refused, not why. */
	assert_int_equal(s.a.result.fail, TLS_ALERT);
	scene_stop(&s);
}

static void purposes_do_not_mix(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	for (int a = TLS_P2P; a <= TLS_RPC; a++)
		for (int b = TLS_P2P; b <= TLS_RPC; b++) {
			s.at_ann.purpose = (enum tls_purpose)a;
			s.at_bob.purpose = (enum tls_purpose)b;
			meet(&s);
			tls_run_until(s.loop, &s.a.told);
			tls_run_until(s.loop, &s.b.told);
			assert_int_equal(s.a.result.fail,
					 a == b ? TLS_OK : TLS_WRONG_PURPOSE);
			assert_int_equal(s.b.result.fail,
					 a == b ? TLS_OK : TLS_WRONG_PURPOSE);
		}
	scene_stop(&s);
}

static void clocks_that_are_wrong(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, NULL, NULL);
	/* A day slow: bob's leaf is not valid yet. */
	clock_set_mock(&s.ann.clock, RIG_NOW - 86400);
	expect(&s, TLS_OK);
	clock_set_mock(&s.ann.clock, RIG_NOW - 3 * 86400);
	expect(&s, TLS_NOT_YET_VALID);
	clock_set_mock(&s.ann.clock, RIG_NOW + 31 * 86400);
	expect(&s, TLS_OK);
	clock_set_mock(&s.ann.clock, RIG_NOW + 32 * 86400);
	expect(&s, TLS_EXPIRED);
	/* Who is unknown is so, expired or not. */
	pins_set(s.ann.pins, &s.bob.id, PIN_UNKNOWN, NULL);
	expect(&s, TLS_UNKNOWN_ID);
	scene_stop(&s);
}

/* ---- revocation ---------------------------------------------------------- */

static void revoked_at_once(void **state)
{
	struct relay r = { .step = 500, .left = { 700, 700 } };
	struct scene s;
	struct tls_side kim;
	struct tls_end a2, k, a3, b3;
	struct tls_place at_ann_kim, at_kim;
	int fd[2];

	(void)state;
	scene_start(&s, NULL, NULL);
	tls_side_start(&kim, s.loop, 3, NULL, NULL);
	tls_side_wait(&kim, s.loop);
	pins_set(s.ann.pins, &kim.id, PIN_TRUSTED, "kim");
	pins_set(kim.pins, &s.ann.id, PIN_TRUSTED, "ann");
	at_ann_kim = tls_place_only(&kim.id);
	at_kim = tls_place_only(&s.ann.id);
	tls_sockets(fd);
	tls_end_accept(&a2, &s.ann, fd[0], &at_ann_kim);
	tls_end_connect(&k, &kim, fd[1], &at_kim);
	tls_run_until(s.loop, &a2.told);
	meet_well(&s);
	/* Bob is connected, and in mid-handshake a second time. */
	meet_over(&s, &r, &a3, &b3);
	for (int i = 0; i < 20; i++) {
		carry(&r, 0);
		carry(&r, 1);
		loop_run_once(s.loop, 1);
	}
	assert_false(a3.told);
	pins_set(s.ann.pins, &s.bob.id, PIN_REVOKED, "bob");
	assert_int_equal(tls_node_drop(s.ann.node, &s.bob.id), 2);
	/* The sockets are closed when the call returns. */
	assert_true(is_closed(r.fd[0]));
	tls_run_until(s.loop, &a3.told);
	assert_int_equal(a3.result.fail, TLS_DROPPED);
	tls_run_until(s.loop, &s.a.ended);
	assert_int_equal(s.a.end, CONN_ERROR);
	tls_run_until(s.loop, &s.b.ended);
	/* Kim is not disturbed. */
	conn_write(a2.conn, span_of("still here", 10));
	wait_bytes(&s, &k, 10);
	assert_int_equal(tls_node_drop(s.ann.node, &s.bob.id), 0);
	expect(&s, TLS_REVOKED);
	relay_close(&r);
	tls_end_clear(&a2);
	tls_end_clear(&a3);
	tls_end_clear(&b3);
	tls_end_clear(&k);
	tls_side_stop(&kim);
	scene_stop(&s);
}

/* ---- many ---------------------------------------------------------------- */

#define CROWD 500

static void a_crowd_does_not_keep_the_friend_out(void **state)
{
	const struct tls_node_options o = { .handshakes_max = 32 };
	struct tls_end *e = xcalloc(CROWD, sizeof *e);
	int (*fd)[2] = xcalloc(CROWD, sizeof *fd);
	size_t busy = 0, waiting = 0;
	struct scene s;

	(void)state;
	scene_start(&s, &o, NULL);
	for (int i = 0; i < CROWD; i++) {
		tls_sockets(fd[i]);
		tls_end_accept(&e[i], &s.ann, fd[i][0], &s.at_ann);
	}
	tls_run_for(s.loop, 50);
	for (int i = 0; i < CROWD; i++) {
		busy += e[i].told && e[i].result.fail == TLS_BUSY;
		waiting += !e[i].told;
	}
	assert_int_equal(waiting, 32);
	assert_int_equal(busy, CROWD - 32);
	meet_well(&s);
	for (int i = 0; i < CROWD; i++) {
		close(fd[i][1]);
		tls_end_clear(&e[i]);
	}
	scene_stop(&s);
	free(e);
	free(fd);
}

static void five_hundred_at_once(void **state)
{
	const struct tls_node_options o = { .handshakes_max = CROWD };
	struct tls_end *a = xcalloc(CROWD, sizeof *a);
	struct tls_end *b = xcalloc(CROWD, sizeof *b);
	struct scene s;
	int fd[2];

	(void)state;
	scene_start(&s, &o, NULL);
	for (int i = 0; i < CROWD; i++) {
		tls_sockets(fd);
		tls_end_accept(&a[i], &s.ann, fd[0], &s.at_ann);
		tls_end_connect(&b[i], &s.bob, fd[1], &s.at_bob);
	}
	for (int i = 0; i < CROWD; i++) {
		tls_run_until(s.loop, &a[i].told);
		assert_int_equal(a[i].result.fail, TLS_OK);
		tls_run_until(s.loop, &b[i].told);
		assert_int_equal(b[i].result.fail, TLS_OK);
	}
	for (int i = 0; i < CROWD; i++) {
		tls_end_clear(&a[i]);
		tls_end_clear(&b[i]);
	}
	scene_stop(&s);
	free(a);
	free(b);
}

/* ---- our leaf ------------------------------------------------------------ */

static void not_ready_before_the_first_leaf(void **state)
{
	struct scene s;
	struct tls_side late;
	struct tls_end e;
	int fd[2];

	(void)state;
	scene_start(&s, NULL, NULL);
	tls_side_start(&late, s.loop, 3, NULL, NULL);
	late.mute = true;
	tls_sockets(fd);
	tls_end_accept(&e, &late, fd[0], &s.at_ann);
	assert_false(e.told);
	tls_run_until(s.loop, &e.told);
	assert_int_equal(e.result.fail, TLS_NOT_READY);
	assert_true(is_closed(fd[1]));
	close(fd[1]);
	assert_null(tls_node_id(late.node));
	assert_int_equal(late.asked, 1);
	tls_end_clear(&e);
	tls_side_stop(&late);
	scene_stop(&s);
}

static void answers_that_do_not_fit(void **state)
{
	struct bytes request = {0}, answer = {0};
	struct scene s;
	uint8_t key[32] = { 1 };
	struct why why;

	(void)state;
	scene_start(&s, NULL, NULL);
	sign_request_write(&request, key);
	assert_int_equal(tls_sign(s.ann.signer, &answer, bytes_span(&request),
				  RIG_NOW), SIGN_OK);
	assert_int_equal(tls_node_answer(s.ann.node, bytes_span(&answer),
					 &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "nobody asked"));
	assert_int_equal(tls_node_answer(s.ann.node, span_of("x", 1), &why),
			 ERR_INPUT);
	/* One is asked for, and this is not it. */
	s.ann.mute = true;
	clock_set_mock(&s.ann.clock, RIG_NOW + 25 * 86400);
	tls_node_look(s.ann.node);
	assert_int_equal(s.ann.asked, 2);
	assert_int_equal(tls_node_answer(s.ann.node, bytes_span(&answer),
					 &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "another key"));
	bytes_clear(&request);
	bytes_clear(&answer);
	scene_stop(&s);
}

/* A month in steps of an hour: leaves come and go, one connection stays, and
 * new ones always succeed. */
static void a_month_with_short_leaves(void **state)
{
	const struct signer_options so = { .leaf_life_s = 86400,
					   .burst = 100, .every_s = 1 };
	const struct tls_node_options o = { .skew_s = -1 };
	struct tls_end a, b;
	struct scene s;
	int fd[2];

	(void)state;
	scene_start(&s, &o, &so);
	tls_sockets(fd);
	tls_end_accept(&a, &s.ann, fd[0], &s.at_ann);
	tls_end_connect(&b, &s.bob, fd[1], &s.at_bob);
	for (int hour = 1; hour <= 30 * 24; hour++) {
		clock_set_mock(&s.ann.clock, RIG_NOW + hour * 3600);
		clock_set_mock(&s.bob.clock, RIG_NOW + hour * 3600);
		tls_node_look(s.ann.node);
		tls_node_look(s.bob.node);
		if (hour % 5 == 0)
			meet_well(&s);
		tls_run_until(s.loop, &b.told);
		conn_write(b.conn, span_of(&hour, 1));
	}
	wait_bytes(&s, &a, 30 * 24);
	assert_false(a.ended || b.ended);
	/* Every sixteen hours: two thirds of a day. */
	assert_int_equal(s.ann.renewed, 1 + 30 * 24 / 16);
	assert_int_equal(s.bob.renewed, 1 + 30 * 24 / 16);
	/* Nobody renews: the last leaf ends, and with it new handshakes. */
	s.bob.mute = true;
	clock_set_mock(&s.ann.clock, RIG_NOW + 32 * 86400);
	clock_set_mock(&s.bob.clock, RIG_NOW + 32 * 86400);
	tls_node_look(s.ann.node);
	tls_node_look(s.bob.node);
	expect(&s, TLS_EXPIRED);
	assert_false(a.ended);
	tls_end_clear(&a);
	tls_end_clear(&b);
	scene_stop(&s);
}

int test_tls_stream(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meeting),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(stalls),
		cmocka_unit_test(cuts),
		cmocka_unit_test(much_with_backpressure),
		cmocka_unit_test(whoever_closes_is_heard_to_the_last_byte),
		cmocka_unit_test(closing_takes_no_longer_than_it_may),
		cmocka_unit_test(forged_records_end_it),
		cmocka_unit_test(doors_are_for_one),
		cmocka_unit_test(dials_are_for_one),
		cmocka_unit_test(purposes_do_not_mix),
		cmocka_unit_test(clocks_that_are_wrong),
		cmocka_unit_test(revoked_at_once),
		cmocka_unit_test(a_crowd_does_not_keep_the_friend_out),
		cmocka_unit_test(five_hundred_at_once),
		cmocka_unit_test(not_ready_before_the_first_leaf),
		cmocka_unit_test(answers_that_do_not_fit),
		cmocka_unit_test(a_month_with_short_leaves),
	};

	return cmocka_run_group_tests_name("tls: streams", tests, NULL,
					   NULL);
}
