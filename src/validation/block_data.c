/*
 * Stored blocks and undo data, by node.  A stored block was checked before
 * it was stored: whatever is wrong with it now is the disk's doing.
 */
#include "config.h"

#include "consensus/block_check.h"
#include "validation/repair.h"

static enum err damaged(const struct header_node *n, const char *what,
			struct why *why)
{
	return why_set(why, ERR_CORRUPT, "blocks/blk%05d.dat: the record at "
		       "%u is not the block at height %d that was stored "
		       "there (%s)", (int)n->data.file,
		       (unsigned)n->data.offset, n->height, what);
}

static enum err not_stored(const struct chain *c, const struct header_node *n,
			   const char *what, struct why *why)
{
	if (n->damaged)
		return why_set(why, ERR_STATE, "blocks/blk%05d.dat: the block "
			       "at height %d is damaged, and asked of peers "
			       "again", (int)n->data.file, n->height);
	if (chain_block_pruned(c, n))
		return why_set(why, ERR_STATE, "%sthe block at height %d is "
			       "needed, and pruned away; start with -reindex, "
			       "which downloads the chain again", what,
			       n->height);
	return why_set(why, ERR_STATE, "%sthe block at height %d is not "
		       "stored", what, n->height);
}

static enum err read_decoded(struct chain *c, struct block **out,
			     const struct header_node *n, struct why *why)
{
	struct bytes raw = { 0 };
	enum err e;
	struct block *b;

	if (!(n->status & BLOCK_HAVE_DATA))
		return not_stored(c, n, "", why);
	e = block_store_read(c->store, &raw, n->data, why);
	if (e) {
		bytes_clear(&raw);
		return e;
	}
	b = block_decode(&raw);
	if (!b)
		return damaged(n, "it does not decode", why);
	if (!block_hash_eq(&b->hash, &n->hash)) {
		block_unref(b);
		return damaged(n, "its hash differs", why);
	}
	*out = b;
	return ERR_NONE;
}

/* The hash covers the header alone; the rest is held by the merkle root and
 * the witness commitment. */
static enum err read_sound(struct chain *c, struct block **out,
			   const struct header_node *n, struct why *why)
{
	struct block *b;
	enum err e = read_decoded(c, &b, n, why);

	if (e)
		return e;
	if (block_is_mutated(b, buried_active(c->opt.params, BURIED_SEGWIT,
					      n->height))) {
		block_unref(b);
		return damaged(n, "its transactions differ", why);
	}
	*out = b;
	return ERR_NONE;
}

/* All the rules that need no coins; those of read_sound() are among them. */
static enum err read_checked(struct chain *c, struct block **out,
			     const struct header_node *n, struct why *why)
{
	struct finding f;
	struct block *b;
	enum err e = read_decoded(c, &b, n, why);

	if (e)
		return e;
	block_check(&f, c->opt.params, b);
	if (!f.verdict)
		block_check_context(&f, c->opt.params, b, n->height,
				    header_node_mtp(n->prev));
	if (f.verdict) {
		block_unref(b);
		return damaged(n, verdict_reason(f.verdict), why);
	}
	*out = b;
	return ERR_NONE;
}

enum err chain_read_stored(struct chain *c, struct block **out,
			   const struct header_node *n, bool check,
			   struct why *why)
{
	return check ? read_checked(c, out, n, why)
		     : read_sound(c, out, n, why);
}

/* A damaged copy is as good as none. */
static enum err read_or_lose(struct chain *c, struct block **out,
			     const struct header_node *n, bool check,
			     struct why *why)
{
	struct why own;
	enum err e;

	if (!why)
		why = &own;
	e = chain_read_stored(c, out, n, check, why);
	return e == ERR_CORRUPT ? repair_lose(c, n, why) : e;
}

enum err chain_read_block(struct chain *c, struct block **out,
			  const struct header_node *n, struct why *why)
{
	struct block *b = block_cache_get(&c->cache, n);

	if (!b)
		return read_or_lose(c, out, n, false, why);
	*out = block_ref(b);
	return ERR_NONE;
}

enum err chain_read_raw(struct chain *c, struct bytes *out,
			const struct header_node *n, struct why *why)
{
	struct block *b;
	enum err e = chain_read_block(c, &b, n, why);

	if (e)
		return e;
	bytes_append(out, b->raw.p, b->raw.n);
	block_unref(b);
	return ERR_NONE;
}

enum err chain_load_block(struct chain *c, struct block **out,
			  const struct header_node *n, bool check,
			  struct why *why)
{
	*out = block_cache_take(&c->cache, n);
	return *out ? ERR_NONE : read_or_lose(c, out, n, check, why);
}

enum err chain_read_undo(struct chain *c, struct block_undo *out,
			 struct arena *a, const struct header_node *n,
			 struct why *why)
{
	struct bytes raw = { 0 };
	struct reader r;
	enum err e;

	memset(out, 0, sizeof *out);
	if (!n->prev)
		return ERR_NONE;         /* genesis spends nothing */
	if (!(n->status & BLOCK_HAVE_UNDO))
		return not_stored(c, n, "undo data of ", why);
	e = block_store_read_undo(c->store, &raw, n->undo, &n->prev->hash,
				  why);
	r = reader_of(bytes_span(&raw));
	if (!e && (!block_undo_read(out, &r, a) || reader_left(&r)))
		e = why_set(why, ERR_CORRUPT, "blocks/rev%05d.dat: the undo "
			    "data at %u cannot be read", (int)n->undo.file,
			    (unsigned)n->undo.offset);
	bytes_clear(&raw);
	return e;
}
