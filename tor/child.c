/*
 * Fork and exec, with the few things every child of the warden needs.
 */
#include "config.h"

#include "tor/child.h"

#include "base/base.h"
#include "walls/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- in the child: async-signal-safe calls only ---- */

NORETURN static void child_give_up(int report_fd)
{
	int e = errno;
	ssize_t n = write(report_fd, &e, sizeof e);

	_exit(n == (ssize_t)sizeof e ? 127 : 126);
}

void child_close_range(int first, int last)
{
	int fd;

	if (last < first || close_range((unsigned)first, (unsigned)last, 0) == 0)
		return;
	for (fd = first; fd <= MIN_OF(last, 65535); fd++)
		close(fd);
}

/* Put the wanted descriptors at 3, 4, …, the report pipe behind them. */
static int arrange_fds(const struct child_spec *s, int report_fd)
{
	int first_free = 3 + (int)s->n_fds + 1;
	int high[CHILD_FDS_MAX];
	int null = open("/dev/null", O_RDWR);
	size_t i;

	report_fd = fcntl(report_fd, F_DUPFD, first_free);
	if (report_fd < 0 || null < 0)
		_exit(126);
	for (i = 0; i < s->n_fds; i++) {
		high[i] = fcntl(s->fds[i], F_DUPFD, first_free);
		if (high[i] < 0)
			child_give_up(report_fd);
	}
	if (dup2(null, 0) < 0 ||
	    (s->output >= 0 &&
	     (dup2(s->output, 1) < 0 || dup2(s->output, 2) < 0)))
		child_give_up(report_fd);
	for (i = 0; i < s->n_fds; i++)
		if (dup2(high[i], 3 + (int)i) < 0)
			child_give_up(report_fd);
	if (dup3(report_fd, first_free - 1, O_CLOEXEC) < 0)
		child_give_up(report_fd);
	child_close_range(first_free, INT_MAX);
	return first_free - 1;
}

NORETURN static void child_main(const struct child_spec *s, int report_fd,
				pid_t parent)
{
	sigset_t none;

	if (s->walls && walls_child_raise(s->walls))
		child_give_up(report_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	report_fd = arrange_fds(s, report_fd);
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_give_up(report_fd);
	if (getppid() != parent)
		_exit(126);
	umask(077);
	execve(s->path, s->argv, s->env ? s->env : environ);
	child_give_up(report_fd);
}

/* ---- in the parent ---- */

/* Wait for exec: the pipe closes, or tells errno. */
static enum err child_await_exec(int report_fd, const char *path,
				 struct why *why)
{
	int child_errno = 0;
	ssize_t n;

	do
		n = read(report_fd, &child_errno, sizeof child_errno);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return ERR_NONE;
	errno = n == (ssize_t)sizeof child_errno ? child_errno : EIO;
	return why_errno(why, "cannot execute %s", path);
}

enum err child_spawn(pid_t *pid, const struct child_spec *spec,
		     struct why *why)
{
	pid_t parent = getppid();
	int report[2];
	enum err e;

	CHECK(spec->n_fds <= CHILD_FDS_MAX);
	if (pipe2(report, O_CLOEXEC) < 0)
		return why_errno(why, "cannot make a pipe");
	/* fork() makes no siblings; there are no threads to mind. */
	*pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (*pid == 0)
		child_main(spec, report[1], parent);
	close(report[1]);
	if (*pid < 0)
		e = why_errno(why, "cannot start another process");
	else
		e = child_await_exec(report[0], spec->path, why);
	close(report[0]);
	if (e)
		*pid = -1;
	return e;
}

/* ---- programs ---- */

static bool is_program(const char *path, bool *exists)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*exists = true;
	return access(path, X_OK) == 0;
}

static char *find_in_path(const char *name, bool *exists)
{
	const char *path = getenv("PATH");
	char *list = xasprintf("%s:/usr/local/bin:/usr/bin:/usr/sbin",
			       path && *path ? path : "/bin");
	char *found = NULL;
	char *rest = list;
	char *dir;

	while (!found && (dir = strsep(&rest, ":")) != NULL) {
		if (dir[0] != '/')
			continue;
		found = xasprintf("%s/%s", dir, name);
		if (!is_program(found, exists)) {
			free(found);
			found = NULL;
		}
	}
	free(list);
	return found;
}

char *child_find_program(const char *name, struct why *why)
{
	bool exists = false;
	char *found = NULL;

	if (!strchr(name, '/'))
		found = find_in_path(name, &exists);
	else if (is_program(name, &exists))
		found = xstrdup(name);
	if (found)
		return found;
	if (exists)
		why_set(why, ERR_INPUT, "the program %s is there, but this "
			"user may not execute it", name);
	else
		why_set(why, ERR_INPUT, "there is no program %s: install it "
			"(on Debian: apt-get install tor), or say where it is",
			name);
	return NULL;
}

const char *child_status_text(char *out, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
	return out;
}
