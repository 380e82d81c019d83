/*
 * The owner's door: JSON-RPC over HTTP on listeners that somebody else
 * opened.  Lives on the loop thread; methods that ask the chain run as jobs
 * on the chain's thread and come back through its mailbox.  What rpc cannot
 * know (peers, Tor, the process) it asks through struct rpc_ports.
 *
 * Life: rpc_new() early; rpc_set_ready() once the chain's actor runs;
 * rpc_stop(), then the node stops its actor and drains the mailbox, then
 * rpc_free().  SIGPIPE must be ignored: callers may have left.
 */
#ifndef CLOISTER_RPC_RPC_H
#define CLOISTER_RPC_RPC_H

#include "base/actor.h"
#include "base/clock.h"
#include "base/err.h"
#include "consensus/params.h"

struct chain;
struct event_base;
struct fee_estimator;
struct mempool;
struct rpc_trusted;                    /* remote.h */
struct rpc_way;                        /* remote.h */

/* ---- what the ports answer ---- */

#define RPC_PEER_INFLIGHT_MAX 64
#define RPC_PEER_MSGS_MAX 48

struct rpc_msg_bytes {
	char name[16];           /* "inv"; "*other*" for unknown ones */
	uint64_t bytes;
};

/* One peer, as getpeerinfo shows it.  Times are unix seconds, 0 for never;
 * strings empty where there is nothing to say. */
struct rpc_peer {
	int64_t id;
	char addr[128];          /* "xyz.onion:8333", "127.0.0.1:18444" */
	char addr_bind[128];
	char addr_local[128];
	const char *network;     /* "onion", "exit", "not_publicly_routable" */
	uint64_t services;
	bool relay_txs;
	int64_t last_send, last_recv, last_transaction, last_block;
	uint64_t bytes_sent, bytes_recv;
	int64_t connected_at;
	int64_t time_offset_s;
	int64_t ping_us;         /* the last round trip; < 0: none yet */
	int64_t min_ping_us;     /* < 0: none yet */
	int64_t ping_wait_us;    /* a ping is out since; <= 0: none */
	uint32_t version;        /* protocol; 0 before the handshake */
	char subver[257];
	bool inbound;
	bool hb_to, hb_from;     /* BIP152 high bandwidth */
	int32_t starting_height; /* -1: not said */
	int32_t presynced_headers, synced_headers, synced_blocks; /* -1 */
	int32_t inflight[RPC_PEER_INFLIGHT_MAX];   /* heights */
	size_t inflight_count;
	bool addr_relay_enabled;
	uint64_t addr_processed, addr_rate_limited;
	const char *permissions[8];
	size_t permission_count;
	int64_t min_fee_filter_sat;                /* per kvB */
	struct rpc_msg_bytes sent[RPC_PEER_MSGS_MAX], recv[RPC_PEER_MSGS_MAX];
	size_t sent_count, recv_count;
	const char *connection_type;   /* "outbound-full-relay", "inbound", … */
	const char *transport;         /* "v1", "v2", "detecting" */
	const char *session_id;        /* BIP324; NULL or "" without */
};

struct rpc_local_address {
	char address[80];
	uint16_t port;
	int score;
};

/* getnetworkinfo. */
struct rpc_network {
	uint64_t local_services;
	bool local_relay;              /* we ask for transactions */
	int64_t time_offset_s;
	bool active;                   /* setnetworkactive */
	int connections_in, connections_out;
	char onion_proxy[128];         /* "unix:/…/tor/socks" or empty */
	bool onion_reachable;
	bool plain_reachable;          /* regtest's plain TCP on loopback */
	struct rpc_local_address local[8];
	size_t local_count;
};

struct rpc_tor_check {                 /* times are unix seconds */
	const char *name, *state, *repair;
	int64_t since, repair_at, bad_ms;      /* bad_ms: the last time */
	unsigned repairs;
};

