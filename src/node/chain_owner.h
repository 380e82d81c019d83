/*
 * The chain thread's object: the chain, what feeds it at start (import), and
 * what it tells the loop thread.  Everything here but the fields marked so is
 * touched on the chain thread only.
 */
#ifndef CLOISTER_NODE_CHAIN_OWNER_H
#define CLOISTER_NODE_CHAIN_OWNER_H

#include <stdatomic.h>

#include "base/actor.h"
#include "mempool/mempool.h"
#include "node/node_config.h"
#include "p2p/ports.h"
#include "validation/import.h"

/* Called on the loop thread, through the mailbox. */
struct chain_sink {
	void *ctx;
	void (*tip)(void *ctx, const struct tip_event *e);
	void (*checked)(void *ctx, const struct block_hash *hash,
			enum verdict verdict, const char *reason);
	/* Disk, memory, …: the node must stop. */
	void (*trouble)(void *ctx, const struct why *why);
	/* What the mempool took and let go. */
	void (*mempool_added)(void *ctx, const struct mempool_tx *t);
	void (*mempool_removed)(void *ctx, const struct wtxid *id,
				int64_t min_fee_sat_kvb);
	/* -loadblock is through; refused: why a file could not be read, the
	 * first of them, or NULL. */
	void (*imported)(void *ctx, const struct why *refused);
};

struct chain_owner {
	const struct config *cfg;        /* constant */
	const struct clock *clock;       /* any thread */
	struct mailbox *mailbox;         /* any thread */
	struct chain_sink sink;          /* called on the loop thread */
	_Atomic bool stopping;           /* any thread */
	_Atomic int height;              /* of the tip; any thread may read */

	struct workers *workers;
	struct chain *chain;             /* NULL until opened */
	struct mempool *mempool;         /* as long as the chain */
	struct mempool_load *mempool_load;
	char *mempool_path;
	struct fee_estimator *fees;      /* as long as the mempool */
	char *fees_path;
	int64_t fees_saved_ms;
	struct import *import;
	const char *import_name;         /* of the one under way */
	size_t next_load;                /* of cfg->load_blocks */
	bool import_done;
	bool import_refused;             /* some file was no block file */
	struct why import_why;           /* the first of them */
	bool failed;                     /* trouble was told */
	int64_t import_log_ms;
	uint64_t import_log_blocks;

	/* What was last told about the tip. */
	struct header_node *told_tip, *told_best;
	bool told_initial_download;
	int64_t told_ms, logged_ms;
	int logged_height;
	double logged_progress;
};

struct chain_owner *chain_owner_new(const struct config *cfg,
				    const struct clock *clock,
				    struct mailbox *mailbox,
				    const struct chain_sink *sink);
/** After the actor has stopped. */
void chain_owner_free(struct chain_owner *o);

/** Open the chain: chain thread.  Reads the whole index. */
NODISCARD enum err chain_owner_open(struct chain_owner *o, struct why *why);
/** Flush and close: chain thread. */
NODISCARD enum err chain_owner_close(struct chain_owner *o, struct why *why);
/** The actor's idle work: imports, then connects blocks. */
bool chain_owner_idle(void *owner);

/** Connect one block if one waits, and tell the loop what changed.  To be
 * called after input was accepted. */
void chain_owner_step(struct chain_owner *o, bool *more);
/** Tell the loop that the chain met trouble (once). */
void chain_owner_trouble(struct chain_owner *o, const struct why *why);
/** Tell tip and best header if they changed. force: even during a long
 * activation. */
void chain_owner_tell(struct chain_owner *o, bool force);

void header_point_of(struct header_point *out, const struct header_node *n);

#endif
