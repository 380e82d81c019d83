/*
 * Blocks on their way into the store.  Nothing is connected here.
 */
#include "config.h"

#include "validation/repair.h"

/* A block that nobody asked for may come at most so far above the tip. */
#define UNASKED_AHEAD 288

void chain_check_block(struct finding *f, const struct chain_params *p,
		       const struct block *b)
{
	*f = finding_of(VERDICT_OK);
	if (!pow_ok(p, &b->hash, b->header.bits))
		*f = finding_of(VERDICT_HIGH_HASH);
	else
		block_check(f, p, b);
}

/* Nobody asked for it: keep it only if it could become the tip soon. */
static bool wanted_unasked(const struct chain *c,
			   const struct header_node *n)
{
	const struct header_node *tip = chain_tip(c);

	return u256_cmp(&n->chain_work, &tip->chain_work) >= 0 &&
	       n->height <= tip->height + UNASKED_AHEAD &&
	       u256_cmp(&n->chain_work,
			&c->opt.params->minimum_chain_work) >= 0;
}

/* Would a header that nobody asked for lead to enough work? */
static bool enough_work(const struct chain *c, const struct block *b)
{
	const struct header_node *prev;
	struct u256 work;

	if (header_tree_get(&c->tree, &b->hash))
		return true;
	prev = header_tree_get(&c->tree, &b->header.prev);
	if (!prev)
		return true;     /* that is the finding, then */
	u256_block_work(&work, b->header.bits);
	u256_add(&work, &work, &prev->chain_work);
	return u256_cmp(&work, &c->opt.params->minimum_chain_work) >= 0;
}

static enum err store_block(struct chain *c, struct header_node *n,
			    struct block *b, struct why *why)
{
	const bool mends = n->damaged && chain_contains(c, n);
	enum err e = ERR_NONE;

	if (n->damaged) {
		e = repair_store(c, n, b, why);
	} else if (c->stored_at.file >= 0) {
		n->data = c->stored_at;
		block_store_claim(c->store, n->data, b->raw.n, n->height,
				  n->time);
	} else {
		e = block_store_append(c->store, &n->data, b->raw, n->height,
				       n->time, why);
	}
	if (e)
		return e;
	n->tx_count = b->tx_count;
	n->status |= BLOCK_HAVE_DATA;
	/* One that was pruned and comes again is known for better already. */
	if ((n->status & BLOCK_VALID_MASK) < BLOCK_VALID_TRANSACTIONS)
		n->status = (n->status & ~(uint32_t)BLOCK_VALID_MASK) |
			    BLOCK_VALID_TRANSACTIONS;
	header_tree_touch(&c->tree, n);
	block_cache_put(&c->cache, n, b);
	if (!mends)
		tip_block_arrived(c, n);
	return ERR_NONE;
}

static enum err accept_checked(struct chain *c, struct block_result *out,
			       struct block *b, bool requested,
			       struct why *why)
{
	struct header_node *n;
	enum err e;

	if (!requested && !enough_work(c, b)) {
		out->finding = finding_of(VERDICT_TOO_LITTLE_CHAINWORK);
		return ERR_NONE;
	}
	accept_header(c, &out->node, &out->finding, &b->header, &b->hash);
	n = out->node;
	if (!n || n->status & BLOCK_HAVE_DATA)
		return ERR_NONE;
	if (!requested && !wanted_unasked(c, n))
		return ERR_NONE;
	block_check_context(&out->finding, c->opt.params, b, n->height,
			    header_node_mtp(n->prev));
	if (out->finding.verdict) {
		/* Another copy of a mutated block may be fine. */
		if (verdict_class(out->finding.verdict) !=
		    VERDICT_CLASS_MUTATED)
			tip_mark_failed(c, n, &out->finding);
		return ERR_NONE;
	}
	e = store_block(c, n, b, why);
	out->is_new = !e;
	return e;
}

enum err chain_accept_checked_block(struct chain *c,
				    struct block_result *out,
				    struct block *b,
				    const struct finding *checked,
				    bool requested, struct why *why)
{
	struct header_node *known = header_tree_get(&c->tree, &b->hash);
	enum err e = ERR_NONE;

	memset(out, 0, sizeof *out);
	out->finding = finding_of(VERDICT_OK);
	/* What is wrong with this copy may not be wrong with the block. */
	if (checked->verdict)
		out->finding = *checked;
	else if (known && header_node_failed(known))
		out->finding = finding_of(VERDICT_DUPLICATE_INVALID);
	else
		e = accept_checked(c, out, b, requested, why);
	if (known)
		out->node = known;
	tip_tell_best_header(c);
	return e;
}

enum err chain_accept_block(struct chain *c, struct block_result *out,
			    struct block *b, bool requested,
			    struct why *why)
{
	const struct header_node *known = header_tree_get(&c->tree, &b->hash);
	struct finding f = finding_of(VERDICT_OK);

	if (!known || !(known->status & BLOCK_HAVE_DATA))
		chain_check_block(&f, c->opt.params, b);
	return chain_accept_checked_block(c, out, b, &f, requested, why);
}

enum err chain_submit_block(struct chain *c, struct block_result *out,
			    struct block *b, struct why *why)
{
	struct finding f;
	enum err e;

	/* Even if the block is known: this copy may be another. */
	chain_check_block(&f, c->opt.params, b);
	e = chain_accept_checked_block(c, out, b, &f, true, why);
	if (e || out->finding.verdict || !out->node)
		return e;
	c->watch = out->node;
	c->watch_finding = finding_of(VERDICT_OK);
	e = chain_activate(c, why);
	out->finding = c->watch_finding;
	c->watch = NULL;
	if (!out->finding.verdict && header_node_failed(out->node))
		out->finding = finding_of(VERDICT_BAD_PREV);
	return e;
}
