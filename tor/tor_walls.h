/*
 * What tor may touch: its own directory, the system's programs, libraries
 * and configuration.
 */
#ifndef CLOISTER_TOR_TOR_WALLS_H
#define CLOISTER_TOR_TOR_WALLS_H

#include "tor/warden.h"
#include "walls/walls.h"

/** Walls for tor, or for whatever program is executed in its place. */
NODISCARD enum err tor_walls_new(struct walls_child **out,
				 const struct warden_options *o,
				 const char *program, struct why *why);

#endif
