/*
 * The managed tor, with scripts in tor's place.
 */
#include "config.h"

#include "test_tor.h"

#include "base/clock.h"
#include "tor/spawner.h"
#include "tor/tor_process.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
	char *dir, *program, *socks, *public;
	struct event_base *base;
	struct spawner *spawner;
	struct tor_process *t;
	int changes, stopped;
};

static void on_changed(void *arg)
{
	struct rig *r = arg;

	r->changes++;
}

static void on_stopped(void *arg)
{
	struct rig *r = arg;

	r->stopped++;
}

static void rig_open(struct rig *r, const char *script)
{
	static const struct tor_process_events events = {
		.changed = on_changed, .stopped = on_stopped,
	};
	struct tor_process_options o = {
		.public_onion = true, .public_port = 8333, .p2p_port = 8333,
	};
	struct warden_options w = { .node_env = NULL };
	struct why why;

	memset(r, 0, sizeof *r);
	signal(SIGPIPE, SIG_IGN);
	r->dir = test_tor_dir_new();
	test_tor_put_key(r->dir);
	r->program = script ? test_tor_script(r->dir, "tor.sh", script)
			    : xasprintf("%s/absent", r->dir);
	r->socks = xasprintf("%s/run/socks", r->dir);
	r->public = xasprintf("%s/run/public", r->dir);
	w.dir = o.dir = r->dir;
	w.tor_program = r->program;
	assert_int_equal(spawner_new(&r->spawner, &w, &why), ERR_NONE);
	o.spawner = r->spawner;
	r->base = event_base_new();
	o.program = r->program;
	o.socks_path = r->socks;
	o.public_path = r->public;
	r->t = tor_process_new(r->base, &o, &events, r);
	tor_process_start(r->t);
}

static void turn(struct rig *r)
{
	int status;
	pid_t pid;

	event_base_loop(r->base, EVLOOP_NONBLOCK);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		assert_true(tor_process_reaped(r->t, pid, status));
	usleep(2000);
}

static const struct link_tor_state *state_of(struct rig *r)
{
	return &tor_process_watch(r->t)->state;
}

static void await_phase(struct rig *r, enum tor_phase phase)
{
	int64_t end = clock_mono_ms() + 10000;

	while (state_of(r)->phase != phase && clock_mono_ms() < end)
		turn(r);
	assert_int_equal(state_of(r)->phase, phase);
}

static void rig_close(struct rig *r)
{
	int64_t end = clock_mono_ms() + 20000;

	tor_process_stop(r->t);
	while (!r->stopped && clock_mono_ms() < end)
		turn(r);
	assert_int_equal(r->stopped, 1);
	tor_process_free(r->t);
	spawner_free(r->spawner);
	event_base_free(r->base);
	free(r->program);
	free(r->socks);
	free(r->public);
	test_tor_dir_free(r->dir);
}

static void check_problem(const char *script, const char *words)
{
	struct rig r;

	rig_open(&r, script);
	await_phase(&r, TOR_DOWN);
	if (!strstr(state_of(&r)->problem, words))
		print_message("problem: %s\n", state_of(&r)->problem);
	assert_non_null(strstr(state_of(&r)->problem, words));
	rig_close(&r);
}

#define VERSION_OK "[ $1 = --version ] && echo Tor version 0.4.9.11. && " \
	"exit 0\n"

static void test_problems_are_named(void **state)
{
	(void)state;
	check_problem(NULL, "there is no program");
	check_problem("echo Tor version 0.4.8.12.", "too old");
	check_problem("exit 1", "does not tell its version");
	check_problem(VERSION_OK "echo 'x [warn] Unknown option'; exit 1",
		      "exit status 1: Unknown option");
	check_problem("echo cannot load a library; exit 127",
		      "cannot load a library");
	check_problem(VERSION_OK "echo my last words; exit 7",
		      "exit status 7: my last words");
	check_problem(VERSION_OK "kill -9 $$", "signal 9");
	check_problem(VERSION_OK "echo garbage >&3; sleep 5",
		      "does not speak");
	check_problem(VERSION_OK "printf '250 OK\\r\\n553 not now\\r\\n' >&3;"
		      "sleep 5", "553 not now");
}

