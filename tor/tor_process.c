/*
 * The life of our tor.  Whatever goes wrong ends in fail(): the node is told,
 * and after a pause it is tried again.  While it runs its health is watched,
 * and repaired.
 */
#include "config.h"

#include "tor/tor_process.h"

#include "base/clock.h"
#include "base/log.h"
#include "tor/child.h"
#include "tor/patience.h"
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
#define OFF_MS 300                   /* so long is the network off */
#define VERSION_TIMEOUT_MS 20000
#define HEALTHY_MS (10 * 1000)       /* ready so long: deaths forgotten */
#define HEARTBEAT_MS 10000
#define CIRCUITS_EVERY_MS 5000
#define TERM_AFTER_MS 3000           /* when asked to end and does not */
#define KILL_AFTER_MS 8000
#define WOKEN_MS (20 * 1000)         /* of sleep that tor should hear of */
#define QUIET_MS (10 * 1000)         /* of the network: ask it */
#define LONG_SLEEP_MS (2 * 60 * 1000)   /* no connection outlives it */
#define REFRESH_MAX 20               /* in each window */
#define REFRESH_WINDOW_MS 10000
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
	struct patience patience;
	struct health health;
	char *setconf;            /* gives tor our onion again; or NULL */
	unsigned refreshes;       /* since refresh_ms */
	int64_t refresh_ms;
	uint32_t probe;           /* a circuit built for an answer; or 0 */
	int64_t probe_ms;
	int64_t tick_ms;          /* the last tick */
	int64_t asleep_ms;        /* slept through since boot */
	bool killed;              /* by somebody else: not its own fault */
	bool forget;              /* discard tor's state at the next start */
	bool off;                 /* its network, for a moment */
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
	if (t->stage == STAGE_RUN && !t->ending_ms)
		tor_watch_judge(&t->watch, &t->health, clock_mono_ms());
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

/* How it ended, as far as the next start is concerned. */
static enum tor_end end_of(const struct tor_process *t)
{
	if (!t->watch.bootstrapped && !t->killed)
		return TOR_END_FAILED;
	return t->ready_ms && clock_mono_ms() - t->ready_ms >= HEALTHY_MS
		? TOR_END_STEADY : TOR_END_WORKED;
}

