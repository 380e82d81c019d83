/*
 * Two connections with each other.
 */
#include "config.h"

#include "test_net.h"

#include <stdlib.h>

#include "net/conn.h"

#define TOTAL (1024 * 1024)

struct end {
	struct conn *conn;
	size_t got, pauses;
	bool paused, held, ended, all;
	enum conn_end end;
};

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct end *e = arg;

	(void)c;
	for (size_t i = 0; i < in.n; i++)
		assert_int_equal(in.p[i], (uint8_t)((e->got + i) % 251));
	e->got += in.n;
	e->all = e->got == TOTAL;
	return in.n;
}

static void on_write_paused(struct conn *c, bool paused, void *arg)
{
	struct end *e = arg;

	(void)c;
	e->paused = paused;
	e->pauses += paused;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	struct end *e = arg;

	(void)c;
	assert_false(e->ended);
	e->ended = true;
	e->end = end;
}

static void on_end_held(struct conn *c, void *arg)
{
	struct end *e = arg;

	assert_true(conn_reading_paused(c));
	e->held = true;
}

static const struct conn_callbacks callbacks = {
	.on_read = on_read, .on_write_paused = on_write_paused,
	.on_end = on_end, .on_end_held = on_end_held,
};

static void begin(struct loop *l, struct end e[static 2])
{
	const struct conn_limits limits[2] = {
		{ 4096, 16384 }, { 4096, 16384 }
	};
	struct conn *pair[2];

	conn_pair_new(l, pair, limits);
	for (int i = 0; i < 2; i++) {
		e[i] = (struct end){ .conn = pair[i] };
		conn_set_callbacks(pair[i], &callbacks, &e[i]);
	}
}

/* Write as much of TOTAL as goes without a pause; returns where it is now. */
static size_t fill(struct end *e, size_t at)
{
	uint8_t chunk[1000];

	while (at < TOTAL && !e->paused) {
		size_t n = MIN_OF(sizeof chunk, TOTAL - at);

		for (size_t i = 0; i < n; i++)
			chunk[i] = (uint8_t)((at + i) % 251);
		conn_write(e->conn, span_of(chunk, n));
		at += n;
	}
	return at;
}

static void bytes_arrive_with_backpressure(void **state)
{
	struct loop *l = loop_new();
	struct end e[2];
	size_t at;

	(void)state;
	begin(l, e);
	at = fill(&e[0], 0);
	run_for(l, 20);
	/* Nobody reads: the far end holds no more than it may. */
	assert_true(e[0].paused);
	assert_int_equal(e[1].got, 0);
	assert_true(conn_queued(e[0].conn) >= at - 4096);
	conn_resume_reading(e[1].conn);
	while (at < TOTAL) {
		loop_run_once(l, 10);
		at = fill(&e[0], at);
	}
	/* Whoever closes after the last byte loses none. */
	conn_close_after_flush(e[0].conn, 10000);
	run_until(l, &e[1].ended);
	assert_true(e[1].all);
	assert_int_equal(e[1].end, CONN_EOF);
	assert_int_equal(e[0].end, CONN_FLUSHED);
	assert_true(e[0].pauses > 1);
	conn_free(e[0].conn);
	conn_free(e[1].conn);
	loop_free(l);
}

static void freed_at_once_is_an_error(void **state)
{
	struct loop *l = loop_new();
	struct end e[2];

	(void)state;
	begin(l, e);
	conn_resume_reading(e[0].conn);
	conn_write(e[1].conn, span_of("", 1));
	conn_free(e[1].conn);
	run_until(l, &e[0].ended);
	assert_int_equal(e[0].end, CONN_ERROR);
	conn_free(e[0].conn);
	loop_free(l);
}

static void an_end_waits_for_a_paused_reader(void **state)
{
	struct loop *l = loop_new();
	struct end e[2];

	(void)state;
	begin(l, e);
	conn_close_after_flush(e[0].conn, 10000);
	run_until(l, &e[1].held);
	assert_false(e[1].ended);
	assert_int_equal(e[0].end, CONN_FLUSHED);
	conn_free(e[0].conn);
	conn_resume_reading(e[1].conn);
	run_until(l, &e[1].ended);
	assert_int_equal(e[1].end, CONN_EOF);
	conn_free(e[1].conn);
	loop_free(l);
}

/* Not all was handed over in time: the far end knows. */
static void given_up_is_no_end_of_file(void **state)
{
	struct loop *l = loop_new();
	struct end e[2];

	(void)state;
	begin(l, e);
	(void)fill(&e[0], TOTAL - 3);
	conn_close_after_flush(e[0].conn, 30);
	run_until(l, &e[0].ended);
	conn_free(e[0].conn);
	run_until(l, &e[1].ended);
	assert_int_equal(e[1].end, CONN_ERROR);
	assert_int_equal(e[1].got, 0);
	conn_free(e[1].conn);
	loop_free(l);
}

int test_net_pair(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive_with_backpressure),
		cmocka_unit_test(freed_at_once_is_an_error),
		cmocka_unit_test(an_end_waits_for_a_paused_reader),
		cmocka_unit_test(given_up_is_no_end_of_file),
	};

	return cmocka_run_group_tests_name("net: pair", tests, NULL, NULL);
}
