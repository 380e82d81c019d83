/*
 * The warden: sockets first, then the node, then tor; then it waits.  The end
 * is the node's end, whoever asked for it: tor is stopped, sockets are
 * removed, and the node's exit status is ours.
 */
#include "config.h"

#include "tor/warden.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "tor/child.h"
#include "tor/doors.h"
#include "tor/socks_open.h"
#include "tor/spawner.h"
#include "tor/tor_process.h"
#include "tor/unix_listen.h"
#include "tor/warden_link.h"
#include "walls/walls.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 60000
#define RESPAWN_MS 1000               /* doubled with each crash */
#define STEADY_MS (60 * 60 * 1000)    /* ran so long: crashes forgotten */
#define PROBLEM_BURST 5
#define PROBLEM_EVERY_MS (10 * 60 * 1000)
#define ENV_FDS "CLOISTER_FDS="
#define SEED_OPENS_MAX 100            /* in each window */
#define SEED_WINDOW_MS (60 * 60 * 1000)

enum { SIG_STOP_INT, SIG_STOP_TERM, SIG_REOPEN, SIG_CHILD, SIG_COUNT };

struct warden {
	const struct warden_options *o;
	struct event_base *base;
	struct event *signals[SIG_COUNT];
	struct event *grace, *respawn;
	struct spawner *spawner;
	struct warden_link *link;
	struct tor_process *tor;      /* NULL: not used */
	struct doors *doors;          /* private ones; NULL: no tor */
	pid_t node;
	char *socks_path, *seeds_path, *public_path;
	unsigned seed_opens;          /* since seed_ms */
	int64_t seed_ms;
	int exit_status;
	bool stopping;                /* the node was asked to end */
	bool crippled;                /* the spawner has died */
	unsigned crashes;             /* of the node, forgiven */
	int64_t node_ms;              /* when it was started */
	enum tor_phase told_phase;    /* what the log knows */
	enum door_state told_door;
	char told_problem[LINK_TEXT_MAX + 1];
	struct log_limit problem_limit;
};

/* ---- state, to the node and to the log ---- */

static void log_tor_state(struct warden *w, const struct link_tor_state *s)
{
	if (s->phase == w->told_phase)
		return;
	w->told_phase = s->phase;
	if (s->phase == TOR_BOOTSTRAPPING)
		log_info(LOG_TOR, "tor %s connects to the Tor network",
			 s->version);
	else if (s->phase == TOR_READY)
		log_info(LOG_TOR, "tor is connected to the Tor network");
	else if (s->phase == TOR_DOWN &&
		 tor_process_watch(w->tor)->network_down)
		log_warn(LOG_TOR, "%s", s->summary);
	/* other reasons for TOR_DOWN are logged where they come up */
}

/* Problems that leave tor running; those that end it were logged there. */
static void log_problem(struct warden *w, const struct link_tor_state *s)
{
	if (strcmp(s->problem, w->told_problem) == 0)
		return;
	memcpy(w->told_problem, s->problem, sizeof s->problem);
	if (s->phase != TOR_DOWN &&
	    log_limit_ok(&w->problem_limit, PROBLEM_BURST, PROBLEM_EVERY_MS,
			 NULL))
		log_warn(LOG_TOR, "%s", s->problem);
}

static void log_door(struct warden *w, const struct link_door *d)
{
	if (d->state == w->told_door)
		return;
	w->told_door = d->state;
	if (d->state == DOOR_FAILED)
		log_warn(LOG_TOR, "onion service: %s", d->problem);
	else if (d->state != DOOR_NONE)
		log_info(LOG_TOR, "onion service %s:%u: %s", d->address,
			 d->port, door_state_name(d->state));
}

