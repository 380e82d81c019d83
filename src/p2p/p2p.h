/*
 * The peer-to-peer engine: bytes become actions, actions become bytes.  It
 * has no sockets, no clock, no randomness and no chain of its own; all that
 * comes through struct p2p_ports, so the same engine runs in the daemon, in
 * unit tests, in fuzzers and in a simulation.  Loop thread.
 *
 * A peer the engine does not know (closed meanwhile) is no error in any call
 * here: the call does nothing.
 */
#ifndef CLOISTER_P2P_P2P_H
#define CLOISTER_P2P_P2P_H

#include "p2p/peer_info.h"
#include "p2p/ports.h"

struct p2p_host {
	const char *host;
	uint16_t port;
};

struct p2p_options {
	const struct chain_params *params; /* must outlive the engine */
	struct u256 minimum_chain_work;    /* usually the params' */
	const char *user_agent;            /* NULL: "/Cloister:0.1.0/" */
	uint64_t services;                 /* 0: NETWORK | WITNESS */
	unsigned max_inbound;              /* 0: 114 */
	unsigned max_outbound;             /* slots from the book; 0: 10 */
	bool no_outbound;                  /* none from the book at all */
	size_t max_send_bytes;             /* queue per peer; 0: 4 MB */
	bool blocks_only;                  /* no transactions */
	int64_t min_relay_sat_kvb;         /* -minrelaytxfee; 0: 100 */

	/* -connect: only these, no book, no seeds. */
	const struct p2p_host *connect;
	size_t connect_n;
	bool connect_only;                 /* also with connect_n == 0 */
	const struct p2p_host *addnode;    /* -addnode */
	size_t addnode_n;
	/* -seednode: asked for addresses, then left. */
	const struct p2p_host *seed;
	size_t seed_n;
	/* Names outside of Tor, only ever given to Tor: the same, where the
	 * book is empty. */
	const struct p2p_host *seed_name;
	size_t seed_name_n;
};

struct p2p;
/** Options and ports are copied (params borrowed). */
struct p2p *p2p_new(const struct p2p_options *opt,
		    const struct p2p_ports *ports);
/** Closes nothing: the caller ends its connections itself. */
void p2p_free(struct p2p *p);

/* ---- time ---- */

/** Tell the time; the calls below use the last one told. */
void p2p_set_time(struct p2p *p, int64_t mono_ms, int64_t time_unix);
/** The same, and do what is due: dials, timeouts, pings, retries, block
 * requests.  Call it every 100 ms or so. */
void p2p_tick(struct p2p *p, int64_t mono_ms, int64_t time_unix);

/* ---- connections ---- */

enum {
	PEER_PERM_NOBAN = 1,      /* never dropped for misbehaviour */
	PEER_PERM_DOWNLOAD = 2,   /* no limit on serving */
};

struct peer_conn {
	peer_id id;
	uint64_t dial;            /* of the dial port; 0 for inbound */
	const char *addr;         /* "host:port" as shown; inbound: anything */
	const char *addr_bind;    /* or NULL */
	const char *network;      /* "onion", "exit" (a name outside of Tor),
				   * "not_publicly_routable" (loopback) */
	const char *transport;    /* "v1", "tls", …; NULL: "v1" */
	unsigned perms;           /* PEER_PERM_… */
	uint32_t circuit;         /* inbound through tor: by which; else 0 */
	bool door;                /* a trusted peer: by its door or by ours */
	bool witness;             /* … whose headers the tip watch counts on */
};
/** false: no room or not wanted: close it, the engine knows nothing of it. */
NODISCARD bool p2p_peer_connected(struct p2p *p, const struct peer_conn *c);
/** why is for the log. */
void p2p_dial_failed(struct p2p *p, uint64_t dial, enum dial_failure failure,
		     const char *why);
/**
 * Can onions be dialled?  Until told, yes.  Dials that fail while they cannot
 * are held against nobody; once they can, what waits is dialled at once.
 */
void p2p_set_tor_ready(struct p2p *p, bool ready);
/**
 * Bytes have arrived.  *consumed says how many were taken: fewer than data.n
 * after set_reading(off) (keep the rest, offer it again after
 * set_reading(on)) or when the peer was closed meanwhile.
 */
void p2p_peer_bytes(struct p2p *p, peer_id id, struct span data,
		    size_t *consumed);
/** The send queue of a peer got shorter; optional, speeds serving up. */
void p2p_peer_drained(struct p2p *p, peer_id id);
void p2p_peer_closed(struct p2p *p, peer_id id);

/* ---- the chain's answers and events ---- */

/** The chain's queue has room again; optional, else the tick finds out. */
void p2p_chain_ready(struct p2p *p);
void p2p_on_headers_result(struct p2p *p, const struct headers_reply *r);
void p2p_on_block_result(struct p2p *p, const struct block_reply *r);
/** A block was connected (VERDICT_OK) or refused after it was accepted. */
void p2p_on_block_checked(struct p2p *p, const struct block_hash *hash,
			  enum verdict verdict, const char *reason);
