/*
 * The fee estimator's life beside the mempool's: told what comes, goes and
 * is mined; its file.  Chain thread.
 */
#ifndef CLOISTER_NODE_FEE_OWNER_H
#define CLOISTER_NODE_FEE_OWNER_H

#include "node/chain_owner.h"

/** Before the mempool is made. */
void fee_owner_open(struct chain_owner *o);
/** Save and free. */
void fee_owner_close(struct chain_owner *o);
/** The mempool's events. */
void fee_owner_added(struct chain_owner *o, const struct mempool_entry *e);
void fee_owner_removed(struct chain_owner *o, const struct mempool_entry *e,
		       enum mempool_removal reason);
/** After the mempool was told of the block. */
void fee_owner_connected(struct chain_owner *o, int height);

#endif
