/*
 * /dev/shm, or the user's runtime directory, if they are what they seem.
 */
#include "config.h"

#include "tor/ram_dir.h"

#include "base/bytes.h"
#include "base/file.h"
#include "crypto/hash.h"

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool in_memory(const char *dir)
{
	struct statfs fs;

	return dir && dir[0] == '/' && statfs(dir, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) &&
	       access(dir, W_OK | X_OK) == 0;
}

char *ram_dir_path(const char *owner)
{
	/* The second goes when its user logs out. */
	const char *const bases[] = { "/dev/shm", getenv("XDG_RUNTIME_DIR") };
	uint8_t id[32];
	char hex[17];

	sha256(id, owner, strlen(owner));
	hex_encode(hex, id, 8);
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		if (in_memory(bases[i]))
			return xasprintf("%s/cloister-%u-%s", bases[i],
					 (unsigned)geteuid(), hex);
	}
	return NULL;
}

enum err ram_dir_make(const char *path, struct why *why)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return ERR_NONE;
	if (errno != EEXIST)
		return why_errno(why, "cannot make directory %s", path);
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "%s is not a private directory of "
		       "ours: remove it", path);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void ram_dir_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid())
		(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS |
			   FTW_MOUNT);
}
