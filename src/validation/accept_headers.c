/*
 * Headers on their way into the tree.
 */
#include "config.h"

#include "validation/chain_priv.h"

#include <stdlib.h>

/* New headers that a crash may cost at most; they are quick to get again. */
#define DIRTY_MAX 100000

static bool ancestor_header(struct block_header *out, int height, void *arg)
{
	const struct header_node *n = header_node_ancestor(arg, height);

	if (!n)
		return false;
	header_node_header(out, n);
	return true;
}

void check_header_in_place(const struct chain *c, struct finding *f,
			   const struct block_header *h,
			   struct header_node *prev)
{
	struct header_context ctx = {
		.height = prev->height + 1,
		.median_time_past = header_node_mtp(prev),
		.prev_time = prev->time,
		.now_unix = clock_unix(c->opt.clock),
	};
	struct block_header prev_header;

	header_node_header(&prev_header, prev);
	ctx.expected_bits = next_bits(c->opt.params, &prev_header,
				      prev->height, h->time,
				      ancestor_header, prev);
	header_check(f, c->opt.params, h, &ctx);
}

static void consider_best(struct chain *c, struct header_node *n)
{
	if (u256_cmp(&n->chain_work, &c->best_header->chain_work) > 0)
		c->best_header = n;
}

void accept_header(struct chain *c, struct header_node **node,
		   struct finding *f, const struct block_header *h,
		   const struct block_hash *hash)
{
	struct header_node *n = header_tree_get(&c->tree, hash), *prev;

	*f = finding_of(VERDICT_OK);
	*node = n;
	if (n) {
		if (header_node_failed(n)) {
			*node = NULL;
			*f = finding_of(VERDICT_DUPLICATE_INVALID);
		}
		return;
	}
	prev = header_tree_get(&c->tree, &h->prev);
	if (!pow_ok(c->opt.params, hash, h->bits))
		*f = finding_of(VERDICT_HIGH_HASH);
	else if (!prev)
		*f = finding_of(VERDICT_PREV_NOT_FOUND);
	else if (header_node_failed(prev))
		*f = finding_of(VERDICT_BAD_PREV);
	else
		check_header_in_place(c, f, h, prev);
	if (f->verdict)
		return;
	*node = n = header_tree_add(&c->tree, h, hash, prev);
	n->status = BLOCK_VALID_TREE;
	consider_best(c, n);
}

/*
 * The work that these headers lead to, as far as they hang together and
 * their hashes show that the work was done.
 */
static void work_reached(const struct chain *c, struct u256 *out,
			 const struct block_header *h,
			 const struct block_hash *hash, size_t n)
{
	const struct header_node *at = header_tree_get(&c->tree, &hash[0]);
	struct u256 work;
	size_t i = at ? 1 : 0;

	if (!at)
		at = header_tree_get(&c->tree, &h[0].prev);
	memset(out, 0, sizeof *out);
	if (at)
		*out = at->chain_work;
	for (; at && i < n; i++) {
		if (i && !block_hash_eq(&h[i].prev, &hash[i - 1]))
			break;
		if (!pow_ok(c->opt.params, &hash[i], h[i].bits))
			break;
		u256_block_work(&work, h[i].bits);
		u256_add(out, out, &work);
	}
}

static void accept_all(struct chain *c, struct headers_result *out,
		       const struct block_header *h,
		       const struct block_hash *hash, size_t n,
		       bool enough_work)
{
	struct header_node *node;
	size_t i, before;

	for (i = 0; i < n; i++) {
		before = c->tree.count;
		if (!enough_work && !header_tree_get(&c->tree, &hash[i]) &&
		    header_tree_get(&c->tree, &h[i].prev) &&
		    pow_ok(c->opt.params, &hash[i], h[i].bits)) {
			out->finding =
				finding_of(VERDICT_TOO_LITTLE_CHAINWORK);
			return;
		}
		accept_header(c, &node, &out->finding, &h[i], &hash[i]);
		if (!node)
			return;
		out->accepted++;
		out->new_headers += c->tree.count - before;
		out->last = node;
	}
}

enum err chain_accept_headers(struct chain *c, struct headers_result *out,
			      const struct block_header *h, size_t n,
			      bool min_work_checked, struct why *why)
{
	struct block_hash *hash;
	struct u256 work;
	size_t i;

	(void)why;
	memset(out, 0, sizeof *out);
	out->finding = finding_of(VERDICT_OK);
	if (!n)
		return ERR_NONE;
	hash = xmalloc(n * sizeof *hash);
	for (i = 0; i < n; i++)
		block_header_hash(&hash[i], &h[i]);
	if (!min_work_checked) {
		work_reached(c, &work, h, hash, n);
		min_work_checked = u256_cmp(&work,
				&c->opt.params->minimum_chain_work) >= 0;
	}
	accept_all(c, out, h, hash, n, min_work_checked);
	free(hash);
	if (c->tree.dirty_count > DIRTY_MAX)
		c->flush_wanted = true;
	tip_tell_best_header(c);
	return ERR_NONE;
}
