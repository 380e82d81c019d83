/*
 * LevelDB reads its tables through mappings: where the disk fails below one,
 * the kernel sends SIGBUS instead of an error.
 */
#ifndef CLOISTER_NODE_BUS_ERROR_H
#define CLOISTER_NODE_BUS_ERROR_H

/** From now on such a failure ends the process with status 1 and one line
 * that names the file, on standard error and in the log.  Nothing is written
 * to the chain's files any more: the next start is that after a kill.  Call
 * once, before the walls. */
void bus_error_watch(void);

#endif