/* gettorinfo. */
struct rpc_tor {
	bool wanted;                   /* false: runs without tor (regtest) */
	char phase[32];                /* "starting", "bootstrapping", "up" */
	int bootstrap_percent;
	char bootstrap_summary[128];
	char version[64];
	char onion[80];                /* our address with ".onion", or empty */
	uint16_t onion_port;
	char descriptor[32];           /* "none", "uploading", "published" */
	int uploads;                   /* confirmed descriptor uploads */
	const char *self_check;        /* our onion dialled by ourselves: "none",
					  "checking", "ok", "failed" */
	int64_t self_check_at;         /* unix seconds; 0: never answered */
	int64_t self_check_ms;         /* how long that answer took */
	int circuits;                  /* in use */
	bool clock_skew_known;
	int64_t clock_skew_s;
	int restarts;
	int64_t ready_ms, recovery_ms; /* the last start, and trouble, took */
	struct rpc_tor_check checks[8];
	size_t check_count;
	char problem[401];             /* the last one, or empty */
	int64_t problem_at;            /* unix seconds */
};

/* getwalls: what the kernel keeps up around each process. */
struct rpc_walls_process {
	const char *name;              /* "node", "warden", "tor" */
	bool network_namespace, seccomp, no_new_privileges, no_capabilities;
	bool core_dumps_off;
	int landlock_abi;              /* 0: none */
};

#define RPC_WALLS_MAX 8

struct rpc_walls {
	const char *mode;              /* "strict", "auto", "off" */
	unsigned uid;                  /* of all three */
	bool sanitizer;                /* a test build: seccomp is weak */
	struct rpc_walls_process process[3];
	struct {
		const char *wall, *why;
	} missing[RPC_WALLS_MAX];
	size_t missing_count;
};

struct rpc_added_node {
	char node[128];                /* as it was added */
	bool connected;
	bool inbound;
	char addr[128];                /* of the connection, when connected */
};

/* One address of the book, for getnodeaddresses. */
struct rpc_address {
	char address[80];              /* without the port */
	uint16_t port;
	uint64_t services;
	int64_t time;                  /* last heard of, unix */
};

enum rpc_addnode { RPC_ADDNODE_ADD, RPC_ADDNODE_REMOVE, RPC_ADDNODE_ONETRY };

enum rpc_answer {
	RPC_DONE,
	RPC_ALREADY,                   /* add: was added before */
	RPC_MISSING,                   /* no such node, no such connection */
	RPC_REFUSED,                   /* why->text says what is wrong */
};

/*
 * The world outside.  All are called on the loop thread, must not block, and
 * may be NULL: the method then says that it is not available.
 */
struct rpc_ports {
	void *ctx;
	const char *file_dir;            /* where calls may write files */
	void (*network)(void *ctx, struct rpc_network *out);
	/** New array (rpc frees it with free()), and how many. */
	size_t (*peers)(void *ctx, struct rpc_peer **out);
	size_t (*connection_count)(void *ctx);
	/** v2: the caller's wish for the transport, may be ignored. */
	enum rpc_answer (*addnode)(void *ctx, enum rpc_addnode what,
				   const char *node, bool v2,
				   struct why *why);
	size_t (*added_nodes)(void *ctx, struct rpc_added_node **out);
	/** By address (id < 0) or, with addr NULL or empty, by id. */
	enum rpc_answer (*disconnect)(void *ctx, const char *addr,
				      int64_t id);
	/** Up to max addresses of the book, at random. */
	size_t (*addresses)(void *ctx, struct rpc_address **out, size_t max);
	/** How many never did a handshake with us, and how many did. */
	void (*address_count)(void *ctx, size_t *untried, size_t *tried);
	/** RPC_ALREADY: no place for it, or known; RPC_REFUSED: no address
	 * that can be dialled. */
	enum rpc_answer (*add_address)(void *ctx, const char *address,
				       uint16_t port, bool tried);
	const char *(*fetch_block)(void *ctx, int64_t peer,
			const struct block_hash *hash); /* or why not */
	void (*set_network_active)(void *ctx, bool active);
	/** Ask every peer for a pong. */
	void (*ping)(void *ctx);
	void (*tor)(void *ctx, struct rpc_tor *out);
	void (*walls)(void *ctx, struct rpc_walls *out);

