/*
 * Opening, feeding and closing the chain on its own thread, and telling the
 * loop thread about it.
 */
#include "config.h"

#include "node/chain_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "validation/background.h"
#include "validation/indexes.h"
#include "node/mempool_owner.h"

#define TELL_EVERY_MS 250        /* during a long activation */
#define LOG_EVERY_MS 10000
#define CATCHING_UP 8            /* blocks behind the best header */

/* ---- events: chain thread to loop thread ---- */

struct tip_job {
	struct job job;
	struct chain_sink *sink;
	struct tip_event e;
	struct block_hash locator[CHAIN_LOCATOR_MAX];
	struct block_header connected[P2P_ANNOUNCE_MAX];
};

struct checked_job {
	struct job job;
	struct chain_sink *sink;
	struct block_hash hash;
	enum verdict verdict;
	char reason[160];
};

struct trouble_job {
	struct job job;
	struct chain_sink *sink;
	struct why why;
};

struct imported_job {
	struct job job;
	struct chain_sink *sink;
	bool refused;
	struct why why;
};

static void tip_done(struct job *job)
{
	struct tip_job *j = CONTAINER_OF(job, struct tip_job, job);

	j->e.locator = j->locator;
	j->e.connected = j->connected;
	j->sink->tip(j->sink->ctx, &j->e);
	free(j);
}

static void checked_done(struct job *job)
{
	struct checked_job *j = CONTAINER_OF(job, struct checked_job, job);

	j->sink->checked(j->sink->ctx, &j->hash, j->verdict, j->reason);
	free(j);
}

static void trouble_done(struct job *job)
{
	struct trouble_job *j = CONTAINER_OF(job, struct trouble_job, job);

	j->sink->trouble(j->sink->ctx, &j->why);
	free(j);
}

static void imported_done(struct job *job)
{
	struct imported_job *j = CONTAINER_OF(job, struct imported_job, job);

	j->sink->imported(j->sink->ctx, j->refused ? &j->why : NULL);
	free(j);
}

void chain_owner_trouble(struct chain_owner *o, const struct why *why)
{
	struct trouble_job *j;

	if (o->failed)
		return;
	o->failed = true;
	if (why->err == ERR_STOPPED)
		return;
	j = xcalloc(1, sizeof *j);
	j->job.done = trouble_done;
	j->sink = &o->sink;
	j->why = *why;
	mailbox_post(o->mailbox, &j->job);
}

static void on_checked(void *ctx, const struct header_node *n,
		       const struct finding *f)
{
	struct chain_owner *o = ctx;
	struct checked_job *j = xcalloc(1, sizeof *j);

	j->job.done = checked_done;
	j->sink = &o->sink;
	j->hash = n->hash;
	j->verdict = f->verdict;
	finding_text(j->reason, f, true);
	mailbox_post(o->mailbox, &j->job);
}

static void on_connected(void *ctx, const struct header_node *n,
			 struct block *block)
{
	struct chain_owner *o = ctx;

	atomic_store(&o->height, n->height);
	mempool_owner_connected(o, block, n->height);
}

static void on_disconnected(void *ctx, const struct header_node *n,
			    struct block *block)
{
	struct chain_owner *o = ctx;

	atomic_store(&o->height, n->height - 1);
	mempool_owner_disconnected(o, block);
}

static void on_tip(void *ctx, const struct header_node *tip,
		   bool initial_download)
{
	(void)tip;
	(void)initial_download;
	mempool_owner_tip(ctx);
}

void header_point_of(struct header_point *out, const struct header_node *n)
{
	out->hash = n->hash;
	out->height = n->height;
	out->work = n->chain_work;
}

/* Headers of the newest blocks that were not told yet, lowest first. */
static size_t new_headers(const struct chain_owner *o,
			  struct block_header *out)
{
	struct header_node *tip = chain_tip(o->chain), *n = tip;
	const struct header_node *fork =
		o->told_tip ? header_node_fork(tip, o->told_tip) : NULL;
	size_t count = 0;

	while (n && n != fork && count < P2P_ANNOUNCE_MAX) {
		n = n->prev;
		count++;
	}
	n = tip;
	for (size_t i = count; i > 0; i--, n = n->prev)
		header_node_header(&out[i - 1], n);
	return count;
}

/* How fast it goes, and how long it will take at that. */
static void pace_text(char out[static 64], struct chain_owner *o, int height,
		      double progress, int64_t now)
{
	double seconds = (double)(now - o->logged_ms) / 1000;
	double gained = progress - o->logged_progress;
	double left_s = gained > 0 ? (1 - progress) / gained * seconds : 0;

	out[0] = 0;
	if (o->logged_ms && seconds >= 1 && height > o->logged_height)
		snprintf(out, 64, ", %.1f blocks/s",
			 (height - o->logged_height) / seconds);
	if (out[0] && left_s >= 60 && left_s < 1e8)
		snprintf(out + strlen(out), 64 - strlen(out),
			 ", about %lld h %02lld min left",
			 (long long)left_s / 3600,
			 (long long)left_s % 3600 / 60);
	o->logged_height = height;
	o->logged_progress = progress;
}

