/*
 * A connection to tor's SOCKS port, made by the warden for the node, which
 * can make none.
 */
#ifndef CLOISTER_TOR_SOCKS_OPEN_H
#define CLOISTER_TOR_SOCKS_OPEN_H

#include "tor/link.h"

/** Connect to a listening unix socket; *fd is non-blocking, -1 unless OK.
 * Never waits. */
enum socks_open socks_open(int *fd, const char *path);

#endif