static void on_tor_changed(void *arg)
{
	struct warden *w = arg;
	const struct tor_watch *t = tor_process_watch(w->tor);

	log_tor_state(w, &t->state);
	log_problem(w, &t->state);
	log_door(w, &t->door);
	if (!w->link)
		return;
	warden_link_tor_state(w->link, &t->state);
	warden_link_health(w->link, tor_process_health(w->tor));
	if (w->o->public_onion)
		warden_link_door(w->link, &t->door);
}

/* ---- private doors ---- */

static void on_tor_up(void *arg)
{
	struct warden *w = arg;

	doors_tor_up(w->doors, clock_mono_ms());
}

static void on_tor_down(void *arg)
{
	struct warden *w = arg;

	doors_tor_down(w->doors);
}

static void on_tor_event(void *arg, const char *text)
{
	struct warden *w = arg;

	doors_event(w->doors, text, clock_mono_ms());
}

static void on_tor_reply(void *arg, const struct control_line *line)
{
	struct warden *w = arg;

	doors_reply(w->doors, line);
}

static void on_tor_tick(void *arg)
{
	struct warden *w = arg;

	doors_tick(w->doors, clock_mono_ms());
}

static void door_ask(void *arg, const char *command)
{
	struct warden *w = arg;

	tor_process_ask(w->tor, command);
}

static void door_state(void *arg, const struct link_door *d)
{
	struct warden *w = arg;

	log_debug(LOG_TOR, "private door %s: %s", d->name,
		  door_state_name(d->state));
	if (w->link)
		warden_link_door(w->link, d);
}

static void door_listener(void *arg, const struct link_door_wish *door, int fd)
{
	struct warden *w = arg;

	if (w->link)
		warden_link_door_listen(w->link, door, fd);
}

static void door_gone(void *arg, const char *name)
{
	struct warden *w = arg;

	log_debug(LOG_TOR, "private door %s: shut", name);
	if (w->link)
		warden_link_door_gone(w->link, name);
}

static void start_doors(struct warden *w)
{
	static const struct doors_events events = {
		.ask = door_ask,
		.door = door_state,
		.listener = door_listener,
		.gone = door_gone,
	};
	const struct doors_options o = {
		.dir = w->o->dir, .passphrase = w->o->passphrase,
	};

	w->doors = doors_new(&o, &events, w);
}

/* ---- the end ---- */

static void on_tor_stopped(void *arg)
{
	struct warden *w = arg;

	event_base_loopbreak(w->base);
}

static void end_all(struct warden *w)
{
	if (w->tor)
		tor_process_stop(w->tor);
	else
		event_base_loopbreak(w->base);
}

/* A crash is forgiven some times: tor stays as it is meanwhile. */
static bool respawn(struct warden *w, const char *how)
{
	int64_t ms = RESPAWN_MS << MIN_OF(w->crashes, 6u);
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (clock_mono_ms() - w->node_ms >= STEADY_MS)
		w->crashes = 0;
	if (w->stopping || w->crashes >= w->o->respawn)
		return false;
	w->crashes++;
	log_error(LOG_NODE, "the node process died (%s): it is started again "
		  "in %lld s; please report this, with the log", how,
		  (long long)ms / 1000);
	warden_link_free(w->link);
	w->link = NULL;
	event_add(w->respawn, &tv);
	return true;
}

static void node_ended(struct warden *w, int status)
{
	char how[64];

	w->node = -1;
	event_del(w->grace);
	child_status_text(how, sizeof how, status);
	w->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (WIFSIGNALED(status) && respawn(w, how))
		return;
	if (WIFSIGNALED(status)) {
		log_error(LOG_NODE, "the node process died: %s%s", how,
			  w->crashes ? "; it is not started once more" : "");
		fprintf(stderr, "Error: the node process died: %s\n", how);
	} else if (w->exit_status)
		log_error(LOG_NODE, "the node process ended: %s", how);
	else
		log_info(LOG_NODE, "the node process has ended");
	end_all(w);
}

static void stop(struct warden *w);

