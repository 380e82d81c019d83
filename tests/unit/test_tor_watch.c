/*
 * Tor's events folded into state; the lines are as tor 0.4.9 sends them.
 */
#include "config.h"

#include "test_tor.h"

#include "tor/tor_watch.h"

#include <string.h>

#define NAME "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid"
#define OTHER "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp3kead"
#define HSDIR " $0123456789ABCDEF0123456789ABCDEF01234567~r1 x"

static void begin(struct tor_watch *w)
{
	tor_watch_init(w, TOR_STARTING);
	tor_watch_door(w, NAME ".onion", 8333, NULL);
	tor_watch_restart(w, TOR_BOOTSTRAPPING, "0 %: starting", 1000);
	w->changed = false;
}

static void done(struct tor_watch *w)
{
	tor_watch_event(w, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 "
			"TAG=done SUMMARY=\"Done\"", 2000);
}

static void test_bootstrap(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=45 "
			"TAG=requesting_descriptors SUMMARY=\"Asking for "
			"relay descriptors\"", 1500);
	assert_true(w.changed);
	assert_int_equal(w.state.phase, TOR_BOOTSTRAPPING);
	assert_int_equal(w.state.bootstrap_percent, 45);
	assert_int_equal(w.progress_ms, 1500);
	assert_string_equal(w.state.summary, "Asking for relay descriptors");
	tor_watch_bootstrap(&w, "NOTICE BOOTSTRAP PROGRESS=45 TAG=x "
			    "SUMMARY=\"same\"", 1900);
	assert_int_equal(w.progress_ms, 1500);
	done(&w);
	assert_int_equal(w.state.phase, TOR_READY);
	assert_int_equal(w.door.state, DOOR_PUBLISHING);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=101",
			1);
	assert_int_equal(w.state.bootstrap_percent, 100);
}

static void test_bootstrap_problem_is_scrubbed(void **state)
{
	static const char ignore[] = "STATUS_CLIENT WARN BOOTSTRAP "
		"PROGRESS=10 TAG=conn_done SUMMARY=\"Connected to a relay\" "
		"WARNING=\"No route to 203.0.113.9\" REASON=NOROUTE COUNT=1 "
		"RECOMMENDATION=ignore HOSTADDR=\"203.0.113.9:443\"";
	static const char warn[] = "STATUS_CLIENT WARN BOOTSTRAP "
		"PROGRESS=10 TAG=conn_done SUMMARY=\"Connected to a relay\" "
		"WARNING=\"No route to 203.0.113.9\" REASON=NOROUTE COUNT=10 "
		"RECOMMENDATION=warn HOSTADDR=\"203.0.113.9:443\"";
	static const char other[] = "STATUS_CLIENT WARN BOOTSTRAP "
		"PROGRESS=10 TAG=conn_done SUMMARY=\"Connected to a relay\" "
		"WARNING=\"Odd at 203.0.113.9\" REASON=MISC COUNT=10 "
		"RECOMMENDATION=warn HOSTADDR=\"203.0.113.9:443\"";
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, ignore, 1);
	assert_string_equal(w.state.problem, "");
	tor_watch_event(&w, warn, 1);
	assert_string_equal(w.state.problem, "tor does not get past 10 %: "
			    "there is no way to the relays: is this machine "
			    "online? (NOROUTE)");
	tor_watch_event(&w, other, 1);
	assert_non_null(strstr(w.state.problem, "Odd at [scrubbed] (MISC)"));
	assert_null(strstr(w.state.problem, "203.0.113.9"));
}

