/*
 * The spawner's two ends.  Its programs, their arguments and what they
 * inherit are fixed when it is forked; a warden in an attacker's hands can
 * have them started, and nothing else.
 */
#include "config.h"

#include "tor/spawner.h"

#include "base/file.h"
#include "tor/child.h"
#include "tor/tor_walls.h"
#include "walls/walls.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENV_FDS "CLOISTER_FDS="
#define NAME "spawner"           /* as ps shows it */

struct spawner {
	int fd;
	pid_t pid;
};

struct reply {
	pid_t pid;               /* where err is ERR_NONE */
	struct why why;
};

/* ---- one packet with descriptors ---- */

static bool send_request(int fd, uint8_t what, const int *fds, size_t n)
{
	struct iovec iov = { &what, 1 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SPAWN_FDS_MAX * sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	ssize_t r;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	do
		r = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r == 1;
}

/* false: the warden is gone, or says what it never would. */
static bool receive_request(int fd, uint8_t *what, int *fds, size_t *n)
{
	struct iovec iov = { what, 1 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SPAWN_FDS_MAX * sizeof(int))];
	} control;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room,
	};
	struct cmsghdr *c;
	ssize_t r;

	do
		r = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	c = r == 1 ? CMSG_FIRSTHDR(&h) : NULL;
	if (!c || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    c->cmsg_type != SCM_RIGHTS)
		return false;
	*n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
	return *n > 0 && *what < SPAWN_COUNT;
}

/* ---- the node ---- */

/* What of our environment may reach the node.  The rest is the owner's:
 * SSH_CONNECTION alone would tell where this machine is. */
