/*
 * The mempool: unconfirmed transactions that would make valid blocks, kept
 * in the order in which it pays to mine them.  Owned by the chain thread, as
 * the chain it stands on; nothing here is for another thread but shared_tx.
 *
 * Transactions that spend each other form a cluster; each cluster is
 * linearised and cut into chunks of falling feerate.  Mining takes the best
 * chunks of all, eviction the worst.
 *
 * Trouble (disk) comes back as enum err; refusals as struct accept_result.
 */
#ifndef CLOISTER_MEMPOOL_MEMPOOL_H
#define CLOISTER_MEMPOOL_MEMPOOL_H

#include "base/clock.h"
#include "base/workers.h"
#include "consensus/shared_tx.h"
#include "mempool/policy.h"
#include "validation/chain.h"

struct mempool;
struct cluster;

/* One transaction of the pool; read-only for everybody else. */
struct mempool_entry {
	struct shared_tx *tx;
	int64_t fee_sat;
	int64_t delta_sat;       /* by prioritisetransaction */
	int64_t time_unix;       /* when it came */
	uint64_t sequence;       /* of its event */
	struct cluster *cluster;
	int32_t height;          /* of the tip then */
	uint32_t weight_wu;      /* adjusted by sigops: what is paid for */
	uint32_t sigops_cost;
	uint8_t slot;            /* in the cluster */
	bool spends_coinbase;
	bool has_locks;          /* relative lock times bind it (BIP68) */
	bool unbroadcast;        /* ours, and nobody asked for it yet */
	bool alone;              /* had no parents in the pool when it came */
	bool replaced_other;     /* it came as a replacement */
};

static inline const struct tx *entry_tx(const struct mempool_entry *e)
{
	return &e->tx->tx;
}

static inline int64_t entry_vsize(const struct mempool_entry *e)
{
	return vsize_of_weight(e->weight_wu);
}

static inline int64_t entry_modified_fee(const struct mempool_entry *e)
{
	return e->fee_sat + e->delta_sat;
}

enum mempool_removal {
	REMOVED_EXPIRY,
	REMOVED_SIZE_LIMIT,
	REMOVED_REORG,           /* no longer valid after one */
	REMOVED_BLOCK,           /* mined */
	REMOVED_CONFLICT,        /* a block spent what it spends */
	REMOVED_REPLACED,
};

const char *mempool_removal_name(enum mempool_removal r);

/*
 * Called on the chain thread inside the call that caused it; the entry is
 * good for the call, its tx for whoever takes a reference.  sequence counts
 * events as the reference node does (mined ones do not count).
 */
struct mempool_events {
	void *ctx;
	void (*added)(void *ctx, const struct mempool_entry *e);
	void (*removed)(void *ctx, const struct mempool_entry *e,
			enum mempool_removal reason, uint64_t sequence);
};

struct mempool_options {
	struct policy policy;
	struct chain *chain;             /* must outlive the pool */
	const struct clock *clock;
	struct workers *workers;         /* script checks; may be NULL */
	struct mempool_events events;
};

struct mempool *mempool_new(const struct mempool_options *opt);
void mempool_free(struct mempool *m);              /* NULL is fine */
const struct policy *mempool_policy(const struct mempool *m);

/* ---- acceptance ---- */

enum accept_status {
	ACCEPT_REFUSED,
	ACCEPT_OK,               /* in the pool (or would be: test) */
	ACCEPT_IN_POOL,          /* was there before */
	ACCEPT_OTHER_WITNESS,    /* the pool has another of its txid */
	ACCEPT_UNTRIED,          /* the package failed before its turn */
};

#define ACCEPT_INCLUDES_MAX POLICY_MAX_PACKAGE_COUNT

struct accept_result {
	enum accept_status status;
	struct reject reject;            /* when refused */
	/* When accepted, or (fee, vsize) in the pool already: */
	int64_t fee_sat, vsize;
	int64_t rate_sat_kvb;            /* effective feerate */
	struct wtxid includes[ACCEPT_INCLUDES_MAX]; /* counted in it */
	size_t includes_count;
	struct wtxid other;              /* the pool's, of the same txid */
};

struct accept_options {
	bool test;                       /* change nothing */
	bool own;                        /* from our owner: unbroadcast */
	int64_t time_unix;               /* 0: now */
	int64_t max_rate_sat_kvb;        /* packages: refuse above; 0: none */
};

/* The transactions that made way; references of the list's. */
struct tx_list {
	struct shared_tx **v;
	size_t n, cap;
};

void tx_list_clear(struct tx_list *l);
void tx_list_add(struct tx_list *l, struct shared_tx *tx); /* refs it */

/**
 * Take a transaction into the pool, or say why not.
 *
 * replaced  out: appended what it replaced; may be NULL
 */
NODISCARD enum err mempool_accept(struct mempool *m,
				  struct accept_result *out,
				  struct tx_list *replaced,
				  struct shared_tx *tx,
				  const struct accept_options *opt,
				  struct why *why);

enum package_class {
	PACKAGE_OK,
	PACKAGE_POLICY,          /* as a whole: reason says what */
	PACKAGE_TX,              /* "transaction failed": see the results */
};

struct package_result {
	enum package_class class;
	struct reject reject;            /* reason and details, no class */
	struct accept_result *tx;        /* n of them; free()d by clear */
	size_t n;
};

