/*
 * The chain: headers, blocks and coins, kept valid.  One object, one owner
 * (the chain thread, or whoever calls it inline).  Verdicts about input come
 * back as findings; trouble comes back as enum err and stops the node, and is
 * never taken for a verdict.
 *
 * Accepting a block stores it; connecting happens in chain_step(), one block
 * (or one disconnection) at a time, so that the owner can answer questions in
 * between.  Steps overlap: while the pool checks the scripts of some blocks,
 * the coins of the next ones move.  The tip, and every question, stand at the
 * last block whose checks are done.
 */
#ifndef CLOISTER_VALIDATION_CHAIN_H
#define CLOISTER_VALIDATION_CHAIN_H

#include "base/clock.h"
#include "base/workers.h"
#include "chainstate/undo.h"
#include "chainstate/utxo_stats.h"
#include "validation/header_tree.h"
#include "validation/script_cache.h"

/* What the chain tells the world; called on its owner's thread, inside the
 * call that caused it.  Pointers are good for the call only (nodes: for the
 * chain's life).  Any may be NULL. */
struct chain_events {
	void *ctx;
	/* A block became the tip (connected) or ceased to be. block has one
	 * reference of the caller's: take your own to keep it. */
	void (*connected)(void *ctx, const struct header_node *n,
			  struct block *block);
	void (*disconnected)(void *ctx, const struct header_node *n,
			     struct block *block);
	/* After the last step of an activation: the tip stands here now. */
	void (*tip)(void *ctx, const struct header_node *tip,
		    bool initial_download);
	/* The best header changed. */
	void (*best_header)(void *ctx, const struct header_node *n);
	/* A block was found valid or not after it had been accepted. */
	void (*checked)(void *ctx, const struct header_node *n,
			const struct finding *f);
};

struct chain_options {
	const struct chain_params *params;   /* must outlive the chain */
	const char *dir;                     /* of this chain: blocks/ … */
	const struct clock *clock;
	struct workers *workers;             /* script checks; may be NULL */
	size_t dbcache_bytes;                /* all caches together */
	bool reindex;                        /* index and coins anew … */
	bool reindex_chainstate;             /* … the coins alone */
	uint64_t prune_bytes;                /* of block files; 0: keep all */
	bool fast_prune;                     /* tests: small block files */
	bool txindex, filterindex, statsindex;
	int verify_blocks;               /* at the start; 0: none */
	int verify_level;
	bool check_all_scripts;              /* ignore assume_valid */
	struct chain_events events;
	/* The process is stopping: give up long work with ERR_STOPPED.
	 * Gets events.ctx; may be NULL. */
	bool (*stop)(void *ctx);
};

struct chain;
/**
 * Open or create; verifies that index, files and coins belong together.  The
 * tip is where the coins were last flushed; after a crash that may be behind
 * the stored blocks, or on a branch that was left: chain_activate() (or
 * steps) goes from there to the best chain, without checking again the
 * scripts it had checked.  A removed chainstate/ is made again that way.
 */
NODISCARD enum err chain_open(struct chain **out,
			      const struct chain_options *opt,
			      struct why *why);
/** Write everything durable. */
NODISCARD enum err chain_flush(struct chain *c, struct why *why);
/** Flush is the caller's choice; NULL is fine. */
void chain_close(struct chain *c);

/* ---- input ---- */

struct headers_result {
	struct finding finding;          /* of the first bad header */
	size_t accepted;                 /* new or known, before it */
	size_t new_headers;
	struct header_node *last;        /* the last accepted, or NULL */
};
/**
 * Accept headers, each the parent of the next.  min_work_checked: the caller
 * (headers pre-synchronisation, or a trusted source) vouches that they lead
 * to enough work; otherwise VERDICT_TOO_LITTLE_CHAINWORK where they do not
 * reach params->minimum_chain_work together with what follows in this call.
 */
NODISCARD enum err chain_accept_headers(struct chain *c,
					struct headers_result *out,
					const struct block_header *h,
					size_t n, bool min_work_checked,
					struct why *why);

struct block_result {
	struct finding finding;
	bool is_new;                     /* stored by this call */
	struct header_node *node;        /* NULL if the header was refused */
};
/**
 * Accept a decoded block: header rules, context-free and contextual checks,
 * then store.  requested: we asked for it (or the owner gave it), so store it
 * even off the best chain or far ahead.  Does not connect it.
 */
NODISCARD enum err chain_accept_block(struct chain *c,
				      struct block_result *out,
				      struct block *b, bool requested,
				      struct why *why);
/**
 * The part of chain_accept_block that needs nothing but the block: proof of
 * work and block_check().  Pure; any thread.
 */
void chain_check_block(struct finding *f, const struct chain_params *p,
		       const struct block *b);
/** chain_accept_block with what chain_check_block() found. */
NODISCARD enum err chain_accept_checked_block(struct chain *c,
					      struct block_result *out,
					      struct block *b,
					      const struct finding *checked,
					      bool requested,
					      struct why *why);
/**
 * One step towards the best valid chain: connect or disconnect one block.
 * *more: call again.  Flushes when caches are full.
 */
NODISCARD enum err chain_step(struct chain *c, bool *more, struct why *why);
/** Would a step do anything? */
bool chain_has_work(struct chain *c);
/** Steps until there is nothing to do. */
NODISCARD enum err chain_activate(struct chain *c, struct why *why);
/** submitblock: accept, activate, and the verdict that came out of it for
 * this very block (out->finding). */