static bool env_is_harmless(const char *entry)
{
	static const char *const names[] = {
		"LD_LIBRARY_PATH=", "GLIBC_TUNABLES=", "ASAN_OPTIONS=",
		"LSAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=",
		"GCOV_PREFIX=", "GCOV_PREFIX_STRIP=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The environment with CLOISTER_FDS in the first place. */
static char **node_env(const struct warden_options *o, char *fds)
{
	char *const *env = o->node_env ? o->node_env : environ;
	size_t n = 0, k = 0, i;
	char **out;

	while (env[n])
		n++;
	out = xcalloc(n + 2, sizeof *out);
	out[k++] = fds;
	for (i = 0; i < n; i++)
		if (o->node_env || env_is_harmless(env[i]))
			out[k++] = env[i];
	return out;
}

struct fd_list {
	int fds[WARDEN_FDS_MAX + SPAWN_FDS_MAX];
	size_t n;
	char *text;               /* "CLOISTER_FDS=link=3,…" */
};

static void fd_list_add(struct fd_list *f, const char *name, int fd)
{
	char *longer = xasprintf("%s%s%s=%zu", f->text ? f->text : ENV_FDS,
				 f->text ? "," : "", name, f->n + 3);

	CHECK(f->n < ARRAY_SIZE(f->fds));
	free(f->text);
	f->text = longer;
	f->fds[f->n++] = fd;
}

static enum err start_node(pid_t *pid, const struct warden_options *o,
			   const int *fds, size_t n, struct why *why)
{
	struct fd_list list = {0};
	struct child_spec spec = {
		.path = o->node_path, .argv = o->node_argv, .output = -1,
	};
	char **env;
	enum err e;
	size_t i;

	fd_list_add(&list, "link", fds[0]);
	if (n > 1)
		fd_list_add(&list, "public", fds[1]);
	for (i = 0; i < o->n_node_fds; i++)
		fd_list_add(&list, o->node_fds[i].name, o->node_fds[i].fd);
	env = node_env(o, list.text);
	spec.env = env;
	spec.fds = list.fds;
	spec.n_fds = list.n;
	e = child_spawn(pid, &spec, why);
	free(env);
	free(list.text);
	return e;
}

/* ---- tor ---- */

static enum err start_walled(pid_t *pid, const struct warden_options *o,
			     struct child_spec *spec, struct why *why)
{
	struct walls_child *walls = NULL;
	enum err e = ERR_NONE;

	if (o->walls)
		e = tor_walls_new(&walls, o, spec->path, why);
	spec->walls = walls;
	if (!e)
		e = child_spawn(pid, spec, why);
	walls_child_free(walls);
	return e;
}

static enum err start_tor(pid_t *pid, const struct warden_options *o,
			  bool version, const int *fds, size_t n,
			  struct why *why)
{
	char *program = child_find_program(o->tor_program, why);
	char *torrc = path_join(o->dir, TORRC_BELOW);
	char *none = path_join(o->dir, NO_DEFAULTS_BELOW);
	char *ask[] = { program, (char *)"--version", NULL };
	char *run[] = {
		program, (char *)"--defaults-torrc", none, (char *)"-f",
		torrc, (char *)"--__OwningControllerFD", (char *)"3", NULL,
	};
	struct child_spec spec = {
		.path = program, .argv = version ? ask : run,
		.output = fds[0], .fds = fds + 1, .n_fds = n - 1,
	};
	enum err e = ERR_INPUT;

	if (program)
		e = start_walled(pid, o, &spec, why);
	free(program);
	free(torrc);
	free(none);
	return e;
}

/* ---- the process ---- */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Whatever else the warden had open is not for us nor for our children. */
static void close_others(const struct warden_options *o, int own)
{
	int keep[WARDEN_FDS_MAX + 1], first = 3;
	size_t n = 0, i;

	CHECK(o->n_node_fds <= WARDEN_FDS_MAX);
	keep[n++] = own;
	for (i = 0; i < o->n_node_fds; i++)
		keep[n++] = o->node_fds[i].fd;
	qsort(keep, n, sizeof keep[0], by_number);
	for (i = 0; i < n; i++) {
		child_close_range(first, keep[i] - 1);
		first = keep[i] + 1;
	}
	child_close_range(first, INT32_MAX);
}

static void serve(const struct warden_options *o, int fd)
{
	int fds[SPAWN_FDS_MAX];
	uint8_t what;
	size_t n, i;

	while (receive_request(fd, &what, fds, &n)) {
		struct reply r;
		enum err e;

		memset(&r, 0, sizeof r);
		if (what == SPAWN_NODE)
			e = start_node(&r.pid, o, fds, n, &r.why);
		else
			e = start_tor(&r.pid, o, what == SPAWN_TOR_VERSION,
				      fds, n, &r.why);
		r.why.err = e;
		for (i = 0; i < n; i++)
			close(fds[i]);
		if (send(fd, &r, sizeof r, MSG_NOSIGNAL) != sizeof r)
			break;
	}
}

NORETURN static void spawner_main(const struct warden_options *o, int fd,
				  pid_t warden)
{
	struct why why;

	/* A terminal's Ctrl-C and a service's stop are the warden's. */
	(void)setpgid(0, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close_others(o, fd);
	(void)prctl(PR_SET_NAME, NAME);
	if (o->walls && walls_raise_spawner(o->walls, &why))
		_exit(1);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != warden)
		_exit(1);
	serve(o, fd);
	_exit(0);
}

/* ---- the warden's end ---- */

enum err spawner_new(struct spawner **out, const struct warden_options *o,
		     struct why *why)
{
	struct spawner *s;
	pid_t warden = getpid(), pid;
	int pair[2];
	size_t i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return why_errno(why, "cannot make a socket pair");
	pid = fork();
	if (pid == 0)
		spawner_main(o, pair[1], warden);
	close(pair[1]);
	for (i = 0; i < o->n_node_fds; i++)
		close(o->node_fds[i].fd);
	if (pid < 0) {
		close(pair[0]);
		return why_errno(why, "cannot start another process");
	}
	s = xcalloc(1, sizeof *s);
	s->fd = pair[0];
	s->pid = pid;
	*out = s;
	return ERR_NONE;
}

void spawner_free(struct spawner *s)
{
	if (!s)
		return;
	/* The end of its file ends it; it holds the directory's lock. */
	close(s->fd);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s);
}

pid_t spawner_pid(const struct spawner *s)
{
	return s->pid;
}

enum err spawner_start(struct spawner *s, pid_t *pid, enum spawn what,
		       const int *fds, size_t n, struct why *why)
{
	struct reply r;
	ssize_t got = -1;

	CHECK(n >= 1 && n <= SPAWN_FDS_MAX);
	*pid = -1;
	if (send_request(s->fd, (uint8_t)what, fds, n)) {
		do
			got = recv(s->fd, &r, sizeof r, 0);
		while (got < 0 && errno == EINTR);
	}
	if (got != sizeof r)
		return why_set(why, ERR_STATE, "the process that starts "
			       "programs has ended");
	*why = r.why;
	if (!r.why.err)
		*pid = r.pid;
	return r.why.err;
}
