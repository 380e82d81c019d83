/*
 * Import: a scanner finds records, the pool decodes and checks some blocks
 * ahead, the chain takes them in file order.  A block whose parent is not
 * known yet is noted by place and read again when the parent has come.
 */
#include "config.h"

#include "validation/import.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "validation/chain_priv.h"
#include "validation/deferred.h"
#include "validation/import_files.h"
#include "validation/reindex.h"

#define AHEAD_BLOCKS 8
#define AHEAD_BYTES ((size_t)3 << 20)
#define STEP_BLOCKS 64
#define STEP_MS 10

/* A record on its way through the pool. */
struct incoming {
	struct scan_record rec;
	bool known;              /* stored already: not even decoded */
	const struct chain_params *params;
	struct bytes raw;
	struct block *block;     /* NULL: does not decode */
	struct finding checked;
	struct batch *batch;
};

struct import {
	struct chain *chain;
	bool own;                        /* the chain's own files */
	struct import_files files;
	size_t file;                     /* being read */
	struct block_scan *scan;         /* of it; NULL between files */
	struct block_scan *other;        /* for deferred blocks */
	size_t other_file;
	struct incoming ring[AHEAD_BLOCKS];
	size_t first, count, bytes;
	struct deferred deferred;
	bool advancing;                  /* the step's time ran out in it */
	int64_t until_ms;                /* the end of that time */
	bool forgot;                     /* one more pass is needed */
	uint64_t new_before_pass;
	uint64_t garbage_before, bytes_before;
	struct import_progress progress;
};

static struct import *import_new(struct chain *c, struct import_files files)
{
	struct import *im = xcalloc(1, sizeof *im);
	size_t i;

	im->chain = c;
	im->files = files;
	deferred_init(&im->deferred);
	for (i = 0; i < im->files.count; i++)
		im->progress.bytes_total += im->files.list[i].size_bytes;
	im->progress.tip_height = chain_tip(c)->height;
	return im;
}

enum err import_open(struct import **out, struct chain *c, const char *path,
		     struct why *why)
{
	struct import_files files;
	enum err e = import_files_find(&files, path, why);

	if (!e)
		*out = import_new(c, files);
	return e;
}

enum err import_open_own(struct import **out, struct chain *c,
			 struct why *why)
{
	char *path = path_join(c->dir, "blocks");
	struct import_files files;
	enum err e = import_files_find(&files, path, why);

	CHECK(c->rebuilding);
	if (e == ERR_INPUT)
		e = ERR_NONE;            /* there are none */
	if (!e) {
		*out = import_new(c, files);
		(*out)->own = true;
	}
	free(path);
	return e;
}

/* ---- the pool's part ---- */

static void decode_run(void *item, void *ctx)
{
	struct incoming *in = item;

	(void)ctx;
	in->block = block_decode(&in->raw);
	if (in->block)
		chain_check_block(&in->checked, in->params, in->block);
}

static void incoming_clear(struct import *im, struct incoming *in)
{
	if (in->batch)
		batch_free(in->batch);
	if (!in->known)
		im->bytes -= in->rec.size_bytes;
	bytes_clear(&in->raw);
	block_unref(in->block);
	memset(in, 0, sizeof *in);
}

static void drop_ring(struct import *im)
{
	for (; im->count; im->count--) {
		incoming_clear(im, &im->ring[im->first]);
		im->first = (im->first + 1) % AHEAD_BLOCKS;
	}
}

static bool is_stored(const struct chain *c, struct span raw)
{
	struct reader r = reader_of(raw);
	struct block_header h;
	struct block_hash hash;
	const struct header_node *n;

	if (!block_header_read(&h, &r))
		return false;
	block_header_hash(&hash, &h);
	n = chain_lookup(c, &hash);
	return n && n->status & BLOCK_HAVE_DATA;
}

static enum err read_ahead_one(struct import *im, struct scan_record rec,
			       struct why *why)
{
	struct incoming *in = &im->ring[(im->first + im->count) %
					AHEAD_BLOCKS];
	enum err e;

