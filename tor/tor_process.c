/*
 * The life of our tor.  Whatever goes wrong ends in fail(): the node is told,
 * and after a pause it is tried again.  One that worked is started again at
 * once; the pause grows with each failure, but for the first minutes not
 * beyond a few seconds, so that peers are back soon after the cause has gone.
 */
#include "config.h"

#include "tor/tor_process.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "tor/child.h"
#include "tor/ram_dir.h"
#include "tor/spawner.h"
#include "tor/tor_control.h"
#include "tor/tor_files.h"
#include "tor/tor_output.h"
#include "tor/tor_text.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 1000
#define VERSION_TIMEOUT_MS 20000
#define STUCK_MS (5 * 60 * 1000)     /* of bootstrap without progress */
#define HEALTHY_MS (60 * 1000)       /* ready so long: failures forgotten */
#define HEARTBEAT_MS 30000
#define CIRCUITS_EVERY_MS 5000
#define PAUSE_WORKED_MS 100          /* doubled with each failure … */
#define PAUSE_WORKED_MAX_MS 2000
#define PAUSE_MS 1000                /* … of one that did not work */
#define PAUSE_MAX_MS 5000
#define FAILURES_MANY 60             /* in a row: less often from now on */
#define PAUSE_MANY_MS 30000
#define TERM_AFTER_MS 3000           /* when asked to end and does not */
#define KILL_AFTER_MS 8000
#define FORGET_AT 3                  /* starts that never got ready */
#define FORGET_EVERY 30
#define REPAIR_MS (60 * 1000)        /* patience after the first repair */
#define REPAIR_MAX_MS (30 * 60 * 1000)
#define WOKEN_MS (20 * 1000)         /* of sleep that tor should hear of */
#define REPEAT_LOG_MS (10 * 60 * 1000)

enum stage {
	STAGE_IDLE,       /* nothing runs; the timer is the pause */
	STAGE_VERSION,    /* tor --version runs */
	STAGE_RUN,        /* tor runs */
};

struct tor_process {
	struct event_base *base;
	struct tor_process_options o;
	struct tor_process_events events;
	void *arg;
	enum stage stage;
	pid_t pid;
	struct event *timer;
	struct tor_output *output;
	struct tor_control *control;
	struct tor_watch watch;
	char *program;            /* found in PATH */
	char *onion_ram;          /* for o.onion_ram */
	char kill_reason[LINK_TEXT_MAX + 1];
	int64_t ending_ms;        /* since when it shall end; 0: it shall not */
	int64_t ready_ms;         /* since when it is bootstrapped; 0: not */
	int64_t heartbeat_ms, circuits_ms, complained_ms;
	uint32_t circuits_seen;   /* while counting */
	unsigned failures;        /* in a row, without getting ready */
	unsigned deaths;          /* in a row, soon after getting ready */
	unsigned repairs;         /* of the door, since it was alive */
	int64_t repaired_ms;      /* the last of them */
	int64_t asleep_ms;        /* slept through since boot */
	bool killed;              /* by somebody else: not its own fault */
	bool forget;              /* discard tor's state at the next start */
	bool up;                  /* events.up() was the last word */
	bool stopping;
};

static void set_timer(struct tor_process *t, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_add(t->timer, &tv);
}

/* Tell the owner, if there is something to tell. */
static void report(struct tor_process *t)
{
	if (!t->watch.changed)
		return;
	t->watch.changed = false;
	t->events.changed(t->arg);
}

/* ---- failure and the pause after it ---- */

static void log_failure(struct tor_process *t, const char *text,
			int64_t pause_ms)
{
	int64_t now = clock_mono_ms();
	bool repeated = strcmp(text, t->watch.state.summary) == 0;

	if (repeated && now - t->complained_ms < REPEAT_LOG_MS) {
		log_debug(LOG_TOR, "%s", text);
		return;
	}
	t->complained_ms = now;
	log_warn(LOG_TOR, "%s; trying again in %.1f s", text,
		 (double)pause_ms / 1000);
}

