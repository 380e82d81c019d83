/*
 * The claims about a state, one after the other.
 */
#include "config.h"

#include "tests/crash/verdict.h"

#include "base/file.h"
#include "validation/chain_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* The longest that the chain of the workload has, down and up. */
#define REORG_MOVES 16

static bool bad(struct verdict_sum *out, const char *what, const char *why)
{
	snprintf(out->text, sizeof(out->text), "%s: %s", what, why);
	return false;
}

/* The coins stand where a flush put them, no earlier than promised. */
static bool check_tip(struct verdict_sum *out, const struct life *l,
		      const struct promise *p)
{
	const struct header_node *tip = chain_tip(l->chain);
	char text[100];

	if (!p->any && tip->height == 0)
		return true;
	for (size_t i = 0; i < p->tip_n; i++)
		if (block_hash_eq(&p->tips[i], &tip->hash))
			return true;
	snprintf(text, sizeof(text), "height %d, which no flush left",
		 tip->height);
	return bad(out, "the coins stand elsewhere", text);
}

/* What was flushed is there. */
static bool check_blocks(struct verdict_sum *out, const struct life *l,
			 const struct arrivals *a, const struct promise *p)
{
	char text[100];

	for (size_t i = 0; i < p->blocks; i++) {
		const struct header_node *n =
			chain_lookup(l->chain, &a->list[i]->hash);

		if (n && (n->status & BLOCK_HAVE_DATA ||
			  chain_block_pruned(l->chain, n)))
			continue;
		snprintf(text, sizeof(text), "arrival %zu of %zu", i,
			 p->blocks);
		return bad(out, "a flushed block is gone", text);
	}
	return true;
}

static bool is_left(const struct promise *p, const struct header_node *n)
{
	for (size_t i = 0; i < p->invalid_n; i++)
		if (block_hash_eq(&p->invalid[i], &n->hash))
			return true;
	return false;
}

/* Nothing is invalid but by the owner's word, which is taken back. */
static bool check_marks(struct verdict_sum *out, struct life *l,
			const struct promise *p)
{
	for (size_t i = 0; i < l->chain->tree.count; i++) {
		const struct header_node *n = l->chain->tree.nodes[i];

		if (n->status & BLOCK_FAILED && !is_left(p, n))
			return bad(out, "verdict", "a block is invalid");
	}
	return !life_forgive(l) || bad(out, "reconsider", l->why.text);
}

static bool is_version(const struct bytes *b, unsigned k)
{
	struct bytes want = { 0 };
	bool same;

	workload_small_file(&want, k);
	same = span_eq(bytes_span(b), bytes_span(&want));
	bytes_clear(&want);
	return same;
}

/* The last whole version, or one begun since, and never a part. */
static bool check_small_file(struct verdict_sum *out, const char *dir,
			     const struct promise *p)
{
	char *path = path_join(dir, WORKLOAD_PEERS);
	struct bytes is = { 0 };
	struct why why;
	bool there = file_exists(path), ok = !there && !p->files[0];

	if (there && !file_read(&is, path, 1 << 20, &why))
		for (size_t i = 0; i <= p->file_n && !ok; i++)
			ok = p->files[i] && is_version(&is, p->files[i]);
	bytes_clear(&is);
	free(path);
	return ok || bad(out, WORKLOAD_PEERS, "not what was written");
}

static bool check_way(struct verdict_sum *out, struct life *l,
		      const struct arrivals *a, const struct promise *p)
{
	char text[100];

	l->moves = 0;
	if (life_feed(l, a, p->arrived))
		return bad(out, "carrying on", l->why.text);
	out->replayed = l->moves;
	/* A re-organisation that was under way is gone through to its end. */
	if (l->moves > p->moves + REORG_MOVES) {
		snprintf(text, sizeof(text), "%u blocks moved, %u since the "
			 "flush", l->moves, p->moves);
		return bad(out, "replay", text);
	}
	if (life_feed(l, a, a->n))
		return bad(out, "carrying on", l->why.text);
	return true;
}

static bool check_end(struct verdict_sum *out, struct life *l,
		      const struct arrivals *a)
{
	char muhash[65];

	if (!block_hash_eq(&chain_tip(l->chain)->hash, &a->tip))
		return bad(out, "end", "another tip");
	if (life_muhash(l, muhash))
		return bad(out, "muhash", l->why.text);
	if (strcmp(muhash, a->muhash) != 0)
		return bad(out, "end", "another MuHash");
	return true;
}

/* And once more: what the recovery wrote is sound too. */
static bool check_again(struct verdict_sum *out, const char *dir,
			const struct arrivals *a, bool prunes)
{
	struct life l;
	bool ok = !life_open(&l, dir, prunes) || bad(out, "second open", l.why.text);

	ok = ok && (block_hash_eq(&chain_tip(l.chain)->hash, &a->tip) ||
		    bad(out, "second open", "another tip"));
	life_close(&l);
	return ok;
}

void state_check(struct verdict_sum *out, const char *dir,
		 const struct arrivals *a, const struct promise *p,
		 bool prunes)
{
	struct life l;
	bool ok = !life_open(&l, dir, prunes) || bad(out, "open", l.why.text);

	ok = ok && check_tip(out, &l, p) && check_blocks(out, &l, a, p) &&
	     check_marks(out, &l, p) && check_small_file(out, dir, p) &&
	     check_way(out, &l, a, p) && check_end(out, &l, a);
	life_close(&l);
	if (ok)
		check_again(out, dir, a, prunes);
}