	in->rec = rec;
	in->params = chain_params(im->chain);
	e = block_scan_read(im->scan, &in->raw, rec, why);
	if (e) {
		bytes_clear(&in->raw);
		return e;
	}
	/* A header alone does not make a block: the rest may be missing. */
	if (is_stored(im->chain, bytes_span(&in->raw)))
		e = block_scan_fits(im->scan, &in->known, rec, why);
	if (e) {
		bytes_clear(&in->raw);
		return e;
	}
	im->count++;
	if (in->known) {
		bytes_clear(&in->raw);
		return ERR_NONE;
	}
	im->bytes += rec.size_bytes;
	in->batch = batch_new(im->chain->workers, decode_run, NULL);
	batch_add(in->batch, in, 1, sizeof *in);
	return ERR_NONE;
}

static enum err read_ahead(struct import *im, struct why *why)
{
	struct scan_record rec;
	bool found = true;
	enum err e = ERR_NONE;

	while (!e && im->count < AHEAD_BLOCKS && im->bytes < AHEAD_BYTES) {
		e = block_scan_next(im->scan, &found, &rec, why);
		if (e || !found)
			break;
		e = read_ahead_one(im, rec, why);
	}
	return e;
}

/* ---- the chain's part ---- */

/* Connect while that does not mean waiting, and there is time. */
static enum err advance(struct import *im, struct why *why)
{
	bool more = true, late = false;
	enum err e = ERR_NONE;

	while (!e && more && !late) {
		e = activate_step(im->chain, false, &more, why);
		late = clock_mono_ms() >= im->until_ms;
	}
	im->advancing = more;
	im->progress.tip_height = chain_tip(im->chain)->height;
	return e;
}

/* Where the chain's own files have it. */
static struct disk_pos own_place(const struct import *im, size_t file,
				 struct scan_record rec)
{
	return (struct disk_pos){
		.file = (int32_t)im->files.list[file].number,
		.offset = (uint32_t)rec.pos + 8,
	};
}

static enum err take_block(struct import *im, struct block *b,
			   const struct finding *checked, size_t file,
			   struct scan_record rec, struct why *why)
{
	struct import_progress *p = &im->progress;
	struct block_result res;
	bool known = chain_lookup(im->chain, &b->hash);
	enum err e;

	if (im->own && block_hash_eq(&b->hash,
				     &im->chain->opt.params->genesis_hash)) {
		reindex_found_genesis(im->chain, own_place(im, file, rec));
		return ERR_NONE;
	}
	if (!known && !checked->verdict &&
	    !chain_lookup(im->chain, &b->header.prev)) {
		if (!deferred_add(&im->deferred, &b->header.prev, file, rec))
			im->forgot = true;
		return ERR_NONE;
	}
	if (im->own)
		im->chain->stored_at = own_place(im, file, rec);
	e = chain_accept_checked_block(im->chain, &res, b, checked, true,
				       why);
	im->chain->stored_at.file = -1;
	if (e)
		return e;
	if (res.finding.verdict)
		p->blocks_bad++;
	else if (res.is_new)
		p->blocks_new++;
	else
		p->blocks_known++;
	if (res.node)
		deferred_release(&im->deferred, &b->hash);
	return advance(im, why);
}

static enum err take_deferred(struct import *im, struct deferred_block *d,
			      struct why *why)
{
	struct bytes raw = { 0 };
	struct finding f;
	struct block *b;
	enum err e = ERR_NONE;

	if (im->other && im->other_file != d->file) {
		block_scan_close(im->other);
		im->other = NULL;
	}
	if (!im->other)
		e = block_scan_open(&im->other,
				    im->files.list[d->file].path,
				    chain_params(im->chain)->magic, why);
	im->other_file = d->file;
	if (!e)
		e = block_scan_read(im->other, &raw, d->rec, why);
	if (e) {
		bytes_clear(&raw);
		return e;
	}
	b = block_decode(&raw);
	if (!b)
		return ERR_NONE; /* the file is being changed below us */
	chain_check_block(&f, chain_params(im->chain), b);
	e = take_block(im, b, &f, d->file, d->rec, why);
	block_unref(b);
	return e;
}