static void fail(struct tor_process *t, const char *text)
{
	bool forget;
	int64_t pause = patience_pause_ms(&t->patience, &forget, end_of(t));
	char clean[LINK_TEXT_MAX + 1];

	t->forget = t->forget || forget;
	t->killed = false;
	t->ready_ms = 0;
	health_ended(&t->health, clock_mono_ms());
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

	health_set(&t->health, HEALTH_CONTROL, HEALTH_GOOD, clock_mono_ms());
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
	health_set(&t->health, HEALTH_CONTROL, HEALTH_BAD, clock_mono_ms());
	if (!reason)
		return;
	health_repaired(&t->health, HEALTH_CONTROL, REPAIR_RESTART,
			clock_mono_ms());
	kill(t->pid, SIGKILL);      /* it would not hear a SIGTERM either */
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
	free(t->setconf);
	t->setconf = tor_files_setconf(&f, &t->o);
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
	health_started(&t->health, clock_mono_ms());
	t->heartbeat_ms = t->tick_ms = clock_mono_ms();
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

/* ---- is the network there? ---- */

static void on_probe(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;
	char id[16];

	if (line->code == 250 && control_word(id, sizeof id, line->text, 1))
		t->probe = (uint32_t)strtoul(id, NULL, 10);
}

/* A network that is gone closes no connection, it only goes quiet.  Tor's
 * padding is heard every few seconds; where it is switched off, relays answer
 * when a circuit is built. */
static void watch_silence(struct tor_process *t, int64_t now)
{
	bool quiet = now - t->watch.heard_ms >= QUIET_MS;

	if (t->probe && !quiet) {
		tor_process_close_circuit(t, t->probe);
		t->probe = 0;
	}
	if (!quiet || !t->watch.bootstrapped || now - t->probe_ms < QUIET_MS)
		return;
	t->probe_ms = now;
	tor_control_send(t->control, "EXTENDCIRCUIT 0", on_probe);
}

/* ---- repairs ---- */

/* Not at once: tor removes the old SOCKS socket a little later, and would
 * take the new one for it. */
static void on_disconnected(void *arg, const struct control_line *line)
{
	struct tor_process *t = arg;

	(void)line;
	t->off = true;
	set_timer(t, OFF_MS);
}

static void on_reconnected(void *arg, const struct control_line *line)
{
	if (line->code != 250)
		refused(arg, "to use the network again", line);
}

/* What the node and the log hear of a tor that is started again. */
static void restart(struct tor_process *t, enum health_check why)
{
	char text[LINK_TEXT_MAX + 1];
	const struct link_tor_state *s = &t->watch.state;

	if (why == HEALTH_BOOTSTRAP)
		snprintf(text, sizeof text, "tor gets no further than %d %%"
			 "%s%.300s", s->bootstrap_percent,
			 s->problem[0] ? ": " : "", s->problem);
	else
		snprintf(text, sizeof text, "tor is started again: its %s "
			 "is bad", health_check_name(why));
	end_it(t, text);
}

static void repair(struct tor_process *t, enum repair what,
		   enum health_check why)
{
	switch (what) {
	case REPAIR_CIRCUITS:
		tor_process_newnym(t);
		break;
	case REPAIR_RECONNECT:
		tor_control_send(t->control, "SETCONF DisableNetwork=1",
				 on_disconnected);
		break;
	case REPAIR_DOOR:
		tor_control_send(t->control, "SETCONF HiddenServiceDir",
				 NULL);
		if (t->setconf)
			tor_control_send(t->control, t->setconf, NULL);
		break;
	case REPAIR_RELOAD:
		tor_control_send(t->control, "SIGNAL RELOAD", NULL);
		break;
	case REPAIR_FORGET:
		t->forget = true;
		restart(t, why);
		break;
	case REPAIR_RESTART:
		restart(t, why);
		break;
	case REPAIR_NONE:
	case REPAIR_COUNT:
		break;
	}
}

static void watch_health(struct tor_process *t, int64_t now)
{
	enum health_check why;
	enum repair what;

	tor_watch_judge(&t->watch, &t->health, now);
	what = health_due(&t->health, &why, now);
	if (!what)
		return;
	/* While the machine is offline this comes again and again. */
	if (t->health.item[why].step > 1 && why == HEALTH_NETWORK)
		log_debug(LOG_TOR, "health: %s", repair_name(what));
	else
		log_warn(LOG_TOR, "health: %s is bad since %.0f s; repair: "
			 "%s", health_check_name(why),
			 (double)(now - t->health.item[why].since_ms) / 1000,
			 repair_name(what));
	repair(t, what, why);
}

/* A machine that slept, or processes that were frozen: tor may have dead
 * connections and not know it. */
static void watch_sleep(struct tor_process *t, int64_t now)
{
	int64_t asleep = clock_boot_ms() - clock_mono_ms();
	int64_t slept = asleep - t->asleep_ms + now - t->tick_ms;

	t->asleep_ms = asleep;
	t->tick_ms = now;
	if (slept < WOKEN_MS)
		return;
	log_info(LOG_TOR, "the machine slept for %lld s",
		 (long long)slept / 1000);
	tor_control_send(t->control, "SIGNAL ACTIVE", NULL);
	t->watch.heard_ms = now;
	if (slept >= LONG_SLEEP_MS && t->watch.bootstrapped)
		health_set(&t->health, HEALTH_NETWORK, HEALTH_BAD, now);
}

static void tick(struct tor_process *t)
{
	int64_t now = clock_mono_ms();

	if (t->ending_ms && now - t->ending_ms >= KILL_AFTER_MS)
		kill(t->pid, SIGKILL);
	else if (t->ending_ms && now - t->ending_ms >= TERM_AFTER_MS)
		kill(t->pid, SIGTERM);
	if (t->off && !t->ending_ms)
		tor_control_send(t->control, "SETCONF DisableNetwork=0",
				 on_reconnected);
	t->off = false;
	if (!t->ending_ms) {
		tor_watch_tick(&t->watch, now);
		watch_sleep(t, now);
		watch_clock(t);
		if (t->watch.bootstrapped && !t->ready_ms)
			t->ready_ms = now;
		watch_silence(t, now);
		watch_health(t, now);
		ask(t, now);
		if (t->events.tick)
			t->events.tick(t->arg);
		t->watch.changed = true;    /* its health, perhaps */
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

	t->killed = !t->kill_reason[0] && WIFSIGNALED(status) &&
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
	t->off = false;
	t->probe = 0;
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
	free(t->setconf);
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

void tor_process_door_checked(struct tor_process *t, bool alive)
{
	if (t->stage != STAGE_RUN || t->ending_ms || !t->watch.bootstrapped)
		return;
	health_set(&t->health, HEALTH_ONION,
		   alive ? HEALTH_GOOD : HEALTH_BAD, clock_mono_ms());
	t->watch.changed = true;
	report(t);
}

void tor_process_refresh(struct tor_process *t, const char *onion)
{
	int64_t now = clock_mono_ms();
	char command[80];

	if (now - t->refresh_ms >= REFRESH_WINDOW_MS) {
		t->refresh_ms = now;
		t->refreshes = 0;
	}
	if (!t->control || !t->watch.bootstrapped ||
	    t->refreshes++ >= REFRESH_MAX)
		return;
	snprintf(command, sizeof command, "HSFETCH %.56s", onion);
	tor_control_send(t->control, command, NULL);
}

void tor_process_close_circuit(struct tor_process *t, uint32_t circuit)
{
	char command[32];

	if (!t->control)
		return;
	snprintf(command, sizeof command, "CLOSECIRCUIT %u", circuit);
	tor_control_send(t->control, command, NULL);
}

const struct health *tor_process_health(const struct tor_process *t)
{
	return &t->health;
}

const struct tor_watch *tor_process_watch(const struct tor_process *t)
{
	return &t->watch;
}
