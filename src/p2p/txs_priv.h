/*
 * Transactions inside the engine: what the mempool has, who has been told,
 * who was asked, what waits for its parents.
 */
#ifndef CLOISTER_P2P_TXS_PRIV_H
#define CLOISTER_P2P_TXS_PRIV_H

#include "base/map.h"
#include "p2p/messages.h"
#include "p2p/orphanage.h"
#include "p2p/ports.h"
#include "p2p/rolling.h"

struct p2p;
struct peer;

/* One of the mempool's, as far as the engine needs it. */
struct pool_tx {
	struct shared_tx *tx;
	int64_t rate_sat_kvb;
	unsigned depth;              /* ancestors in the pool, itself too */
};

/* Of a peer. */
struct peer_txs {
	bool wtxid_relay;            /* it names transactions by wtxid */
	struct rolling known;        /* it has them, or was told */
	struct rolling told;         /* by us: may be asked for */
	struct wtxid *queue;         /* to be told */
	size_t queue_n, queue_cap;
	int64_t tell_ms;             /* when */
	uint64_t fee_sent;           /* our feefilter as it knows it; 0: none */
	int64_t fee_ms;              /* the next one is due */
	size_t wants;                /* announcements of its that wait */
	size_t asked;                /* of them: asked for */
	struct bytes asking;         /* getdata under construction */
};

struct p2p_txs {
	uint64_t salt[2];
	struct map by_wtxid, by_txid;    /* struct pool_tx */
	struct map wants;                /* struct want */
	struct orphanage orphans;
	struct rolling refused;      /* wtxids, and txids of no witness */
	struct rolling low_fee;      /* might do with a child that pays */
	struct shared_tx **again;    /* orphans whose parent has come */
	size_t again_n, again_cap;
	int64_t inbound_tell_ms;     /* all inbound peers at once */
	int64_t wants_ms;            /* the next look at them */
	int64_t min_fee;             /* of the pool; sat per kvB */
	uint64_t *fee_steps;         /* what a feefilter may say */
	size_t fee_steps_n;
};

/* ---- tx_relay.c ---- */

void txs_init(struct p2p *p);
void txs_clear(struct p2p *p);
void txs_handshaken(struct p2p *p, struct peer *peer);
void txs_detach(struct p2p *p, struct peer *peer);
void txs_tick(struct p2p *p);
/** Transactions of an inv. */
void txs_inv(struct p2p *p, struct peer *peer, const struct msg_inv *m);
/** false: the chain's queue is full; keep the message. */
bool txs_message(struct p2p *p, struct peer *peer, struct span raw);
/** BIP35: only peers by a private door. */
void txs_mempool(struct p2p *p, struct peer *peer);
/** Does the peer get and give transactions? */
bool txs_relayed(const struct peer *peer);
/** The tip moved: what was refused may be good now. */
void txs_new_tip(struct p2p *p);
const struct pool_tx *pool_by_wtxid(const struct p2p *p, const uint8_t *id);
const struct pool_tx *pool_by_txid(const struct p2p *p, const uint8_t *id);

/* ---- tx_announce.c ---- */

void announce_tx(struct p2p *p, const struct pool_tx *t);
/** To be told to this peer in its next rounds, if it may be. */
void announce_tx_queue(struct peer *peer, const struct wtxid *id);
/** When its next round is. */
void announce_tx_schedule(struct p2p *p, struct peer *peer);
void announce_tx_tick(struct p2p *p, struct peer *peer);
/** A getdata item for a transaction: sent if it was told to this peer. */
bool announce_tx_serve(struct p2p *p, struct peer *peer,
		       const struct inv_item *item);
void fee_filter_init(struct p2p_txs *t, int64_t least);
void fee_filter_tick(struct p2p *p, struct peer *peer);

/* ---- tx_request.c ---- */

/** It has announced so much that more is not listened to. */
bool tx_wants_full(const struct peer *peer);
/** The peer has it; delay_ms: how long others come first. */
void tx_want(struct p2p *p, struct peer *peer, const uint8_t hash[static 32],
	     bool by_wtxid, int64_t delay_ms);
/** It has come (and was good, or was bad whoever sends it). */
void tx_unwant(struct p2p *p, const uint8_t hash[static 32]);
/** This peer's answer was of no use: ask another. */
void tx_want_failed(struct p2p *p, struct peer *peer,
		    const uint8_t hash[static 32]);
bool tx_was_asked(const struct p2p *p, const struct peer *peer,
		  const uint8_t hash[static 32]);
void tx_wants_notfound(struct p2p *p, struct peer *peer,
		       const struct msg_inv *m);
void tx_wants_tick(struct p2p *p);
void tx_wants_detach(struct p2p *p, struct peer *peer);
void tx_wants_clear(struct p2p *p);

#endif
