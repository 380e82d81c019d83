/*
 * Inside the port to the chain: its jobs.
 */
#ifndef CLOISTER_NODE_CHAIN_PORT_PRIV_H
#define CLOISTER_NODE_CHAIN_PORT_PRIV_H

#include "node/chain_owner.h"
#include "node/chain_port.h"

struct chain_port {
	struct actor *actor;
	struct p2p *p2p;
	unsigned refs;           /* the node's and one per job under way */
};

struct port_job {
	struct job job;
	struct chain_port *port;
	peer_id peer;
};

/** false: the chain's queue is full. */
NODISCARD bool chain_port_post(struct chain_port *cp, struct port_job *j,
			       peer_id peer);

/** May the chain still be asked? */
static inline bool chain_usable(const struct chain_owner *o)
{
	return o->chain && !o->failed && !atomic_load(&o->stopping);
}

#endif