void package_result_clear(struct package_result *r);
/** The last spends from each of the others, none of these from another. */
bool package_is_child_with_parents(struct shared_tx *const *txs, size_t n);
/**
 * Several at once.  A child with its parents (the child last): each on its
 * own first, then those that failed for their fees together.  With
 * opt->test: any topologically sorted list, nothing stays.
 */
NODISCARD enum err mempool_accept_package(struct mempool *m,
					  struct package_result *out,
					  struct tx_list *replaced,
					  struct shared_tx *const *txs,
					  size_t n,
					  const struct accept_options *opt,
					  struct why *why);

/* ---- questions ---- */

size_t mempool_count(const struct mempool *m);
int64_t mempool_total_vsize(const struct mempool *m);
int64_t mempool_total_fee(const struct mempool *m);
/** Real bytes, the allocator's share estimated. */
size_t mempool_memory(const struct mempool *m);
uint64_t mempool_sequence(const struct mempool *m);
/** Borrowed until the pool changes; NULL if it is not here. */
const struct mempool_entry *mempool_get(const struct mempool *m,
					const struct txid *id);
const struct mempool_entry *mempool_get_wtxid(const struct mempool *m,
					      const struct wtxid *id);
/** Who of the pool spends this output; NULL: nobody. */
const struct mempool_entry *mempool_spender(const struct mempool *m,
					    const struct outpoint *o);
/** All, in no order: start with *pos = 0, NULL at the end; no changes
 * meanwhile. */
const struct mempool_entry *mempool_next(const struct mempool *m,
					 size_t *pos);
/** The rolling minimum, 0 while there is room; sat per kvB. */
int64_t mempool_min_fee(struct mempool *m);
/** What a transaction must pay: the above or the relay minimum. */
int64_t mempool_entry_fee(struct mempool *m);

/* ---- clusters and chunks ---- */

#define CLUSTER_TXS_MAX 64

/* Bits are slots of the entry's cluster (entry->slot). */
uint64_t entry_ancestors(const struct mempool_entry *e);   /* with itself */
uint64_t entry_descendants(const struct mempool_entry *e); /* with itself */
uint64_t entry_parents(const struct mempool_entry *e);
uint64_t entry_children(const struct mempool_entry *e);
const struct mempool_entry *cluster_entry(const struct cluster *c,
					  unsigned slot);
unsigned cluster_count(const struct cluster *c);
/** The i-th in mining order. */
const struct mempool_entry *cluster_at(const struct cluster *c, unsigned i);

/* A run of a cluster's order that is mined together. */
struct chunk;
struct feerate chunk_feerate(const struct chunk *k);
size_t chunk_count(const struct chunk *k);
const struct mempool_entry *chunk_tx(const struct chunk *k, size_t i);
const struct chunk *entry_chunk(const struct mempool_entry *e);
unsigned cluster_chunk_count(const struct cluster *c);
const struct chunk *cluster_chunk(const struct cluster *c, unsigned i);
/**
 * All chunks of the pool from the best feerate to the worst, each
 * transaction after its parents: first, then next until NULL.  Skipping a
 * chunk (it does not fit) means skipping the later ones of its cluster.
 */
const struct chunk *mempool_best_chunk(const struct mempool *m);
const struct chunk *mempool_next_chunk(const struct chunk *k);

/* ---- prioritisetransaction ---- */

/** Add to what the transaction counts as paying, here or yet to come. */
void mempool_prioritise(struct mempool *m, const struct txid *id,
			int64_t delta_sat);
struct mempool_delta {
	struct txid txid;
	int64_t delta_sat;
};
/** All deltas that are not zero: new array, free() it. */
size_t mempool_deltas(const struct mempool *m, struct mempool_delta **out);

/** Somebody asked for it: it is out. */
void mempool_set_broadcast(struct mempool *m, const struct txid *id);
size_t mempool_unbroadcast_count(const struct mempool *m);

/* ---- what the chain tells (struct chain_events) ---- */

void mempool_block_connected(struct mempool *m, const struct block *b);
/** Its transactions are kept aside until mempool_settle(). */
void mempool_block_disconnected(struct mempool *m, struct block *b);
/** The tip stands: what disconnected blocks left comes back, as far as it
 * is still valid.  Does nothing when nothing waits. */
NODISCARD enum err mempool_settle(struct mempool *m, struct why *why);
/** Drop what is too old, and what does not fit. */
void mempool_limit(struct mempool *m);

/* ---- mempool.dat, the reference node's format ---- */

/** Written whole beside, synced, renamed. */
NODISCARD enum err mempool_save(const struct mempool *m, const char *path,
				struct why *why);

struct mempool_load;
struct mempool_load_options {
	bool use_current_time;           /* not the file's */
	bool ignore_deltas, ignore_unbroadcast;
};

struct mempool_load_counts {
	size_t accepted, failed, expired, known;
};

/** ERR_INPUT, naming what is wrong, for a file of another kind or version;
 * *out is NULL where there is no file. */
NODISCARD enum err mempool_load_open(struct mempool_load **out,
				     struct mempool *m, const char *path,
				     const struct mempool_load_options *opt,
				     struct why *why);
/** A few transactions; *more: call again.  ERR_INPUT where the file ends
 * early or makes no sense: what came before it stays. */
NODISCARD enum err mempool_load_step(struct mempool_load *l, bool *more,
				     struct why *why);
const struct mempool_load_counts *
mempool_load_counts(const struct mempool_load *l);
void mempool_load_free(struct mempool_load *l);    /* NULL is fine */

/** The initial load is through (or there was none to do). */
bool mempool_loaded(const struct mempool *m);
void mempool_set_loaded(struct mempool *m);

#endif