static void test_clock_skew(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "STATUS_GENERAL WARN CLOCK_SKEW SKEW=-7265 "
			"MIN_SKEW=3600 SOURCE=\"OR:203.0.113.9:443\"", 1);
	assert_int_equal(w.state.clock_skew_s, -7265);
	assert_non_null(strstr(w.state.problem, "slow by 2 hours"));
	assert_null(strstr(w.state.problem, "203"));
	/* what follows from it does not hide it */
	tor_watch_event(&w, "STATUS_CLIENT WARN BOOTSTRAP PROGRESS=40 "
			"WARNING=\"Clock skew\" REASON=CLOCK_SKEW COUNT=3 "
			"RECOMMENDATION=warn", 1);
	tor_watch_doubt_clock(&w, "2026-01-01 00:00");
	assert_non_null(strstr(w.state.problem, "slow by 2 hours"));
	tor_watch_event(&w, "STATUS_GENERAL WARN CLOCK_SKEW SKEW=86400 "
			"SOURCE=CONSENSUS", 1);
	assert_non_null(strstr(w.state.problem, "fast by 24 hours"));
	done(&w);
	assert_int_equal(w.state.clock_skew_s, 0);
	tor_watch_event(&w, "STATUS_GENERAL WARN CLOCK_SKEW SKEW="
			"99999999999999999999 SOURCE=CONSENSUS", 1);
	assert_int_equal(w.state.clock_skew_s, 0);
}

static void test_clock_doubt(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_doubt_clock(&w, "2026-01-01 00:00");
	assert_non_null(strstr(w.state.problem, "(2026-01-01 00:00 UTC)"));
	begin(&w);
	done(&w);
	tor_watch_doubt_clock(&w, "2026-01-01 00:00");
	assert_string_equal(w.state.problem, "");
}

static void test_network_liveness(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "NETWORK_LIVENESS DOWN", 1);
	assert_int_equal(w.state.phase, TOR_BOOTSTRAPPING);
	done(&w);
	assert_int_equal(w.state.phase, TOR_DOWN);
	tor_watch_event(&w, "NETWORK_LIVENESS UP", 1);
	assert_int_equal(w.state.phase, TOR_READY);
	tor_watch_event(&w, "NETWORK_LIVENESS DOWN", 1);
	assert_int_equal(w.state.phase, TOR_DOWN);
}

static void test_uploads(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	done(&w);
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 10);
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 10);
	/* somebody else's service does not count */
	tor_watch_event(&w, "HS_DESC UPLOADED " OTHER " UNKNOWN" HSDIR, 10);
	tor_watch_event(&w, "HS_DESC RECEIVED " NAME " NO_AUTH" HSDIR, 10);
	assert_int_equal(w.door.uploads, 0);
	tor_watch_event(&w, "HS_DESC UPLOADED " NAME " UNKNOWN" HSDIR, 20);
	assert_int_equal(w.door.state, DOOR_PUBLISHING);
	tor_watch_event(&w, "HS_DESC FAILED " NAME " NO_AUTH" HSDIR
			" REASON=UPLOAD_REJECTED", 30);
	assert_int_equal(w.door.state, DOOR_REACHABLE);
	assert_int_equal(w.door.uploads, 1);
	/* an hour later, all fail */
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 40);
	assert_int_equal(w.door.state, DOOR_REACHABLE);
	tor_watch_event(&w, "HS_DESC FAILED " NAME " NO_AUTH" HSDIR
			" REASON=UPLOAD_REJECTED", 50);
	assert_int_equal(w.door.state, DOOR_FAILED);
	assert_non_null(strstr(w.door.problem, "UPLOAD_REJECTED"));
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 60);
	tor_watch_event(&w, "HS_DESC UPLOADED " NAME " UNKNOWN" HSDIR, 70);
	assert_int_equal(w.door.state, DOOR_REACHABLE);
	assert_string_equal(w.door.problem, "");
	/* tor starts again */
	tor_watch_down(&w, "tor ended");
	assert_int_equal(w.door.state, DOOR_NONE);
	assert_int_equal(w.state.phase, TOR_DOWN);
	tor_watch_restart(&w, TOR_STARTING, "tor starts", 100);
	assert_int_equal(w.door.uploads, 0);
	assert_string_equal(w.door.address, NAME ".onion");
	assert_string_equal(w.state.problem, "tor ended");
}

static void test_forgotten_uploads(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	done(&w);
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 1000);
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 1000);
	tor_watch_event(&w, "HS_DESC UPLOADED " NAME " UNKNOWN" HSDIR, 2000);
	tor_watch_tick(&w, 10000);
	assert_int_equal(w.door.state, DOOR_PUBLISHING);
	tor_watch_tick(&w, 20000);
	assert_int_equal(w.door.state, DOOR_REACHABLE);
}

