/*
 * Linearisation by dividing.  Of a set X with feerate r, the closed part S
 * (with every transaction its ancestors) that pays most above r is found by
 * a minimum cut; S is to be mined before the rest, and each is divided
 * again.  Where no part pays more than r, X is one chunk, or several of the
 * same feerate, which the flow's residual graph tells apart.
 *
 * Weights are fee * weight(X) - fee(X) * weight, so they sum to zero over X:
 * those above zero are sources, those below are sinks, and a source may send
 * to any of its ancestors.
 */
#include "config.h"

#include "mempool/linearize.h"

#include <string.h>

__extension__ typedef __int128 wide;

#define BIT(i) (UINT64_C(1) << (i))

struct cut {
	const struct depgraph *g;
	uint64_t set;                    /* X */
	uint64_t sources, sinks;
	wide room[LINEARIZE_MAX];        /* not sent or taken yet */
	uint64_t from[LINEARIZE_MAX];    /* sink: sources that send to it */
	wide flow[LINEARIZE_MAX][LINEARIZE_MAX]; /* [source][sink] */
};

static struct feerate sum_of(const struct depgraph *g, uint64_t set)
{
	struct feerate sum = { 0, 0 };

	for (; set; set &= set - 1)
		sum = feerate_add(sum, g->rate[bit_first(set)]);
	return sum;
}

static void cut_init(struct cut *c, uint64_t set)
{
	struct feerate x = sum_of(c->g, set);
	uint64_t left;

	c->set = set;
	c->sources = c->sinks = 0;
	for (left = set; left; left &= left - 1) {
		unsigned i = bit_first(left);
		const struct feerate *r = &c->g->rate[i];
		wide w = (wide)r->fee_sat * x.weight_wu -
			 (wide)x.fee_sat * r->weight_wu;

		c->room[i] = w < 0 ? -w : w;
		c->from[i] = 0;
		if (w > 0)
			c->sources |= BIT(i);
		else if (w < 0)
			c->sinks |= BIT(i);
	}
	for (left = c->sources; left; left &= left - 1) {
		unsigned i = bit_first(left);
		uint64_t to = c->g->ancestors[i] & c->sinks;

		for (; to; to &= to - 1)
			c->flow[i][bit_first(to)] = 0;
	}
}

/*
 * Breadth first from the sources with something left, along what may carry
 * more: source to any sink among its ancestors, and back against flow.
 *
 * before   out: of each node found, the one it was found from
 * found    out: all nodes found
 * return   a sink with room, or LINEARIZE_MAX
 */
static unsigned find_path(const struct cut *c, uint8_t *before,
			  uint64_t *found)
{
	uint64_t level = 0, next, left;

	for (left = c->sources; left; left &= left - 1)
		if (c->room[bit_first(left)] > 0)
			level |= left & -left;
	*found = level;
	for (left = level; left; left &= left - 1)
		before[bit_first(left)] = LINEARIZE_MAX;
	for (; level; level = next) {
		next = 0;
		for (left = level; left; left &= left - 1) {
			unsigned i = bit_first(left);
			uint64_t to = BIT(i) & c->sources
				? c->g->ancestors[i] & c->sinks : c->from[i];

			to &= ~*found;
			*found |= to;
			next |= to;
			for (; to; to &= to - 1) {
				unsigned j = bit_first(to);

				before[j] = (uint8_t)i;
				if (BIT(j) & c->sinks && c->room[j] > 0)
					return j;
			}
		}
	}
	return LINEARIZE_MAX;
}

static void add_flow(struct cut *c, unsigned source, unsigned sink, wide w)
{
	c->flow[source][sink] += w;
	if (c->flow[source][sink] > 0)
		c->from[sink] |= BIT(source);
	else
		c->from[sink] &= ~BIT(source);
}