/* Nothing can be started any more: better an end that is noticed. */
static void spawner_ended(struct warden *w)
{
	log_error(LOG_NODE, "the process that starts programs died: the end");
	w->crippled = true;
	stop(w);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
	struct warden *w = arg;
	int status;
	pid_t pid;

	(void)sig;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == w->node)
			node_ended(w, status);
		else if (pid == spawner_pid(w->spawner))
			spawner_ended(w);
		else if (w->tor)
			(void)tor_process_reaped(w->tor, pid, status);
	}
}

static int64_t grace_ms(const struct warden *w)
{
	return w->o->stop_grace_ms ? w->o->stop_grace_ms : GRACE_MS;
}

static void stop(struct warden *w)
{
	struct timeval tv = { grace_ms(w) / 1000, grace_ms(w) % 1000 * 1000 };

	if (w->node < 0) {
		/* Between a crash and the next start. */
		if (event_del(w->respawn) == 0 && !w->link)
			end_all(w);
		return;
	}
	if (w->stopping) {
		log_info(LOG_NODE, "already stopping: the node is writing "
			 "what it holds");
		return;
	}
	w->stopping = true;
	warden_link_stop(w->link);
	event_add(w->grace, &tv);
}

static void on_stop_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_info(LOG_NODE, "%s: stopping", strsignal((int)sig));
	stop(arg);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
	struct warden *w = arg;

	(void)fd;
	(void)what;
	log_error(LOG_NODE, "the node has not ended within %lld s of being "
		  "asked to: it is killed, and will have work to do again at "
		  "its next start", (long long)grace_ms(w) / 1000);
	kill(w->node, SIGKILL);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct warden *w = arg;

	(void)sig;
	(void)what;
	log_reopen();
	if (w->node > 0)
		warden_link_log_reopen(w->link, log_fd());
}

/* ---- what the node says ---- */

/* Seeds are for first contact: a node in an attacker's hands must not get a
 * way to the rest of the world out of them. */
static bool seed_allowed(struct warden *w)
{
	int64_t now = clock_mono_ms();

	if (!w->seeds_path)
		return false;
	if (!w->seed_ms || now - w->seed_ms > SEED_WINDOW_MS) {
		w->seed_ms = now;
		w->seed_opens = 0;
	}
	return w->seed_opens++ < SEED_OPENS_MAX;
}

/* The node gets connections to these sockets, and makes none itself. */
static void open_socks(struct warden *w, uint32_t id, enum socks_kind kind)
{
	struct link_socks s = { .id = id, .result = SOCKS_OPEN_DOWN };
	int fd = -1;

	if (w->tor && kind == SOCKS_PEER)
		s.result = socks_open(&fd, w->socks_path);
	else if (w->tor && seed_allowed(w))
		s.result = socks_open(&fd, w->seeds_path);
	warden_link_socks(w->link, &s, fd);
}

static void on_node_nonsense(void *arg)
{
	struct warden *w = arg;

	if (w->node < 0)
		return;
	log_error(LOG_NODE, "the node process sent a message that cannot be "
		  "read: it is killed");
	kill(w->node, SIGKILL);
}

static void sign(struct warden *w, const struct link_blob *request)
{
	struct bytes answer = {0};

	if (w->o->sign &&
	    !w->o->sign(w->o->ctx, &answer, span_of(request->b, request->n)))
		on_node_nonsense(w);
	else if (answer.n)
		warden_link_signed(w->link, bytes_span(&answer));
	bytes_clear(&answer);
}

