/*
 * Inside of the chain.  Blocks on the way to the tip are "in flight": their
 * coins have moved, their scripts are being checked by the pool.  The tip,
 * as the world sees it, is the last block that has landed; the head is the
 * newest one in flight, or the tip.
 */
#ifndef CLOISTER_VALIDATION_CHAIN_PRIV_H
#define CLOISTER_VALIDATION_CHAIN_PRIV_H

#include "validation/block_cache.h"
#include "validation/candidates.h"
#include "validation/chain.h"
#include "validation/header_tree_priv.h"
#include "validation/waiting.h"

#define FLIGHTS_MAX 6
#define FLIGHTS_MAX_BYTES ((size_t)12 << 20)

struct flight;

struct chain {
	struct chain_options opt;
	char *dir;
	struct clock own_clock;
	struct workers *workers;
	bool own_workers;

	struct index_db *index;
	struct block_store *store;
	struct coins *coins;

	struct header_tree tree;
	struct candidates candidates;
	struct waiting waiting;
	struct block_cache cache;
	struct script_cache *scripts;

	struct header_node **active;     /* by height, up to the tip */
	size_t active_count, active_cap;
	struct header_node *best_header, *best_header_told;
	uint32_t next_sequence, next_precious;

	struct flight *flights[FLIGHTS_MAX];    /* oldest first */
	size_t flight_count, flight_bytes;

	bool initial_download;           /* latches to false */
	bool tip_moved;                  /* since the last tip event */
	bool broken;                     /* coins fit no tip: never flush */
	bool flush_wanted, room_wanted;
	/* While one of these is under way, nothing is connected. */
	struct verify *verify;
	struct coin_scan *scan;          /* on its way back to a block */
	bool rebuilding;                 /* -reindex is not done yet */
	struct disk_pos stored_at;       /* the block to accept is there
					    already; file < 0: nowhere */
	bool have_pruned;
	bool prune_due;                  /* with the next flush */
	struct header_node **lost;       /* damaged blocks, see repair.h */
	size_t lost_count;
	bool lost_untold;
	size_t prune_looked_at;          /* block files at the last look */
	struct snapshot_base *snapshot;  /* what chainstate/ says of one */
	struct header_node *snapshot_base;
	struct background *background;   /* history being validated */
	struct snapshot_load *loading;
	struct side_index *indexes[3];   /* by enum index_kind; or NULL */
	int64_t index_log_ms;
	int prune_lock;                  /* see chain_set_prune_lock() */
	int64_t flushed_ms;

	/* chain_submit_block waits for this one's verdict. */
	const struct header_node *watch;
	struct finding watch_finding;
};

static inline struct finding finding_of(enum verdict v)
{
	return (struct finding){ .verdict = v, .tx = -1, .in = -1 };
}

/* ---- tip.c: the active chain and the marks on nodes ---- */

/** The chain that ends with n, all of it. */
void tip_set(struct chain *c, struct header_node *n);
void tip_push(struct chain *c, struct header_node *n);
void tip_pop(struct chain *c);
/** A block's data came: count it, and those that waited for it. */
void tip_block_arrived(struct chain *c, struct header_node *n);
/** n breaks a rule: mark it and all that descend from it. */
void tip_mark_failed(struct chain *c, struct header_node *n,
		     const struct finding *f);
/** Mark all that descend from n, and look for the best header anew. */
void tip_fail_children(struct chain *c, struct header_node *n);
void tip_find_best_header(struct chain *c);
/** The event, if the best header is another than last told. */
void tip_tell_best_header(struct chain *c);
/** Fill the candidates anew from the whole tree. */
void tip_find_candidates(struct chain *c);
void tip_tell_checked(struct chain *c, const struct header_node *n,
		      const struct finding *f);

/* ---- accept ---- */

/**
 * Find or add the node of a header that leads to enough work.
 *
 * node     out: NULL if it was refused, with the finding
 */
void accept_header(struct chain *c, struct header_node **node,
		   struct finding *f, const struct block_header *h,
		   const struct block_hash *hash);

/** The rules of a header that need its parent. */
void check_header_in_place(const struct chain *c, struct finding *f,
			   const struct block_header *h,
			   struct header_node *prev);

/* ---- flights: one block onto the coins ---- */

/**
 * Move the coins of n's block (n's parent is the head) and hand its scripts
 * to the pool.  If a rule is broken, f says which and nothing has changed.
 */
NODISCARD enum err flight_begin(struct chain *c, struct header_node *n,
				struct finding *f, struct why *why);
/**
 * Wait for the oldest flight's scripts; then it is the tip, or failed and
 * taken back together with all that flew above it.
 */
NODISCARD enum err flight_land(struct chain *c, struct why *why);
bool flight_ready(const struct chain *c);  /* landing would not wait */
/** Do a part of the oldest flight's checks; true: ready. */
bool flight_help(struct chain *c);
/** Take all flights back, without verdict. */
NODISCARD enum err flights_cancel(struct chain *c, struct why *why);
/** What the coins of the flights were before: *known if one has moved it. */
void flights_find_coin(const struct chain *c, bool *known, bool *found,
		       struct coin *coin, const struct outpoint *o);
struct header_node *flight_head(const struct chain *c);
/** Take the tip's block back, with its undo. */
NODISCARD enum err disconnect_tip(struct chain *c, struct why *why);

/* ---- activation ---- */

/**
 * A step; drain=false leaves blocks in flight when there is nothing to
 * begin, because the caller will bring more.
 */
NODISCARD enum err activate_step(struct chain *c, bool drain, bool *more,
				 struct why *why);

/* ---- disk ---- */

/** What has changed in the tree and the files, to the index; synced. */
NODISCARD enum err chain_write_index(struct chain *c, struct why *why);
/** Less memory for coins: write old ones, or all. */
NODISCARD enum err chain_make_room(struct chain *c, struct why *why);
/** The coins may be between two blocks after a crash: go over those again. */
NODISCARD enum err replay_blocks(struct chain *c, struct why *why);

/** The block as it is on disk; check: with all rules that need no coins. */
NODISCARD enum err chain_read_stored(struct chain *c, struct block **out,
				     const struct header_node *n, bool check,
				     struct why *why);
/** The block, from the cache or from its file; one reference. */
NODISCARD enum err chain_load_block(struct chain *c, struct block **out,
				    const struct header_node *n, bool check,
				    struct why *why);

#endif
