/*
 * Pruning: block files whose blocks are deep enough are removed.  The order
 * that makes every instant safe: the coins that made a file unnecessary are
 * durable; the index forgets what is in it, durably; it is unlinked.  A crash
 * before the last step leaves a file that the next start removes.
 */
#include "config.h"

#include "validation/prune.h"

#include "validation/background.h"

#include <stdlib.h>

#include "base/log.h"
#include "validation/repair.h"

/* Files grow while we look elsewhere: one more of each kind. */
#define BLOCK_CHUNK_BYTES (UINT64_C(16) << 20)
#define UNDO_CHUNK_BYTES (UINT64_C(1) << 20)

bool chain_prune_mode(const struct chain *c)
{
	return c->opt.prune_bytes != 0;
}

uint64_t chain_prune_target(const struct chain *c)
{
	return c->opt.prune_bytes == CHAIN_PRUNE_MANUAL ? 0
							: c->opt.prune_bytes;
}

bool chain_block_pruned(const struct chain *c, const struct header_node *n)
{
	return c->have_pruned && n->tx_count && !n->damaged &&
	       !(n->status & BLOCK_HAVE_DATA);
}

int chain_prune_after(const struct chain *c)
{
	if (c->opt.params->id == CHAIN_MAIN)
		return 100000;
	return c->opt.fast_prune ? 100 : 1000;
}

int chain_prune_height(const struct chain *c)
{
	const uint32_t all = BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO;
	size_t i = c->active_count - 1;

	if (!c->have_pruned)
		return 0;
	/* The first block never has undo data, and does not count. */
	while (i > 0 && (c->active[i]->status & all) == all)
		i--;
	return i ? (int)i + 1 : 0;
}

void chain_set_prune_lock(struct chain *c, int height)
{
	c->prune_lock = height;
}

/* ---- which files ---- */

static int last_prunable(const struct chain *c)
{
	int height = chain_tip(c)->height - CHAIN_PRUNE_KEEP;

	if (c->prune_lock >= 0)
		height = MIN_OF(height, c->prune_lock);
	if (c->background)
		height = MIN_OF(height, chain_background_tip(c)->height);
	return height;
}

static bool file_prunable(const struct chain *c, size_t i, int last)
{
	const struct block_file_info *f = block_store_file(c->store, i);

	return f->size_bytes && last > 0 && f->height_last <= (uint32_t)last;
}

static uint64_t wanted_bytes(struct chain *c)
{
	uint64_t room = c->opt.fast_prune ? 2 * FAST_PRUNE_FILE_BYTES
				: BLOCK_CHUNK_BYTES + UNDO_CHUNK_BYTES;

	/* Fewer, larger removals while blocks come fast. */
	if (chain_in_initial_download(c))
		room += c->opt.prune_bytes / 10;
	return c->opt.prune_bytes > room ? c->opt.prune_bytes - room : 0;
}

/* Files to remove to get below the target: an array of flags, by number. */
static size_t choose_by_size(struct chain *c, bool *chosen)
{
	uint64_t used = block_store_disk_bytes(c->store);
	uint64_t wanted = wanted_bytes(c);
	size_t i, n = 0, files = block_store_file_count(c->store);
	int last = last_prunable(c);

	for (i = 0; i + 1 < files && used >= wanted; i++) {
		const struct block_file_info *f = block_store_file(c->store,
								   i);

		if (!file_prunable(c, i, last))
			continue;
		chosen[i] = true;
		used -= (uint64_t)f->size_bytes + f->undo_bytes;
		n++;
	}
	return n;
}

static size_t choose_by_height(const struct chain *c, bool *chosen,
			       int height)
{
	size_t i, n = 0, files = block_store_file_count(c->store);
	int last = MIN_OF(height, last_prunable(c));

	for (i = 0; i + 1 < files; i++) {
		chosen[i] = file_prunable(c, i, last);
		n += chosen[i];
	}
	return n;
}

/* ---- doing it ---- */

void prune_unlink_branches(struct chain *c)
{
	size_t i;

	/* Parents stand before children. */
	for (i = 0; i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];

		if (!n->chain_tx_count || chain_contains(c, n) ||
		    (n->status & BLOCK_HAVE_DATA && n->prev->chain_tx_count))
			continue;
		n->chain_tx_count = 0;
		if (n->status & BLOCK_HAVE_DATA)
			waiting_add(&c->waiting, n);
	}
}