/* How long to wait before the next start. */
static int64_t failed_pause(struct tor_process *t)
{
	int64_t ms;

	if (t->watch.bootstrapped || t->killed) {
		t->failures = 0;
		if (t->ready_ms &&
		    clock_mono_ms() - t->ready_ms >= HEALTHY_MS)
			t->deaths = 0;
		ms = PAUSE_WORKED_MS << MIN_OF(t->deaths++, 10u);
		ms = MIN_OF(ms, PAUSE_WORKED_MAX_MS);
	} else if (t->failures++ < FAILURES_MANY) {
		ms = PAUSE_MS << MIN_OF(t->failures - 1, 10u);
		ms = MIN_OF(ms, PAUSE_MAX_MS);
	} else {
		ms = PAUSE_MANY_MS;
	}
	t->killed = false;
	/* Perhaps it chokes on what it remembers. */
	if (t->failures == FORGET_AT ||
	    (t->failures && t->failures % FORGET_EVERY == 0))
		t->forget = true;
	return ms + (int64_t)random_below((uint64_t)ms / 4);
}

static void fail(struct tor_process *t, const char *text)
{
	int64_t pause = failed_pause(t);
	char clean[LINK_TEXT_MAX + 1];

	t->ready_ms = 0;
	tor_text_scrub(clean, sizeof clean, text);
	log_failure(t, clean, pause);
	tor_watch_down(&t->watch, clean);
	t->stage = STAGE_IDLE;
	set_timer(t, pause);
	report(t);
}

static void end_it(struct tor_process *t, const char *reason)
{
	if (t->stage == STAGE_IDLE || t->ending_ms)
		return;
	t->ending_ms = clock_mono_ms();
	link_text_set(t->kill_reason, sizeof t->kill_reason, reason);
	if (reason[0])
		kill(t->pid, SIGTERM);
}

/* ---- the conversation ---- */

static void on_heartbeat(void *arg, const struct control_line *line)
{
	static const char key[] = "status/bootstrap-phase=";
	struct tor_process *t = arg;

	if (strncmp(line->text, key, sizeof key - 1) == 0)
		tor_watch_bootstrap(&t->watch, line->text + sizeof key - 1,
				    clock_mono_ms());
	report(t);
}

static void on_circuits(void *arg, const struct control_line *line)
{
	static const char key[] = "circuit-status=";
	struct tor_process *t = arg;
	const char *text = line->text;

	/* one circuit stands on the first line, several on data lines */
	if (strncmp(text, key, sizeof key - 1) == 0)
		text += sizeof key - 1;
	t->circuits_seen += tor_watch_circuit_joined(text);
	if (!line->last)
		return;
	tor_watch_circuits(&t->watch, t->circuits_seen);
	t->circuits_seen = 0;
	report(t);
}

static void on_listeners(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	tor_watch_listeners(&t->watch, line->text);
	report(t);
}

static void refused(struct tor_process *t, const char *what,
		    const struct control_line *line)
{
	char text[LINK_TEXT_MAX + 1];

	snprintf(text, sizeof text, "tor refuses %s: %d %.200s", what,
		 line->code, line->text);
	end_it(t, text);
}

static void on_enabled(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	if (line->code != 250) {
		refused(t, "to use the network", line);
		return;
	}
	tor_watch_restart(&t->watch, TOR_BOOTSTRAPPING, "0 %: starting",
			  clock_mono_ms());
	tor_control_send(t->control, "GETINFO status/bootstrap-phase",
			 on_heartbeat);
	tor_control_send(t->control, "GETINFO " TOR_WATCH_LISTENERS,
			 on_listeners);
	t->up = true;
	if (t->events.up)
		t->events.up(t->arg);
	report(t);
}

static void on_subscribed(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	if (line->code != 250)
		refused(t, "to report events", line);
	else if (line->last)
		tor_control_send(t->control, "SETCONF DisableNetwork=0",
				 on_enabled);
}

static void on_control_event(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	if (!line->data)
		tor_watch_event(&t->watch, line->text, clock_mono_ms());
	if (!line->data && t->events.event)
		t->events.event(t->arg, line->text);
	report(t);
}

static void on_control_lost(void *arg, const char *reason)
{
	struct tor_process *t = arg;

	/* one that hung up is about to end, and says more by that */
	end_it(t, reason ? reason : "");
}

