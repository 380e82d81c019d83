/*
 * Connections over socket pairs: what arrives, what is held back, how it ends.
 */
#include "config.h"

#include "test_net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/conn.h"

/* A connection under test, and the other end of its pair. */
struct rig {
	struct loop *loop;
	struct conn *conn;
	int far;
	struct bytes got;
	size_t use_step;          /* use only multiples of it; 0: all */
	size_t offered;           /* bytes in the last offer */
	int offers, pauses, resumes;
	bool free_on_read, pause_on_read, ended, never;
	enum conn_end end;
};

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct rig *r = arg;
	size_t n = in.n;

	assert_ptr_equal(c, r->conn);
	assert_false(conn_reading_paused(c));
	r->offers++;
	r->offered = n;
	if (r->use_step)
		n -= n % r->use_step;
	bytes_append(&r->got, in.p, n);
	if (r->pause_on_read)
		conn_pause_reading(c);
	if (r->free_on_read) {
		conn_free(c);
		r->conn = NULL;
	}
	return n;
}

static void on_write_paused(struct conn *c, bool paused, void *arg)
{
	struct rig *r = arg;

	assert_int_equal(conn_write_paused(c), paused);
	if (paused)
		r->pauses++;
	else
		r->resumes++;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	struct rig *r = arg;

	assert_ptr_equal(c, r->conn);
	assert_false(r->ended);
	r->ended = true;
	r->end = end;
}

static const struct conn_callbacks callbacks = {
	.on_read = on_read, .on_write_paused = on_write_paused,
	.on_end = on_end,
};

static void rig_start(struct rig *r, size_t input_max, size_t output_high)
{
	struct conn_limits limits = { input_max, output_high };
	int pair[2];

	*r = (struct rig){ .loop = loop_new() };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	r->far = pair[1];
	assert_int_equal(fcntl(r->far, F_SETFL, O_NONBLOCK), 0);
	r->conn = conn_new(r->loop, pair[0], &callbacks, &limits, r);
}

static void rig_stop(struct rig *r)
{
	conn_free(r->conn);
	if (r->far >= 0)
		close(r->far);
	loop_free(r->loop);
	bytes_clear(&r->got);
}

static void far_send(const struct rig *r, const void *p, size_t n)
{
	assert_int_equal(write(r->far, p, n), n);
}

static void far_close(struct rig *r)
{
	close(r->far);
	r->far = -1;
}

/* Read at the far end, with the loop running, until n bytes or the end. */
static size_t far_read(const struct rig *r, struct bytes *out, size_t n)
{
	int64_t end = clock_mono_ms() + 10000;
	uint8_t buf[4096];

	while (out->n < n && clock_mono_ms() < end) {
		ssize_t got = read(r->far, buf, sizeof(buf));

		if (got == 0)
			break;
		if (got > 0)
			bytes_append(out, buf, (size_t)got);
		else if (errno != EAGAIN)
			break;
		loop_run_once(r->loop, 0);
	}
	return out->n;
}

static void reads_and_counts(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	assert_int_equal(conn_stats(r.conn)->last_in_ms, 0);
	far_send(&r, "hello", 5);
	far_close(&r);
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_EOF);
	assert_true(span_eq(bytes_span(&r.got), span_of("hello", 5)));
	assert_int_equal(conn_stats(r.conn)->bytes_in, 5);
	assert_true(conn_stats(r.conn)->last_in_ms > 0);
	/* After the end: harmless. */
	conn_write(r.conn, span_of("x", 1));
	conn_resume_reading(r.conn);
	conn_close_after_flush(r.conn, 10);
	run_for(r.loop, 30);
	rig_stop(&r);
}

static void keeps_what_is_not_used(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	r.use_step = 4;
	far_send(&r, "abcdef", 6);
	run_for(r.loop, 20);
	assert_int_equal(r.got.n, 4);
	far_send(&r, "gh", 2);
	run_for(r.loop, 20);
	assert_int_equal(r.offered, 4);
	assert_true(span_eq(bytes_span(&r.got), span_of("abcdefgh", 8)));
	rig_stop(&r);
}

static void input_is_bounded(void **state)
{
	uint8_t junk[100] = { 0 };
	struct rig r;
	int i;

	(void)state;
	rig_start(&r, 1000, 0);
	r.use_step = 1000000;     /* never enough */
	for (i = 0; i < 30; i++)
		far_send(&r, junk, sizeof(junk));
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_OVERFLOW);
	/* It took no more from the system than it may hold. */
	assert_int_equal(conn_stats(r.conn)->bytes_in, 1000);
	rig_stop(&r);
}

static void full_but_used_goes_on(void **state)
{
	uint8_t junk[100] = { 0 };
	struct rig r;
	int i;

	(void)state;
	rig_start(&r, 1000, 0);
	r.use_step = 7;
	for (i = 0; i < 35; i++)
		far_send(&r, junk, sizeof(junk));
	run_for(r.loop, 50);
	assert_false(r.ended);
	assert_int_equal(r.got.n, 3500);
	rig_stop(&r);
}

static void pausing_leaves_bytes_in_the_system(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 1000, 0);
	conn_pause_reading(r.conn);
	far_send(&r, "abc", 3);
	run_for(r.loop, 20);
	assert_int_equal(r.offers, 0);
	assert_int_equal(conn_stats(r.conn)->bytes_in, 0);
	conn_resume_reading(r.conn);
	run_for(r.loop, 20);
	assert_int_equal(r.got.n, 3);
	rig_stop(&r);
}

