/*
 * Listening on a unix socket that tor leads an onion service to.
 */
#ifndef CLOISTER_TOR_UNIX_LISTEN_H
#define CLOISTER_TOR_UNIX_LISTEN_H

#include "base/err.h"

/** *fd is non-blocking and close-on-exec; the file is 0600.  What stands at
 * path is removed. */
NODISCARD enum err unix_listen(int *fd, const char *path, struct why *why);

#endif
