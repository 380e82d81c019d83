/*
 * Options about the mempool.
 */
#ifndef CLOISTER_NODE_MEMPOOL_OPTIONS_H
#define CLOISTER_NODE_MEMPOOL_OPTIONS_H

#include "node/node_config.h"

/** Fill c->policy and c->persist_mempool; c->params are known. */
NODISCARD enum err mempool_options_make(struct config *c,
					const struct settings *s,
					struct why *why);

#endif
