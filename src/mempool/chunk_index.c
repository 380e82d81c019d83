/*
 * The treap: ordered by worth, heaped by chance, so that it stays flat
 * whatever the order of arrival.  Links lead up too, so nothing recurses.
 */
#include "config.h"

#include "mempool/chunk_index.h"

#include "mempool/cluster.h"

void chunk_index_init(struct chunk_index *x)
{
	x->root = NULL;
	prng_seed(&x->prng, random_u64());
}

/* Is a mined before b?  Of one cluster, in its order; else the older. */
static bool before(const struct chunk *a, const struct chunk *b)
{
	int c = feerate_cmp(a->rate, b->rate);

	if (c)
		return c > 0;
	if (a->cluster != b->cluster)
		return a->cluster->id < b->cluster->id;
	return a->index < b->index;
}

/* The link that leads to k. */
static struct chunk **link_of(struct chunk_index *x, const struct chunk *k)
{
	if (!k->up)
		return &x->root;
	return k->up->left == k ? &k->up->left : &k->up->right;
}

/* k takes its parent's place. */
static void rotate_up(struct chunk_index *x, struct chunk *k)
{
	struct chunk *p = k->up;
	struct chunk **link = link_of(x, p);
	struct chunk *child;

	if (p->left == k) {
		child = p->left = k->right;
		k->right = p;
	} else {
		child = p->right = k->left;
		k->left = p;
	}
	if (child)
		child->up = p;
	k->up = p->up;
	p->up = k;
	*link = k;
}

void chunk_index_add(struct chunk_index *x, struct chunk *k)
{
	struct chunk **link = &x->root, *up = NULL;

	while (*link) {
		up = *link;
		link = before(k, up) ? &up->left : &up->right;
	}
	k->left = k->right = NULL;
	k->up = up;
	k->heat = (uint32_t)prng_u64(&x->prng);
	*link = k;
	while (k->up && k->up->heat < k->heat)
		rotate_up(x, k);
}

void chunk_index_remove(struct chunk_index *x, struct chunk *k)
{
	struct chunk *child;

	while (k->left && k->right)
		rotate_up(x, k->left->heat > k->right->heat ? k->left
							     : k->right);
	child = k->left ? k->left : k->right;
	*link_of(x, k) = child;
	if (child)
		child->up = k->up;
}

struct chunk *chunk_index_best(const struct chunk_index *x)
{
	struct chunk *k = x->root;

	while (k && k->left)
		k = k->left;
	return k;
}

struct chunk *chunk_index_worst(const struct chunk_index *x)
{
	struct chunk *k = x->root;

	while (k && k->right)
		k = k->right;
	return k;
}

const struct chunk *mempool_next_chunk(const struct chunk *k)
{
	if (k->right) {
		for (k = k->right; k->left;)
			k = k->left;
		return k;
	}
	while (k->up && k->up->right == k)
		k = k->up;
	return k->up;
}
