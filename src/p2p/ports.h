/*
 * What the engine asks of the world (ports), and what the world answers
 * (replies).  Every port returns at once; a question to the chain is answered
 * later by the p2p_on_… call named beside it, never from inside the port.  No
 * port may call the engine.
 */
#ifndef CLOISTER_P2P_PORTS_H
#define CLOISTER_P2P_PORTS_H

#include "consensus/params.h"
#include "consensus/shared_tx.h"
#include "consensus/verdict.h"

typedef uint64_t peer_id;     /* never used twice; 0 is nobody */

/* How a connection came to be, in the reference node's words. */
enum conn_type {
	CONN_INBOUND,         /* "inbound" */
	CONN_OUTBOUND,        /* "outbound-full-relay", from the address book */
	CONN_MANUAL,          /* "manual": -connect, -addnode, onetry */
	CONN_ADDR_FETCH,      /* "addr-fetch": getaddr, then close */
	CONN_FEELER,          /* "feeler": is it there?  then close */
	CONN_TYPE_COUNT,
};
const char *conn_type_name(enum conn_type t);

/* What a dial is: given to the port, good for the call only. */
struct dial_request {
	uint64_t id;
	const char *host;     /* onion address; a seed's name; on regtest also
				 an address on loopback */
	uint16_t port;
	enum conn_type type;
	bool seed_name;       /* host is one of the chain's seed names */
	int64_t timeout_ms;
};

/* Why a dial failed, as far as it can be told. */
enum dial_failure {
	FAILURE_OTHER,
	FAILURE_REFUSED,      /* the service is there, the node behind not */
	FAILURE_UNREACHABLE,
	FAILURE_TIMEOUT,
	FAILURE_NOT_FOUND,    /* the onion service has no descriptor */
	FAILURE_BAD_ADDRESS,  /* it can never work */
	FAILURE_AUTH,         /* the onion service wants a client key */
	FAILURE_NO_TOR,       /* our side: not held against the address */
};

/* Why the engine ends a connection. */
enum close_reason {
	CLOSE_ASKED,          /* by the owner (disconnectnode, network off) */
	CLOSE_MISBEHAVED,     /* it, or one by the same circuit, broke a rule */
	CLOSE_TIMEOUT,        /* handshake, ping or silence */
	CLOSE_STALLED,        /* did not deliver what it was asked for */
	CLOSE_UNWANTED,       /* too old, no services, ourselves, no slot */
	CLOSE_DONE,           /* feeler or address fetch is finished */
	CLOSE_REASON_COUNT,
};
const char *close_reason_name(enum close_reason r);

/* A header we know, by the chain's word. */
struct header_point {
	struct block_hash hash;
	int height;
	struct u256 work;     /* of the whole chain up to it */
};

/* A peer, and the best header we believe it has. */
struct plan_peer {
	peer_id peer;
	struct block_hash best;       /* zero in no request */
	/* the reply's: */
	bool known;                   /* best is in our header tree */
	struct header_point point;    /* of best, if known */
	int common_height;            /* best's fork with our best header */
};

struct plan_request {
	size_t max;                   /* blocks at most */
	int window;                   /* none further above the lowest one */
	const struct plan_peer *peers;/* good for the call only */
	size_t peer_count;
};

struct p2p_ports {
	void *ctx;

	/* ---- connections ---- */
	/** Queue bytes for a peer; *data is moved out (left empty). */
	void (*send)(void *ctx, peer_id peer, struct bytes *data TAKES);
	/** Bytes queued for a peer and not yet written. */
	size_t (*queued)(void *ctx, peer_id peer);
	/**
	 * Close a connection (after writing nothing more).  The engine has
	 * forgotten the peer already: p2p_peer_closed need not follow, and
	 * is ignored if it does.
	 */
	void (*close)(void *ctx, peer_id peer, enum close_reason reason,
		      const char *text);
	/** End an inbound circuit of tor; may be NULL.  Its peers have been
	 * closed before. */
	void (*close_circuit)(void *ctx, uint32_t circuit);
	/** Stop, or go on, reading from a peer.  After going on, offer again
	 * the bytes that p2p_peer_bytes left. */
	void (*set_reading)(void *ctx, peer_id peer, bool on);
	/**
	 * Connect.  Answer: p2p_peer_connected (with this dial) or
	 * p2p_dial_failed.
	 */
	void (*dial)(void *ctx, const struct dial_request *req);
	/** The descriptor of this onion may be stale: fetch it; may be
	 * NULL. */
	void (*refresh)(void *ctx, const char *host);
	/** Unpredictable bytes (in tests: repeatable ones). */
	void (*random)(void *ctx, void *out, size_t n);

