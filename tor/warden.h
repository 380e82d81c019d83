/*
 * The warden: the process that has the machine's network and speaks to nobody
 * on it.  It starts the node and tor, watches both, tells the node how tor
 * is, and ends them together.  No byte from a peer is parsed here.
 *
 * One thread, one libevent loop, inside warden_run().
 */
#ifndef CLOISTER_TOR_WARDEN_H
#define CLOISTER_TOR_WARDEN_H

#include "base/bytes.h"
#include "base/err.h"

/* A descriptor the node inherits, and the name by which it finds it. */
struct warden_fd {
	int fd;                   /* warden_run() takes and closes it */
	const char *name;         /* [a-z0-9_]+, as in "rpc" */
};

#define WARDEN_FDS_MAX 16

struct secret;
struct walls_plan;

struct warden_options {
	/* Chain data directory: absolute, exists, 0700, locked by the caller. */
	const char *dir;

	/*
	 * The node: program to execute (absolute, or "/proc/self/exe"), its
	 * argv (NULL at the end), its environment (NULL: the few harmless
	 * ones of ours).  CLOISTER_FDS
	 * is added to the environment: "link=3,public=4,rpc=5", where "link"
	 * is always there, "public" (a listening unix socket, run/public) when
	 * public_onion, then the names of node_fds in their order.  See
	 * inherited_fd().  Standard input is /dev/null.
	 */
	const char *node_path;
	char *const *node_argv;
	char *const *node_env;
	const struct warden_fd *node_fds;
	size_t n_node_fds;
	unsigned respawn;         /* crashes of the node to forgive */
	const struct walls_plan *walls;   /* NULL: none */
	int64_t stop_grace_ms;    /* STOP until SIGKILL; 0: 60 s */

	/* tor */
	bool use_tor;             /* false: TOR_OFF, no tor at all */
	const char *tor_program;  /* a name to find in PATH, or a path */
	const char *tor_extra;    /* file put before our torrc, or NULL */
	bool tor_any_version;     /* accept a tor older than TOR_MIN_VERSION */
	bool public_onion;        /* publish an onion service for peers */
	uint16_t public_port;     /* its virtual port */
	uint16_t p2p_port;        /* peers' usual port: long-lived circuits */
	const struct secret *passphrase;  /* of its key; NULL or empty: none */
	bool seeds;               /* the node may ask for seeds by name */

	/* The signer: appends its answer, or nothing.  False: what the node
	 * asks is no request, and the node not to be trusted.  May be NULL. */
	bool (*sign)(void *ctx, struct bytes *answer, struct span request);
	void *ctx;
};

/* tor's SOCKS ports for the node, and the public door's listener, all below
 * warden_options.dir. */
#define WARDEN_SOCKS_PATH "tor/socks"
#define WARDEN_SEEDS_PATH "tor/socks-seeds"
#define WARDEN_PUBLIC_PATH "run/public"

/**
 * Start the node and tor, and stay until the node has ended.
 *
 * return   what the process should exit with: the node's exit status, or 1
 *          if the node could not be started or was killed by a signal
 *
 * SIGINT and SIGTERM ask the node to stop; SIGHUP reopens logs.  Trouble with
 * tor never ends it.  The log must be open.  Call from a process without
 * other threads or libevent loops.
 */
int warden_run(const struct warden_options *o);

#endif