/* Garbage, truncation and answers that nobody asked for. */
static void test_bad_conversations(void **state)
{
	(void)state;
	check_problem(VERSION_OK "head -c 3000 /dev/urandom >&3; sleep 5",
		      "does not speak");
	check_problem(VERSION_OK "printf '250-and then' >&3; exit 0",
		      "exit status 0");
	check_problem(VERSION_OK "printf '250+data\r\nno end of it' >&3; "
		      "exit 3", "exit status 3");
	/* a line, a message, without end */
	check_problem(VERSION_OK "yes | tr -d '\\n' >&3", "does not speak");
	check_problem(VERSION_OK "yes 250-more >&3", "does not speak");
	check_problem(VERSION_OK "yes '250 OK' | head -n 50 >&3; sleep 5",
		      "what was not asked");
	/* words where numbers belong, and numbers beyond measure */
	check_problem(VERSION_OK "printf '250 OK\r\n250 OK\r\n"
		      "650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=-1\r\n"
		      "650 STATUS_CLIENT NOTICE BOOTSTRAP "
		      "PROGRESS=99999999999999999999\r\n"
		      "650 STATUS_CLIENT NOTICE CLOCK_SKEW SKEW=%%n%%s\r\n"
		      "650 CIRC\r\n650 HS_DESC\r\n650 HS_DESC UPLOADED\r\n"
		      "650 \r\n' >&3; exit 4", "exit status 4");
}

static long resident_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* It tells and prints without end: it is served, and costs nothing. */
static void test_floods(void **state)
{
	static const char flood[] =
		"(while :; do printf '650 CIRC 7 BUILT %s\r\n650 "
		"STATUS_GENERAL WARN NONSENSE\r\n' $$; done >&3) &\n"
		"(yes '[warn] over and over' & yes | tr -d '\\n') &\n";
	char *script = xasprintf("case $1 in --version) echo 'Tor version "
				 "0.4.9.11.'; exit 0;; esac\n%s%s", flood,
				 TEST_TOR_FAKE);
	int64_t end;
	struct rig r;
	long before;

	(void)state;
	rig_open(&r, script);
	free(script);
	await_phase(&r, TOR_READY);
	before = resident_kb();
	for (end = clock_mono_ms() + 1500; clock_mono_ms() < end;)
		turn(&r);
	assert_int_equal(state_of(&r)->phase, TOR_READY);
	assert_in_range(resident_kb(), 0, before + 20000);
	rig_close(&r);
}

static void test_becomes_ready_and_stops(void **state)
{
	const struct tor_watch *w;
	char *closed, *secret;
	struct stat st;
	struct rig r;

	(void)state;
	rig_open(&r, TEST_TOR_FAKE);
	closed = xasprintf("%s/closed", r.dir);
	secret = xasprintf("%s/tor/public/hs_ed25519_secret_key", r.dir);
	await_phase(&r, TOR_READY);
	w = tor_process_watch(r.t);
	while (w->door.state == DOOR_PUBLISHING)
		turn(&r);
	assert_int_equal(w->door.state, DOOR_REACHABLE);
	assert_string_equal(w->door.address, TEST_TOR_ADDRESS);
	assert_string_equal(w->state.version, "0.4.9.11");
	assert_int_equal(w->state.restarts, 0);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 96);
	tor_process_close_circuit(r.t, 25);
	tor_process_newnym(r.t);
	while (stat(closed, &st) < 0)
		turn(&r);
	free(closed);
	free(secret);
	rig_close(&r);
}

/* Killed, it is there again, and the problem is remembered. */
static void test_is_started_again(void **state)
{
	char *path;
	struct rig r;
	FILE *f;
	int pid = 0;

	(void)state;
	rig_open(&r, TEST_TOR_FAKE);
	await_phase(&r, TOR_READY);
	path = xasprintf("%s/tor.pid", r.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	free(path);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	await_phase(&r, TOR_DOWN);
	assert_int_equal(tor_process_watch(r.t)->door.state, DOOR_NONE);
	await_phase(&r, TOR_READY);
	assert_int_equal(state_of(&r)->restarts, 1);
	assert_non_null(strstr(state_of(&r)->problem, "signal 9"));
	rig_close(&r);
}

/* A key that cannot be used leaves tor without the onion, not without
 * everything. */
static void test_damaged_key(void **state)
{
	char *keys, *torrc;
	char line[256];
	bool onion = false;
	struct rig r;
	FILE *f;

	(void)state;
	rig_open(&r, VERSION_OK "exit 9");
	await_phase(&r, TOR_DOWN);
	keys = xasprintf("%s/keys/onion_public.key", r.dir);
	torrc = xasprintf("%s/tor/torrc", r.dir);
	assert_int_equal(truncate(keys, 30), 0);
	while (tor_process_watch(r.t)->door.state != DOOR_FAILED)
		turn(&r);
	assert_non_null(strstr(tor_process_watch(r.t)->door.problem,
			       "damaged"));
	f = fopen(torrc, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		onion = onion || strncmp(line, "HiddenService", 13) == 0;
	fclose(f);
	assert_false(onion);
	free(keys);
	free(torrc);
	rig_close(&r);
}

int test_tor_process(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems_are_named),
		cmocka_unit_test(test_bad_conversations),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_becomes_ready_and_stops),
		cmocka_unit_test(test_is_started_again),
		cmocka_unit_test(test_damaged_key),
	};

	return cmocka_run_group_tests_name("tor: process", tests, NULL, NULL);
}
