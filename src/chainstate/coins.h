/*
 * The coins: every unspent output, in a cache over LevelDB.  Changes are made
 * in the cache at once; coins_flush writes all of them and the tip's hash in
 * one synced atomic step.  Between two of those, coins_make_room may write
 * old changes, and leaves young coins, most of which are spent soon, in
 * memory.  A block that fails is undone with the same add/spend calls.
 * Owned by the chain thread.
 */
#ifndef CLOISTER_CHAINSTATE_COINS_H
#define CLOISTER_CHAINSTATE_COINS_H

#include "base/err.h"
#include "base/workers.h"
#include "consensus/tx.h"

struct coin {
	int64_t value_sat;
	int height;
	bool coinbase;
	struct span script;      /* borrowed: see each call */
};

struct coins_options {
	size_t cache_bytes;      /* in-memory coins; a full cache is flushed */
	size_t db_cache_bytes;   /* LevelDB's block cache and write buffer */
	bool wipe;               /* start empty */
};

struct coins;
/** Open or create dir (LevelDB). */
NODISCARD enum err coins_open(struct coins **out, const char *dir,
			      const struct coins_options *opt,
			      struct why *why);
/**
 * Coins that are those below with changes of its own, which are never
 * written: it cannot be flushed.  Those below must outlive it, unchanged.
 */
struct coins *coins_overlay_new(struct coins *below, size_t cache_bytes);
void coins_close(struct coins *c);         /* does not flush; NULL is fine */

/** Hash of the block the flushed state belongs to; false: empty state. */
bool coins_tip(const struct coins *c, struct block_hash *out);
/**
 * The block of the last coins_make_room() since that state; false: there was
 * none.  After a crash, each coin that a block after coins_tip(), up to this
 * one, has made or spent may be on disk as it was before or after: go over
 * these blocks again, in order, with coins_add() and coins_remove(), and
 * flush.
 */
bool coins_reached(const struct coins *c, struct block_hash *out);

/**
 * Look a coin up.
 *
 * found    out: whether it exists and is unspent
 * coin     out; the script is borrowed until the next call on c
 *
 * Disk trouble is returned, never shown as "not found".
 */
NODISCARD enum err coins_get(struct coins *c, bool *found, struct coin *coin,
			     const struct outpoint *o, struct why *why);
/**
 * The same, and remove it.  The script is copied into the arena, where the
 * caller keeps it for checks and for undo.
 */
NODISCARD enum err coins_spend(struct coins *c, bool *found,
			       struct coin *coin, struct arena *a,
			       const struct outpoint *o, struct why *why);
/**
 * Add a coin (copied).  Unspendable scripts (OP_RETURN first, over 10,000
 * bytes) are the caller's to leave out.  may_exist: an overwrite is possible
 * (coinbases before BIP34, restoring undo); otherwise the coin is known to
 * be fresh, and one spent before the next flush never reaches the disk.
 */
NODISCARD enum err coins_add(struct coins *c, const struct outpoint *o,
			     const struct coin *coin, bool may_exist,
			     struct why *why);
/** Remove a coin, whether it is there or not, without looking. */
NODISCARD enum err coins_remove(struct coins *c, const struct outpoint *o,
				struct why *why);
/** The outputs of tx will be added soon: have the processor fetch the memory
 * where they go.  Changes nothing. */
void coins_expect(const struct coins *c, const struct tx *tx);
/**
 * Bring coins into the cache that will be asked for soon; absent ones are
 * no error.  Reads in parallel on w if given.
 */
NODISCARD enum err coins_prefetch(struct coins *c, const struct outpoint *o,
				  size_t n, struct workers *w,
				  struct why *why);

size_t coins_cache_bytes(const struct coins *c);   /* real memory */
bool coins_wants_flush(const struct coins *c);     /* over its limit */
/**
 * Make room without a flush: write the oldest changes, and forget the oldest
 * coins.  Needs a flushed state.  reached: the block at which the changes
 * stand; it and all blocks back to coins_tip(), its ancestor, must be durable.
 */
NODISCARD enum err coins_make_room(struct coins *c,
				   const struct block_hash *reached,
				   struct why *why);
/** Write all changes and the tip, synced, as one atomic step.  keep: leave
 * clean coins in the cache. */
NODISCARD enum err coins_flush(struct coins *c, const struct block_hash *tip,
			       bool keep, struct why *why);

/** Call fn for every coin, in key order (txid bytes, then n), of the flushed
 * state: flush first.  fn returns false to end early (ERR_STOPPED). */
typedef bool coins_visit_fn(const struct outpoint *o, const struct coin *coin,
			    void *arg);
NODISCARD enum err coins_visit(struct coins *c, coins_visit_fn *fn, void *arg,
			       struct why *why);
/** LevelDB's estimate of its size on disk. */
uint64_t coins_disk_bytes(struct coins *c);

#endif
