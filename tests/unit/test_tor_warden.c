/*
 * The warden, run whole in a process of its own, with this program as the
 * node and a script as tor.  The node notes what it is told in a pipe.
 */
#include "config.h"

#include "test_tor.h"

#include "base/clock.h"
#include "tor/inherited.h"
#include "tor/node_link.h"
#include "tor/warden.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the node ---- */

struct node {
	struct event_base *base;
	struct node_link *link;
	const char *mode;
	int note;
};

static void note(struct node *n, const char *what)
{
	char line[100];
	int len = snprintf(line, sizeof line, "%s\n", what);

	if (write(n->note, line, (size_t)len) != len)
		_exit(77);
}

static void node_tor(void *arg, const struct link_tor_state *s)
{
	char line[60];

	snprintf(line, sizeof line, "tor=%s", tor_phase_name(s->phase));
	note(arg, line);
}

static void node_door(void *arg, const struct link_door *d)
{
	char line[60];

	snprintf(line, sizeof line, "door=%s", door_state_name(d->state));
	note(arg, line);
	if (d->state == DOOR_REACHABLE)
		node_link_close_circuit(((struct node *)arg)->link, 25);
}

static void node_stop(void *arg)
{
	struct node *n = arg;

	note(n, "stop");
	if (strcmp(n->mode, "hang") != 0)
		event_base_loopbreak(n->base);
}

static void node_reopen(void *arg, int fd)
{
	(void)fd;
	note(arg, "reopen");
}

static void node_lost(void *arg)
{
	(void)arg;
	_exit(5);
}

int test_tor_node_main(void)
{
	static const struct node_link_events events = {
		.tor_state = node_tor,
		.door = node_door,
		.stop = node_stop,
		.log_reopen = node_reopen,
		.lost = node_lost,
	};
	struct node n = { .mode = getenv("TEST_NODE") };
	char line[80];
	int fd = inherited_fd("link");

	n.note = inherited_fd("note");
	snprintf(line, sizeof line, "start own_group=%d public=%d extra=%d",
		 getpgrp() == getpid(), inherited_fd("public") >= 0,
		 fcntl(20, F_GETFD) >= 0);
	note(&n, line);
	if (strcmp(n.mode, "exit3") == 0)
		return 3;
	if (strcmp(n.mode, "abort") == 0)
		raise(SIGKILL);
	if (strcmp(n.mode, "nonsense") == 0) {
		if (send(fd, "nonsense", 8, 0) != 8)
			return 78;
		pause();
	}
	n.base = event_base_new();
	n.link = node_link_new(n.base, fd, &events, &n);
	node_link_ready(n.link);
	event_base_dispatch(n.base);
	node_link_free(n.link);
	event_base_free(n.base);
	return 0;
}

/* ---- the warden ---- */

struct rig {
	char *dir, *tor;
	pid_t warden;
	int notes;               /* what the node notes */
	char text[4096];
	size_t n;
};

NORETURN static void warden_main(struct rig *r, const char *mode, int note_fd,
				 bool use_tor)
{
	char *argv[] = { (char *)"node", NULL };
	const struct warden_fd fds[] = { { note_fd, "note" } };
	struct warden_options o = {
		.dir = r->dir, .node_path = "/proc/self/exe",
		.node_argv = argv,
		.node_fds = fds, .n_node_fds = 1,
		.stop_grace_ms = strcmp(mode, "hang") == 0 ? 300 : 0,
		.use_tor = use_tor, .tor_program = r->tor,
		.public_onion = true, .public_port = 8333, .p2p_port = 8333,
	};

	setenv("TEST_NODE", mode, 1);
	o.node_env = environ;    /* which setenv() may have moved */
	/* a descriptor that nobody shall inherit */
	dup2(note_fd, 20);
	_exit(warden_run(&o));
}

static void rig_open(struct rig *r, const char *mode, bool use_tor)
{
	int pipe_fds[2];

	memset(r, 0, sizeof *r);
	r->dir = test_tor_dir_new();
	test_tor_put_key(r->dir);
	r->tor = test_tor_script(r->dir, "tor.sh", TEST_TOR_FAKE);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	r->notes = pipe_fds[0];
	r->warden = fork();
	assert_true(r->warden >= 0);
	if (r->warden == 0)
		warden_main(r, mode, pipe_fds[1], use_tor);
	close(pipe_fds[1]);
}

/* Read notes until one has these words in it. */
static void await_note(struct rig *r, const char *words)
{
	struct pollfd p = { .fd = r->notes, .events = POLLIN };
	int64_t end = clock_mono_ms() + 15000;
	ssize_t n;

	while (!strstr(r->text, words) && clock_mono_ms() < end) {
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(r->notes, r->text + r->n,
			 sizeof r->text - 1 - r->n);
		if (n <= 0)
			break;
		r->n += (size_t)n;
	}
	if (!strstr(r->text, words))
		print_message("no \"%s\" in:\n%s", words, r->text);
	assert_non_null(strstr(r->text, words));
}

static int await_end(pid_t pid)
{
	int64_t end = clock_mono_ms() + 15000;
	int status = 0;

	while (clock_mono_ms() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(5000);
	}
	print_message("process %d does not end\n", (int)pid);
	kill(pid, SIGKILL);
	assert_true(false);
	return status;
}

