/*
 * The heap of candidates for the tip: ordered by work, then by arrival.
 */
#include "config.h"

#include "validation/candidates.h"

#include <stdlib.h>

#define TRIM_MIN 1024

void candidates_clear(struct candidates *c)
{
	free(c->heap);
	memset(c, 0, sizeof *c);
}

bool candidate_better(const struct header_node *a,
		      const struct header_node *b)
{
	int d = u256_cmp(&a->chain_work, &b->chain_work);

	if (d)
		return d > 0;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence;
	return memcmp(a->hash.b, b->hash.b, sizeof a->hash.b) < 0;
}

static void sift_up(struct candidates *c, size_t i)
{
	struct header_node *n = c->heap[i];

	while (i > 0 && candidate_better(n, c->heap[(i - 1) / 2])) {
		c->heap[i] = c->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	c->heap[i] = n;
}

static void sift_down(struct candidates *c, size_t i)
{
	struct header_node *n = c->heap[i];

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= c->count)
			break;
		if (kid + 1 < c->count &&
		    candidate_better(c->heap[kid + 1], c->heap[kid]))
			kid++;
		if (!candidate_better(c->heap[kid], n))
			break;
		c->heap[i] = c->heap[kid];
		i = kid;
	}
	c->heap[i] = n;
}

void candidates_add(struct candidates *c, struct header_node *n)
{
	if (c->count == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->heap = xrealloc(c->heap, c->cap * sizeof *c->heap);
	}
	c->heap[c->count++] = n;
	sift_up(c, c->count - 1);
}

struct header_node *candidates_best(struct candidates *c)
{
	while (c->count && header_node_failed(c->heap[0])) {
		c->heap[0] = c->heap[--c->count];
		if (c->count)
			sift_down(c, 0);
	}
	return c->count ? c->heap[0] : NULL;
}

void candidates_trim(struct candidates *c, const struct header_node *tip)
{
	size_t i, kept = 0;

	if (c->count < TRIM_MIN || c->count < c->trim_at)
		return;
	for (i = 0; i < c->count; i++) {
		struct header_node *n = c->heap[i];

		if (!header_node_failed(n) &&
		    u256_cmp(&n->chain_work, &tip->chain_work) >= 0)
			c->heap[kept++] = n;
	}
	c->count = kept;
	for (i = kept / 2; i-- > 0;)
		sift_down(c, i);
	c->trim_at = 2 * kept;
}
