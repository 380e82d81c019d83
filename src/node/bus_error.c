/*
 * The handler may be on any thread, in the middle of anything: it uses its
 * stack and system calls, nothing else.  Which file it was is told by the
 * list of the process's mappings, opened beforehand since the walls keep
 * /proc away.
 */
#include "config.h"

#include "node/bus_error.h"

#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 1024

/* A handler is given no object. */
static int maps_fd = -1;

static void say_to(int fd, const char *file)
{
	static const char *const parts[] = {
		"Error: cannot read ", NULL,
		": the disk failed below it, or it was cut short (bus error); "
		"check the disk, then start again\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *s = parts[i] ? parts[i] : file;

		if (write(fd, s, strlen(s)) < 0)
			return;
	}
}

/* A hex number's end; *n gets it. */
static const char *read_hex(uintptr_t *n, const char *s)
{
	for (*n = 0;; s++) {
		if (*s >= '0' && *s <= '9')
			*n = *n << 4 | (uintptr_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*n = *n << 4 | (uintptr_t)(*s - 'a' + 10);
		else
			return s;
	}
}

/* "from-to perms offset device inode   /path": the path, if at is in it. */
static const char *path_at(const char *line, uintptr_t at)
{
	uintptr_t from, to;
	const char *s = read_hex(&from, line);

	if (*s != '-')
		return NULL;
	read_hex(&to, s + 1);
	return at >= from && at < to ? strchr(line, '/') : NULL;
}

/* The file mapped at an address, in line; NULL: none is. */
static const char *file_at(char line[static LINE_BYTES], uintptr_t at)
{
	off_t offset = 0;
	size_t have = 0;

	for (;;) {
		ssize_t got = pread(maps_fd, line + have,
				    LINE_BYTES - 1 - have, offset);
		const char *path;
		char *end;

		if (got > 0) {
			have += (size_t)got;
			offset += got;
		}
		line[have] = '\0';
		end = strchr(line, '\n');
		if (!end)
			return NULL;
		*end = '\0';
		path = path_at(line, at);
		if (path)
			return path;
		have -= (size_t)(end + 1 - line);
		memmove(line, end + 1, have);
	}
}

static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	char line[LINE_BYTES];
	const char *file = NULL;

	(void)context;
	if (info->si_code == BUS_ADRERR)
		file = file_at(line, (uintptr_t)info->si_addr);
	if (!file) {
		/* Some other mistake: as if this were not here. */
		signal(sig, SIG_DFL);
		return;
	}
	say_to(STDERR_FILENO, file);
	if (log_fd() >= 0)
		say_to(log_fd(), file);
	_exit(1);
}

void bus_error_watch(void)
{
	struct sigaction sa = { .sa_sigaction = on_bus_error,
				.sa_flags = SA_SIGINFO };

	maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	sigaction(SIGBUS, &sa, NULL);
}
