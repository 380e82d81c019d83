/*
 * Connections inside the engine: those we want, dials under way, and the
 * circuits strangers come by.
 */
#ifndef CLOISTER_P2P_CONNS_PRIV_H
#define CLOISTER_P2P_CONNS_PRIV_H

#include "p2p/onion.h"
#include "p2p/p2p.h"

struct peer;

/* ---- circuits of strangers ---- */

struct circuit {
	uint32_t id;                 /* tor's number for it */
	unsigned peers;              /* open now */
	bool banned;
	int64_t at_ms;               /* the tokens are of then */
	double conns, messages, bytes;
};

/* ---- connections we want ---- */

/* A connection that was of use and ended. */
struct lost {
	int64_t at_ms;               /* 0: never */
	unsigned tries;              /* in vain since then */
	int64_t refresh_ms;          /* its descriptor is due then */
};

struct wanted_host {
	char *host;
	uint16_t port;
	bool seed;                   /* fetch addresses only */
	bool name;                   /* a seed's name outside of Tor */
	bool warned;                 /* the owner was told of trouble */
	uint64_t dial;               /* in progress, 0: none */
	peer_id peer;                /* connected, 0: no */
	int64_t next_ms;
	unsigned failures;
	struct lost lost;
};

#define LOST_MAX 16

/* The same, of the book. */
struct lost_peer {
	struct onion onion;
	struct lost lost;
	int64_t next_ms;
};

struct dial {
	uint64_t id;
	char *host;
	uint16_t port;
	enum conn_type type;
	bool name;
	bool announces;              /* only to tell our address */
	bool has_onion;
	struct onion onion;
	int64_t started_ms;
	int64_t timeout_ms;          /* 0: by type and pace */
	peer_id replaces;            /* the same node, by a new circuit */
};

/* How long connecting takes, learnt from what worked. */
struct dial_pace {
	int64_t timeout_ms, mean_ms, spread_ms;
	bool known;
};

#define ANCHORS_MAX 2

struct conns {
	struct wanted_host *wanted;
	size_t wanted_n;
	struct dial *dials;
	size_t dials_n;
	uint64_t last_dial;
	struct dial_pace pace;
	bool tor_ready;
	int64_t tor_retry_ms;        /* it failed: not before */
	int64_t feeler_next_ms, seed_next_ms, rotate_next_ms;
	size_t seed_next;
	unsigned names_wanted;       /* seed names still to be asked */
	int64_t names_from_ms;       /* others have their chance first */
	struct onion anchors[ANCHORS_MAX];
	size_t anchors_n;
	struct lost_peer lost[LOST_MAX];
	size_t lost_n;
};

/* ---- circuits.c ---- */

/** One more connection by this circuit; NULL: no. */
struct circuit *circuit_admit(struct p2p *p, uint32_t id);
/** It sent a message; false: one too many, all its peers are gone. */
bool circuit_message(struct p2p *p, struct circuit *c);
void circuit_bytes(struct p2p *p, struct circuit *c, size_t n);
/** Has it sent more than its share?  Then do not read for a while. */
bool circuit_slow(struct p2p *p, struct circuit *c);
/** Drop all its peers, and the circuit. */
void circuit_ban(struct p2p *p, struct circuit *c, const char *text);
void circuits_clear(struct p2p *p);

/* ---- inbound.c ---- */

unsigned inbound_count(const struct p2p *p);
/** Room for one more, by dropping somebody if need be; false: no. */
bool inbound_room(struct p2p *p);

/* ---- conns.c ---- */

void conns_init(struct p2p *p);
void conns_clear(struct p2p *p);
void conns_tick(struct p2p *p);
/** A dial has become this peer. */
void conns_connected(struct p2p *p, struct peer *peer, struct dial *d);
void conns_handshaken(struct p2p *p, struct peer *peer);
void conns_closed(struct p2p *p, struct peer *peer);

/** Until the next try: longer after each failure. */
int64_t wanted_pause_ms(const struct p2p *p, const struct wanted_host *w);

/* ---- dials.c ---- */

#define TOR_RETRY_MS (5 * SECOND_MS)

/** Begin to dial; the fields of *want that say whom.  Returns its id. */
uint64_t dial_start(struct p2p *p, const struct dial *want);
/** Takes the dial out of the list; false: unknown. */
bool dial_take(struct p2p *p, struct dial *out, uint64_t id);
void dial_clear(struct dial *d);
void dials_forget(struct p2p *p);
bool dialling_onion(const struct p2p *p, const struct onion *o);
/** Connecting took that long. */
void pace_worked(struct dial_pace *pace, int64_t ms);
void pace_timed_out(struct dial_pace *pace);

/* ---- redial.c ---- */

/** Fetch the descriptors that are due. */
void redial_tick(struct p2p *p);
/** The connection ended, and not because we wanted it. */
void redial_lost(struct p2p *p, const struct peer *peer);
/** Tor was away and is back: what was lost is looked for anew. */
void redial_anew(struct p2p *p);
/** Lost lately?  Then this is the pause before the next try. */
bool redial_named(const struct p2p *p, const struct wanted_host *w,
		  int64_t *pause);
/** How long the next try may take; 0: as usual. */
int64_t redial_named_timeout(const struct p2p *p,
			     const struct wanted_host *w);
/** A lost peer of the book that is to be dialled now; false: none is. */
bool redial_due(struct p2p *p, struct onion *out, int64_t *timeout);
/** It is there again. */
void redial_found(struct p2p *p, const struct onion *o);
/** A dial failed; true: it is a lost one, which is not held against it. */
bool redial_failed(struct p2p *p, const struct onion *o);

#endif
