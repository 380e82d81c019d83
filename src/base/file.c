/*
 * Files and directories, with errors that name them.
 */
#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_STEP (64 * 1024)
#define LOCK_TRIES 600           /* of 50 ms */

/* One read() into the space already reserved; 0 at the end, -1 on error. */
static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static enum err read_all(struct bytes *out, int fd, const char *path,
			 size_t max, struct why *why)
{
	size_t total = 0;

	for (;;) {
		size_t room = MIN_OF(max - total, (size_t)READ_STEP);
		ssize_t got;

		/* One byte more than allowed shows that there is more. */
		bytes_reserve(out, room + 1);
		got = read_some(fd, out->p + out->n, room + 1);
		if (got < 0)
			return why_errno(why, "cannot read %s", path);
		if (got == 0)
			return ERR_NONE;
		total += (size_t)got;
		if (total > max)
			return why_set(why, ERR_LIMIT,
				       "%s is longer than %zu bytes",
				       path, max);
		out->n += (size_t)got;
	}
}

enum err file_read(struct bytes *out, const char *path, size_t max,
		   struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t before = out->n;
	enum err e;

	if (fd < 0)
		return why_errno(why, "cannot open %s", path);
	e = read_all(out, fd, path, max, why);
	if (e)
		out->n = before;
	close(fd);
	return e;
}

static enum err write_all(int fd, struct span s, const char *path,
			  struct why *why)
{
	while (s.n) {
		ssize_t did = write(fd, s.p, s.n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return why_errno(why, "cannot write %s", path);
		s.p += did;
		s.n -= (size_t)did;
	}
	return ERR_NONE;
}

/* Create, fill and sync a file; removed again if anything fails. */
static enum err write_new(const char *path, struct span data, mode_t mode,
			  struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
		      O_CLOEXEC, mode);
	enum err e;

	if (fd < 0)
		return why_errno(why, "cannot create %s", path);
	if (fchmod(fd, mode)) {
		e = why_errno(why, "cannot set the mode of %s", path);
		goto out;
	}
	e = write_all(fd, data, path, why);
	if (!e && fsync(fd))
		e = why_errno(why, "cannot sync %s", path);
out:
	if (close(fd) && !e)
		e = why_errno(why, "cannot close %s", path);
	if (e)
		unlink(path);
	return e;
}

/* The directory part of path, in a new string. */
static char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;

	if (!slash)
		return xstrdup(".");
	if (slash == path)
		return xstrdup("/");
	dir = xstrdup(path);
	dir[slash - path] = '\0';
	return dir;
}

/* A new name is durable when its directory has been synced. */
static enum err parent_sync(const char *path, struct why *why)
{
	char *dir = path_parent(path);
	enum err e = dir_sync(dir, why);

	free(dir);
	return e;
}

enum err file_replace(const char *path, struct span data, mode_t mode,
		      struct why *why)
{
	char *fresh = xasprintf("%s.new", path);
	enum err e;

	e = write_new(fresh, data, mode, why);
	if (e)
		goto out;
	if (rename(fresh, path)) {
		e = why_errno(why, "cannot rename %s to %s", fresh, path);
		unlink(fresh);
		goto out;
	}
	e = parent_sync(path, why);
out:
	free(fresh);
	return e;
}

/* Make one directory; fine if it is there already. */
static enum err dir_make_one(const char *path, mode_t mode, struct why *why)
{
	struct stat st;
	int e;

	if (mkdir(path, mode) == 0)
		return parent_sync(path, why);
	e = errno;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return ERR_NONE;
		return why_set(why, ERR_IO, "%s is not a directory", path);
	}
	errno = e;
	return why_errno(why, "cannot make directory %s", path);
}

enum err dir_make(const char *path, mode_t mode, struct why *why)
{
	char *copy = xstrdup(path), *p = copy;
	enum err e = ERR_NONE;

	while (!e && *p) {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		if (*p) {
			*p = '\0';
			e = dir_make_one(copy, mode, why);
			*p++ = '/';
			p += strspn(p, "/");
		} else {
			e = dir_make_one(copy, mode, why);
		}
	}
	free(copy);
	return e;
}

enum err dir_sync(const char *path, struct why *why)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = ERR_NONE;

	if (fd < 0)
		return why_errno(why, "cannot open directory %s", path);
	if (fsync(fd))
		e = why_errno(why, "cannot sync directory %s", path);
	close(fd);
	return e;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

enum err file_pread(int fd, void *out, size_t n, uint64_t offset,
		    const char *name, struct why *why)
{
	uint8_t *p = out;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return why_errno(why, "cannot read %s at %" PRIu64,
					 name, offset);
		if (got == 0)
			return why_set(why, ERR_CORRUPT,
				       "%s ends early, at %" PRIu64,
				       name, offset);
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return ERR_NONE;
}

enum err file_pwrite(int fd, const void *data, size_t n, uint64_t offset,
		     const char *name, struct why *why)
{
	const uint8_t *p = data;

	while (n) {
		ssize_t did = pwrite(fd, p, n, (off_t)offset);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return why_errno(why, "cannot write %s at %" PRIu64,
					 name, offset);
		p += did;
		n -= (size_t)did;
		offset += (uint64_t)did;
	}
	return ERR_NONE;
}

/* The process that took the lock, as far as the file says; 0: unknown. */
static long lock_holder(int fd)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? strtol(text, NULL, 10) : 0;
}

/*
 * Take the lock.  Where the one who took it is gone, its children hold it
 * still and are ending: give them time.
 */
static bool lock_take(int fd)
{
	/* Conflicts with classic fcntl locks and survives a fork. */
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	for (int tries = 0; fcntl(fd, F_OFD_SETLK, &fl); tries++) {
		long pid;

		if (errno != EAGAIN && errno != EACCES)
			return false;
		pid = lock_holder(fd);
		if (pid <= 0 || tries >= LOCK_TRIES ||
		    kill((pid_t)pid, 0) == 0 || errno != ESRCH) {
			errno = EAGAIN;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum err lock_refused(int fd, const char *path, struct why *why)
{
	long pid = lock_holder(fd);

	if (pid > 0)
		return why_set(why, ERR_STATE,
			       "%s is locked by process %ld", path, pid);
	return why_set(why, ERR_STATE, "%s is locked by another process",
		       path);
}

enum err dir_lock(int *fd, const char *dir, struct why *why)
{
	char *path = path_join(dir, ".lock");
	char text[24];
	enum err e = ERR_NONE;
	int n, f;

	f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f < 0) {
		e = why_errno(why, "cannot open %s", path);
		goto out;
	}
	if (!lock_take(f)) {
		e = errno == EAGAIN ? lock_refused(f, path, why)
			    : why_errno(why, "cannot lock %s", path);
		goto out;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(f, 0)) {
		e = why_errno(why, "cannot write %s", path);
		goto out;
	}
	e = file_pwrite(f, text, (size_t)n, 0, path, why);
	if (e)
		goto out;
	*fd = f;
	f = -1;
out:
	if (f >= 0)
		close(f);
	free(path);
	return e;
}

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir,
			 n && dir[n - 1] == '/' ? "" : "/", name);
}
