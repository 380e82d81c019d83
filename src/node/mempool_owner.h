/*
 * The mempool's life on the chain thread: opened with the chain, told of
 * blocks, loaded in the background, saved at the end.
 */
#ifndef CLOISTER_NODE_MEMPOOL_OWNER_H
#define CLOISTER_NODE_MEMPOOL_OWNER_H

#include "node/chain_owner.h"

/** Once the chain is open. */
void mempool_owner_open(struct chain_owner *o);
/** Save and free, before the chain closes. */
void mempool_owner_close(struct chain_owner *o);
/** The chain's events (ctx: the owner). */
void mempool_owner_connected(struct chain_owner *o, const struct block *b,
			     int height);
void mempool_owner_disconnected(struct chain_owner *o, struct block *b);
void mempool_owner_tip(struct chain_owner *o);
/** Load some of mempool.dat; false when there is nothing left to do. */
bool mempool_owner_idle(struct chain_owner *o);

#endif
