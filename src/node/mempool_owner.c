/*
 * The mempool on the chain thread.  Its file: node/mempool.dat.
 */
#include "config.h"

#include "node/mempool_owner.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "node/fee_owner.h"
#include "node/node_walls.h"

/* ---- events: to the fee estimator, and to the loop thread ---- */

struct added_job {
	struct job job;
	struct chain_sink *sink;
	struct mempool_tx t;
};

struct removed_job {
	struct job job;
	struct chain_sink *sink;
	struct wtxid id;
	int64_t min_fee;
};

static void added_done(struct job *job)
{
	struct added_job *j = CONTAINER_OF(job, struct added_job, job);

	j->sink->mempool_added(j->sink->ctx, &j->t);
	shared_tx_unref(j->t.tx);
	free(j);
}

static void removed_done(struct job *job)
{
	struct removed_job *j = CONTAINER_OF(job, struct removed_job, job);

	j->sink->mempool_removed(j->sink->ctx, &j->id, j->min_fee);
	free(j);
}

static void on_added(void *ctx, const struct mempool_entry *e)
{
	struct chain_owner *o = ctx;
	struct added_job *j = xcalloc(1, sizeof *j);

	fee_owner_added(o, e);
	j->job.done = added_done;
	j->sink = &o->sink;
	j->t = (struct mempool_tx){
		.tx = shared_tx_ref(e->tx),
		.rate_sat_kvb = rate_of_fee(entry_modified_fee(e),
					    entry_vsize(e)),
		.depth = (unsigned)__builtin_popcountll(entry_ancestors(e)),
		/* What the file brings was told in an earlier run. */
		.announce = mempool_loaded(o->mempool),
		.min_fee_sat_kvb = mempool_entry_fee(o->mempool),
	};
	mailbox_post(o->mailbox, &j->job);
}

static void on_removed(void *ctx, const struct mempool_entry *e,
		       enum mempool_removal reason, uint64_t sequence)
{
	struct chain_owner *o = ctx;
	struct removed_job *j = xcalloc(1, sizeof *j);

	(void)sequence;
	fee_owner_removed(o, e, reason);
	j->job.done = removed_done;
	j->sink = &o->sink;
	j->id = entry_tx(e)->wtxid;
	j->min_fee = mempool_entry_fee(o->mempool);
	mailbox_post(o->mailbox, &j->job);
}

void mempool_owner_open(struct chain_owner *o)
{
	const struct mempool_options opt = {
		.policy = o->cfg->policy,
		.chain = o->chain,
		.clock = o->clock,
		.workers = o->cfg->script_threads > 1 ? o->workers : NULL,
		.events = { .ctx = o, .added = on_added,
			    .removed = on_removed },
	};

	char *dir = path_join(o->cfg->chain_dir, NODE_DIR);

	fee_owner_open(o);
	o->mempool = mempool_new(&opt);
	o->mempool_path = path_join(dir, "mempool.dat");
	free(dir);
}

static void save(struct chain_owner *o)
{
	struct why why;

	/* Half loaded, what is in the file is worth more. */
	if (!o->cfg->persist_mempool || !mempool_loaded(o->mempool))
		return;
	if (mempool_save(o->mempool, o->mempool_path, &why))
		log_warn(LOG_MEMPOOL, "the mempool was not saved: %s",
			 why.text);
}

void mempool_owner_close(struct chain_owner *o)
{
	if (o->mempool && !o->failed)
		save(o);
	mempool_load_free(o->mempool_load);
	o->mempool_load = NULL;
	mempool_free(o->mempool);
	o->mempool = NULL;
	fee_owner_close(o);
	free(o->mempool_path);
	o->mempool_path = NULL;
}

/* ---- blocks ---- */

void mempool_owner_connected(struct chain_owner *o, const struct block *b,
			     int height)
{
	if (!o->mempool)
		return;
	mempool_block_connected(o->mempool, b);
	fee_owner_connected(o, height);
}

void mempool_owner_disconnected(struct chain_owner *o, struct block *b)
{
	if (o->mempool)
		mempool_block_disconnected(o->mempool, b);
}

void mempool_owner_tip(struct chain_owner *o)
{
	struct why why;

	if (o->mempool && mempool_settle(o->mempool, &why))
		chain_owner_trouble(o, &why);
}

/* ---- loading ---- */

static void load_end(struct chain_owner *o, const struct why *why)
{
	const struct mempool_load_counts *n;

	mempool_set_loaded(o->mempool);
	if (why)
		log_warn(LOG_MEMPOOL, "%s", why->text);
	if (!o->mempool_load)
		return;
	n = mempool_load_counts(o->mempool_load);
	log_info(LOG_MEMPOOL, "mempool loaded: %zu taken, %zu refused, %zu "
		 "expired, %zu known", n->accepted, n->failed, n->expired,
		 n->known);
	mempool_load_free(o->mempool_load);
	o->mempool_load = NULL;
}

static bool load_begin(struct chain_owner *o)
{
	const struct mempool_load_options opt = { 0 };
	struct why why;

	if (o->cfg->persist_mempool &&
	    mempool_load_open(&o->mempool_load, o->mempool, o->mempool_path,
			      &opt, &why)) {
		load_end(o, &why);
		return false;
	}
	if (!o->mempool_load)
		load_end(o, NULL);
	return o->mempool_load != NULL;
}

bool mempool_owner_idle(struct chain_owner *o)
{
	struct why why;
	bool more = false;
	enum err e;

	if (mempool_loaded(o->mempool))
		return false;
	if (!o->mempool_load)
		return load_begin(o);
	e = mempool_load_step(o->mempool_load, &more, &why);
	if (e && e != ERR_INPUT)
		chain_owner_trouble(o, &why);
	if (!more)
		load_end(o, e ? &why : NULL);
	return more;
}