/* Send as much as the path to `sink` carries. */
static void augment(struct cut *c, const uint8_t *before, unsigned sink)
{
	wide most = c->room[sink];
	unsigned i = sink, j;

	/* i is a sink, j the source before it, then the sink before that. */
	for (;; i = before[j]) {
		j = before[i];
		if (before[j] == LINEARIZE_MAX)
			break;
		most = MIN_OF(most, c->flow[j][before[j]]);
	}
	most = MIN_OF(most, c->room[j]);
	c->room[sink] -= most;
	c->room[j] -= most;
	for (i = sink;; i = before[j]) {
		j = before[i];
		add_flow(c, j, i, most);
		if (before[j] == LINEARIZE_MAX)
			break;
		add_flow(c, j, before[j], -most);
	}
}

/*
 * The smallest closed part of c->set that pays most above its feerate; 0 if
 * none pays more.  A maximal flow is left in c.
 */
static uint64_t best_part(struct cut *c)
{
	uint8_t before[LINEARIZE_MAX];
	uint64_t found, part;
	unsigned sink;

	while ((sink = find_path(c, before, &found)) != LINEARIZE_MAX)
		augment(c, before, sink);
	/* What is found are sources and sinks; those of no weight that stand
	 * above them come along. */
	for (part = found; found; found &= found - 1)
		part |= c->g->ancestors[bit_first(found)] & c->set;
	return part;
}

static void emit(struct linearization *out, const struct depgraph *g,
		 uint64_t chunk)
{
	unsigned first = out->n, i, j;

	/* Ancestors have fewer ancestors. */
	for (uint64_t left = chunk; left; left &= left - 1) {
		unsigned node = bit_first(left);
		unsigned rank = bit_count(g->ancestors[node]);

		for (j = out->n; j > first; j--) {
			i = out->order[j - 1];
			if (bit_count(g->ancestors[i]) <= rank)
				break;
			out->order[j] = (uint8_t)i;
		}
		out->order[j] = (uint8_t)node;
		out->n++;
	}
	out->chunk_rate[out->chunk_count] = sum_of(g, chunk);
	out->chunk_end[out->chunk_count++] = (uint8_t)out->n;
}

/*
 * No part of c->set pays more than the whole: write its parts of equal
 * feerate, which are the strongly connected ones of the residual graph.
 */
static void emit_equals(struct linearization *out, const struct cut *c)
{
	uint64_t reach[LINEARIZE_MAX], left, rest = c->set;

	for (left = c->set; left; left &= left - 1) {
		unsigned i = bit_first(left);

		reach[i] = (c->g->ancestors[i] & c->set) | c->from[i];
	}
	for (left = c->set; left; left &= left - 1) {
		unsigned k = bit_first(left);
		uint64_t via;

		for (via = c->set; via; via &= via - 1)
			if (reach[bit_first(via)] & BIT(k))
				reach[bit_first(via)] |= reach[k];
	}
	while (rest) {
		unsigned best = bit_first(rest);

		/* What reaches least reaches nothing that is left. */
		for (left = rest; left; left &= left - 1)
			if (bit_count(reach[bit_first(left)]) <
			    bit_count(reach[best]))
				best = bit_first(left);
		emit(out, c->g, reach[best] & rest);
		rest &= ~reach[best];
	}
}

void linearize(struct linearization *out, const struct depgraph *g)
{
	uint64_t stack[LINEARIZE_MAX];
	unsigned depth = 1;
	struct cut c;

	out->n = out->chunk_count = 0;
	if (!g->n)
		return;
	CHECK(g->n <= LINEARIZE_MAX);
	c.g = g;
	stack[0] = bits_below(g->n);
	while (depth) {
		uint64_t set = stack[--depth], part;

		if (bit_count(set) == 1) {
			emit(out, g, set);
			continue;
		}
		cut_init(&c, set);
		part = best_part(&c);
		if (!part) {
			emit_equals(out, &c);
			continue;
		}
		CHECK(part != set);
		stack[depth++] = set & ~part;
		stack[depth++] = part;
	}
}

void depgraph_close(uint64_t *ancestors, const uint64_t *parents, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ancestors[i] = parents[i] | BIT(i);
	for (unsigned k = 0; k < n; k++)
		for (unsigned i = 0; i < n; i++)
			if (ancestors[i] & BIT(k))
				ancestors[i] |= ancestors[k];
}
