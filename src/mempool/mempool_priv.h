/*
 * Inside of the mempool.
 */
#ifndef CLOISTER_MEMPOOL_MEMPOOL_PRIV_H
#define CLOISTER_MEMPOOL_MEMPOOL_PRIV_H

#include "base/map.h"
#include "mempool/change.h"

/* An input's place in the table of what the pool spends. */
struct spend_ref {
	struct pool_entry *entry;
	const struct outpoint *o;        /* in its tx */
};

/* An entry and what the pool needs besides. */
struct pool_entry {
	struct mempool_entry e;
	uint32_t age_place;              /* in the heap by time */
	uint8_t removal;                 /* of a change: why it goes */
	struct spend_ref spends[];       /* one per input */
};

static inline struct pool_entry *pool_entry_of(const struct mempool_entry *e)
{
	return CONTAINER_OF((struct mempool_entry *)e, struct pool_entry, e);
}

/* A transaction taken out while the chain goes back, to try again. */
struct aside {
	struct shared_tx *tx;
	int64_t time_unix;
	bool own;
};

/* A block that was disconnected, and what stood on it in the pool. */
struct undone {
	struct block *block;             /* NULL: too much to keep */
	struct aside *aside;             /* parents before children */
	size_t aside_n, aside_cap;
};

struct mempool {
	struct mempool_options opt;
	struct clock own_clock;
	uint64_t salt[2];
	struct map by_txid, by_wtxid, by_spent, deltas;
	struct pool_entry **ages;        /* heap: the oldest first */
	size_t age_cap;
	struct chunk_index chunks;
	uint64_t next_cluster, sequence;
	size_t entry_memory, cluster_memory;
	size_t unbroadcast;
	int64_t total_vsize, total_fee;

	/* The rolling minimum fee. */
	double rolling_sat_kvb;
	int64_t rolling_since;           /* unix: last decay */
	bool block_since_rise;

	/* After blocks were disconnected, the highest first. */
	struct undone *undone;
	size_t undone_n, undone_cap;
	bool loaded;
};

/* ---- pool.c ---- */

struct mempool_entry *entry_new(struct shared_tx *tx);     /* refs it */
void entry_free(struct mempool_entry *e);                  /* NULL is fine */
/** In all tables but the clusters; tells of it. */
void pool_insert(struct mempool *m, struct mempool_entry *e);
/** Out of them; tells why; frees. */
void pool_drop(struct mempool *m, struct mempool_entry *e,
	       enum mempool_removal reason);
int64_t pool_now(const struct mempool *m);
const struct mempool_entry *pool_oldest(const struct mempool *m);
/** What prioritisetransaction said of it. */
int64_t pool_delta(const struct mempool *m, const struct txid *id);

/* ---- block.c ---- */

void undone_clear(struct mempool *m);

/* ---- limit.c ---- */

void pool_trim(struct mempool *m);
/** A block came: the minimum fee may fall from now on. */
void pool_fee_block(struct mempool *m);

#endif
