/*
 * Transactions whose parents are not known yet.  Each peer has a share; who
 * takes more than it loses its own oldest first, so that nobody can push out
 * another's.  Loop thread.
 */
#ifndef CLOISTER_P2P_ORPHANAGE_H
#define CLOISTER_P2P_ORPHANAGE_H

#include "consensus/shared_tx.h"
#include "p2p/ports.h"

/* One standard transaction's weight at the most, or several small ones. */
#define ORPHANAGE_PEER_WEIGHT 404000
#define ORPHANAGE_MAX 3000
#define ORPHAN_PEERS_MAX 8       /* who announced one */

struct orphan {
	struct shared_tx *tx;
	peer_id from[ORPHAN_PEERS_MAX];
	size_t from_n;
};

struct orphanage {
	struct orphan *v;        /* oldest first */
	size_t n, cap;
	size_t weight;           /* of all */
};

void orphanage_clear(struct orphanage *o);
/** Takes a reference.  peers: how many share the space. */
void orphanage_add(struct orphanage *o, struct shared_tx *tx, peer_id from,
		   size_t peers);
bool orphanage_has(const struct orphanage *o, const struct wtxid *id);
bool orphanage_has_txid(const struct orphanage *o, const struct txid *id);
void orphanage_remove(struct orphanage *o, const struct wtxid *id);
/** The peer is gone, and what nobody else announced. */
void orphanage_peer_gone(struct orphanage *o, peer_id peer);
/**
 * The next orphan that spends an output of this transaction, from place *at
 * (0 at first) on; NULL: no more.  Borrowed.
 */
const struct orphan *orphanage_child(const struct orphanage *o, size_t *at,
				     const struct txid *parent);

#endif
