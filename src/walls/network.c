/*
 * An empty network namespace: no interface is up, not even loopback, and the
 * abstract unix sockets of the machine are out of reach.  An ordinary user
 * gets one inside a user namespace, where its ids stay what they are.
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = write(fd, text, n);
	close(fd);
	return done == (ssize_t)n ? 0 : -1;
}

static int map_id(const char *path, unsigned id)
{
	char line[64];

	snprintf(line, sizeof line, "%u %u 1\n", id, id);
	return write_text(path, line);
}

int wall_network(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	if (write_text("/proc/self/setgroups", "deny") ||
	    map_id("/proc/self/uid_map", uid) ||
	    map_id("/proc/self/gid_map", gid))
		return -1;
	return 0;
}

/* The number in a file of /proc/sys; -1 if there is none. */
static long sysctl_value(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

void wall_network_reason(char *out, size_t size, int error)
{
	static const struct {
		const char *path;
		long bad;
		const char *text;
	} switches[] = {
		{ "/proc/sys/user/max_user_namespaces", 0,
		  "user namespaces are switched off (sysctl "
		  "user.max_user_namespaces is 0)" },
		{ "/proc/sys/user/max_net_namespaces", 0,
		  "network namespaces are switched off (sysctl "
		  "user.max_net_namespaces is 0)" },
		{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
		  "this distribution keeps user namespaces from ordinary users "
		  "(sysctl kernel.unprivileged_userns_clone is 0)" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
		  "AppArmor keeps user namespaces from ordinary users (sysctl "
		  "kernel.apparmor_restrict_unprivileged_userns is 1)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (sysctl_value(switches[i].path) == switches[i].bad) {
			snprintf(out, size, "%s", switches[i].text);
			return;
		}
	}
	if (error == EPERM || error == EACCES)
		snprintf(out, size, "namespaces are forbidden here (by a "
			 "container's seccomp profile, or in a chroot)");
	else if (error == ENOSYS || error == EINVAL)
		snprintf(out, size, "the kernel has no user or network "
			 "namespaces (CONFIG_USER_NS, CONFIG_NET_NS)");
	else
		snprintf(out, size, "a network namespace cannot be made: %s",
			 strerror(error));
}