static void test_door_without_key(void **state)
{
	struct tor_watch w;

	(void)state;
	tor_watch_init(&w, TOR_STARTING);
	tor_watch_door(&w, NULL, 8333, "the key is damaged");
	tor_watch_restart(&w, TOR_BOOTSTRAPPING, "", 1);
	done(&w);
	assert_int_equal(w.state.phase, TOR_READY);
	assert_int_equal(w.door.state, DOOR_FAILED);
	assert_string_equal(w.door.problem, "the key is damaged");
	tor_watch_event(&w, "HS_DESC UPLOAD " NAME " UNKNOWN" HSDIR, 1000);
	assert_int_equal(w.door.state, DOOR_FAILED);
}

static void test_circuits(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "CIRC 12 BUILT $AA~r1 PURPOSE=HS_CLIENT_REND", 1);
	assert_true(w.circuits_stale);
	assert_true(tor_watch_circuit_joined(
		"12 BUILT $AA~r1,$BB~r2 BUILD_FLAGS=IS_INTERNAL "
		"PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=x"));
	assert_true(tor_watch_circuit_joined(
		"13 BUILT $AA~r1 PURPOSE=HS_SERVICE_REND "
		"HS_STATE=HSSR_JOINED"));
	assert_false(tor_watch_circuit_joined(
		"14 BUILT $AA~r1 PURPOSE=HS_SERVICE_INTRO "
		"HS_STATE=HSSI_ESTABLISHED"));
	assert_false(tor_watch_circuit_joined(
		"15 EXTENDED $AA~r1 PURPOSE=HS_CLIENT_REND"));
	assert_false(tor_watch_circuit_joined("OK"));
	w.changed = false;
	tor_watch_circuits(&w, 2);
	assert_true(w.changed);
	assert_int_equal(w.state.circuits, 2);
}

static void test_old_version(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "STATUS_GENERAL WARN DANGEROUS_VERSION "
			"CURRENT=0.4.9.11 REASON=NEW RECOMMENDED=\"x\"", 1);
	assert_string_equal(w.state.problem, "");
	tor_watch_event(&w, "STATUS_GENERAL WARN DANGEROUS_VERSION "
			"CURRENT=0.4.9.11 REASON=OBSOLETE RECOMMENDED=\"x\"",
			1);
	assert_non_null(strstr(w.state.problem, "0.4.9.11 OBSOLETE"));
}

static void test_directory_information(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO", 1);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE ENOUGH_DIR_INFO", 1);
	done(&w);
	assert_int_equal(w.state.phase, TOR_READY);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO", 1);
	assert_int_equal(w.state.phase, TOR_BOOTSTRAPPING);
	tor_watch_event(&w, "STATUS_CLIENT NOTICE ENOUGH_DIR_INFO", 1);
	assert_int_equal(w.state.phase, TOR_READY);
}

static void test_listeners(void **state)
{
	struct tor_watch w;

	(void)state;
	begin(&w);
	tor_watch_listeners(&w, "net/listeners/socks=\"unix:/d/run/socks\"");
	tor_watch_listeners(&w, "net/listeners/or=");
	tor_watch_listeners(&w, "OK");
	assert_string_equal(w.state.problem, "");
	tor_watch_listeners(&w, "net/listeners/socks=\"unix:/d/run/socks\" "
			    "\"127.0.0.1:9050\"");
	assert_non_null(strstr(w.state.problem, "network (socks)"));
	assert_null(strstr(w.state.problem, "9050"));
}

int test_tor_watch(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootstrap),
		cmocka_unit_test(test_bootstrap_problem_is_scrubbed),
		cmocka_unit_test(test_clock_skew),
		cmocka_unit_test(test_clock_doubt),
		cmocka_unit_test(test_network_liveness),
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_forgotten_uploads),
		cmocka_unit_test(test_door_without_key),
		cmocka_unit_test(test_circuits),
		cmocka_unit_test(test_old_version),
		cmocka_unit_test(test_directory_information),
		cmocka_unit_test(test_listeners),
	};

	return cmocka_run_group_tests_name("tor: watch", tests, NULL, NULL);
}