static void log_tip(struct chain_owner *o, bool initial_download)
{
	const struct header_node *tip = chain_tip(o->chain);
	int64_t now = clock_mono_ms();
	char hex[65], pace[64] = "";
	double progress = chain_progress(o->chain);

	if (chain_best_header(o->chain)->height - tip->height > CATCHING_UP)
		initial_download = true;
	if (initial_download && now - o->logged_ms < LOG_EVERY_MS)
		return;
	pace_text(pace, o, tip->height, progress, now);
	o->logged_ms = now;
	hash_to_rpc_hex(hex, tip->hash.b);
	log_info(LOG_CHAIN, "new tip block=%s height=%d headers=%d "
		 "progress=%.6f%s", hex, tip->height,
		 chain_best_header(o->chain)->height, progress,
		 initial_download ? pace : "");
}

void chain_owner_tell(struct chain_owner *o, bool force)
{
	struct header_node *tip = chain_tip(o->chain);
	struct header_node *best = chain_best_header(o->chain);
	bool initial = chain_in_initial_download(o->chain);
	int64_t now = clock_mono_ms();
	bool lost = chain_take_lost(o->chain);
	struct tip_job *j;

	if (!lost && tip == o->told_tip && best == o->told_best &&
	    initial == o->told_initial_download)
		return;
	if (!force && !lost && now - o->told_ms < TELL_EVERY_MS)
		return;
	j = xcalloc(1, sizeof *j);
	j->job.done = tip_done;
	j->sink = &o->sink;
	header_point_of(&j->e.tip, tip);
	header_point_of(&j->e.best_header, best);
	j->e.best_header_time = best->time;
	j->e.initial_download = initial;
	j->e.lost_blocks = lost;
	j->e.locator_n = chain_locator(best, j->locator);
	j->e.connected_n = new_headers(o, j->connected);
	atomic_store(&o->height, tip->height);
	if (tip != o->told_tip)
		log_tip(o, initial);
	o->told_tip = tip;
	o->told_best = best;
	o->told_initial_download = initial;
	o->told_ms = now;
	mailbox_post(o->mailbox, &j->job);
}

/* ---- life ---- */

static bool asked_to_stop(void *ctx)
{
	struct chain_owner *o = ctx;

	return atomic_load(&o->stopping);
}

struct chain_owner *chain_owner_new(const struct config *cfg,
				    const struct clock *clock,
				    struct mailbox *mailbox,
				    const struct chain_sink *sink)
{
	struct chain_owner *o = xcalloc(1, sizeof *o);

	o->cfg = cfg;
	o->clock = clock;
	o->mailbox = mailbox;
	o->sink = *sink;
	o->workers = workers_new(cfg->script_threads - 1);
	return o;
}

void chain_owner_free(struct chain_owner *o)
{
	if (!o)
		return;
	import_free(o->import);
	mempool_owner_close(o);
	chain_close(o->chain);
	workers_free(o->workers);
	free(o);
}

enum err chain_owner_open(struct chain_owner *o, struct why *why)
{
	struct chain_options opt = {
		.params = &o->cfg->params,
		.dir = o->cfg->chain_dir,
		.clock = o->clock,
		.workers = o->workers,
		.dbcache_bytes = MAX_OF(o->cfg->dbcache_bytes,
					o->cfg->dbcache_least_bytes),
		.check_all_scripts = o->cfg->check_all_scripts,
		.txindex = o->cfg->txindex,
		.filterindex = o->cfg->filterindex,
		.statsindex = o->cfg->statsindex,
		.verify_blocks = o->cfg->verify_blocks,
		.verify_level = o->cfg->verify_level,
		.reindex = o->cfg->reindex,
		.reindex_chainstate = o->cfg->reindex_chainstate,
		.prune_bytes = o->cfg->prune_bytes,
		.fast_prune = o->cfg->fast_prune,
		.events = { .ctx = o, .connected = on_connected,
			    .disconnected = on_disconnected,
			    .tip = on_tip, .checked = on_checked },
		.stop = asked_to_stop,
	};
	enum err e = chain_open(&o->chain, &opt, why);

	if (e)
		return e;
	atomic_store(&o->height, chain_tip(o->chain)->height);
	mempool_owner_open(o);
	o->import_done = o->cfg->load_block_n == 0 &&
			 !chain_reindexing(o->chain);
	chain_owner_tell(o, true);
	return ERR_NONE;
}

enum err chain_owner_close(struct chain_owner *o, struct why *why)
{
	enum err e = ERR_NONE;

