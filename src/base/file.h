/*
 * Files: whole reads with a limit, atomic replacement, directories, locks.
 */
#ifndef CLOISTER_BASE_FILE_H
#define CLOISTER_BASE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"

/** Append the whole file to out; ERR_LIMIT when longer than max bytes. */
NODISCARD enum err file_read(struct bytes *out, const char *path, size_t max,
			     struct why *why);
/** Write to path.new, fsync, rename over path, fsync the directory. */
NODISCARD enum err file_replace(const char *path, struct span data,
				mode_t mode, struct why *why);
/** mkdir -p for the last component's parents too, with mode; what is made is
 * durable. */
NODISCARD enum err dir_make(const char *path, mode_t mode, struct why *why);
NODISCARD enum err dir_sync(const char *path, struct why *why);
bool file_exists(const char *path);
/** Retry on EINTR and short counts; ERR_CORRUPT on an early end of file. */
NODISCARD enum err file_pread(int fd, void *out, size_t n, uint64_t offset,
			      const char *name, struct why *why);
NODISCARD enum err file_pwrite(int fd, const void *p, size_t n,
			       uint64_t offset, const char *name,
			       struct why *why);
/**
 * Lock dir/.lock for this process and write its id there; *fd stays open as
 * long as the lock is wanted (inherited by children on purpose, or closed).
 * ERR_STATE, naming the holder's process id, if somebody has it.  Where that
 * process is gone and only its children keep the lock, waits for their end,
 * up to 30 s.
 */
NODISCARD enum err dir_lock(int *fd, const char *dir, struct why *why);
/** New string dir/name; free() it. */
char *path_join(const char *dir, const char *name);

#endif
