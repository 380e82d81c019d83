/*
 * Landlock by its bare system calls (libraries and headers of Debian 12 know
 * only its first versions).  What the kernel does not know of yet is left
 * out; seccomp keeps those doors too.
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULE_PATH_BENEATH 1
#define VERSION_ASKED 1u

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)       /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)    /* 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15)   /* 5 */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | \
		     FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_ALL UINT64_C(3)                /* 4: TCP bind, connect */
#define SCOPE_ALL UINT64_C(3)              /* 6: abstract sockets, signals */

struct ruleset_attr {
	uint64_t fs, net, scope;
};

struct path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			    VERSION_ASKED);
}

static uint64_t fs_known(int abi)
{
	return FS_ALL_1 | (abi >= 2 ? FS_REFER : 0) |
	       (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t rights(enum walls_access a)
{
	const uint64_t read = FS_READ_FILE | FS_READ_DIR;
	const uint64_t change = read | FS_WRITE_FILE | FS_TRUNCATE |
				FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE |
				FS_REMOVE_DIR | FS_REFER;

	switch (a) {
	case WALLS_READ:
		return read;
	case WALLS_EXECUTE:
		return read | FS_EXECUTE;
	case WALLS_DEVICE:
		return FS_READ_FILE | FS_WRITE_FILE;
	case WALLS_CHANGE:
		return change;
	case WALLS_SOCKETS:
		return change | FS_MAKE_SOCK;
	}
	return 0;
}

static int add_path(int ruleset, const struct walls_path *p, uint64_t known)
{
	struct path_attr a = { .access = rights(p->access) & known };
	struct stat st;
	int r;

	a.fd = open(p->path, O_PATH | O_CLOEXEC);
	if (a.fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (fstat(a.fd, &st)) {
		close(a.fd);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		a.access &= FS_OF_FILES;
	r = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH,
			 &a, 0u);
	close(a.fd);
	return r;
}

int landlock_ruleset(const struct walls_path *paths, size_t n, bool no_tcp)
{
	int abi = landlock_abi(), fd;
	struct ruleset_attr attr = {
		.fs = fs_known(abi),
		.net = abi >= 4 && no_tcp ? NET_ALL : 0,
		.scope = abi >= 6 ? SCOPE_ALL : 0,
	};

	if (abi < 1)
		return -1;
	/* Older kernels take a longer structure whose end is zero. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0u);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (add_path(fd, &paths[i], attr.fs)) {
			int e = errno;

			close(fd);
			errno = e;
			return -1;
		}
	}
	return fd;
}

int wall_landlock(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0u);
}
