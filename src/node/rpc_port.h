/*
 * What RPC asks of the node: peers, Tor, the process.  Loop thread, but for
 * the two that the chain's methods call.
 */
#ifndef CLOISTER_NODE_RPC_PORT_H
#define CLOISTER_NODE_RPC_PORT_H

#include "rpc/rpc.h"

struct node;
/** Ports whose ctx is the node. */
void rpc_port_fill(struct rpc_ports *out, struct node *n);

#endif
