/*
 * The descriptors that the node inherits from the warden, by name.
 */
#ifndef CLOISTER_TOR_INHERITED_H
#define CLOISTER_TOR_INHERITED_H

/**
 * The descriptor inherited under a name ("link", "public", "rpc", …) as told
 * by CLOISTER_FDS; -1 if there is none.  Marks it close-on-exec and
 * non-blocking.
 */
int inherited_fd(const char *name);

#endif
