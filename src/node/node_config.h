/*
 * The owner's wishes, typed and checked as a whole: made from settings once,
 * in the warden (so that a mistake is told before anything starts) and again
 * in the node process.
 */
#ifndef CLOISTER_NODE_NODE_CONFIG_H
#define CLOISTER_NODE_NODE_CONFIG_H

#include "base/err.h"
#include "conf/settings.h"
#include "consensus/params.h"
#include "mempool/policy.h"
#include "node/key_options.h"
#include "walls/walls.h"

/* A peer or a listener named by the owner. */
struct host_port {
	char host[64];           /* onion, seed name or loopback address */
	uint16_t port;
};

struct host_list {
	struct host_port *v;
	size_t n;
};

struct config {
	struct chain_params params;
	uint8_t signet_challenge[512];   /* what params may point to */

	char *datadir;                   /* as given, absolute */
	char *chain_dir;                 /* below it, of this chain */
	char *run_dir;                   /* chain_dir/run: unix sockets */
	char *log_path;                  /* NULL: no file */
	const char *user;                /* to become; NULL: stay */
	enum walls_mode walls;           /* as wished */
	bool print_to_console;
	const char *const *debug;        /* borrowed from settings */
	size_t debug_n;

	size_t dbcache_bytes, dbcache_least_bytes;
	unsigned script_threads;         /* the chain's own included; >= 1 */
	bool check_all_scripts;          /* -assumevalid=0 */
	bool txindex, filterindex, statsindex;
	char *snapshot_dir;              /* for the files of RPC calls */
	int verify_blocks, verify_level;
	bool reindex, reindex_chainstate;
	uint64_t prune_bytes;            /* as in struct chain_options */
	bool fast_prune;
	const char *const *load_blocks;
	size_t load_block_n;
	bool stop_after_import;
	unsigned respawn;
	int64_t mock_time;               /* 0: none */
	int64_t leaf_life_s, leaf_skew_s;        /* 0: the usual ones */

	struct policy policy;            /* of the mempool */
	bool persist_mempool, blocks_only;

	bool use_tor;                    /* a managed tor is needed */
	bool publish_onion;
	uint16_t onion_port;
	const char *tor_program, *torrc;
	bool any_tor_version;

	struct key_options keys;

	bool plain;                      /* regtest: TCP on loopback */
	bool plain_listen;
	struct host_port bind;

	bool connect_only;               /* -connect or -trustedonly */
	bool trusted_only;
	char *trust_ca, *trust_crl;      /* absolute; NULL: none */
	bool no_outbound;
	bool dns_seed;                   /* seeds' names may be given to Tor */
	struct host_list connect, addnode, seednode;
	unsigned max_connections;

	bool server;
	struct host_list rpc_bind;       /* TCP listeners */
	char *rpc_cookie;
	const char *rpc_user, *rpc_password;
	const char *const *rpc_auth;
	size_t rpc_auth_n;
	int rpc_timeout_s;
	size_t rpc_work_queue;
};

/**
 * Read the command line and the config file into s: chooses the chain and
 * its section, resolves -datadir.  ERR_INPUT with a text for the owner.
 */
NODISCARD enum err config_read_settings(struct settings *s, int argc,
					char *const *argv, struct why *why);
/** Check everything and fill *out; settings must outlive it.  *out is to be
 * cleared in any case. */
NODISCARD enum err config_make(struct config *out, const struct settings *s,
			       struct why *why);
void config_clear(struct config *c);

/** "host", "host:port", "[::1]:port"; false if malformed. */
NODISCARD bool host_port_parse(struct host_port *out, const char *text,
			       uint16_t default_port);

/** Is it a whole v3 onion address, checksum and all? */
bool host_is_onion(const char *host);

#endif
