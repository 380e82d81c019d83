/*
 * The engine's insides, shared by its files: the peer, the engine, and what
 * each file offers the others.
 */
#ifndef CLOISTER_P2P_P2P_PRIV_H
#define CLOISTER_P2P_P2P_PRIV_H

#include "base/log.h"
#include "base/map.h"
#include "p2p/addrbook.h"
#include "p2p/conns_priv.h"
#include "p2p/fetch_priv.h"
#include "p2p/headers_presync.h"
#include "p2p/messages.h"
#include "p2p/p2p.h"
#include "p2p/txs_priv.h"
#include "p2p/wire.h"

/* Headers of one message (or release) on their way to the chain. */
struct headers_batch {
	struct block_header *h;      /* NULL: none */
	size_t n;
	bool posted, vouched, full;
};

struct peer_headers {
	struct headers_batch batch;
	struct presync *presync;
	int64_t asked_ms;            /* getheaders is out; 0: none is */
	int64_t started_ms;          /* 0: not synchronised with yet */
	bool done;                   /* it had no more at some time */
	bool has_best;
	struct header_point best;    /* the best header it has */
	int common_height;           /* with our best header; -1: unknown */
	struct block_hash announced; /* last header it has from us */
	int announced_height;        /* of it on our chain; -1: unknown */
	int64_t behind_ms;           /* its chain is weaker since; 0: not */
	bool behind_asked;
};

struct peer_serve {
	struct bytes queue;          /* inv items of blocks */
	bool block_out;              /* asked the chain for one */
	struct inv_item current;
	bool headers_wanted, headers_out;
	bool headers_as_inv;         /* it asked with getblocks */
	struct bytes locator;
	struct block_hash stop;
};

/* An address on its way to a peer. */
struct addr_news {
	struct onion onion;
	uint64_t services;
	uint32_t time;
};

struct peer_addrs {
	bool sent;                   /* getaddr was answered */
	bool asked;                  /* our getaddr is not answered yet */
	double tokens;               /* addresses we take from it now */
	int64_t tokens_ms;
	uint32_t *known;             /* it has them; by hash; NULL: none */
	struct addr_news *news;      /* to be sent at send_ms */
	size_t news_n;
	int64_t send_ms;
};

struct peer {
	peer_id id;
	struct peer_info info;       /* pointers own their strings */
	char *host;                  /* outbound: dialled */
	uint16_t port;
	bool seed_name;
	bool announces;              /* dialled to tell it our address */
	bool door;                   /* trusted: by a private onion */
	bool witness;                /* … and the tip watch counts on it */
	bool has_onion;
	struct onion onion;
	bool unfit;                  /* it lacks services we need */
	peer_id replaces;            /* to be dropped after the handshake */
	int64_t rotate_ms;           /* a new circuit is due */
	bool gone;                   /* freed at the end of the call */

	struct wire_reader wire;
	bool held;                   /* wire's message could not be handled */
	bool slow;                   /* its circuit sent too much just now */
	bool unread;                 /* the port was told to stop reading */
	struct circuit *circuit;     /* inbound through tor; else NULL */

	bool version_sent, version_got, done; /* done: verack came */
	bool sendheaders_sent, wants_addrv2;
	uint64_t nonce;
	int64_t connected_ms, last_recv_ms;

	bool ping_out, ping_now;
	uint64_t ping_nonce;
	int64_t ping_ms, ping_next_ms;

	struct peer_fetch fetch;
	struct peer_headers headers;
	struct peer_serve serve;
	struct peer_addrs addrs;
	struct peer_txs txs;
};

/* Strangers against witnesses. */
struct tip_watch {
	int64_t since_ms;            /* they differ; 0: they do not */
	int64_t asked_ms, told_ms;
	char warning[300];           /* "": none */
};

struct p2p {
	struct p2p_options opt;
	struct p2p_ports ports;
	char *user_agent;
	int64_t now_ms, now_unix;
	bool active;

	struct peer **peers;         /* by id */
	size_t peers_n;
	bool reap;                   /* some peer is gone */
	uint64_t bytes_sent, bytes_received;

	bool has_tip;                /* p2p_on_tip was called */
	struct tip_event tip;        /* its arrays are not kept here: */
	struct block_hash locator[LOCATOR_MAX];
	size_t locator_n;

	struct fetch fetch;
	struct conns conns;
	struct tip_watch tip_watch;
	int64_t stranger_unix;       /* one came in through tor; 0: never */
	struct circuit **circuits;
	size_t circuits_n;

	struct addrbook *book;
	uint64_t gossip_secret[2];
	bool has_local;
	struct onion local;
	int64_t tell_ms;             /* then somebody is told of it */
	unsigned told;               /* so many were */
	struct book_entry *addr_cache;
	size_t addr_cache_n;
	int64_t addr_cache_until_ms;

	struct p2p_txs txs;
};

