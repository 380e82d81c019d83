/*
 * The ladders of repairs, and the pauses between starts of tor.
 */
#include "config.h"

#include "test_tor.h"

#include "tor/health.h"
#include "tor/patience.h"
#include "tor/tor_watch.h"
#include "tor/torrc.h"

#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

/* Seconds pass until something is to be done. */
static enum repair next(struct health *h, int64_t *now, enum health_check c)
{
	enum health_check why = HEALTH_CHECK_COUNT;
	enum repair what = REPAIR_NONE;

	for (int i = 0; i < 3 * 3600 && !what; i++) {
		*now += SECOND;
		what = health_due(h, &why, *now);
	}
	assert_int_equal(why, c);
	return what;
}

static void test_ladder_of_the_onion(void **state)
{
	static const enum repair order[] = {
		REPAIR_CIRCUITS, REPAIR_DOOR, REPAIR_RELOAD, REPAIR_RESTART,
		REPAIR_FORGET, REPAIR_FORGET, REPAIR_FORGET,
	};
	struct health h = { 0 };
	int64_t now = 5000, last, pause = 0;

	(void)state;
	health_started(&h, now);
	health_set(&h, HEALTH_ONION, HEALTH_GOOD, now);
	health_set(&h, HEALTH_ONION, HEALTH_BAD, now += SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		last = now;
		assert_int_equal(next(&h, &now, HEALTH_ONION), order[i]);
		assert_true(now - last >= pause);      /* more patience */
		pause = now - last;
		/* A new tor knows nothing of it; then it is bad again. */
		if (order[i] >= REPAIR_RESTART) {
			health_started(&h, now);
			health_set(&h, HEALTH_ONION, HEALTH_BAD, now);
		}
	}
	assert_true(pause >= 30 * MINUTE);
	assert_int_equal(h.item[HEALTH_ONION].repairs, ARRAY_SIZE(order));
	assert_int_equal(h.item[HEALTH_ONION].last, REPAIR_FORGET);
	/* Good again: told how long it took, and the ladder begins anew. */
	health_set(&h, HEALTH_ONION, HEALTH_GOOD, now += SECOND);
	assert_int_equal(h.item[HEALTH_ONION].bad_ms, now - 6000);
	assert_int_equal(h.recovery_ms, now - 6000);
	health_set(&h, HEALTH_ONION, HEALTH_BAD, now);
	assert_int_equal(next(&h, &now, HEALTH_ONION), REPAIR_CIRCUITS);
}

static void test_every_ladder_ends(void **state)
{
	(void)state;
	for (int c = HEALTH_NETWORK; c < HEALTH_CHECK_COUNT; c++) {
		struct health h = { 0 };
		int64_t now = 1000;
		enum repair what = REPAIR_NONE, before;

		health_set(&h, (enum health_check)c, HEALTH_BAD, now);
		for (int i = 0; i < 8; i++) {
			before = what;
			what = next(&h, &now, (enum health_check)c);
			assert_true(what >= before);    /* never gentler */
		}
		assert_int_equal(what, c == HEALTH_NETWORK ? REPAIR_RECONNECT
							   : REPAIR_FORGET);
	}
}

/* Trouble lasts until the last check is good. */
static void test_recovery_is_measured(void **state)
{
	struct health h = { 0 };
	int64_t now = 1000;

	(void)state;
	health_started(&h, now);
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++)
		health_set(&h, (enum health_check)c, HEALTH_GOOD, now + 700);
	assert_int_equal(h.ready_ms, 700);
	assert_int_equal(h.recovery_ms, 0);
	now = 60000;
	health_ended(&h, now);
	health_started(&h, now + 200);
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		assert_int_equal(h.item[c].state, HEALTH_UNKNOWN);
		assert_int_equal(h.recovery_ms, 0);
		health_set(&h, (enum health_check)c, HEALTH_GOOD,
			   now + 300 + 100 * c);
	}
	assert_int_equal(h.recovery_ms, 300 + 100 * (HEALTH_CHECK_COUNT - 1));
	assert_int_equal(h.ready_ms, 100 + 100 * HEALTH_BOOTSTRAP);
	assert_int_equal(h.item[HEALTH_CONTROL].bad_ms, 300);
}

static void event(struct tor_watch *w, const char *text, int64_t now)
{
	tor_watch_event(w, text, now);
}

static enum health_state judged(const struct tor_watch *w, struct health *h,
				enum health_check c, int64_t now)
{
	tor_watch_judge(w, h, now);
	return h->item[c].state;
}

static void test_judging_the_network(void **state)
{
	struct tor_watch w;
	struct health h = { 0 };
	int64_t now = 1000;

	(void)state;
	tor_watch_init(&w, TOR_STARTING);
	tor_watch_restart(&w, TOR_BOOTSTRAPPING, "", now);
	health_started(&h, now);
	assert_int_equal(judged(&w, &h, HEALTH_BOOTSTRAP, now),
			 HEALTH_UNKNOWN);
	assert_int_equal(judged(&w, &h, HEALTH_BOOTSTRAP, now += 31000),
			 HEALTH_BAD);
	event(&w, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done "
	      "SUMMARY=\"Done\"", now);
	event(&w, "BW 600 0", now);
	assert_int_equal(judged(&w, &h, HEALTH_BOOTSTRAP, now), HEALTH_GOOD);
	assert_int_equal(judged(&w, &h, HEALTH_NETWORK, now), HEALTH_GOOD);
	/* The node's own few bytes are no sign of life. */
	for (int i = 0; i < 15; i++)
		event(&w, "BW 80 1072", now += 1000);
	assert_int_equal(judged(&w, &h, HEALTH_NETWORK, now), HEALTH_GOOD);
	event(&w, "BW 80 1072", now += 1000);
	assert_int_equal(judged(&w, &h, HEALTH_NETWORK, now), HEALTH_BAD);
	/* Only a circuit built since then is proof. */
	event(&w, "BW 5000 1072", now += 1000);
	assert_int_equal(judged(&w, &h, HEALTH_NETWORK, now), HEALTH_BAD);
	event(&w, "CIRC 7 BUILT $A~a PURPOSE=GENERAL", now += 1000);
	assert_int_equal(judged(&w, &h, HEALTH_NETWORK, now), HEALTH_GOOD);
}