static void held_bytes_come_first_after_a_pause(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	r.use_step = 100;
	r.pause_on_read = true;
	far_send(&r, "abc", 3);
	run_for(r.loop, 20);
	assert_int_equal(r.offers, 1);
	far_close(&r);
	run_for(r.loop, 20);
	assert_false(r.ended);
	r.pause_on_read = false;
	r.use_step = 0;
	/* Nothing new arrives, and what is held is offered all the same. */
	conn_resume_reading(r.conn);
	run_until(r.loop, &r.ended);
	assert_int_equal(r.got.n, 3);
	assert_int_equal(r.end, CONN_EOF);
	rig_stop(&r);
}

static void writes_with_backpressure(void **state)
{
	enum { SIZE = 3000000, HIGH = 100000 };
	uint8_t *data = xmalloc(SIZE);
	struct bytes out = { 0 };
	struct rig r;
	size_t i;

	(void)state;
	for (i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	rig_start(&r, 0, HIGH);
	conn_write(r.conn, span_of(data, HIGH));
	assert_int_equal(r.pauses, 0);
	assert_int_equal(conn_queued(r.conn), HIGH);
	conn_write(r.conn, span_of(data + HIGH, SIZE - HIGH));
	assert_int_equal(r.pauses, 1);
	assert_int_equal(conn_queued(r.conn), SIZE);
	run_for(r.loop, 20);
	/* Nobody reads: most of it stays queued, and paused. */
	assert_true(conn_queued(r.conn) > SIZE / 2);
	assert_int_equal(r.resumes, 0);
	assert_int_equal(far_read(&r, &out, SIZE), SIZE);
	run_for(r.loop, 20);
	assert_int_equal(r.pauses, 1);
	assert_int_equal(r.resumes, 1);
	assert_false(conn_write_paused(r.conn));
	assert_int_equal(conn_queued(r.conn), 0);
	assert_memory_equal(out.p, data, SIZE);
	assert_int_equal(conn_stats(r.conn)->bytes_out, SIZE);
	assert_true(conn_stats(r.conn)->last_out_ms > 0);
	bytes_clear(&out);
	free(data);
	rig_stop(&r);
}

static void closes_after_flush(void **state)
{
	enum { SIZE = 1000000 };
	uint8_t *data = xcalloc(1, SIZE);
	struct bytes out = { 0 };
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	conn_write(r.conn, span_of(data, SIZE));
	conn_close_after_flush(r.conn, 20000);
	conn_write(r.conn, span_of("late", 4));
	far_send(&r, "ignored", 7);
	assert_int_equal(far_read(&r, &out, SIZE), SIZE);
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_FLUSHED);
	assert_int_equal(r.offers, 0);
	conn_free(r.conn);
	r.conn = NULL;
	/* Closed at once, before the loop turns, and nothing came late. */
	assert_true(read(r.far, data, 10) <= 0 && errno != EAGAIN);
	bytes_clear(&out);
	free(data);
	rig_stop(&r);
}

static void flush_has_a_limit(void **state)
{
	enum { SIZE = 1000000 };
	uint8_t *data = xcalloc(1, SIZE);
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	conn_write(r.conn, span_of(data, SIZE));
	conn_close_after_flush(r.conn, 30);
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_FLUSHED);
	assert_true(conn_queued(r.conn) > 0);
	free(data);
	rig_stop(&r);
}

static void empty_flush_ends_from_the_loop(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	conn_close_after_flush(r.conn, 20000);
	assert_false(r.ended);
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_FLUSHED);
	rig_stop(&r);
}

static void may_be_freed_inside_on_read(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	r.free_on_read = true;
	far_send(&r, "abc", 3);
	far_close(&r);
	run_for(r.loop, 30);
	assert_int_equal(r.offers, 1);
	assert_false(r.ended);
	rig_stop(&r);
}

static void write_to_a_closed_end_is_an_error(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	conn_pause_reading(r.conn);
	far_close(&r);
	conn_write(r.conn, span_of("abc", 3));
	run_until(r.loop, &r.ended);
	assert_int_equal(r.end, CONN_ERROR);
	rig_stop(&r);
}

static size_t next_owner_read(struct conn *c, struct span in, void *arg)
{
	struct bytes *b = arg;

	(void)c;
	bytes_append(b, in.p, in.n);
	return in.n;
}

static void another_owner_gets_what_is_held(void **state)
{
	static const struct conn_callbacks next = {
		.on_read = next_owner_read, .on_end = on_end,
	};
	struct bytes second = { 0 };
	struct rig r;

	(void)state;
	rig_start(&r, 0, 0);
	r.use_step = 4;
	far_send(&r, "abcdxyz", 7);
	run_for(r.loop, 20);
	conn_set_callbacks(r.conn, &next, &second);
	run_for(r.loop, 20);
	assert_true(span_eq(bytes_span(&second), span_of("xyz", 3)));
	bytes_clear(&second);
	rig_stop(&r);
}

int test_net_conn(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_counts),
		cmocka_unit_test(keeps_what_is_not_used),
		cmocka_unit_test(input_is_bounded),
		cmocka_unit_test(full_but_used_goes_on),
		cmocka_unit_test(pausing_leaves_bytes_in_the_system),
		cmocka_unit_test(held_bytes_come_first_after_a_pause),
		cmocka_unit_test(writes_with_backpressure),
		cmocka_unit_test(closes_after_flush),
		cmocka_unit_test(flush_has_a_limit),
		cmocka_unit_test(empty_flush_ends_from_the_loop),
		cmocka_unit_test(may_be_freed_inside_on_read),
		cmocka_unit_test(write_to_a_closed_end_is_an_error),
		cmocka_unit_test(another_owner_gets_what_is_held),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
