/*
 * Put under a process with LD_PRELOAD: writes down, in order, what it does
 * to the files below a directory, and makes calls fail when told to.  Each
 * call and its record are one step under a lock, so the log's order is the
 * order in which the kernel saw the calls.
 */
#include "config.h"

#include "tests/crash/tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 4096
#define PATH_BYTES 512

/* An interposer has nobody to hand it an object. */
static struct {
	pthread_mutex_t lock;
	char root[PATH_BYTES];
	size_t root_n;
	int log_fd;
	struct tap_control *control;
	uint64_t handles;
	struct open_file {
		uint64_t handle;         /* 0: not ours */
		char path[PATH_BYTES];
	} open[FDS];
} tap = { .lock = PTHREAD_MUTEX_INITIALIZER, .log_fd = -1 };

/* ---- set-up ------------------------------------------------------------- */

static void control_map(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = (void *)syscall(SYS_mmap, NULL, sizeof(*tap.control),
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p != MAP_FAILED)
		tap.control = p;
}

__attribute__((constructor)) static void tap_start(void)
{
	const char *root = getenv(TAP_ROOT), *log = getenv(TAP_LOG);
	const char *control = getenv(TAP_CONTROL);

	if (!root || strlen(root) + 1 >= sizeof(tap.root))
		return;
	tap.root_n = strlen(root);
	memcpy(tap.root, root, tap.root_n + 1);
	tap.handles = (uint64_t)getpid() << 32;
	if (log)
		tap.log_fd = (int)syscall(SYS_openat, AT_FDCWD, log,
					  O_WRONLY | O_CREAT | O_APPEND |
					  O_CLOEXEC, 0600);
	if (control)
		control_map(control);
}

/* The path below the root; NULL: not ours. */
static const char *below(const char *path)
{
	if (!tap.root_n || strncmp(path, tap.root, tap.root_n) != 0)
		return NULL;
	path += tap.root_n;
	if (*path != '/' && *path != '\0')
		return NULL;
	while (*path == '/')
		path++;
	if (strstr(path, "debug.log") || strlen(path) >= PATH_BYTES)
		return NULL;
	return path;
}

static struct open_file *file_of(int fd)
{
	if (fd < 0 || fd >= FDS || !tap.open[fd].handle)
		return NULL;
	return &tap.open[fd];
}

/* ---- the log ------------------------------------------------------------ */

static void put(uint32_t op, uint64_t handle, uint64_t offset,
		const void *p, size_t n)
{
	struct tap_record r = { .op = op, .handle = handle,
				.offset = offset, .n = n };
	struct iovec v[2] = { { &r, sizeof(r) }, { (void *)p, n } };
	ssize_t did;

	if (tap.log_fd < 0)
		return;
	did = syscall(SYS_writev, tap.log_fd, v, n ? 2 : 1);
	if (did != (ssize_t)(sizeof(r) + n))
		abort();
}

static void put_text(uint32_t op, const char *text)
{
	put(op, 0, 0, text, strlen(text));
}

__attribute__((visibility("default"))) void tap_mark(const char *text);
void tap_mark(const char *text)
{
	pthread_mutex_lock(&tap.lock);
	put_text(TAP_MARK, text);
	pthread_mutex_unlock(&tap.lock);
}

/* ---- failing ------------------------------------------------------------ */

/* Shall this call fail?  errno is set, or TAP_SHORT returned; 0: no. */
static int fails(uint32_t call, const char *path)
{
	struct tap_control *c = tap.control;

	if (!c || !c->armed || !(c->calls & call) || !strstr(path, c->path))
		return 0;
	if (c->seen++ < c->skip || (c->times && c->hits >= c->times))
		return 0;
	c->hits++;
	if (c->error == TAP_KILL) {
		syscall(SYS_kill, getpid(), SIGKILL);
		for (;;)
			pause();
	}
	if (c->error > 0)
		errno = c->error;
	return c->error;
}

/* ---- files -------------------------------------------------------------- */