static void converse(struct tor_process *t, int fd)
{
	static const struct tor_control_events events = {
		.event = on_control_event,
		.lost = on_control_lost,
	};

	t->control = tor_control_new(t->base, fd, &events, t);
	tor_control_send(t->control, "SETEVENTS " TOR_WATCH_EVENTS,
			 on_subscribed);
}

/* ---- starting ---- */

/* Start tor; its output goes to t->output. */
static enum err spawn(struct tor_process *t, enum spawn what, int control,
		      struct why *why)
{
	int out[2], fds[2];
	enum err e;

	if (pipe2(out, O_CLOEXEC) < 0)
		return why_errno(why, "cannot make a pipe");
	fds[0] = out[1];
	fds[1] = control;
	e = spawner_start(t->o.spawner, &t->pid, what, fds,
			  control < 0 ? 1 : 2, why);
	close(out[1]);
	if (e) {
		close(out[0]);
		return e;
	}
	t->ending_ms = 0;
	t->kill_reason[0] = '\0';
	tor_output_free(t->output);
	t->output = tor_output_new(t->base, out[0]);
	return ERR_NONE;
}

static enum err spawn_tor(struct tor_process *t, struct why *why)
{
	int pair[2];
	enum err e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return why_errno(why, "cannot make a socket pair");
	e = spawn(t, SPAWN_TOR, pair[1], why);
	close(pair[1]);
	if (e)
		close(pair[0]);
	else
		converse(t, pair[0]);
	return e;
}

static void run_tor(struct tor_process *t)
{
	struct tor_files f;
	struct why why = {0};
	enum err e;

	if (t->forget) {
		log_info(LOG_TOR, "tor starts without what it remembered");
		tor_files_forget(&t->o);
		t->forget = false;
	}
	e = tor_files_prepare(&f, &t->o, &why);
	if (t->o.public_onion && f.onion_trouble.err) {
		log_warn(LOG_TOR, "no onion service for peers: %s",
			 f.onion_trouble.text);
		tor_watch_door(&t->watch, NULL, t->o.public_port,
			       f.onion_trouble.text);
	} else if (f.address[0]) {
		tor_watch_door(&t->watch, f.address, t->o.public_port, "");
	}
	if (!e)
		e = spawn_tor(t, &why);
	tor_files_clear(&f);
	if (e) {
		fail(t, why.text);
		return;
	}
	t->stage = STAGE_RUN;
	tor_watch_restart(&t->watch, TOR_STARTING, "tor starts",
			  clock_mono_ms());
	t->heartbeat_ms = clock_mono_ms();
	set_timer(t, TICK_MS);
	report(t);
}

/* Begin a start: which tor is it? */
static void begin(struct tor_process *t)
{
	struct why why = {0};

	free(t->program);
	t->program = child_find_program(t->o.program, &why);
	if (!t->program) {
		fail(t, why.text);
		return;
	}
	if (spawn(t, SPAWN_TOR_VERSION, -1, &why)) {
		fail(t, why.text);
		return;
	}
	t->stage = STAGE_VERSION;
	set_timer(t, VERSION_TIMEOUT_MS);
}

static void version_known(struct tor_process *t)
{
	char version[LINK_TOR_VERSION_MAX + 1], text[LINK_TEXT_MAX + 1];
	char said[200];

	if (!tor_version_read(version, sizeof version,
			      tor_output_first(t->output))) {
		tor_output_complaints(said, sizeof said, t->output);
		snprintf(text, sizeof text, "%.150s does not tell its "
			 "version: is it tor?%s%s", t->program,
			 said[0] ? " It says: " : "", said);
		fail(t, text);
		return;
	}
	link_text_set(t->watch.state.version, sizeof t->watch.state.version,
		      version);
	if (!tor_version_at_least(version, TOR_MIN_VERSION) &&
	    !t->o.any_version) {
		snprintf(text, sizeof text, "tor %s is too old: before "
			 TOR_MIN_VERSION " a relay could pose as an onion "
			 "service; update it, or accept the risk with "
			 "-torversion=any", version);
		fail(t, text);
		return;
	}
	run_tor(t);
}

