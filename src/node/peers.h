/*
 * The engine's connections: dials and accepts streams, moves bytes between
 * them and the peer-to-peer engine.  Loop thread only.
 */
#ifndef CLOISTER_NODE_PEERS_H
#define CLOISTER_NODE_PEERS_H

#include "base/clock.h"
#include "net/conn.h"
#include "net/loop.h"
#include "net/transport.h"
#include "node/chain_port.h"
#include "node/node_config.h"
#include "node/trust.h"

struct peers_options {
	struct loop *loop;
	const struct config *cfg;
	const struct clock *clock;
	struct chain_port *chain;        /* borrowed */
	struct transport *tor;           /* NULL: no tor; borrowed */
	struct trust *trust;             /* NULL: nobody; borrowed */
	int onion_listener;              /* fd, taken; -1: none */
	int plain_listener;              /* fd, taken; -1: none */
	/* A peer behind this inbound circuit broke the rules: end it. */
	void (*close_circuit)(void *ctx, uint32_t circuit);
	/* As in struct p2p_ports. */
	void (*refresh)(void *ctx, const char *host);
	void *ctx;
};

/** What we offer to peers (SERVICE_… bits): not all blocks when pruning. */
uint64_t peers_services(const struct config *cfg);

/* What the engine needs of a connection. */
extern const struct conn_limits peers_conn_limits;

struct peers;
struct peers *peers_new(const struct peers_options *opt);
/** The engine; good until peers_free. */
struct p2p *peers_engine(struct peers *p);
/** Begin to dial and accept (the chain is open). */
void peers_start(struct peers *p);
/** Somebody trusted is at our door: r->conn is taken. */
void peers_add_trusted(struct peers *p, const struct tls_result *r,
		       const char *name);
/** Give up dials to this host. */
void peers_cancel_dials(struct peers *p, const char *host);
/** Close every connection, and answer nothing any more. */
void peers_free(struct peers *p);

#endif