NODISCARD enum err chain_submit_block(struct chain *c,
				      struct block_result *out,
				      struct block *b, struct why *why);

/**
 * Would this block, whose parent must be the tip, be valid but for its proof
 * of work (and, on signet, its signature)?  Nothing is kept of it.
 */
NODISCARD enum err chain_try_block(struct chain *c, struct finding *f,
				   struct block *b, struct why *why);

/** Mark invalid by the owner's word, and leave it; and take that back. */
NODISCARD enum err chain_invalidate(struct chain *c, struct header_node *n,
				    struct why *why);
NODISCARD enum err chain_reconsider(struct chain *c, struct header_node *n,
				    struct why *why);
/** preciousblock: among tips of equal work, n now counts as the first. */
NODISCARD enum err chain_prefer(struct chain *c, struct header_node *n,
				struct why *why);

/** The block files are to be read again: import_open_own(). */
bool chain_reindexing(const struct chain *c);

/* ---- pruning ---- */

/* prune_bytes: only when the owner says so. */
#define CHAIN_PRUNE_MANUAL UINT64_MAX
/* Blocks below the tip that are kept in any case. */
#define CHAIN_PRUNE_KEEP 288

bool chain_prune_mode(const struct chain *c);
/** Bytes of block files to stay below; 0: no such target. */
uint64_t chain_prune_target(const struct chain *c);
/** This block was stored here once. */
bool chain_block_pruned(const struct chain *c, const struct header_node *n);
/** The lowest height from which on all of the active chain is stored, if
 * something was pruned; else 0. */
int chain_prune_height(const struct chain *c);
/** Nothing is pruned before the tip is above this height. */
int chain_prune_after(const struct chain *c);
/** Flush, then remove the files with blocks up to this height only, as far
 * as may be. */
NODISCARD enum err chain_prune_to(struct chain *c, int height,
				  struct why *why);
/** Keep blocks above this height: somebody will read them yet.  < 0: no such
 * wish. */
void chain_set_prune_lock(struct chain *c, int height);

/* ---- questions ---- */

const struct chain_params *chain_params(const struct chain *c);
int64_t chain_now(const struct chain *c);          /* by its clock, unix */
struct header_node *chain_tip(const struct chain *c);      /* never NULL */
struct header_node *chain_best_header(const struct chain *c);
struct header_node *chain_lookup(const struct chain *c,
				 const struct block_hash *h); /* or NULL */
/** On the active chain; NULL past the tip. */
struct header_node *chain_at(const struct chain *c, int height);
bool chain_contains(const struct chain *c, const struct header_node *n);
bool chain_in_initial_download(struct chain *c);
/** 0 … 1, an estimate by transactions, as the reference node's. */
double chain_progress(struct chain *c);
/** Known good scripts: asked when a block connects. */
struct script_cache *chain_script_cache(struct chain *c);
/** The flags that the scripts of a block on the tip are checked with. */
uint32_t chain_next_script_flags(const struct chain *c);
uint64_t chain_disk_bytes(const struct chain *c);

/** First node of the locator that is on the active chain (genesis at
 * least). */
struct header_node *chain_find_locator(const struct chain *c,
				       const struct block_hash *hashes,
				       size_t n);
#define CHAIN_LOCATOR_MAX 101
/** Locator for headers up to n; returns how many were written. */
size_t chain_locator(const struct header_node *n,
		     struct block_hash out[static CHAIN_LOCATOR_MAX]);

/**
 * The blocks to download next: on the way to the best header, without data,
 * lowest first, at most `max`, none more than `window` above the lowest one.
 */
size_t chain_missing_blocks(const struct chain *c, struct header_node **out,
			    size_t max, int window);
/** The same on the way to another header. */
size_t chain_missing_towards(const struct chain *c,
			     const struct header_node *best,
			     struct header_node **out, size_t max,
			     int window);

/** Since the last call stored blocks were found damaged: they are among
 * chain_missing_blocks() now. */
bool chain_take_lost(struct chain *c);

/** All tips of the tree (headers without children): new array, free() it. */
size_t chain_tips(const struct chain *c, struct header_node ***out);

/**
 * Append the raw bytes of a stored block.  ERR_STATE if we do not have it, or
 * if it is damaged, naming the file: they are what the header commits to, or
 * nothing.
 */
NODISCARD enum err chain_read_raw(struct chain *c, struct bytes *out,
				  const struct header_node *n,
				  struct why *why);
/** The same decoded: one reference. */
NODISCARD enum err chain_read_block(struct chain *c, struct block **out,
				    const struct header_node *n,
				    struct why *why);
/** Undo of a connected block. */
NODISCARD enum err chain_read_undo(struct chain *c, struct block_undo *out,
				   struct arena *a,
				   const struct header_node *n,
				   struct why *why);
NODISCARD enum err chain_get_coin(struct chain *c, bool *found,
				  struct coin *coin, const struct outpoint *o,
				  struct why *why);
/** Flushes, then walks the coin set of the tip. */
NODISCARD enum err chain_utxo_stats(struct chain *c, struct utxo_stats *out,
				    enum utxo_hash_type type,
				    struct why *why);

#endif
