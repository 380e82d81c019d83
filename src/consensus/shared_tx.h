/*
 * A transaction on its own that many hold at once: one piece of memory with
 * the decoded form and the bytes it borrows from, immutable and reference
 * counted.  Any thread may hold a reference.
 */
#ifndef CLOISTER_CONSENSUS_SHARED_TX_H
#define CLOISTER_CONSENSUS_SHARED_TX_H

#include <stdatomic.h>

#include "consensus/tx.h"

struct shared_tx {
	struct tx tx;
	size_t memory_bytes;     /* what it takes, the allocator's share too */
	_Atomic unsigned refs;
};

/** Decode all of raw (copied): one reference; NULL if it is malformed. */
struct shared_tx *shared_tx_decode(struct span raw);
/** A copy of tx, whether decoded or built by hand (tx_finish'ed): one
 * reference. */
struct shared_tx *shared_tx_copy(const struct tx *tx);
struct shared_tx *shared_tx_ref(struct shared_tx *t);
void shared_tx_unref(struct shared_tx *t);         /* accepts NULL */

#endif