static inline uint64_t p2p_random(const struct p2p *p)
{
	uint64_t r;

	p->ports.random(p->ports.ctx, &r, sizeof r);
	return r;
}

/* To the minute: the skew of our clock shall not tie connections together. */
static inline int64_t p2p_rounded_time(const struct p2p *p)
{
	return (p->now_unix + 30) / 60 * 60;
}

/** Is our chain one to be shown?  One that is still being fetched is not to
 * be believed, and how far it is would tell us from others. */
static inline bool p2p_chain_shown(const struct p2p *p)
{
	return p->has_tip && u256_cmp(&p->tip.tip.work,
				      &p->opt.minimum_chain_work) >= 0;
}

/* ---- peer.c ---- */

struct peer *peer_get(const struct p2p *p, peer_id id);   /* or NULL */
struct peer *peer_add(struct p2p *p, const struct peer_conn *c);
void peer_free(struct peer *peer);
static inline bool peer_outbound(const struct peer *peer)
{
	return peer->info.type != CONN_INBOUND;
}
/** Here for one thing, and gone: nothing of the chain is asked or told. */
static inline bool peer_passing(const struct peer *peer)
{
	return peer->info.type == CONN_ADDR_FETCH ||
	       peer->info.type == CONN_FEELER;
}
/** Frame and send. */
void peer_send(struct p2p *p, struct peer *peer, const struct msg *m);
void peer_send_plain(struct p2p *p, struct peer *peer, enum msg_type type);
/** Forget the peer and close its connection; text is for the log. */
void peer_drop(struct p2p *p, struct peer *peer, enum close_reason reason,
	       const char *text);
/** It broke a rule: drop it, and its address from the book. */
void peer_misbehaved(struct p2p *p, struct peer *peer, const char *text);
/** Free those that are gone; the last thing every public call does. */
void peers_reap(struct p2p *p);
/** Forget a peer in every part of the engine. */
void peer_detach(struct p2p *p, struct peer *peer);

/* ---- p2p.c ---- */

/** Try again what the chain refused: its queue has room. */
void peers_retry(struct p2p *p);

/* ---- handshake.c ---- */

void handshake_start(struct p2p *p, struct peer *peer);
/** Messages of the handshake and of keeping alive; true if it was one. */
bool handshake_message(struct p2p *p, struct peer *peer,
		       const struct msg *m);
void keepalive_tick(struct p2p *p, struct peer *peer);

/* ---- dispatch.c ---- */

/** Handle the message held back, if any; start reading again. */
void peer_resume(struct p2p *p, struct peer *peer);

/** Read from it, or not: after held or slow changed. */
void peer_reading(struct p2p *p, struct peer *peer);

/* ---- headers_sync.c ---- */

/** false: cannot be handled now, keep the message. */
bool headers_message(struct p2p *p, struct peer *peer,
		     const struct msg_headers *m);
/** What it has from our best header's parent on; false: it is busy. */
bool headers_ask_from_ours(struct p2p *p, struct peer *peer);
void headers_tick(struct p2p *p);
/** Post what the chain refused. */
void headers_retry(struct p2p *p, struct peer *peer);
void headers_inv(struct p2p *p, struct peer *peer,
		 const struct block_hash *hash);
void headers_detach(struct peer *peer);
void headers_common_unknown(struct p2p *p);

/* ---- serve.c ---- */

bool serve_getdata(struct p2p *p, struct peer *peer,
		   const struct msg_inv *m);
bool serve_getheaders(struct p2p *p, struct peer *peer,
		      const struct msg_locator *m, bool as_inv);
/** Go on with what was asked of us. */
void serve_step(struct p2p *p, struct peer *peer);
void serve_announce(struct p2p *p, const struct tip_event *e,
		    const struct block_hash *old_tip);
void serve_detach(struct peer *peer);

/* ---- addr_relay.c ---- */

void addrs_handshaken(struct p2p *p, struct peer *peer);
void addrs_message(struct p2p *p, struct peer *peer,
		   const struct msg_addrv2 *m);
void addrs_legacy(struct p2p *p, struct peer *peer, size_t n);
void addrs_getaddr(struct p2p *p, struct peer *peer);

/* ---- announce.c ---- */

/** Is that our own address? */
bool announce_is_own(const struct p2p *p, const struct onion *o);
void announce_tell(struct p2p *p, struct peer *peer);
void announce_tick(struct p2p *p);

/* ---- addr_gossip.c ---- */

/** Pass a fresh address on to one or two peers, later. */
void gossip_add(struct p2p *p, const struct peer *from,
		const struct addr_news *news);
/** The peer has this address. */
void gossip_known(struct p2p *p, struct peer *peer, const struct onion *o);
void gossip_tick(struct p2p *p, struct peer *peer);
void gossip_detach(struct peer *peer);

/* ---- tip_watch.c ---- */

void tip_watch_tick(struct p2p *p);
/** Outbound peers to have beyond the usual number. */
unsigned tip_watch_extra(const struct p2p *p);

#endif