	/* ---- the chain: false means its queue is full, nothing was taken;
	 * the engine stops reading from that peer and tries again on tick or
	 * on p2p_chain_ready ---- */
	/**
	 * Accept headers, each the parent of the next, with proof of work
	 * checked.  h is good for the call only.  vouched: they lead to
	 * enough work (pre-synchronisation said so).
	 * Answer: p2p_on_headers_result.
	 */
	bool (*chain_headers)(void *ctx, peer_id peer,
			      const struct block_header *h, size_t n,
			      bool vouched);
	/**
	 * Accept a block; *raw is moved out when true is returned.
	 * Answer: p2p_on_block_result, also for one that does not decode.
	 */
	bool (*chain_block)(void *ctx, peer_id peer,
			    const struct block_hash *hash, struct bytes *raw,
			    bool requested);
	/** What to download next?  Answer: p2p_on_plan. */
	bool (*chain_plan)(void *ctx, const struct plan_request *req);
	/**
	 * Headers of the active chain after the locator's fork, up to stop
	 * (zero: no stop), at most max.  With an empty locator: the header
	 * of stop itself, if it is known.  Answer: p2p_on_served_headers.
	 */
	bool (*chain_serve_headers)(void *ctx, peer_id peer,
				    const struct block_hash *locator,
				    size_t n, const struct block_hash *stop,
				    size_t max);
	/**
	 * The bytes of a block that may be shown: on the active chain (or
	 * recent and valid).  with_witness=false: serialised without it.
	 * Answer: p2p_on_served_block.
	 */
	bool (*chain_serve_block)(void *ctx, peer_id peer,
				  const struct block_hash *hash,
				  bool with_witness);
	/**
	 * Judge a transaction for the mempool; with child (or NULL), the two
	 * together.  References are taken.  peer 0: nobody's.
	 * Answer: p2p_on_tx_result.
	 */
	bool (*chain_tx)(void *ctx, peer_id peer, struct shared_tx *tx,
			 struct shared_tx *child);
};

/* ---- answers; pointers are good for the call only ---- */

struct headers_reply {
	peer_id peer;
	enum verdict verdict;         /* of the first header refused */
	const char *reason;           /* its text, "" if none */
	size_t given, accepted;       /* accepted: before the refused one */
	size_t new_headers;
	/* The parent of the first header, if known (the verdict is not
	 * VERDICT_PREV_NOT_FOUND). */
	bool has_start;
	struct header_point start;
	uint32_t start_bits;
	int64_t start_mtp;            /* median time past, unix */
	/* The last accepted header; with accepted == 0 nothing. */
	struct header_point last;
	int common_height;            /* of last with our best header */
};

struct block_reply {
	peer_id peer;
	struct block_hash hash;
	enum verdict verdict;         /* of accepting: not of connecting */
	const char *reason;
	bool is_new;                  /* stored by this call */
	int height;                   /* -1: header refused */
};

struct plan_block {
	struct block_hash hash;
	int height;
	peer_id only;                 /* on this peer's branch; 0: on the
				       * way to the best header */
};

struct plan_reply {
	struct header_point best_header;
	const struct plan_block *blocks; /* lowest first */
	size_t block_count;
	const struct plan_peer *peers;   /* those of the request */
	size_t peer_count;
};

enum tx_outcome {
	TX_TAKEN,                     /* into the mempool */
	TX_HAD,                       /* it was there, or is in the chain */
	TX_REFUSED,
	TX_STRIPPED,                  /* its witness is missing */
	TX_LOW_FEE,                   /* it might do with a child that pays */
	TX_NO_INPUTS,                 /* some parent is not known */
};

#define TX_MISSING_MAX 24

struct tx_reply {
	peer_id peer;
	struct shared_tx *tx;         /* good for the call */
	bool with_child;              /* it was judged with one */
	enum tx_outcome outcome;
	const char *reason;           /* "" if none */
	struct txid missing[TX_MISSING_MAX];  /* TX_NO_INPUTS: parents; none:
						 too many to ask for */
	size_t missing_n;
};

/* A transaction that the mempool has taken. */
struct mempool_tx {
	struct shared_tx *tx;         /* a reference is taken */
	int64_t rate_sat_kvb;
	unsigned depth;               /* ancestors in the pool and itself */
	bool announce;                /* tell peers */
	int64_t min_fee_sat_kvb;      /* of the pool now */
};

/* How many of the newest blocks are announced at once. */
#define P2P_ANNOUNCE_MAX 8

struct tip_event {
	struct header_point tip;
	struct header_point best_header;
	int64_t best_header_time;     /* unix */
	bool initial_download;
	/* Locator of the best header: its own hash first. */
	const struct block_hash *locator;
	size_t locator_n;
	/* Headers of the blocks connected since the last event, lowest
	 * first: only the newest P2P_ANNOUNCE_MAX. */
	const struct block_header *connected;
	size_t connected_n;
	bool lost_blocks;             /* stored ones are wanted again */
};

#endif
