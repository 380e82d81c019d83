/*
 * The index: a page is split when it is full, and goes when it is empty.
 * Worth as a double decides nearly always; where two are near, the exact
 * fractions do.
 */
#include "config.h"

#include "mempool/chunk_index.h"

#include <stdlib.h>
#include <string.h>

#include "mempool/cluster.h"

#define PAGE_CHUNKS 64
#define MALLOC_OVERHEAD 16
/* Doubles that differ by more than this part of them are right. */
#define NEAR 1e-9

struct chunk_page {
	size_t n;
	double worth[PAGE_CHUNKS];
	struct chunk *v[PAGE_CHUNKS];
	struct chunk_page *next;         /* the page after it */
};

static double worth_of(const struct chunk *k)
{
	return (double)k->rate.fee_sat / (double)k->rate.weight_wu;
}

/* Is a mined before b?  Of one cluster, in its order; else the older. */
static bool before(const struct chunk *a, double worth_a,
		   const struct chunk *b, double worth_b)
{
	double gap = worth_a - worth_b, size = MAX_OF(worth_a, -worth_a);
	int c;

	if (gap > NEAR * size || gap < -NEAR * size)
		return gap > 0;
	c = feerate_cmp(a->rate, b->rate);
	if (c)
		return c > 0;
	if (a->cluster != b->cluster)
		return a->cluster->id < b->cluster->id;
	return a->index < b->index;
}

/* The last page whose first chunk is mined before k; the first, if none. */
static size_t find_page(const struct chunk_index *x, const struct chunk *k,
			double worth)
{
	size_t low = 0, high = x->n;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (before(k, worth, x->pages[mid]->v[0], x->firsts[mid]))
			high = mid;
		else
			low = mid;
	}
	return low;
}

static size_t find_place(const struct chunk_page *p, const struct chunk *k,
			 double worth)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (before(k, worth, p->v[mid], p->worth[mid]))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* A new page at place `at` of the list. */
static struct chunk_page *page_insert(struct chunk_index *x, size_t at)
{
	struct chunk_page *p = xmalloc(sizeof *p);

	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 16;
		x->pages = xrealloc(x->pages, x->cap * sizeof *x->pages);
		x->firsts = xrealloc(x->firsts, x->cap * sizeof *x->firsts);
	}
	memmove(x->pages + at + 1, x->pages + at,
		(x->n - at) * sizeof *x->pages);
	memmove(x->firsts + at + 1, x->firsts + at,
		(x->n - at) * sizeof *x->firsts);
	x->pages[at] = p;
	x->n++;
	p->n = 0;
	p->next = at + 1 < x->n ? x->pages[at + 1] : NULL;
	if (at)
		x->pages[at - 1]->next = p;
	return p;
}

static void page_remove(struct chunk_index *x, size_t at)
{
	struct chunk_page *p = x->pages[at];
	size_t left = x->n - at - 1;

	memmove(x->pages + at, x->pages + at + 1, left * sizeof *x->pages);
	memmove(x->firsts + at, x->firsts + at + 1,
		left * sizeof *x->firsts);
	x->n--;
	if (at)
		x->pages[at - 1]->next = p->next;
	free(p);
}

/* Half of a full page goes to a new one behind it. */
static void page_split(struct chunk_index *x, size_t at)
{
	struct chunk_page *q = page_insert(x, at + 1), *p = x->pages[at];
	size_t keep = p->n / 2;

	q->n = p->n - keep;
	p->n = keep;
	memcpy(q->v, p->v + keep, q->n * sizeof *q->v);
	memcpy(q->worth, p->worth + keep, q->n * sizeof *q->worth);
	for (size_t i = 0; i < q->n; i++)
		q->v[i]->page = q;
	x->firsts[at + 1] = q->worth[0];
}

void chunk_index_add(struct chunk_index *x, struct chunk *k)
{
	double worth = worth_of(k);
	struct chunk_page *p;
	size_t at, i;

	if (!x->n)
		page_insert(x, 0);
	at = find_page(x, k, worth);
	if (x->pages[at]->n == PAGE_CHUNKS) {
		page_split(x, at);
		at = find_page(x, k, worth);
	}
	p = x->pages[at];
	i = find_place(p, k, worth);
	memmove(p->v + i + 1, p->v + i, (p->n - i) * sizeof *p->v);
	memmove(p->worth + i + 1, p->worth + i,
		(p->n - i) * sizeof *p->worth);
	p->v[i] = k;
	p->worth[i] = worth;
	p->n++;
	k->page = p;
	x->firsts[at] = p->worth[0];
}

static size_t place_of(const struct chunk *k)
{
	const struct chunk_page *p = k->page;
	size_t i = 0;

	while (p->v[i] != k)
		i++;
	return i;
}

void chunk_index_remove(struct chunk_index *x, struct chunk *k)
{
	struct chunk_page *p = k->page;
	size_t i = place_of(k), at = 0;

	if (i == 0) {
		at = find_page(x, k, p->worth[0]);
		CHECK(x->pages[at] == p);
	}
	p->n--;
	memmove(p->v + i, p->v + i + 1, (p->n - i) * sizeof *p->v);
	memmove(p->worth + i, p->worth + i + 1,
		(p->n - i) * sizeof *p->worth);
	if (!p->n)
		page_remove(x, at);
	else if (i == 0)
		x->firsts[at] = p->worth[0];
}

struct chunk *chunk_index_best(const struct chunk_index *x)
{
	return x->n ? x->pages[0]->v[0] : NULL;
}

struct chunk *chunk_index_worst(const struct chunk_index *x)
{
	const struct chunk_page *p = x->n ? x->pages[x->n - 1] : NULL;

	return p ? p->v[p->n - 1] : NULL;
}

const struct chunk *mempool_next_chunk(const struct chunk *k)
{
	const struct chunk_page *p = k->page;
	size_t i = place_of(k) + 1;

	if (i < p->n)
		return p->v[i];
	return p->next ? p->next->v[0] : NULL;
}

size_t chunk_index_memory(const struct chunk_index *x)
{
	return x->n * (sizeof(struct chunk_page) + MALLOC_OVERHEAD) +
	       x->cap * (sizeof *x->pages + sizeof *x->firsts);
}

void chunk_index_clear(struct chunk_index *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->pages[i]);
	free(x->pages);
	free(x->firsts);
	*x = (struct chunk_index){ 0 };
}