static void on_node_message(void *arg, const struct link_msg *m)
{
	struct warden *w = arg;

	switch (m->type) {
	case LINK_READY:
		log_debug(LOG_NODE, "the node is ready");
		break;
	case LINK_NEWNYM:
		if (w->tor)
			tor_process_newnym(w->tor);
		break;
	case LINK_CLOSE_CIRCUIT:
		if (w->tor)
			tor_process_close_circuit(w->tor, m->u.circuit);
		break;
	case LINK_DOOR_ALIVE:
	case LINK_DOOR_DEAD:
		if (w->tor)
			tor_process_door_checked(w->tor, m->type ==
						 LINK_DOOR_ALIVE);
		break;
	case LINK_REFRESH:
		if (w->tor)
			tor_process_refresh(w->tor, m->u.auth.address);
		break;
	case LINK_SOCKS_OPEN:
		open_socks(w, m->u.socks.id, m->u.socks.kind);
		break;
	case LINK_DOOR_ADD:
	case LINK_DOOR_REMOVE:
	case LINK_CLIENT_AUTH_ADD:
	case LINK_CLIENT_AUTH_REMOVE:
	case LINK_DOORS_TOLD:
		if (w->doors)
			doors_message(w->doors, m);
		break;
	case LINK_SIGN:
		sign(w, &m->u.blob);
		break;
	case LINK_TOR_STATE:
	case LINK_DOOR:
	case LINK_STOP:
	case LINK_LOG_REOPEN:
	case LINK_SOCKS:
	case LINK_DOOR_LISTEN:
	case LINK_SIGNED:
	case LINK_HEALTH:
		break;
	}
}

/* ---- paths and sockets ---- */

static enum err check_path(const char *path, struct why *why)
{
	const size_t max = sizeof ((struct sockaddr_un *)0)->sun_path - 1;
	const char *s;

	for (s = path; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return why_set(why, ERR_INPUT, "the data directory's "
				       "name has a control character in it");
	if (strlen(path) <= max)
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "the path %s has %zu bytes, a unix "
		       "socket's can have %zu: use a shorter -datadir", path,
		       strlen(path), max);
}

static enum err prepare_run(struct warden *w, struct why *why)
{
	char *run = path_join(w->o->dir, "run");
	enum err e;

	w->socks_path = path_join(w->o->dir, WARDEN_SOCKS_PATH);
	w->public_path = path_join(w->o->dir, WARDEN_PUBLIC_PATH);
	if (w->o->seeds)
		w->seeds_path = path_join(w->o->dir, WARDEN_SEEDS_PATH);
	e = check_path(w->seeds_path ? w->seeds_path : w->public_path, why);
	if (!e)
		e = dir_make(run, 0700, why);
	if (!e && chmod(run, 0700) < 0)
		e = why_errno(why, "cannot set the mode of %s", run);
	free(run);
	return e;
}

/* ---- the node ---- */

static enum err start_node(struct warden *w, struct why *why)
{
	static const struct warden_link_events events = {
		.message = on_node_message,
		.nonsense = on_node_nonsense,
	};
	int pair[2], fds[2], public_fd = -1;
	enum err e;

	if (w->o->use_tor && w->o->public_onion) {
		e = unix_listen(&public_fd, w->public_path, why);
		if (e)
			return e;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		e = why_errno(why, "cannot make a socket pair");
		goto out;
	}
	fds[0] = pair[1];
	fds[1] = public_fd;
	e = spawner_start(w->spawner, &w->node, SPAWN_NODE, fds,
			  public_fd < 0 ? 1 : 2, why);
	w->node_ms = clock_mono_ms();
	close(pair[1]);
	if (e)
		close(pair[0]);
	else
		w->link = warden_link_new(w->base, pair[0], &events, w);
	if (!e && w->doors)
		doors_node_started(w->doors);
out:
	if (public_fd >= 0)
		close(public_fd);
	return e;
}

/* ---- tor ---- */

