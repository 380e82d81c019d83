/*
 * Versions, scrubbing, log lines, torrc.
 */
#include "config.h"

#include "test_tor.h"

#include "base/writer.h"
#include "tor/tor_text.h"
#include "tor/torrc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_version(void **state)
{
	char v[33];

	(void)state;
	assert_true(tor_version_read(v, sizeof v, "Tor version 0.4.9.11."));
	assert_string_equal(v, "0.4.9.11");
	assert_true(tor_version_read(v, sizeof v,
				     "Tor version 0.5.0.1-alpha (git-1)."));
	assert_string_equal(v, "0.5.0.1");
	assert_false(tor_version_read(v, sizeof v, "no tor at all"));
	assert_false(tor_version_read(v, sizeof v, ""));
	assert_false(tor_version_read(v, 4, "Tor version 0.4.9.11."));
	assert_true(tor_version_at_least("0.4.9.11", "0.4.9.11"));
	assert_true(tor_version_at_least("0.4.10.1", "0.4.9.11"));
	assert_true(tor_version_at_least("1.0.0", "0.4.9.11"));
	assert_false(tor_version_at_least("0.4.9.9", "0.4.9.11"));
	assert_false(tor_version_at_least("0.4.8.12", "0.4.9.11"));
}

static void check_scrub(const char *in, const char *want)
{
	char out[400];

	tor_text_scrub(out, sizeof out, in);
	assert_string_equal(out, want);
}

static void test_scrub(void **state)
{
	char small[12];

	(void)state;
	check_scrub("host at 203.0.113.7:443 x", "host at [scrubbed]:443 x");
	check_scrub("203.0.113.7", "[scrubbed]");
	check_scrub("at [2001:db8::1]:9001.", "at [[scrubbed]]:9001.");
	check_scrub("2001:db8:0:1:2:3:4:5", "[scrubbed]");
	check_scrub("$0123456789ABCDEF0123456789abcdef01234567~nick",
		    "$[scrubbed]~nick");
	check_scrub("to 25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl"
		    "5sid.onion", "to [scrubbed].onion");
	/* these are not addresses */
	check_scrub("Tor 0.4.9.11 at 10:25:17 is 45.5 % done",
		    "Tor 0.4.9.11 at 10:25:17 is 45.5 % done");
	check_scrub("", "");
	tor_text_scrub(small, sizeof small, "ip 198.51.100.255 here");
	assert_string_equal(small, "ip [scrubbe");
}

static void test_log_lines(void **state)
{
	enum log_level level;
	bool foreign;

	(void)state;
	assert_string_equal(tor_log_text(&level, &foreign,
					 "Nov 20 10:25:17.000 [warn] a "
					 "[notice] b"), "a [notice] b");
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_false(foreign);
	assert_string_equal(tor_log_text(&level, &foreign, "x [err] y"), "y");
	assert_int_equal(level, LOG_LEVEL_WARN);
	(void)tor_log_text(&level, &foreign, "[warn] Problem bootstrapping. "
			   "Stuck at 14% (handshake)");
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	(void)tor_log_text(&level, &foreign, "[warn]  9 connections died in "
			   "state handshaking (TLS)");
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_string_equal(tor_log_text(&level, &foreign, "no level"),
			    "no level");
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_true(foreign);
}

static char *torrc_text(const struct torrc_params *p)
{
	struct bytes b = {0};

	torrc_write(&b, p);
	write_u8(&b, 0);
	return (char *)b.p;
}

static void test_torrc(void **state)
{
	struct torrc_params p = {
		.data_dir = "/d \"q\"/tor", .socks_path = "/d/run/socks",
		.onion_target = "/d/run/public", .onion_port = 8333,
		.p2p_port = 18333, .extra = span_of("Extra 1", 7),
	};
	char *t = torrc_text(&p);

	(void)state;
	assert_int_equal(strncmp(t, "Extra 1\n", 8), 0);
	assert_non_null(strstr(t, "\nDataDirectory \"/d \\\"q\\\"/tor\"\n"));
	assert_non_null(strstr(t, "\nSocksPort unix:\"/d/run/socks\" Onion"));
	assert_non_null(strstr(t, "\nControlPort 0\n"));
	assert_non_null(strstr(t, "\nDisableNetwork 1\n"));
	assert_non_null(strstr(t, ",8333,18333\n"));
	assert_non_null(strstr(t, "\nNoExec 1\n"));
	assert_null(strstr(t, "HiddenService"));
	assert_null(strstr(t, "NoOnionTraffic"));
	free(t);
	p.seeds_path = "/d/run/seeds";
	t = torrc_text(&p);
	assert_non_null(strstr(t, "\nSocksPort unix:\"/d/run/socks\" Onion"));
	assert_non_null(strstr(t, "\nSocksPort unix:\"/d/run/seeds\" "
			       "NoOnionTraffic "));
	free(t);
	p.extra = span_of("clientTransportplugin x exec y", 30);
	t = torrc_text(&p);
	assert_null(strstr(t, "NoExec"));
	free(t);
	p.onion_dir = "/d/tor/public";
	t = torrc_text(&p);
	assert_non_null(strstr(t, "\nHiddenServicePort 8333 "
			       "unix:\"/d/run/public\"\n"));
	assert_non_null(strstr(t, "\nHiddenServiceExportCircuitID haproxy"));
	/* What holds strangers back, by default. */
	assert_non_null(strstr(t, "\nHiddenServiceMaxStreams 8\n"));
	assert_non_null(strstr(t, "\nHiddenServiceMaxStreamsCloseCircuit 1\n"));
	assert_non_null(strstr(t, "\nHiddenServiceEnableIntroDoSDefense 1\n"));
	assert_non_null(strstr(t, "\nHiddenServicePoWDefensesEnabled 1\n"));
	free(t);
}

/* Where there is a tor, it must accept every line (it only reads them). */
static void test_torrc_is_accepted_by_tor(void **state)
{
	char *dir = test_tor_dir_new();
	char *data = xasprintf("%s/a b", dir), *run = xasprintf("%s/r", dir);
	char *onion = xasprintf("%s/public", dir);
	char *seeds = xasprintf("%s/s", dir);
	struct torrc_params p = {
		.data_dir = data, .socks_path = run, .seeds_path = seeds,
		.onion_dir = onion,
		.onion_target = run, .onion_port = 8333, .p2p_port = 8333,
	};
	char *t = torrc_text(&p);
	char *path = xasprintf("%s/torrc", dir);
	char *command = xasprintf("tor --verify-config --defaults-torrc "
				  "%s/none -f %s >%s/out 2>&1", dir, path,
				  dir);
	FILE *f = fopen(path, "w");
	int rc;

	(void)state;
	assert_non_null(f);
	assert_true(fputs(t, f) >= 0);
	fclose(f);
	rc = system("tor --version >/dev/null 2>&1");
	if (rc == 0) {
		rc = system(command);
		assert_int_equal(rc, 0);
	} else {
		printf("there is no tor here to check torrc with\n");
		rc = -1;
	}
	free(data);
	free(run);
	free(seeds);
	free(onion);
	free(t);
	free(path);
	free(command);
	test_tor_dir_free(dir);
	if (rc)
		skip();
}

int test_tor_text(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_torrc),
		cmocka_unit_test(test_torrc_is_accepted_by_tor),
	};

	return cmocka_run_group_tests_name("tor: text", tests, NULL, NULL);
}
