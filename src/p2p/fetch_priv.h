/*
 * Fetching blocks: what the engine keeps of it, and its three files' calls.
 */
#ifndef CLOISTER_P2P_FETCH_PRIV_H
#define CLOISTER_P2P_FETCH_PRIV_H

#include "base/map.h"
#include "p2p/messages.h"
#include "p2p/ports.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define FETCH_STALL_MIN_MS (10 * SECOND_MS)

struct p2p;
struct peer;

enum fetch_state {
	FETCH_WANTED,
	FETCH_ASKED,             /* of peer */
	FETCH_GIVEN,             /* the chain has it and will answer */
};

struct fetch_block {
	struct block_hash hash;
	int height;
	enum fetch_state state;
	peer_id peer;            /* asked, or who gave it */
	peer_id avoid;           /* failed us with this block */
	peer_id only;            /* whose branch it is on, 0: the best one */
	int64_t asked_ms;
	int plan_at;             /* place in the plan, -1: none */
};

/* Who gave us a block whose scripts are not checked yet. */
struct block_source {
	struct block_hash hash;
	peer_id peer;
};
#define BLOCK_SOURCES 2048

struct fetch {
	struct map by_hash;
	uint64_t salt[2];
	struct fetch_block **plan;   /* lowest first; NULL: done */
	size_t plan_n, wanted_n, asked_n;
	bool plan_out;               /* asked the chain for a plan */
	bool dirty;                  /* the plan must be made again */
	bool stale;                  /* it may be, when it gets short */
	int64_t plan_ms;
	int64_t stall_ms;            /* adaptive patience */
	uint64_t avg_bytes;          /* of the latest blocks */
	struct block_source sources[BLOCK_SOURCES];
	size_t source_next;
};

/* What we know of a peer as a source of blocks. */
struct peer_fetch {
	struct fetch_block **asked;
	size_t asked_n, asked_cap;
	uint64_t bytes, ms;          /* decaying sums: throughput */
	int64_t last_block_ms;
	int64_t rest_until_ms;       /* asked nothing until then */
	unsigned strikes;            /* blocks taken away in a row */
	size_t room;                 /* while assigning: it may take more */
	struct bytes ask;            /* while assigning: inv items */
	size_t ask_n;
};

/* ---- calls of the rest of the engine ---- */

void fetch_init(struct p2p *p);
void fetch_clear(struct p2p *p);
void fetch_tick(struct p2p *p);
/** Ask for what can be asked. */
void fetch_assign(struct p2p *p);
/** A block message; false: the chain's queue is full. */
bool fetch_block_message(struct p2p *p, struct peer *peer,
			 struct bytes *raw);
void fetch_notfound(struct p2p *p, struct peer *peer,
		    const struct msg_inv *m);
/** Give up what the peer was asked for. */
void fetch_detach(struct p2p *p, struct peer *peer);
void fetch_info(const struct peer *peer, int *heights);

/* ---- among themselves: fetch_plan.c ---- */

struct fetch_block *fetch_entry_new(struct p2p *p,
				    const struct block_hash *hash,
				    int height);
void fetch_entry_state(struct p2p *p, struct fetch_block *e,
		       enum fetch_state state);
void fetch_entry_free(struct p2p *p, struct fetch_block *e);
/** It did not come: want it again, if the plan still does. */
void fetch_entry_give_up(struct p2p *p, struct fetch_block *e,
			 peer_id avoid);
void fetch_plan_maybe(struct p2p *p);

/* ---- fetch_assign.c ---- */

/** Put it into the peer's getdata, which fetch_send_asks sends. */
void fetch_ask(struct p2p *p, struct peer *peer, struct fetch_block *e);
void fetch_send_asks(struct p2p *p);

#endif