static enum err take_oldest(struct import *im, struct why *why)
{
	struct incoming *in = &im->ring[im->first];
	struct scan_record rec = in->rec;
	enum err e = ERR_NONE;

	if (in->batch)
		batch_wait(in->batch);
	if (!in->known && !in->block) {
		drop_ring(im);
		block_scan_reject(im->scan, rec);
		return ERR_NONE;
	}
	if (in->known)
		im->progress.blocks_known++;
	else
		e = take_block(im, in->block, &in->checked, im->file, rec,
			       why);
	incoming_clear(im, in);
	im->first = (im->first + 1) % AHEAD_BLOCKS;
	im->count--;
	return e;
}

/* ---- from file to file ---- */

static void note_progress(struct import *im)
{
	struct import_progress *p = &im->progress;

	p->blocks_waiting = im->deferred.count;
	if (!im->scan)
		return;
	p->bytes_done = im->bytes_before + block_scan_pos(im->scan);
	p->garbage_bytes = im->garbage_before +
			   block_scan_garbage(im->scan);
}

static void end_file(struct import *im)
{
	note_progress(im);
	im->garbage_before = im->progress.garbage_bytes;
	im->bytes_before = im->progress.bytes_done;
	block_scan_close(im->scan);
	im->scan = NULL;
	im->file++;
}

static enum err next_file(struct import *im, struct why *why)
{
	const char *path = im->files.list[im->file].path;

	log_info(LOG_CHAIN, "importing %s", path);
	return block_scan_open(&im->scan, path,
			       chain_params(im->chain)->magic, why);
}

/* All files are read: again from the start if some blocks were forgotten
 * and others came that may be their parents. */
static enum err end_pass(struct import *im, bool *more, struct why *why)
{
	struct import_progress *p = &im->progress;

	if (im->forgot && p->blocks_new > im->new_before_pass) {
		im->forgot = false;
		im->new_before_pass = p->blocks_new;
		im->file = 0;
		im->bytes_before = im->garbage_before = 0;
		return ERR_NONE;
	}
	*more = false;
	if (im->own) {
		enum err e = chain_activate(im->chain, why);

		return e ? e : reindex_end(im->chain, why);
	}
	if (!p->blocks_new && !p->blocks_known && !p->blocks_bad &&
	    !p->blocks_waiting)
		return why_set(why, ERR_INPUT, "%s holds no block of chain "
			       "%s", im->files.list[0].path,
			       chain_params(im->chain)->name);
	return chain_activate(im->chain, why);
}

static enum err one_part(struct import *im, bool *more, struct why *why)
{
	struct deferred_block *d;
	enum err e = ERR_NONE;

	if (im->advancing)
		return advance(im, why);
	d = deferred_take(&im->deferred);
	if (d) {
		e = take_deferred(im, d, why);
		free(d);
		return e;
	}
	if (!im->scan && im->file == im->files.count)
		return end_pass(im, more, why);
	if (!im->scan)
		e = next_file(im, why);
	if (!e)
		e = read_ahead(im, why);
	if (e)
		return e;
	if (!im->count) {
		end_file(im);
		return ERR_NONE;
	}
	return take_oldest(im, why);
}

enum err import_step(struct import *im, bool *more, struct why *why)
{
	enum err e = ERR_NONE;
	int i;

	*more = true;
	im->until_ms = clock_mono_ms() + STEP_MS;
	for (i = 0; !e && *more && i < STEP_BLOCKS; i++) {
		e = one_part(im, more, why);
		if (clock_mono_ms() >= im->until_ms)
			break;
	}
	note_progress(im);
	im->progress.tip_height = chain_tip(im->chain)->height;
	return e;
}

const struct import_progress *import_progress(const struct import *im)
{
	return &im->progress;
}

void import_free(struct import *im)
{
	if (!im)
		return;
	drop_ring(im);
	deferred_clear(&im->deferred);
	block_scan_close(im->scan);
	block_scan_close(im->other);
	import_files_clear(&im->files);
	free(im);
}