	/* Trusted peers.  Each gives RPC_DONE, or RPC_REFUSED and why. */
	/** Its text is then asked for, until it is there. */
	enum rpc_answer (*peer_invite)(void *ctx, const char *name,
				       const char *const *roles, size_t n,
				       int64_t lives_s, struct why *why);
	bool (*peer_invite_text)(void *ctx, const char *name,
				 char *out, size_t size);
	enum rpc_answer (*peer_accept)(void *ctx, const char *invite,
				       const char *name,
				       const char *const *roles, size_t n,
				       struct why *why);
	/** Why the last invite taken as this name came to nothing; NULL. */
	const char *(*peer_refusal)(void *ctx, const char *name);
	size_t (*trusted_peers)(void *ctx, struct rpc_trusted **out);
	/** Our own id and its words; when our leaf ends.  False: not yet. */
	bool (*own_id)(void *ctx, char *id, char *words, size_t size,
		       int64_t *leaf_expires);
	enum rpc_answer (*peer_rpc_way)(void *ctx, const char *name,
					struct rpc_way *out,
					struct why *why);
	enum rpc_answer (*peer_remove)(void *ctx, const char *name,
				       struct why *why);
	enum rpc_answer (*peer_rename)(void *ctx, const char *name,
				       const char *to, struct why *why);
	enum rpc_answer (*peer_rotate)(void *ctx, const char *name,
				       struct why *why);
	/** New string of hex, secret; rpc wipes and frees it. */
	char *(*peer_export)(void *ctx);
	enum rpc_answer (*peer_import)(void *ctx, const char *hex,
				       unsigned *added, struct why *why);
	/** Stop the node; the answer to the caller is sent first. */
	void (*stop)(void *ctx);
	/** Fill up to max sentences (good until the next call). */
	size_t (*warnings)(void *ctx, const char **out, size_t max);
	/** The mock time changed (regtest); the clock is already set. */
	void (*mock_time)(void *ctx, int64_t time_unix);
	/** Of the tip, at once: the chain's thread may be at work long. */
	int (*tip_height)(void *ctx);

	/* On the chain's thread, with the actor's owner: */
	struct chain *(*chain_of)(void *owner);
	struct mempool *(*mempool_of)(void *owner);
	const char *(*mempool_path)(void *owner);      /* its file */
	const struct fee_estimator *(*fees_of)(void *owner);
	/** A chain call met trouble: the node must stop. */
	void (*chain_trouble)(void *owner, const struct why *why);
};

/* ---- the service ---- */

#define RPC_LISTENERS_MAX 8

struct rpc_options {
	struct event_base *base;             /* of the loop thread */
	const int *listen_fds;               /* bound and listening; rpc owns
						and closes them from now on */
	size_t listen_count;
	const struct chain_params *params;   /* must outlive rpc */
	struct clock *clock;                 /* setmocktime sets it */
	int64_t start_mono_ms;               /* clock_mono_ms() at the start;
						0: now */
	const char *log_path;                /* for getrpcinfo */
	const char *user_agent;              /* "/Cloister:0.1.0/" */

	/* Who may call.  The cookie is written unless cookie_path is NULL. */
	const char *cookie_path;
	const char *user, *password;         /* -rpcuser, -rpcpassword */
	const char *const *rpcauth;          /* "user:salt$hmac" each */
	size_t rpcauth_count;

	/* Limits; 0 gives the default. */
	size_t max_body_bytes;               /* 32 MiB */
	size_t work_queue;                   /* 64 calls wait at most */
	int timeout_s;                       /* 30, per connection */

	const char *warmup;                  /* the text of error -28 */
};

struct rpc;
/** Everything in opt is copied except base, params and clock.  ERR_INPUT
 * for a malformed rpcauth, ERR_IO for an unwritable cookie. */
NODISCARD enum err rpc_new(struct rpc **out, const struct rpc_options *opt,
			   const struct rpc_ports *ports, struct why *why);
/** A new text for calls that come too early. */
void rpc_set_warmup(struct rpc *r, const char *text);
/** Calls are served from now on; chain methods run on this actor, whose
 * owner ports->chain_of() understands. */
void rpc_set_ready(struct rpc *r, struct actor *chain);
/** The tip moved: wakes waitfornewblock and its kind. */
void rpc_tip_changed(struct rpc *r, const struct block_hash *hash,
		     int height);
/** Accept no more connections and calls; remove the cookie; end waiting
 * calls.  Calls under way still get their answer. */
void rpc_stop(struct rpc *r);
/** Calls begun and not yet answered in full. */
size_t rpc_busy(const struct rpc *r);
/** After the actor was stopped and its mailbox drained.  NULL is fine. */
void rpc_free(struct rpc *r);

#endif
