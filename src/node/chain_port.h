/*
 * The peer-to-peer engine's questions to the chain, as jobs for the chain's
 * actor; the answers come back into the engine on the loop thread.
 */
#ifndef CLOISTER_NODE_CHAIN_PORT_H
#define CLOISTER_NODE_CHAIN_PORT_H

#include "base/actor.h"
#include "p2p/p2p.h"

struct chain_port;
/** p2p and actor are borrowed; the actor's owner is a struct chain_owner. */
struct chain_port *chain_port_new(struct actor *actor);
/** The engine that gets the answers; NULL from when it is gone. */
void chain_port_set_engine(struct chain_port *cp, struct p2p *p2p);
/** Also frees the port once every job of it has come back. */
void chain_port_unref(struct chain_port *cp);

/* As in struct p2p_ports. */
bool chain_port_headers(struct chain_port *cp, peer_id peer,
			const struct block_header *h, size_t n,
			bool vouched);
bool chain_port_block(struct chain_port *cp, peer_id peer,
		      const struct block_hash *hash, struct bytes *raw,
		      bool requested);
bool chain_port_plan(struct chain_port *cp, const struct plan_request *req);

struct serve_headers_request {
	const struct block_hash *locator;
	size_t n;
	const struct block_hash *stop;
	size_t max;
};
bool chain_port_serve_headers(struct chain_port *cp, peer_id peer,
			      const struct serve_headers_request *req);
bool chain_port_tx(struct chain_port *cp, peer_id peer, struct shared_tx *tx,
		   struct shared_tx *child);
bool chain_port_serve_block(struct chain_port *cp, peer_id peer,
			    const struct block_hash *hash,
			    bool with_witness);

#endif