static void test_judging_circuits_and_descriptor(void **state)
{
	struct tor_watch w;
	struct health h = { 0 };
	int64_t now = 1000;

	(void)state;
	tor_watch_init(&w, TOR_STARTING);
	tor_watch_door(&w, TEST_TOR_ADDRESS, 8333, "");
	tor_watch_restart(&w, TOR_BOOTSTRAPPING, "", now);
	event(&w, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done "
	      "SUMMARY=\"Done\"", now);
	assert_int_equal(judged(&w, &h, HEALTH_CIRCUITS, now), HEALTH_GOOD);
	assert_int_equal(judged(&w, &h, HEALTH_DESCRIPTOR, now),
			 HEALTH_UNKNOWN);
	for (int i = 0; i < 8; i++)
		event(&w, "CIRC 8 FAILED REASON=TIMEOUT", now += 4000);
	assert_int_equal(judged(&w, &h, HEALTH_CIRCUITS, now), HEALTH_BAD);
	event(&w, "CIRC 9 BUILT $A~a", now);
	assert_int_equal(judged(&w, &h, HEALTH_CIRCUITS, now), HEALTH_GOOD);
	event(&w, "STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO", now);
	assert_int_equal(judged(&w, &h, HEALTH_CIRCUITS, now), HEALTH_BAD);
	event(&w, "STATUS_CLIENT NOTICE ENOUGH_DIR_INFO", now);
	assert_int_equal(judged(&w, &h, HEALTH_CIRCUITS, now), HEALTH_GOOD);
	/* A minute, and no directory has it. */
	assert_int_equal(judged(&w, &h, HEALTH_DESCRIPTOR, 60000),
			 HEALTH_UNKNOWN);
	assert_int_equal(judged(&w, &h, HEALTH_DESCRIPTOR, 61000),
			 HEALTH_BAD);
	w.door.state = DOOR_REACHABLE;
	assert_int_equal(judged(&w, &h, HEALTH_DESCRIPTOR, 62000),
			 HEALTH_GOOD);
}

static void test_the_door_again(void **state)
{
	const struct torrc_params p = {
		.onion_dir = "/d/a \"b", .onion_target = "/d/run/public",
		.onion_port = 8333,
	};
	struct bytes out = {0};

	(void)state;
	torrc_write_setconf(&out, &p);
	assert_string_equal((char *)out.p,
		"SETCONF HiddenServiceDir=\"/d/a \\\"b\" "
		"HiddenServicePort=\"8333 unix:\\\"/d/run/public\\\"\" "
		"HiddenServiceVersion=3 HiddenServiceExportCircuitID=haproxy "
		"HiddenServiceMaxStreams=8 "
		"HiddenServiceMaxStreamsCloseCircuit=1 "
		"HiddenServiceEnableIntroDoSDefense=1 "
		"HiddenServicePoWDefensesEnabled=1");
	bytes_clear(&out);
}

static void check_pause(struct patience *p, enum tor_end end, int64_t ms,
			bool forgets)
{
	bool forget = !forgets;
	int64_t got = patience_pause_ms(p, &forget, end);

	assert_in_range(got, ms, ms + ms / 4);
	assert_int_equal(forget, forgets);
}

static void test_patience(void **state)
{
	static const int64_t failed[] = { 1000, 2000, 4000, 5000, 5000 };
	static const int64_t worked[] = { 100, 200, 400, 800, 1600, 2000,
					  2000 };
	struct patience p = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(failed); i++)
		check_pause(&p, TOR_END_FAILED, failed[i], i == 2);
	for (size_t i = ARRAY_SIZE(failed); i < 60; i++)
		check_pause(&p, TOR_END_FAILED, 5000, i == 29 || i == 59);
	check_pause(&p, TOR_END_FAILED, 30000, false);
	for (size_t i = 0; i < ARRAY_SIZE(worked); i++)
		check_pause(&p, TOR_END_WORKED, worked[i], false);
	check_pause(&p, TOR_END_STEADY, 100, false);
	check_pause(&p, TOR_END_FAILED, 1000, false);
}

int test_tor_health(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ladder_of_the_onion),
		cmocka_unit_test(test_every_ladder_ends),
		cmocka_unit_test(test_recovery_is_measured),
		cmocka_unit_test(test_judging_the_network),
		cmocka_unit_test(test_judging_circuits_and_descriptor),
		cmocka_unit_test(test_the_door_again),
		cmocka_unit_test(test_patience),
	};

	return cmocka_run_group_tests_name("tor: health", tests, NULL, NULL);
}