	import_free(o->import);
	o->import = NULL;
	mempool_owner_close(o);
	if (o->chain && !o->failed)
		e = chain_flush(o->chain, why);
	if (!e && o->chain && !o->failed && chain_background_tip(o->chain))
		e = background_flush(o->chain, why);
	chain_close(o->chain);
	o->chain = NULL;
	return e;
}

/* ---- work ---- */

void chain_owner_step(struct chain_owner *o, bool *more)
{
	struct why why;

	*more = false;
	if (o->failed || !o->chain || atomic_load(&o->stopping))
		return;
	if (chain_step(o->chain, more, &why)) {
		*more = false;
		chain_owner_trouble(o, &why);
		return;
	}
	chain_owner_tell(o, !*more);
}

static void import_log(struct chain_owner *o, bool last)
{
	const struct import_progress *p = import_progress(o->import);
	int64_t now = clock_mono_ms();
	int64_t passed = now - o->import_log_ms;
	uint64_t done = p->blocks_new + p->blocks_known;

	if (!last && passed < LOG_EVERY_MS)
		return;
	log_info(LOG_CHAIN, "import %s: %.1f %% height=%d, %llu blocks new, "
		 "%llu known, %llu bad, %llu bytes of garbage; %.0f blocks/s",
		 o->import_name,
		 p->bytes_total ? 100.0 * (double)p->bytes_done /
					  (double)p->bytes_total : 100.0,
		 p->tip_height, (unsigned long long)p->blocks_new,
		 (unsigned long long)p->blocks_known,
		 (unsigned long long)p->blocks_bad,
		 (unsigned long long)p->garbage_bytes,
		 passed > 0 ? 1000.0 * (double)(done - o->import_log_blocks) /
				      (double)passed : 0.0);
	o->import_log_ms = now;
	o->import_log_blocks = done;
}

/* A file that is no block file is the owner's mistake, not ours to die of. */
static void import_refused(struct chain_owner *o, const struct why *why)
{
	log_warn(LOG_CHAIN, "cannot import: %s", why->text);
	if (!o->import_refused)
		o->import_why = *why;
	o->import_refused = true;
}

/* Our own files first. */
static bool reindex_next(struct chain_owner *o)
{
	struct why why;

	o->import_log_ms = clock_mono_ms();
	o->import_log_blocks = 0;
	o->import_name = "blocks";
	if (!import_open_own(&o->import, o->chain, &why))
		return true;
	chain_owner_trouble(o, &why);
	return false;
}

/* The next file of -loadblock; false when there is none. */
static bool import_next(struct chain_owner *o)
{
	if (chain_reindexing(o->chain))
		return reindex_next(o);
	while (o->next_load < o->cfg->load_block_n) {
		const char *path = o->cfg->load_blocks[o->next_load++];
		struct why why;
		enum err e;

		o->import_log_ms = clock_mono_ms();
		o->import_log_blocks = 0;
		o->import_name = path;
		e = import_open(&o->import, o->chain, path, &why);
		if (!e)
			return true;
		if (e != ERR_INPUT) {
			chain_owner_trouble(o, &why);
			return false;
		}
		import_refused(o, &why);
	}
	return false;
}

static void import_finish(struct chain_owner *o)
{
	struct imported_job *j = xcalloc(1, sizeof *j);

	o->import_done = true;
	j->refused = o->import_refused;
	j->why = o->import_why;
	j->job.done = imported_done;
	j->sink = &o->sink;
	mailbox_post(o->mailbox, &j->job);
}

static bool import_work(struct chain_owner *o)
{
	struct why why;
	bool more = false;
	enum err e;

	if (!o->import && !import_next(o)) {
		bool steps;

		/* What the last file stored may still want connecting. */
		chain_owner_step(o, &steps);
		if (steps)
			return true;
		if (!o->failed)
			import_finish(o);
		return !o->failed;
	}
	e = import_step(o->import, &more, &why);
	if (e == ERR_INPUT) {
		import_refused(o, &why);
		more = false;
	} else if (e) {
		chain_owner_trouble(o, &why);
		return false;
	}
	import_log(o, !more);
	if (!more) {
		import_free(o->import);
		o->import = NULL;
	}
	chain_owner_tell(o, !more);
	return true;
}

/* History below a snapshot, and the optional indexes, come last: they delay
 * nobody. */
static bool index_work(struct chain_owner *o)
{
	struct why why;
	bool more = false;

	if (background_step(o->chain, &more, &why) ||
	    (!more && indexes_step(o->chain, &more, &why))) {
		chain_owner_trouble(o, &why);
		return false;
	}
	return more;
}

bool chain_owner_idle(void *owner)
{
	struct chain_owner *o = owner;
	bool more;

	if (o->failed || !o->chain || atomic_load(&o->stopping))
		return false;
	if (!o->import_done)
		return import_work(o);
	chain_owner_step(o, &more);
	if (more || (!o->failed && mempool_owner_idle(o)))
		return true;
	return !o->failed && index_work(o);
}
