/*
 * The fee estimator on the chain thread.  Its file: node/fee_estimates.dat.
 */
#include "config.h"

#include "node/fee_owner.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "mempool/fee_estimator.h"
#include "node/node_walls.h"

#define FILE_MAX (4 * 1024 * 1024)
/* As the reference node: older ones would mislead. */
#define STALE_S (60 * 60 * 60)
#define SAVE_EVERY_MS (60 * 60 * 1000)

static bool is_stale(const struct chain_owner *o)
{
	struct stat st;

	return stat(o->fees_path, &st) == 0 &&
	       clock_unix(o->clock) - st.st_mtime > STALE_S;
}

static void load(struct chain_owner *o)
{
	struct bytes b = { 0 };
	struct why why;

	if (!file_exists(o->fees_path))
		return;
	if (is_stale(o))
		log_info(LOG_MEMPOOL, "%s is more than 60 hours old and is "
			 "not used", o->fees_path);
	else if (file_read(&b, o->fees_path, FILE_MAX, &why))
		log_warn(LOG_MEMPOOL, "%s", why.text);
	else if (fee_estimator_read(o->fees, bytes_span(&b), &why))
		log_warn(LOG_MEMPOOL, "%s is not used: %s; fees are learnt "
			 "anew", o->fees_path, why.text);
	bytes_clear(&b);
}

void fee_owner_open(struct chain_owner *o)
{
	char *dir = path_join(o->cfg->chain_dir, NODE_DIR);

	o->fees = fee_estimator_new();
	o->fees_path = path_join(dir, "fee_estimates.dat");
	o->fees_saved_ms = clock_mono_ms();
	free(dir);
	load(o);
}

static void save(struct chain_owner *o)
{
	struct bytes b = { 0 };
	struct why why;

	fee_estimator_write(&b, o->fees);
	if (file_replace(o->fees_path, bytes_span(&b), 0600, &why))
		log_warn(LOG_MEMPOOL, "%s", why.text);
	bytes_clear(&b);
	o->fees_saved_ms = clock_mono_ms();
}

void fee_owner_close(struct chain_owner *o)
{
	if (o->fees && !o->failed)
		save(o);
	fee_estimator_free(o->fees);
	o->fees = NULL;
	free(o->fees_path);
	o->fees_path = NULL;
}

void fee_owner_added(struct chain_owner *o, const struct mempool_entry *e)
{
	/* What mempool.dat brings has waited for longer than we know. */
	fee_estimator_added(o->fees, e, mempool_loaded(o->mempool) &&
			    !chain_in_initial_download(o->chain));
}

void fee_owner_removed(struct chain_owner *o, const struct mempool_entry *e,
		       enum mempool_removal reason)
{
	fee_estimator_removed(o->fees, e, reason == REMOVED_BLOCK);
}

void fee_owner_connected(struct chain_owner *o, int height)
{
	fee_estimator_block(o->fees, height);
	if (clock_mono_ms() - o->fees_saved_ms > SAVE_EVERY_MS)
		save(o);
}
