/*
 * The warden's beginning: what has to be there before the node is started.
 */
#ifndef CLOISTER_NODE_LAUNCH_H
#define CLOISTER_NODE_LAUNCH_H

#include "node/node_config.h"

/**
 * Make and lock the data directory, open the log and the listeners, hand the
 * settings to the node, and be the warden until all has ended.
 *
 * return   the process's exit status
 */
int launch(const struct settings *s, const struct config *cfg);

/** The node process's side: read the settings that were handed over. */
NODISCARD enum err launch_inherited_settings(struct settings *s,
					     struct why *why);
NODISCARD enum err launch_open_log(const struct config *cfg,
				   struct why *why);

#endif
