/*
 * One engine on a test bench: its ports write down what they are asked, and
 * the test plays peers and chain by hand.
 */
#ifndef CLOISTER_TESTS_UNIT_P2P_RIG_H
#define CLOISTER_TESTS_UNIT_P2P_RIG_H

#include "base/random.h"
#include "p2p/messages.h"
#include "p2p/p2p.h"
#include "p2p/wire.h"

#define RIG_PEERS 400
#define RIG_DIALS 256

struct rig_peer {
	struct bytes sent;           /* by the engine, not yet looked at */
	struct wire_reader wire;     /* over sent */
	bool closed, stopped;        /* stopped: reading is off */
	enum close_reason reason;
	char text[100];
	size_t queued;               /* what the queued port answers */
};

struct rig_dial {
	uint64_t id;
	char host[80];
	uint16_t port;
	enum conn_type type;
	bool seed_name;
	int64_t timeout_ms;
};

struct rig {
	struct p2p *p;
	struct chain_params params;
	struct prng rng;
	int64_t ms, unix;
	struct rig_peer peers[RIG_PEERS];    /* by id */
	peer_id last_id;
	struct rig_dial dials[RIG_DIALS];
	size_t dials_n;

	uint32_t cut_circuit;        /* the last one, and how many */
	unsigned cuts_n;
	char refreshed[80];          /* the last one, and how many */
	unsigned refreshes_n;

	bool refuse;                 /* the chain's queue is full */
	unsigned headers_n, blocks_n, plans_n, serve_headers_n, serve_block_n;
	peer_id headers_peer;        /* of the last one */
	size_t headers_count;
	bool headers_vouched;
	struct block_hash block_hash;
	bool block_requested;
	struct block_hash serve_hash;
	bool serve_witness;
	size_t serve_max, serve_locator_n;
};

/** opt may be NULL; its params are set by this call (regtest). */
struct rig *rig_new(const struct p2p_options *opt);
void rig_free(struct rig *r);
void rig_tick(struct rig *r, int64_t ms);
/** A connection: dial 0 for inbound.  0 if it was refused. */
peer_id rig_connect(struct rig *r, uint64_t dial);
/** An inbound connection by a circuit of tor. */
peer_id rig_knock(struct rig *r, uint32_t circuit);
/** The newest dial, as an open connection. */
peer_id rig_answer_dial(struct rig *r);
void rig_bytes(struct rig *r, peer_id id, struct span data);
void rig_send(struct rig *r, peer_id id, const struct msg *m);
void rig_send_plain(struct rig *r, peer_id id, enum msg_type type);
/** The next message the engine sent; false: none.  Good until the next. */
NODISCARD bool rig_next(struct rig *r, peer_id id, struct msg *out);
/** Look for one of that type, dropping those before it. */
NODISCARD bool rig_find(struct rig *r, peer_id id, enum msg_type type,
			struct msg *out);
void rig_send_version(struct rig *r, peer_id id, uint32_t version,
		      uint64_t services, uint64_t nonce);
/** A whole handshake of a modern full node (services as given). */
void rig_handshake(struct rig *r, peer_id id, uint64_t services);
/** An inbound peer after its handshake. */
peer_id rig_inbound(struct rig *r);
/** An outbound peer (p2p_try_once) after its handshake. */
peer_id rig_outbound(struct rig *r);
/** Tell the engine of a chain that is only genesis. */
void rig_tip_genesis(struct rig *r);

#endif
