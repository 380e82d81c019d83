/*
 * What RPC asks of trusted peers.
 */
#ifndef CLOISTER_NODE_TRUST_PORT_H
#define CLOISTER_NODE_TRUST_PORT_H

#include "node/node.h"

void trust_port_fill(struct rpc_ports *out);

#endif
