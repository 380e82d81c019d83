/*
 * The walls around the node: the plan comes from the warden, the paths from
 * the configuration.
 */
#ifndef CLOISTER_NODE_NODE_WALLS_H
#define CLOISTER_NODE_NODE_WALLS_H

#include "node/node_config.h"
#include "rpc/rpc.h"

/* Below the chain's directory: the node's own small files. */
#define NODE_DIR "node"

/** In the warden: choose, log, and put the plan into a memory file (*fd). */
NODISCARD enum err node_walls_plan(struct walls_plan *out, int *fd,
				   const struct config *cfg, struct why *why);
/** In the node: the plan that was handed over. */
NODISCARD enum err node_walls_inherit(struct walls_plan *out,
				      struct why *why);
/** In the node, before its first thread.  Makes the directories that the
 * node writes to. */
NODISCARD enum err node_walls_raise(const struct walls_plan *p,
				    const struct config *cfg,
				    struct why *why);
void node_walls_report(struct rpc_walls *out, const struct walls_plan *p);

#endif
