/*
 * The spawner: the process that starts programs for the warden, so that the
 * warden itself need not be able to, and can be kept from the network.  It is
 * forked before the warden raises its walls, knows three programs, and hears
 * one byte and two descriptors at a time.
 *
 * What it starts are the warden's children: the warden waits for them, kills
 * them, and they die with it.  The spawner dies with it too.
 */
#ifndef CLOISTER_TOR_SPAWNER_H
#define CLOISTER_TOR_SPAWNER_H

#include <sys/types.h>

#include "tor/warden.h"

enum spawn {
	SPAWN_NODE,          /* fds: link, and the public listener or none */
	SPAWN_TOR_VERSION,   /* fds: for its output */
	SPAWN_TOR,           /* fds: for its output, its end of control */
	SPAWN_COUNT,
};

#define SPAWN_FDS_MAX 2

struct spawner;

/**
 * Fork it.  The node's descriptors are its own from here on and closed in
 * this process.  Raise the warden's walls after this.
 */
NODISCARD enum err spawner_new(struct spawner **out,
			       const struct warden_options *o,
			       struct why *why);
/** Ends it. */
void spawner_free(struct spawner *s);            /* NULL is fine */
pid_t spawner_pid(const struct spawner *s);

/** Start one of the programs; fds stay the caller's.  An exec that fails is
 * an error here; its process is still to be reaped. */
NODISCARD enum err spawner_start(struct spawner *s, pid_t *pid,
				 enum spawn what, const int *fds, size_t n,
				 struct why *why);

/** Where tor's torrc stands, and a file that never does. */
#define TORRC_BELOW "tor/torrc"
#define NO_DEFAULTS_BELOW "tor/no-defaults"

#endif