static void start_tor(struct warden *w)
{
	static const struct tor_process_events events = {
		.changed = on_tor_changed,
		.stopped = on_tor_stopped,
		.up = on_tor_up,
		.down = on_tor_down,
		.event = on_tor_event,
		.reply = on_tor_reply,
		.tick = on_tor_tick,
	};
	const struct tor_process_options to = {
		.dir = w->o->dir,
		.program = w->o->tor_program,
		.extra_path = w->o->tor_extra,
		.socks_path = w->socks_path,
		.seeds_path = w->seeds_path,
		.spawner = w->spawner,
		.any_version = w->o->tor_any_version,
		.public_onion = w->o->public_onion,
		.public_path = w->public_path,
		.public_port = w->o->public_port,
		.p2p_port = w->o->p2p_port,
		.passphrase = w->o->passphrase,
	};

	w->tor = tor_process_new(w->base, &to, &events, w);
	tor_process_start(w->tor);
}

static void tell_off(struct warden *w)
{
	const struct link_tor_state off = {
		.phase = TOR_OFF, .summary = "tor is not used",
	};

	warden_link_tor_state(w->link, &off);
}

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
	struct warden *w = arg;
	struct why why = {0};

	(void)fd;
	(void)what;
	if (start_node(w, &why)) {
		log_error(LOG_NODE, "%s", why.text);
		w->exit_status = 1;
		end_all(w);
	} else if (w->tor) {
		on_tor_changed(w);
	} else {
		tell_off(w);
	}
}

/* ---- life ---- */

static void watch_signals(struct warden *w)
{
	static const struct {
		int signal;
		event_callback_fn fn;
	} table[SIG_COUNT] = {
		[SIG_STOP_INT] = { SIGINT, on_stop_signal },
		[SIG_STOP_TERM] = { SIGTERM, on_stop_signal },
		[SIG_REOPEN] = { SIGHUP, on_hangup },
		[SIG_CHILD] = { SIGCHLD, on_child },
	};
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < SIG_COUNT; i++) {
		w->signals[i] = event_new(w->base, table[i].signal,
					  EV_SIGNAL | EV_PERSIST,
					  table[i].fn, w);
		CHECK(w->signals[i]);
		event_add(w->signals[i], NULL);
	}
	w->grace = event_new(w->base, -1, 0, on_grace_over, w);
	w->respawn = event_new(w->base, -1, 0, on_respawn, w);
	CHECK(w->grace && w->respawn);
}

static void warden_clear(struct warden *w)
{
	size_t i;

	tor_process_free(w->tor);
	doors_free(w->doors);
	warden_link_free(w->link);
	spawner_free(w->spawner);
	for (i = 0; i < SIG_COUNT; i++)
		if (w->signals[i])
			event_free(w->signals[i]);
	if (w->grace)
		event_free(w->grace);
	if (w->respawn)
		event_free(w->respawn);
	event_base_free(w->base);
	if (w->socks_path)
		(void)unlink(w->socks_path);
	if (w->public_path)
		(void)unlink(w->public_path);
	if (w->seeds_path)
		(void)unlink(w->seeds_path);
	free(w->socks_path);
	free(w->seeds_path);
	free(w->public_path);
}

int warden_run(const struct warden_options *o)
{
	struct warden w = { .o = o, .node = -1, .exit_status = 1 };
	struct why why = {0};
	enum err e;

	CHECK(o->dir && o->dir[0] == '/' && o->node_path && o->node_argv);
	CHECK(!o->use_tor || o->tor_program);
	if (spawner_new(&w.spawner, o, &why)) {
		log_error(LOG_NODE, "%s", why.text);
		return 1;
	}
	w.base = event_base_new();
	CHECK(w.base);
	watch_signals(&w);
	e = o->use_tor ? prepare_run(&w, &why) : ERR_NONE;
	if (!e && o->walls)
		e = walls_raise_warden(o->walls, &why);
	if (!e)
		e = start_node(&w, &why);
	if (!e && o->use_tor)
		start_doors(&w);
	if (e) {
		log_error(LOG_NODE, "%s", why.text);
	} else {
		if (o->use_tor)
			start_tor(&w);
		else
			tell_off(&w);
		event_base_dispatch(w.base);
	}
	warden_clear(&w);
	return w.crippled ? 1 : w.exit_status;
}
