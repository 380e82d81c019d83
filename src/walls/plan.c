/*
 * Which walls can be raised here, found out by raising them in a child
 * process that then ends.
 */
#include "config.h"

#include "walls/walls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "walls/walls_priv.h"

static const char *const wall_names[WALL_COUNT] = {
	[WALL_NETWORK] = "network_namespace",
	[WALL_NO_CAPS] = "no_capabilities",
	[WALL_NO_CORE] = "core_dumps_off",
	[WALL_NO_NEW_PRIVS] = "no_new_privileges",
	[WALL_LANDLOCK] = "landlock",
	[WALL_SECCOMP] = "seccomp",
};

static const char *const mode_names[] = {
	[WALLS_BEST] = "best", [WALLS_STRICT] = "strict",
	[WALLS_AUTO] = "auto", [WALLS_OFF] = "off",
};

const char *wall_name(enum wall w)
{
	return wall_names[w];
}

const char *walls_mode_name(enum walls_mode m)
{
	return mode_names[m];
}

bool walls_mode_read(enum walls_mode *out, const char *text)
{
	for (int m = WALLS_STRICT; m <= WALLS_OFF; m++) {
		if (strcmp(text, mode_names[m]) == 0) {
			*out = (enum walls_mode)m;
			return true;
		}
	}
	return false;
}

/* ---- in the child ---- */

static int try_landlock(void)
{
	const struct walls_path root = { "/", WALLS_READ };
	int fd = landlock_ruleset(&root, 1, true);

	return fd < 0 ? -1 : wall_landlock(fd);
}

static int try_seccomp(void)
{
	struct filter f;

	if (filter_node(&f, NULL))
		return -1;
	return wall_seccomp(&f);
}

static int try_wall(enum wall w)
{
	switch (w) {
	case WALL_NETWORK:
		return wall_network();
	case WALL_NO_CAPS:
		return wall_no_caps();
	case WALL_NO_CORE:
		return wall_no_core();
	case WALL_NO_NEW_PRIVS:
		return wall_no_new_privs();
	case WALL_LANDLOCK:
		return try_landlock();
	case WALL_SECCOMP:
		return try_seccomp();
	case WALL_COUNT:
		break;
	}
	return -1;
}

/* What became of one wall; 0 for raised, else errno. */
NORETURN static void probe(int fd)
{
	for (int w = 0; w < WALL_COUNT; w++) {
		int result = try_wall((enum wall)w) ? errno : 0;

		if (write(fd, &result, sizeof result) != sizeof result)
			break;
	}
	_exit(0);
}

/* ---- in the parent ---- */

static void reason(char *out, size_t size, enum wall w, int error)
{
	if (w == WALL_NETWORK)
		wall_network_reason(out, size, error);
	else if (w == WALL_LANDLOCK && error == ENOSYS)
		snprintf(out, size, "the kernel has no Landlock (it came with "
			 "5.13), or a container hides it");
	else if (w == WALL_LANDLOCK && error == EOPNOTSUPP)
		snprintf(out, size, "the kernel has Landlock but it is "
			 "switched off (boot with lsm=landlock,…)");
	else if (w == WALL_SECCOMP && (error == EINVAL || error == ENOSYS))
		snprintf(out, size, "the kernel has no seccomp filters "
			 "(CONFIG_SECCOMP_FILTER)");
	else
		snprintf(out, size, "%s", strerror(error));
}

static bool read_result(int fd, int *result)
{
	ssize_t n;

	do
		n = read(fd, result, sizeof *result);
	while (n < 0 && errno == EINTR);
	return n == sizeof *result;
}

static void collect(struct walls_plan *p, int fd)
{
	for (int w = 0; w < WALL_COUNT; w++) {
		char *text = p->why_not[w];
		int result;

		if (!read_result(fd, &result)) {
			snprintf(text, sizeof p->why_not[w], "the attempt was "
				 "killed (by a container's seccomp profile?)");
			continue;
		}
		p->up[w] = result == 0;
		if (result)
			reason(text, sizeof p->why_not[w], (enum wall)w,
			       result);
	}
}

static enum err probe_all(struct walls_plan *p, struct why *why)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return why_errno(why, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		probe(fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return why_errno(why, "cannot start another process");
	}
	collect(p, fds[0]);
	close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ERR_NONE;
}

static enum err refuse(const struct walls_plan *p, struct why *why)
{
	char text[sizeof why->text] = "";
	size_t n = 0;

	for (int w = 0; w < WALL_COUNT; w++) {
		if (p->up[w] || n >= sizeof text)
			continue;
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s: %s",
				      n ? "; " : "", wall_names[w],
				      p->why_not[w]);
	}
	return why_set(why, ERR_STATE, "-walls=strict, and not all walls can "
		       "be raised (-walls=auto does without): %.300s", text);
}

enum err walls_plan_make(struct walls_plan *out, enum walls_mode wish,
			 struct why *why)
{
	bool all = true;
	enum err e;

	memset(out, 0, sizeof *out);
	out->mode = wish;
	out->sanitizer = WALLS_SANITIZER;
	if (wish == WALLS_OFF)
		return ERR_NONE;
	e = probe_all(out, why);
	if (e)
		return e;
	for (int w = 0; w < WALL_COUNT; w++)
		all = all && out->up[w];
	if (out->up[WALL_LANDLOCK])
		out->landlock_abi = landlock_abi();
	if (wish == WALLS_BEST)
		out->mode = all ? WALLS_STRICT : WALLS_AUTO;
	if (out->mode == WALLS_STRICT && !all)
		return refuse(out, why);
	return ERR_NONE;
}