static int open_real(int dir, const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static void opened(int fd, const char *rel, int flags, bool existed)
{
	uint64_t what = 0;
	struct stat st;

	if (fd >= FDS)
		abort();
	tap.open[fd].handle = ++tap.handles;
	memcpy(tap.open[fd].path, rel, strlen(rel) + 1);
	if (!existed)
		what |= TAP_CREATED;
	else if (flags & O_TRUNC)
		what |= TAP_TRUNCATED;
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		what |= TAP_DIRECTORY;
	/* Who only reads a file changes nothing. */
	if ((flags & O_ACCMODE) != O_RDONLY || what)
		put(TAP_OPEN, tap.handles, what, rel, strlen(rel));
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
	const char *rel = dir == AT_FDCWD || *path == '/' ? below(path) : NULL;
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
	bool existed;
	int fd;

	if (!rel)
		return open_real(dir, path, flags, mode);
	pthread_mutex_lock(&tap.lock);
	existed = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
	if (fails(writes ? TAP_FAIL_CREATE : TAP_FAIL_OPEN, rel) > 0)
		fd = -1;
	else
		fd = open_real(dir, path, flags, mode);
	if (fd >= 0)
		opened(fd, rel, flags, existed);
	pthread_mutex_unlock(&tap.lock);
	return fd;
}

#define MODE_ARGUMENT(flags, mode) do {                          \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                   \
		va_list ap;                                      \
		va_start(ap, flags);                             \
		mode = va_arg(ap, mode_t);                       \
		va_end(ap);                                      \
	}                                                        \
} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	return open_any(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	return open_any(dir, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int close(int fd)
{
	int status;

	pthread_mutex_lock(&tap.lock);
	if (file_of(fd))
		tap.open[fd].handle = 0;
	status = (int)syscall(SYS_close, fd);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

/* ---- writing ------------------------------------------------------------ */

/* How much of n may be written; 0 with errno: fail. */
static size_t allowed(const struct open_file *f, size_t n)
{
	int bad = fails(TAP_FAIL_WRITE, f->path);

	if (bad == TAP_SHORT)
		return n > 1 ? n / 2 : n;
	return bad ? 0 : n;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
	struct open_file *f = file_of(fd);
	ssize_t did = -1;

	if (!f)
		return syscall(SYS_pwrite64, fd, p, n, offset);
	pthread_mutex_lock(&tap.lock);
	n = n ? allowed(f, n) : 0;
	if (n)
		did = syscall(SYS_pwrite64, fd, p, n, offset);
	if (did > 0)
		put(TAP_WRITE, f->handle, (uint64_t)offset, p, (size_t)did);
	pthread_mutex_unlock(&tap.lock);
	return did;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t offset)
{
	return pwrite(fd, p, n, offset);
}

ssize_t write(int fd, const void *p, size_t n)
{
	struct open_file *f = file_of(fd);
	ssize_t did = -1;

	if (!f || !n)
		return syscall(SYS_write, fd, p, n);
	pthread_mutex_lock(&tap.lock);
	n = allowed(f, n);
	if (n)
		did = syscall(SYS_write, fd, p, n);
	/* Where it went is told by where the descriptor stands now. */
	if (did > 0)
		put(TAP_WRITE, f->handle,
		    (uint64_t)(syscall(SYS_lseek, fd, 0, SEEK_CUR) - did), p,
		    (size_t)did);
	pthread_mutex_unlock(&tap.lock);
	return did;
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	if (!file_of(fd))
		return syscall(SYS_writev, fd, v, count);
	/* A short count is allowed; nobody here writes so. */
	return write(fd, v[0].iov_base, v[0].iov_len);
}

static int truncated(int fd, off_t size)
{
	struct open_file *f = file_of(fd);
	int status = -1;

	if (!f)
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_TRUNCATE, f->path))
		status = (int)syscall(SYS_ftruncate, fd, size);
	if (!status)
		put(TAP_TRUNCATE, f->handle, (uint64_t)size, NULL, 0);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

int ftruncate(int fd, off_t size)
{
	return truncated(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return truncated(fd, size);
}

/* Room that is only reserved, or a size that grows: zeros either way. */
int fallocate(int fd, int mode, off_t offset, off_t n)
{
	struct open_file *f = file_of(fd);
	struct stat st;
	int status = -1;

	if (!f)
		return (int)syscall(SYS_fallocate, fd, mode, offset, n);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_WRITE, f->path))
		status = (int)syscall(SYS_fallocate, fd, mode, offset, n);
	if (!status && !fstat(fd, &st))
		put(TAP_TRUNCATE, f->handle, (uint64_t)st.st_size, NULL, 0);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

static int synced(int fd, long number)
{
	struct open_file *f = file_of(fd);
	int status = -1;

	if (!f)
		return (int)syscall(number, fd);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_SYNC, f->path))
		status = (int)syscall(number, fd);
	if (!status)
		put(TAP_SYNC, f->handle, 0, NULL, 0);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	struct open_file *f = file_of(fd);

	if (f && prot & PROT_WRITE && flags & MAP_SHARED) {
		pthread_mutex_lock(&tap.lock);
		put_text(TAP_MAP_WRITE, f->path);
		pthread_mutex_unlock(&tap.lock);
	}
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset)
{
	return mmap(at, n, prot, flags, fd, offset);
}

