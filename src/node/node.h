/*
 * The node process: everything but the machine's network.  It is started by
 * the warden, has two threads (loop and chain) and the pool, and ends when
 * the warden says so, when RPC's stop does, or when the chain meets trouble.
 */
#ifndef CLOISTER_NODE_NODE_H
#define CLOISTER_NODE_NODE_H

#include "node/chain_owner.h"
#include "node/node_walls.h"
#include "node/peers.h"
#include "node/self_dial.h"
#include "node/trust.h"
#include "rpc/rpc.h"
#include "tor/node_link.h"

#define USER_AGENT "/Cloister:" PACKAGE_VERSION "/"

struct node {
	const struct config *cfg;
	struct clock clock;
	struct loop *loop;
	struct mailbox *mailbox;
	struct watch *mailbox_watch;
	struct chain_owner *owner;
	struct actor *chain;             /* the chain thread */
	struct chain_port *chain_port;
	struct transport *tor;
	struct self_dial *self_dial;     /* NULL without tor */
	struct tls_ca *ca;               /* NULL: none */
	struct pins *pins;
	struct tls_node *tls;            /* with tor only, as trust */
	struct trust *trust;
	struct peers *peers;
	struct rpc *rpc;
	struct node_link *link;
	struct walls_plan walls;
	struct timer *stop_timer, *save_timer;
	bool peers_started;
	int64_t stop_ms;                 /* when the end began; 0: not yet */
	int exit_status;
	int64_t tor_problem_at;          /* unix; of the last new problem */
	char warning[400];
	char wall_warning[WALL_COUNT][240];
};

/** Run the node with this configuration; returns the exit status.  The log
 * is open; listeners and the link are inherited (CLOISTER_FDS). */
int node_run(const struct config *cfg);

/** Begin to end; twice is fine.  Loop thread. */
void node_stop(struct node *n, const char *why);

#endif
