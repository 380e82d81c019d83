/*
 * Starting another program for the warden, from the spawner: the program
 * becomes the warden's child and cannot outlive it; own process group, no
 * descriptor but the wanted ones.
 */
#ifndef CLOISTER_TOR_CHILD_H
#define CLOISTER_TOR_CHILD_H

#include <sys/types.h>

#include "base/err.h"

#define CHILD_FDS_MAX 24

struct walls_child;

struct child_spec {
	const char *path;         /* what is executed; not looked up */
	char *const *argv;
	char *const *env;         /* NULL: ours */
	int output;               /* its standard output and error; -1: ours */
	const int *fds;           /* become 3, 4, … */
	size_t n_fds;
	const struct walls_child *walls;  /* raised before exec; or NULL */
};

/**
 * Fork and execute, as a child of our parent, with whom it dies.  An exec that
 * fails is an error here; our parent still has a process to reap.
 */
NODISCARD enum err child_spawn(pid_t *pid, const struct child_spec *spec,
			       struct why *why);

/** Close descriptors, both ends included; nothing if last < first. */
void child_close_range(int first, int last);

/** Find a program: a path as it is, a name in PATH.  free() the result;
 * NULL, with the reason in why, if there is none that we may execute. */
char *child_find_program(const char *name, struct why *why);

/** "exit status 3" or "signal 9 (Killed)"; returns out. */
const char *child_status_text(char *out, size_t size, int status);

#endif