static int exit_code(struct rig *r)
{
	int status = await_end(r->warden);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void rig_close(struct rig *r)
{
	close(r->notes);
	free(r->tor);
	test_tor_dir_free(r->dir);
}

static int tor_pid(const struct rig *r)
{
	char *path = xasprintf("%s/tor.pid", r->dir);
	FILE *f = fopen(path, "r");
	int pid = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	free(path);
	return pid;
}

static bool is_there(const struct rig *r, const char *name)
{
	char *path = xasprintf("%s/%s", r->dir, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void test_without_tor(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, "stop", false);
	await_note(&r, "start own_group=1 public=0 extra=0\n");
	await_note(&r, "tor=off\n");
	assert_int_equal(kill(r.warden, SIGHUP), 0);
	await_note(&r, "reopen\n");
	assert_int_equal(kill(r.warden, SIGTERM), 0);
	await_note(&r, "stop\n");
	assert_int_equal(exit_code(&r), 0);
	assert_false(is_there(&r, "tor"));
	rig_close(&r);
}

static void test_the_nodes_end_is_the_wardens(void **state)
{
	static const struct {
		const char *mode;
		int code;
	} table[] = { { "exit3", 3 }, { "abort", 1 }, { "nonsense", 1 } };
	struct rig r;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		rig_open(&r, table[i].mode, i == 0);
		assert_int_equal(exit_code(&r), table[i].code);
		rig_close(&r);
	}
}

static void test_a_node_that_hangs_is_killed(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, "hang", false);
	await_note(&r, "tor=off\n");
	assert_int_equal(kill(r.warden, SIGINT), 0);
	await_note(&r, "stop\n");
	assert_int_equal(exit_code(&r), 1);
	rig_close(&r);
}

static void test_with_tor(void **state)
{
	struct rig r;
	int pid, i;

	(void)state;
	rig_open(&r, "stop", true);
	await_note(&r, "start own_group=1 public=1 extra=0\n");
	await_note(&r, "tor=ready\n");
	await_note(&r, "door=reachable\n");
	assert_true(is_there(&r, "run/public"));
	/* the node's wish reaches tor */
	for (i = 0; i < 1000 && !is_there(&r, "closed"); i++)
		usleep(5000);
	assert_true(is_there(&r, "closed"));
	pid = tor_pid(&r);
	memset(r.text, 0, sizeof r.text);
	r.n = 0;
	assert_int_equal(kill(pid, SIGKILL), 0);
	await_note(&r, "tor=down\n");
	await_note(&r, "door=reachable\n");
	pid = tor_pid(&r);
	assert_int_equal(kill(r.warden, SIGTERM), 0);
	assert_int_equal(exit_code(&r), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_false(is_there(&r, "run/public"));
	rig_close(&r);
}

/* The warden cannot even say goodbye: nothing of it is left. */
static void test_killed_warden_leaves_nothing(void **state)
{
	struct rig r;
	char buf[64];
	int status;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	rig_open(&r, "stop", true);
	await_note(&r, "door=reachable\n");
	assert_int_equal(kill(r.warden, SIGKILL), 0);
	status = await_end(r.warden);
	assert_true(WIFSIGNALED(status));
	(void)await_end(tor_pid(&r));
	/* the node held the only other end of the pipe */
	while (read(r.notes, buf, sizeof buf) > 0)
		;
	while (waitpid(-1, &status, 0) > 0)
		;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	rig_close(&r);
}

/* A child of that process by its name in ps; 0: none. */
static pid_t child_named(pid_t parent, const char *name)
{
	char *path = xasprintf("/proc/%d/task/%d/children", (int)parent,
			       (int)parent);
	FILE *list = fopen(path, "r"), *f;
	char comm[32];
	int pid, found = 0;

	assert_non_null(list);
	free(path);
	while (!found && fscanf(list, "%d", &pid) == 1) {
		path = xasprintf("/proc/%d/comm", pid);
		f = fopen(path, "r");
		if (f && fscanf(f, "%31s", comm) == 1 &&
		    strcmp(comm, name) == 0)
			found = pid;
		if (f)
			fclose(f);
		free(path);
	}
	fclose(list);
	return found;
}

/* Nothing could be started again: the node is asked to end, and all do. */
static void test_without_its_spawner_it_ends(void **state)
{
	struct rig r;
	pid_t spawner, tor;

	(void)state;
	rig_open(&r, "stop", true);
	await_note(&r, "door=reachable\n");
	tor = tor_pid(&r);
	spawner = child_named(r.warden, "spawner");
	assert_true(spawner > 0);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	await_note(&r, "stop\n");
	assert_int_equal(exit_code(&r), 1);
	assert_int_equal(kill(tor, 0), -1);
	rig_close(&r);
}

static void test_long_path_is_refused(void **state)
{
	char *argv[] = { (char *)"node", NULL };
	char dir[200];
	const struct warden_options o = {
		.dir = dir, .node_path = "/proc/self/exe", .node_argv = argv,
		.node_env = environ,
		.use_tor = true, .tor_program = "tor",
	};

	(void)state;
	memset(dir, 'x', sizeof dir);
	memcpy(dir, "/tmp/", 5);
	dir[sizeof dir - 1] = '\0';
	assert_int_equal(warden_run(&o), 1);
	assert_int_equal(access(dir, F_OK), -1);
}

int test_tor_warden(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_tor),
		cmocka_unit_test(test_the_nodes_end_is_the_wardens),
		cmocka_unit_test(test_a_node_that_hangs_is_killed),
		cmocka_unit_test(test_with_tor),
		cmocka_unit_test(test_killed_warden_leaves_nothing),
		cmocka_unit_test(test_without_its_spawner_it_ends),
		cmocka_unit_test(test_long_path_is_refused),
	};

	return cmocka_run_group_tests_name("tor: warden", tests, NULL, NULL);
}
