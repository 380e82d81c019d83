/*
 * Making index and coins anew from the block files.  A file in blocks/ says
 * how far that has come, so that it survives a crash at any instant: "wipe"
 * before anything is deleted, "build" once index and coins are empty.  It
 * goes when all blocks have been found again; until then every start goes on.
 */
#include "config.h"

#include "validation/reindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define MARKER "rebuilding"
#define STATE_WIPE "wipe\n"
#define STATE_BUILD "build\n"

bool chain_reindexing(const struct chain *c)
{
	return c->rebuilding;
}

static char *marker_path(const struct chain *c)
{
	return xasprintf("%s/blocks/" MARKER, c->dir);
}

static enum err marker_write(const struct chain *c, const char *state,
			     struct why *why)
{
	char *path = marker_path(c);
	enum err e = file_replace(path, span_of(state, strlen(state)), 0600,
				  why);

	free(path);
	return e;
}

enum err reindex_begin(struct chain *c, bool *wipe, struct why *why)
{
	char *path = marker_path(c);
	struct bytes state = { 0 };
	enum err e = ERR_NONE;

	c->rebuilding = file_exists(path);
	if (c->rebuilding)
		e = file_read(&state, path, 64, why);
	*wipe = c->opt.reindex ||
		(c->rebuilding && !span_eq(bytes_span(&state),
					   span_of(STATE_BUILD,
						   strlen(STATE_BUILD))));
	if (c->rebuilding && !c->opt.reindex && !e)
		log_info(LOG_CHAIN, "going on with -reindex, which was "
			 "interrupted");
	bytes_clear(&state);
	free(path);
	if (e || !*wipe)
		return e;
	c->rebuilding = true;
	return marker_write(c, STATE_WIPE, why);
}

enum err reindex_wiped(struct chain *c, struct why *why)
{
	return marker_write(c, STATE_BUILD, why);
}

static void genesis_is_at(struct chain *c, struct disk_pos pos)
{
	struct header_node *n = c->active[0];

	n->data = pos;
	n->status |= BLOCK_HAVE_DATA;
	header_tree_touch(&c->tree, n);
}

void reindex_found_genesis(struct chain *c, struct disk_pos pos)
{
	struct header_node *n = c->active[0];
	struct bytes raw = { 0 };

	if (n->status & BLOCK_HAVE_DATA)
		return;
	genesis_block_write(&raw, c->opt.params);
	block_store_claim(c->store, pos, raw.n, 0, n->time);
	bytes_clear(&raw);
	genesis_is_at(c, pos);
}

/* The files no longer have the first block: they do now. */
static enum err store_genesis(struct chain *c, struct why *why)
{
	struct header_node *n = c->active[0];
	struct bytes raw = { 0 };
	struct disk_pos pos;
	enum err e;

	if (n->status & BLOCK_HAVE_DATA)
		return ERR_NONE;
	genesis_block_write(&raw, c->opt.params);
	e = block_store_append(c->store, &pos, bytes_span(&raw), 0, n->time,
			       why);
	bytes_clear(&raw);
	if (!e)
		genesis_is_at(c, pos);
	return e;
}

enum err reindex_end(struct chain *c, struct why *why)
{
	char *path = marker_path(c), *dir;
	enum err e = store_genesis(c, why);

	if (!e)
		e = chain_flush(c, why);
	if (!e && unlink(path) && errno != ENOENT)
		e = why_errno(why, "cannot remove %s", path);
	dir = path_join(c->dir, "blocks");
	if (!e)
		e = dir_sync(dir, why);
	free(dir);
	free(path);
	if (e)
		return e;
	c->rebuilding = false;
	log_info(LOG_CHAIN, "the block index is made again from the block "
		 "files");
	return ERR_NONE;
}