/* ---- while it runs ---- */

static void watch_clock(struct tor_process *t)
{
	time_t now = time(NULL);
	char text[40];
	struct tm tm;

	if (!tor_output_doubts_clock(t->output) || !gmtime_r(&now, &tm))
		return;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	tor_watch_doubt_clock(&t->watch, text);
}

static void watch_bootstrap(struct tor_process *t, int64_t now)
{
	char text[LINK_TEXT_MAX + 1];
	const struct link_tor_state *s = &t->watch.state;

	if (t->watch.bootstrapped) {
		if (!t->ready_ms)
			t->ready_ms = now;
		return;
	}
	if (now - t->watch.progress_ms < STUCK_MS)
		return;
	snprintf(text, sizeof text, "tor got no further than %d %% for %d "
		 "minutes%s%.300s", s->bootstrap_percent, STUCK_MS / 60000,
		 s->problem[0] ? ": " : "", s->problem);
	end_it(t, text);
}

static void ask(struct tor_process *t, int64_t now)
{
	if (now - t->heartbeat_ms >= HEARTBEAT_MS &&
	    tor_control_pending(t->control) == 0) {
		t->heartbeat_ms = now;
		tor_control_send(t->control, "GETINFO status/bootstrap-phase",
				 on_heartbeat);
	}
	if (t->watch.circuits_stale &&
	    now - t->circuits_ms >= CIRCUITS_EVERY_MS) {
		t->circuits_ms = now;
		t->watch.circuits_stale = false;
		t->circuits_seen = 0;
		tor_control_send(t->control, "GETINFO circuit-status",
				 on_circuits);
	}
}

/* A machine that slept has dead circuits and does not know it. */
static void watch_sleep(struct tor_process *t)
{
	int64_t asleep = clock_boot_ms() - clock_mono_ms();
	int64_t slept = asleep - t->asleep_ms;

	t->asleep_ms = asleep;
	if (slept < WOKEN_MS)
		return;
	log_info(LOG_TOR, "the machine slept for %lld s: fresh circuits",
		 (long long)slept / 1000);
	tor_control_send(t->control, "SIGNAL ACTIVE", NULL);
	tor_process_newnym(t);
}

