/*
 * A private directory in memory, for what tor must find in a file and a disk
 * shall not keep.  Warden only.
 */
#ifndef CLOISTER_TOR_RAM_DIR_H
#define CLOISTER_TOR_RAM_DIR_H

#include "base/err.h"

/** Its path, the same for the same owner each time: a new string; NULL where
 * there is no file system in memory that we may write to. */
char *ram_dir_path(const char *owner);
/** Make it, 0700; fine if it is there and ours. */
NODISCARD enum err ram_dir_make(const char *path, struct why *why);
/** Remove it with the files in it; silently if it is not there. */
void ram_dir_remove(const char *path);

#endif