void p2p_on_plan(struct p2p *p, const struct plan_reply *r);
/** raw: n headers of 80 bytes; n == 0 is an answer too. */
void p2p_on_served_headers(struct p2p *p, peer_id peer, struct span raw,
			   size_t n);
/** *raw is moved out; empty: not found. */
void p2p_on_served_block(struct p2p *p, peer_id peer,
			 const struct block_hash *hash,
			 struct bytes *raw TAKES);
void p2p_on_tx_result(struct p2p *p, const struct tx_reply *r);
void p2p_on_mempool_added(struct p2p *p, const struct mempool_tx *t);
void p2p_on_mempool_removed(struct p2p *p, const struct wtxid *id,
			    int64_t min_fee_sat_kvb);
/** At the start, and whenever tip, best header or initial download change. */
void p2p_on_tip(struct p2p *p, const struct tip_event *e);

/** Strangers show another chain than the witnesses do: what the owner should
 * know, until the next call; NULL: they do not. */
const char *p2p_tip_warning(const struct p2p *p);

/* ---- the owner's commands ---- */

/** addnode add: false if it is there already. */
NODISCARD bool p2p_addnode(struct p2p *p, const char *host, uint16_t port);
/** addnode remove: false if it is not there; an open connection stays. */
NODISCARD bool p2p_addnode_remove(struct p2p *p, const char *host,
				  uint16_t port);
/** addnode onetry. */
void p2p_try_once(struct p2p *p, const char *host, uint16_t port,
		  enum conn_type type);
/** The same; timeout_ms: how long it may take, 0: as usual. */
void p2p_try_for(struct p2p *p, const char *host, uint16_t port,
		 enum conn_type type, int64_t timeout_ms);
/** false: no such peer. */
NODISCARD bool p2p_disconnect(struct p2p *p, peer_id id);
/** By "host:port" as shown; "host" alone closes all of that host. */
NODISCARD bool p2p_disconnect_addr(struct p2p *p, const char *addr);
/** setnetworkactive: off closes every peer and stops dialling. */
void p2p_set_active(struct p2p *p, bool active);
bool p2p_active(const struct p2p *p);
/** Ping every peer now. */
void p2p_ping_all(struct p2p *p);
/** getblockfrompeer: false if the peer is unknown or has no blocks. */
NODISCARD bool p2p_fetch_block(struct p2p *p, peer_id id,
			       const struct block_hash *hash);
/** Our own onion service ("….onion"), to be told on connections made for
 * that alone; or NULL. */
NODISCARD bool p2p_set_local_onion(struct p2p *p, const char *onion,
				   uint16_t port);

/* ---- questions ---- */

struct p2p_totals {
	unsigned inbound, outbound;
	uint64_t bytes_sent, bytes_received;
	size_t blocks_in_flight;
	int64_t stranger_unix;     /* the last inbound peer by tor; 0: none */
	size_t addresses;          /* in the book */
	size_t addresses_tried;    /* of them: did a handshake once */
	/* Highest header any pre-synchronisation has reached; -1: none. */
	int presync_height;
	int64_t presync_time;
};
void p2p_totals(const struct p2p *p, struct p2p_totals *out);
/** Every peer, in order of id; the info is good for the call only. */
typedef void peer_info_fn(const struct peer_info *info, void *arg);
void p2p_peers_visit(const struct p2p *p, peer_info_fn *fn, void *arg);

struct added_node {
	const char *host;
	uint16_t port;
	peer_id peer;              /* 0: not connected */
};
typedef void added_node_fn(const struct added_node *n, void *arg);
void p2p_added_visit(const struct p2p *p, added_node_fn *fn, void *arg);

/* ---- the address book (peers.dat) ---- */

/** Is there anything new since the last write or read? */
bool p2p_addrs_changed(const struct p2p *p);
/** Append the book's bytes. */
void p2p_addrs_write(struct p2p *p, struct bytes *out);
/** NULL, or what is wrong with the data: the book is left as it was. */
NODISCARD const char *p2p_addrs_read(struct p2p *p, struct span data);
/** Anchors (anchors.dat): up to two outbound peers of long standing, to be
 * dialled first at the next start.  Appends nothing if there is none. */
void p2p_anchors_write(const struct p2p *p, struct bytes *out);
/** NULL, or what is wrong with the data. */
NODISCARD const char *p2p_anchors_read(struct p2p *p, struct span data);

enum addr_added {
	ADDR_ADDED,
	ADDR_BAD,                  /* no onion address */
	ADDR_KNOWN,                /* it was there, or found no place */
};
/** addpeeraddress; tried: as if it had done a handshake. */
enum addr_added p2p_addr_add(struct p2p *p, const char *onion, uint16_t port,
			     uint64_t services, bool tried);
/** getnodeaddresses: up to max, at random; returns how many were shown. */
struct addr_info {
	char onion[63];            /* 56 characters, ".onion" */
	uint16_t port;
	uint64_t services;
	int64_t time_unix;
};
typedef void addr_info_fn(const struct addr_info *a, void *arg);
size_t p2p_addrs_visit(struct p2p *p, size_t max, addr_info_fn *fn,
		       void *arg);

#endif
