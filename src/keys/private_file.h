/*
 * Reading files that nobody else may read.
 */
#ifndef CLOISTER_KEYS_PRIVATE_FILE_H
#define CLOISTER_KEYS_PRIVATE_FILE_H

#include "base/err.h"
#include "base/secret.h"

/**
 * Append the whole file to out.
 *
 * ERR_INPUT, with what to do about it: a directory or something else that is
 * no regular file, another user's, readable by others, longer than there is
 * room in out.
 */
NODISCARD enum err private_file_read(struct secret *out, const char *path,
				     struct why *why);
/** The same for a passphrase: a pipe will do, and root may own it. */
NODISCARD enum err private_file_read_input(struct secret *out,
					   const char *path,
					   struct why *why);
/** Append what the descriptor gives until its end. */
NODISCARD enum err private_fd_read(struct secret *out, int fd,
				   const char *name, struct why *why);

#endif