static void forget_block(struct chain *c, struct header_node *n)
{
	if (n->damaged)
		repair_forget(c, n);
	n->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
	n->data.file = n->undo.file = -1;
	header_tree_touch(&c->tree, n);
}

void prune_settle_node(struct chain *c, struct header_node *n)
{
	int32_t file = n->status & BLOCK_HAVE_DATA ? n->data.file
						   : n->undo.file;

	if (c->have_pruned && file >= 0 &&
	    (size_t)file < block_store_file_count(c->store) &&
	    block_store_file(c->store, (size_t)file)->size_bytes == 0)
		forget_block(c, n);
}

static void forget_blocks(struct chain *c, const bool *chosen)
{
	size_t i;

	for (i = 0; i < c->tree.count; i++) {
		struct header_node *n = c->tree.nodes[i];
		int32_t file = n->status & BLOCK_HAVE_DATA || n->damaged
				       ? n->data.file : n->undo.file;

		if (file >= 0 && chosen[file])
			forget_block(c, n);
	}
	prune_unlink_branches(c);
	tip_find_candidates(c);
}

static enum err unlink_files(struct chain *c, const bool *chosen,
			     struct why *why)
{
	size_t i, files = block_store_file_count(c->store);
	enum err e = ERR_NONE;

	for (i = 0; !e && i + 1 < files; i++)
		if (chosen[i])
			e = block_store_unlink(c->store, i, why);
	return e ? e : block_store_sync(c->store, why);
}

/* Everything is flushed, nothing in flight. */
static enum err prune(struct chain *c, const bool *chosen, size_t n,
		      struct why *why)
{
	uint64_t before = block_store_disk_bytes(c->store);
	size_t i, files = block_store_file_count(c->store);
	enum err e = ERR_NONE;

	/* The history behind a snapshot goes on from where it is durable. */
	if (c->background)
		e = background_flush(c, why);
	if (!e && !c->have_pruned)
		e = index_db_set_pruned(c->index, why);
	if (e)
		return e;
	c->have_pruned = true;
	forget_blocks(c, chosen);
	for (i = 0; i + 1 < files; i++)
		if (chosen[i])
			block_store_forget(c->store, i);
	e = chain_write_index(c, why);
	if (!e)
		e = unlink_files(c, chosen, why);
	if (!e)
		log_info(LOG_CHAIN, "pruned %zu block files, %llu MiB; blocks "
			 "from height %d on are kept", n,
			 (unsigned long long)(before -
				block_store_disk_bytes(c->store)) >> 20,
			 chain_prune_height(c));
	return e;
}

bool prune_is_due(struct chain *c)
{
	size_t files = block_store_file_count(c->store);
	bool *chosen, due;

	if (!chain_prune_target(c) || files == c->prune_looked_at)
		return false;
	c->prune_looked_at = files;
	if (chain_tip(c)->height <= chain_prune_after(c))
		return false;
	chosen = xcalloc(files, sizeof *chosen);
	due = choose_by_size(c, chosen) > 0;
	free(chosen);
	return due;
}

enum err prune_by_size(struct chain *c, struct why *why)
{
	bool *chosen = xcalloc(block_store_file_count(c->store),
			       sizeof *chosen);
	size_t n = choose_by_size(c, chosen);
	enum err e = n ? prune(c, chosen, n, why) : ERR_NONE;

	free(chosen);
	return e;
}

enum err chain_prune_to(struct chain *c, int height, struct why *why)
{
	enum err e = chain_flush(c, why);
	bool *chosen;
	size_t n;

	if (e)
		return e;
	chosen = xcalloc(block_store_file_count(c->store), sizeof *chosen);
	n = choose_by_height(c, chosen, height);
	if (n)
		e = prune(c, chosen, n, why);
	free(chosen);
	return e;
}

enum err prune_open(struct chain *c, struct why *why)
{
	size_t i, files = block_store_file_count(c->store);
	enum err e = ERR_NONE;

	if (!c->have_pruned)
		return ERR_NONE;
	if (!chain_prune_mode(c))
		return why_set(why, ERR_INPUT, "You need to rebuild the "
			       "database using -reindex to go back to "
			       "unpruned mode.  This will redownload the "
			       "entire blockchain");
	/* What an interrupted pruning left. */
	for (i = 0; !e && i + 1 < files; i++)
		if (block_store_file(c->store, i)->size_bytes == 0)
			e = block_store_unlink(c->store, i, why);
	return e ? e : block_store_sync(c->store, why);
}
