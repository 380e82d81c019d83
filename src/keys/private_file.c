/*
 * Private files: checked through the descriptor that is then read, so that
 * nothing can be put in between.
 */
#include "config.h"

#include "keys/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err foreign(const char *path, uid_t owner, struct why *why)
{
	return why_set(why, ERR_INPUT, "%s belongs to another user (%u, this "
		       "is %u): if it is yours, run: chown %u '%s'", path,
		       (unsigned)owner, (unsigned)geteuid(),
		       (unsigned)geteuid(), path);
}

static enum err check(const struct stat *st, bool input, const char *path,
		      struct why *why)
{
	unsigned mode = st->st_mode & 07777;

	if (S_ISDIR(st->st_mode))
		return why_set(why, ERR_INPUT, "%s is a directory, where a "
			       "file should be", path);
	if (input && S_ISFIFO(st->st_mode))
		return ERR_NONE;
	if (!S_ISREG(st->st_mode))
		return why_set(why, ERR_INPUT, "%s is not a regular file",
			       path);
	if (st->st_uid != geteuid() && !(input && st->st_uid == 0))
		return foreign(path, st->st_uid, why);
	if (mode & 077)
		return why_set(why, ERR_INPUT, "other users may read or write "
			       "%s (mode %04o): run: chmod 600 '%s'", path,
			       mode, path);
	return ERR_NONE;
}

enum err private_fd_read(struct secret *out, int fd, const char *name,
			 struct why *why)
{
	for (;;) {
		uint8_t beyond;
		bool full = out->n == out->cap;
		ssize_t got = full ? read(fd, &beyond, 1)
				   : read(fd, out->p + out->n,
					  out->cap - out->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return why_errno(why, "cannot read %s", name);
		if (got == 0)
			return ERR_NONE;
		if (full) {
			bytes_wipe(&beyond, 1);
			return why_set(why, ERR_INPUT, "%s is longer than %zu "
				       "bytes", name, out->cap);
		}
		out->n += (size_t)got;
	}
}

static enum err cannot_open(const char *path, struct why *why)
{
	int error = errno;
	struct stat st;

	if (error == EACCES && stat(path, &st) == 0 &&
	    st.st_uid != geteuid())
		return foreign(path, st.st_uid, why);
	if (error == ELOOP)
		return why_set(why, ERR_INPUT, "%s is a symbolic link, where "
			       "the file itself should be", path);
	return why_set(why, ERR_INPUT, "cannot open %s: %s", path,
		       strerror(error));
}

static enum err read_checked(struct secret *out, const char *path,
			     bool input, struct why *why)
{
	/* Nothing that is not a file may make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
		      (input ? 0 : O_NONBLOCK | O_NOFOLLOW));
	struct stat st;
	enum err e;

	if (fd < 0)
		return cannot_open(path, why);
	if (fstat(fd, &st))
		e = why_errno(why, "cannot look at %s", path);
	else
		e = check(&st, input, path, why);
	if (!e)
		e = private_fd_read(out, fd, path, why);
	close(fd);
	return e;
}

enum err private_file_read(struct secret *out, const char *path,
			   struct why *why)
{
	return read_checked(out, path, false, why);
}

enum err private_file_read_input(struct secret *out, const char *path,
				 struct why *why)
{
	return read_checked(out, path, true, why);
}