static void tick(struct tor_process *t)
{
	int64_t now = clock_mono_ms();

	if (t->ending_ms && now - t->ending_ms >= KILL_AFTER_MS)
		kill(t->pid, SIGKILL);
	else if (t->ending_ms && now - t->ending_ms >= TERM_AFTER_MS)
		kill(t->pid, SIGTERM);
	if (!t->ending_ms) {
		tor_watch_tick(&t->watch, now);
		watch_sleep(t);
		watch_clock(t);
		watch_bootstrap(t, now);
		ask(t, now);
		if (t->events.tick)
			t->events.tick(t->arg);
		report(t);
	}
	set_timer(t, TICK_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct tor_process *t = arg;

	(void)fd;
	(void)what;
	switch (t->stage) {
	case STAGE_IDLE:
		t->watch.state.restarts++;
		begin(t);
		break;
	case STAGE_VERSION:
		kill(t->pid, SIGKILL);
		break;
	case STAGE_RUN:
		tick(t);
		break;
	}
}

/* ---- the end of a process ---- */

static void tor_ended(struct tor_process *t, int status)
{
	char how[64], said[LINK_TEXT_MAX + 1] = "", text[LINK_TEXT_MAX + 1];

	t->killed = !t->ending_ms && WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL;
	child_status_text(how, sizeof how, status);
	if (WIFEXITED(status))
		tor_output_complaints(said, sizeof said, t->output);
	if (t->kill_reason[0])
		snprintf(text, sizeof text, "%s", t->kill_reason);
	else
		snprintf(text, sizeof text, "tor ended: %s%s%.300s", how,
			 said[0] ? ": " : "", said);
	fail(t, text);
}

bool tor_process_reaped(struct tor_process *t, pid_t pid, int status)
{
	enum stage stage = t->stage;

	if (pid <= 0 || pid != t->pid)
		return false;
	t->pid = -1;
	t->stage = STAGE_IDLE;
	event_del(t->timer);
	tor_control_free(t->control);
	t->control = NULL;
	if (t->up && t->events.down)
		t->events.down(t->arg);
	t->up = false;
	tor_output_drain(t->output);
	if (stage == STAGE_RUN)
		tor_files_hide(&t->o);
	if (t->stopping)
		t->events.stopped(t->arg);
	else if (stage == STAGE_VERSION)
		version_known(t);
	else
		tor_ended(t, status);
	return true;
}

/* ---- for the owner ---- */

struct tor_process *tor_process_new(struct event_base *base,
				    const struct tor_process_options *o,
				    const struct tor_process_events *events,
				    void *arg)
{
	struct tor_process *t = xcalloc(1, sizeof *t);

	t->base = base;
	t->o = *o;
	t->events = *events;
	t->arg = arg;
	t->pid = -1;
	t->onion_ram = ram_dir_path(o->dir);
	t->o.onion_ram = t->onion_ram;
	t->timer = event_new(base, -1, 0, on_timer, t);
	CHECK(t->timer);
	t->asleep_ms = clock_boot_ms() - clock_mono_ms();
	tor_watch_init(&t->watch, TOR_STARTING);
	return t;
}

void tor_process_free(struct tor_process *t)
{
	if (!t)
		return;
	if (t->pid > 0)
		kill(t->pid, SIGKILL);
	tor_files_hide(&t->o);
	tor_control_free(t->control);
	tor_output_free(t->output);
	event_free(t->timer);
	free(t->program);
	free(t->onion_ram);
	free(t);
}

void tor_process_start(struct tor_process *t)
{
	begin(t);
	report(t);
}

void tor_process_stop(struct tor_process *t)
{
	if (t->stopping)
		return;
	t->stopping = true;
	if (t->stage == STAGE_IDLE) {
		event_del(t->timer);
		t->events.stopped(t->arg);
		return;
	}
	if (t->stage == STAGE_VERSION) {
		kill(t->pid, SIGKILL);
		return;
	}
	if (!t->ending_ms)
		t->ending_ms = clock_mono_ms();
	tor_control_send(t->control, "SIGNAL SHUTDOWN", NULL);
}

static void on_owners_reply(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	if (t->events.reply)
		t->events.reply(t->arg, line);
}

void tor_process_ask(struct tor_process *t, const char *command)
{
	if (t->control)
		tor_control_send(t->control, command, on_owners_reply);
}

void tor_process_newnym(struct tor_process *t)
{
	if (t->control)
		tor_control_send(t->control, "SIGNAL NEWNYM", NULL);
}

/* Repairs of the door, from the gentlest; the last is repeated. */
static void repair_door(struct tor_process *t)
{
	static const char again[] = "our onion service does not answer: tor "
				    "is started again";

	t->repairs++;
	log_warn(LOG_TOR, "our onion service does not answer when dialled "
		 "through Tor: repair %u (%s)", t->repairs,
		 t->repairs == 1 ? "fresh circuits" :
		 t->repairs == 2 ? "tor is started again" :
		 "tor is started again without what it remembers");
	if (t->repairs == 1) {
		tor_process_newnym(t);
		return;
	}
	t->forget = t->repairs > 2;
	end_it(t, again);
}

void tor_process_door_checked(struct tor_process *t, bool alive)
{
	int64_t patience = REPAIR_MS << MIN_OF(t->repairs, 5u);

	if (alive) {
		t->repairs = 0;
		return;
	}
	patience = MIN_OF(patience, (int64_t)REPAIR_MAX_MS);
	if (t->stage != STAGE_RUN || t->ending_ms || !t->watch.bootstrapped ||
	    (t->repairs && clock_mono_ms() - t->repaired_ms < patience))
		return;
	t->repaired_ms = clock_mono_ms();
	repair_door(t);
}

void tor_process_close_circuit(struct tor_process *t, uint32_t circuit)
{
	char command[32];

	if (!t->control)
		return;
	snprintf(command, sizeof command, "CLOSECIRCUIT %u", circuit);
	tor_control_send(t->control, command, NULL);
}

const struct tor_watch *tor_process_watch(const struct tor_process *t)
{
	return &t->watch;
}