/* ---- reading ------------------------------------------------------------ */

/* A page past the end of the file: touching it is what a disk error below a
 * mapping is. */
static void bus_error(int fd)
{
	const off_t far = (off_t)1 << 40;
	volatile const char *p = (const char *)syscall(
		SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED, fd, far);

	(void)*p;
}

static bool read_fails(int fd)
{
	struct open_file *f = file_of(fd);
	int bad = f ? fails(TAP_FAIL_READ, f->path) : 0;

	if (bad == TAP_BUS)
		bus_error(fd);
	return bad > 0;
}

ssize_t read(int fd, void *p, size_t n)
{
	return read_fails(fd) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t offset)
{
	return read_fails(fd) ? -1
			      : syscall(SYS_pread64, fd, p, n, offset);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t offset)
{
	return pread(fd, p, n, offset);
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return n > room ? -1 : read(fd, p, n);
}

ssize_t __pread_chk(int fd, void *p, size_t n, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t offset, size_t room)
{
	return n > room ? -1 : pread(fd, p, n, offset);
}

ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t offset, size_t room)
{
	return n > room ? -1 : pread(fd, p, n, offset);
}

/* ---- names -------------------------------------------------------------- */

int rename(const char *from, const char *to)
{
	const char *a = below(from), *b = below(to);
	char both[2 * PATH_BYTES];
	size_t n;
	int status = -1;

	if (!a || !b)
		return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD,
				    to);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_RENAME, b))
		status = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD,
				      to);
	n = strlen(a) + 1;
	memcpy(both, a, n);
	memcpy(both + n, b, strlen(b));
	if (!status)
		put(TAP_RENAME, 0, 0, both, n + strlen(b));
	pthread_mutex_unlock(&tap.lock);
	return status;
}

static int unlinked(const char *path, int flags)
{
	const char *rel = below(path);
	int status = -1;

	if (!rel)
		return (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_UNLINK, rel))
		status = (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
	if (!status)
		put_text(flags ? TAP_RMDIR : TAP_UNLINK, rel);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

int unlink(const char *path)
{
	return unlinked(path, 0);
}

int rmdir(const char *path)
{
	return unlinked(path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
	const char *rel = below(path);
	int status = -1;

	if (!rel)
		return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	pthread_mutex_lock(&tap.lock);
	if (!fails(TAP_FAIL_MKDIR, rel))
		status = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	if (!status)
		put_text(TAP_MKDIR, rel);
	pthread_mutex_unlock(&tap.lock);
	return status;
}

/* ---- the node ----------------------------------------------------------- */

/* The warden gives its node a clean environment: what is ours goes along. */
int execve(const char *path, char *const argv[], char *const env[])
{
	static const char *const names[] = { "LD_PRELOAD", TAP_ROOT, TAP_LOG,
					     TAP_CONTROL };
	char *all[64], text[4][PATH_BYTES + 32];
	size_t n = 0, i;

	while (env[n] && n < 50) {
		all[n] = env[n];
		n++;
	}
	for (i = 0; i < 4 && strncmp(env[0], "CLOISTER_FDS=", 13) == 0; i++) {
		const char *value = getenv(names[i]);

		if (!value || (size_t)snprintf(text[i], sizeof(text[i]),
					       "%s=%s", names[i], value) >=
				      sizeof(text[i]))
			continue;
		all[n++] = text[i];
	}
	all[n] = NULL;
	return (int)syscall(SYS_execve, path, argv, n < 50 ? all : env);
}
