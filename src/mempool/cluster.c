/*
 * Clusters: one piece of memory each, made from a draft.
 */
#include "config.h"

#include "mempool/cluster.h"

#include <stdlib.h>
#include <string.h>

#define BIT(i) (UINT64_C(1) << (i))
#define MALLOC_OVERHEAD 16

void draft_linearize(struct draft *d)
{
	if (d->linearized)
		return;
	d->graph.n = d->n;
	for (unsigned i = 0; i < d->n; i++)
		d->graph.rate[i] = (struct feerate){
			entry_modified_fee(d->entry[i]),
			d->entry[i]->weight_wu };
	depgraph_close(d->graph.ancestors, d->parents, d->n);
	linearize(&d->line, &d->graph);
	d->linearized = true;
}

/* One piece: the struct, then its arrays, the most aligned first. */
static struct cluster *cluster_alloc(unsigned n, unsigned chunks)
{
	struct cluster *c;
	size_t size = sizeof *c + chunks * sizeof *c->chunks +
		      n * (sizeof *c->entry + 2 * sizeof *c->parents +
			   2 * sizeof *c->order);
	uint8_t *p = xcalloc(1, size);

	c = (struct cluster *)(void *)p;
	c->count = (uint8_t)n;
	c->chunk_count = (uint8_t)chunks;
	c->memory_bytes = size + MALLOC_OVERHEAD;
	c->chunks = (struct chunk *)(void *)(c + 1);
	c->entry = (struct mempool_entry **)(void *)(c->chunks + chunks);
	c->parents = (uint64_t *)(void *)(c->entry + n);
	c->ancestors = c->parents + n;
	c->order = (uint8_t *)(c->ancestors + n);
	c->chunk_of = c->order + n;
	return c;
}

struct cluster *cluster_new(struct draft *d, uint64_t id,
			    struct chunk_index *index)
{
	const struct linearization *l = &d->line;
	struct cluster *c;
	unsigned i, first = 0;

	draft_linearize(d);
	c = cluster_alloc(d->n, l->chunk_count);
	c->id = id;
	c->weight_wu = d->weight_wu;
	memcpy(c->entry, d->entry, d->n * sizeof *c->entry);
	memcpy(c->parents, d->parents, d->n * sizeof *c->parents);
	memcpy(c->ancestors, d->graph.ancestors,
	       d->n * sizeof *c->ancestors);
	memcpy(c->order, l->order, d->n);
	for (i = 0; i < d->n; i++) {
		c->entry[i]->cluster = c;
		c->entry[i]->slot = (uint8_t)i;
	}
	for (i = 0; i < l->chunk_count; i++) {
		struct chunk *k = &c->chunks[i];

		k->cluster = c;
		k->rate = l->chunk_rate[i];
		k->index = (uint8_t)i;
		k->first = (uint8_t)first;
		k->count = (uint8_t)(l->chunk_end[i] - first);
		for (; first < l->chunk_end[i]; first++)
			c->chunk_of[c->order[first]] = (uint8_t)i;
		chunk_index_add(index, k);
	}
	return c;
}

void cluster_free(struct cluster *c, struct chunk_index *index)
{
	for (unsigned i = 0; i < c->chunk_count; i++)
		chunk_index_remove(index, &c->chunks[i]);
	free(c);
}

uint64_t cluster_with_descendants(const struct cluster *c, uint64_t set)
{
	uint64_t all = set;

	for (unsigned i = 0; i < c->count; i++)
		if (c->ancestors[i] & set)
			all |= BIT(i);
	return all;
}

/* ---- questions ---- */

uint64_t entry_ancestors(const struct mempool_entry *e)
{
	return e->cluster->ancestors[e->slot];
}

uint64_t entry_descendants(const struct mempool_entry *e)
{
	return cluster_with_descendants(e->cluster, BIT(e->slot));
}

uint64_t entry_parents(const struct mempool_entry *e)
{
	return e->cluster->parents[e->slot];
}

uint64_t entry_children(const struct mempool_entry *e)
{
	const struct cluster *c = e->cluster;
	uint64_t set = 0;

	for (unsigned i = 0; i < c->count; i++)
		if (c->parents[i] & BIT(e->slot))
			set |= BIT(i);
	return set;
}

const struct mempool_entry *cluster_entry(const struct cluster *c,
					  unsigned slot)
{
	return c->entry[slot];
}

unsigned cluster_count(const struct cluster *c)
{
	return c->count;
}

const struct mempool_entry *cluster_at(const struct cluster *c, unsigned i)
{
	return c->entry[c->order[i]];
}

struct feerate chunk_feerate(const struct chunk *k)
{
	return k->rate;
}

size_t chunk_count(const struct chunk *k)
{
	return k->count;
}

const struct mempool_entry *chunk_tx(const struct chunk *k, size_t i)
{
	return cluster_at(k->cluster, k->first + (unsigned)i);
}

const struct chunk *entry_chunk(const struct mempool_entry *e)
{
	return &e->cluster->chunks[e->cluster->chunk_of[e->slot]];
}

unsigned cluster_chunk_count(const struct cluster *c)
{
	return c->chunk_count;
}

const struct chunk *cluster_chunk(const struct cluster *c, unsigned i)
{
	return &c->chunks[i];
}
