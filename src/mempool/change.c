/*
 * Changes: clusters touched are taken apart, without what goes and with what
 * comes, into drafts of the clusters to be.
 */
#include "config.h"

#include "mempool/change.h"

#include <stdlib.h>
#include <string.h>

#include "mempool/mempool_priv.h"

#define BIT(i) (UINT64_C(1) << (i))

bool tx_spends_from(const struct tx *tx, const struct txid *id)
{
	for (uint32_t i = 0; i < tx->in_count; i++)
		if (txid_eq(&tx->in[i].prevout.txid, id))
			return true;
	return false;
}

void entry_set_add(struct entry_set *s, const struct mempool_entry *e)
{
	if (entry_set_has(s, e))
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 4;
		s->v = xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = e;
}

bool entry_set_has(const struct entry_set *s, const struct mempool_entry *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == e)
			return true;
	return false;
}

void change_init(struct change *ch, struct mempool *m)
{
	*ch = (struct change){ .m = m };
}

static void drop_drafts(struct change *ch)
{
	for (size_t i = 0; i < ch->draft_n; i++)
		free(ch->drafts[i]);
	free(ch->drafts);
	ch->drafts = NULL;
	ch->draft_n = ch->draft_cap = 0;
}

void change_clear(struct change *ch)
{
	for (size_t i = 0; i < ch->touched_n; i++) {
		ch->touched[i]->touched = false;
		ch->touched[i]->doomed = 0;
	}
	drop_drafts(ch);
	free(ch->touched);
	free(ch->adds);
	change_init(ch, ch->m);
}

void change_touch(struct change *ch, struct cluster *c)
{
	if (c->touched)
		return;
	c->touched = true;
	if (ch->touched_n == ch->touched_cap) {
		ch->touched_cap = ch->touched_cap ? 2 * ch->touched_cap : 8;
		ch->touched = xrealloc(ch->touched, ch->touched_cap *
				       sizeof *ch->touched);
	}
	ch->touched[ch->touched_n++] = c;
}

bool entry_is_doomed(const struct mempool_entry *e)
{
	return e->cluster && e->cluster->doomed & BIT(e->slot);
}

void change_remove(struct change *ch, const struct mempool_entry *e,
		   bool descendants, enum mempool_removal reason)
{
	struct cluster *c = e->cluster;
	uint64_t set = descendants ? entry_descendants(e) : BIT(e->slot);

	change_touch(ch, c);
	set &= ~c->doomed;
	c->doomed |= set;
	for (; set; set &= set - 1)
		pool_entry_of(c->entry[bit_first(set)])->removal =
			(uint8_t)reason;
}

size_t change_removed_count(const struct change *ch)
{
	size_t n = 0;

	for (size_t i = 0; i < ch->touched_n; i++)
		n += bit_count(ch->touched[i]->doomed);
	return n;
}

int64_t change_removed_fees(const struct change *ch)
{
	int64_t sum = 0;

	for (size_t i = 0; i < ch->touched_n; i++) {
		const struct cluster *c = ch->touched[i];
		uint64_t set = c->doomed;

		for (; set; set &= set - 1)
			sum += entry_modified_fee(c->entry[bit_first(set)]);
	}
	return sum;
}

void change_add(struct change *ch, struct mempool_entry *e,
		const struct entry_set *parents)
{
	if (ch->add_n == ch->add_cap) {
		ch->add_cap = ch->add_cap ? 2 * ch->add_cap : 4;
		ch->adds = xrealloc(ch->adds,
				    ch->add_cap * sizeof *ch->adds);
	}
	ch->adds[ch->add_n++] = (struct addition){ e, parents };
	for (size_t i = 0; i < parents->n; i++)
		change_touch(ch, parents->v[i]->cluster);
}

/* ---- planning ---- */

static struct draft *draft_add(struct change *ch)
{
	struct draft *d = xmalloc(sizeof *d);

	d->n = 0;
	d->weight_wu = 0;
	d->linearized = false;
	if (ch->draft_n == ch->draft_cap) {
		ch->draft_cap = ch->draft_cap ? 2 * ch->draft_cap : 4;
		ch->drafts = xrealloc(ch->drafts,
				      ch->draft_cap * sizeof *ch->drafts);
	}
	ch->drafts[ch->draft_n++] = d;
	return d;
}

/* All of `rest` that hangs together with its first member. */
static uint64_t component(const struct cluster *c, uint64_t rest)
{
	uint64_t all = rest & -rest, before = 0;

	while (all != before) {
		uint64_t set = rest;

		before = all;
		for (; set; set &= set - 1) {
			unsigned i = bit_first(set);
			uint64_t near = (c->parents[i] & rest) | BIT(i);

			if (near & all)
				all |= near;
		}
	}
	return all;
}

static void draft_fill(struct draft *d, const struct cluster *c,
		       uint64_t set)
{
	uint8_t place[CLUSTER_TXS_MAX];
	uint64_t left;

	for (left = set; left; left &= left - 1) {
		unsigned i = bit_first(left);

		place[i] = (uint8_t)d->n;
		d->weight_wu += c->entry[i]->weight_wu;
		d->entry[d->n++] = c->entry[i];
	}
	for (left = set; left; left &= left - 1) {
		unsigned i = bit_first(left);
		uint64_t p = c->parents[i] & set, parents = 0;

		for (; p; p &= p - 1)
			parents |= BIT(place[bit_first(p)]);
		d->parents[place[i]] = parents;
	}
}

/* The draft that holds e, and where. */
static struct draft *draft_find(const struct change *ch,
				const struct mempool_entry *e,
				unsigned *place)
{
	for (size_t i = ch->draft_n; i-- > 0;)
		for (unsigned j = 0; j < ch->drafts[i]->n; j++)
			if (ch->drafts[i]->entry[j] == e) {
				*place = j;
				return ch->drafts[i];
			}
	return NULL;
}

/* Move b's entries behind a's; b is empty then.  False: too many. */
static bool draft_join(struct draft *a, struct draft *b)
{
	if (a->n + b->n > CLUSTER_TXS_MAX)
		return false;
	for (unsigned i = 0; i < b->n; i++) {
		a->entry[a->n + i] = b->entry[i];
		a->parents[a->n + i] = b->parents[i] << a->n;
	}
	a->n += b->n;
	a->weight_wu += b->weight_wu;
	b->n = 0;
	return true;
}

/* Join what holds `parent` to own, whose first entry is its child. */
static bool join_parent(struct change *ch, struct draft *own,
			const struct mempool_entry *parent)
{
	unsigned place;
	struct draft *d = draft_find(ch, parent, &place);

	CHECK(d);                /* spending what goes was refused before */
	if (d != own) {
		place += own->n;
		if (!draft_join(own, d))
			return false;
	}
	own->parents[0] |= BIT(place);
	return true;
}

/* Put it behind its parents; their drafts become one. */
static bool plan_add(struct change *ch, size_t at)
{
	const struct addition *add = &ch->adds[at];
	const struct policy *p = &ch->m->opt.policy;
	struct draft *own = draft_add(ch);

	own->n = 1;
	own->entry[0] = add->e;
	own->parents[0] = 0;
	own->weight_wu = add->e->weight_wu;
	for (size_t i = 0; i < add->parents->n; i++)
		if (!join_parent(ch, own, add->parents->v[i]))
			return false;
	for (size_t i = 0; i < at; i++)
		if (tx_spends_from(entry_tx(add->e),
				   &entry_tx(ch->adds[i].e)->txid) &&
		    !join_parent(ch, own, ch->adds[i].e))
			return false;
	return own->n <= p->cluster_count &&
	       own->weight_wu <= p->cluster_bytes * WITNESS_SCALE;
}

bool change_plan(struct change *ch)
{
	drop_drafts(ch);
	for (size_t i = 0; i < ch->touched_n; i++) {
		const struct cluster *c = ch->touched[i];
		uint64_t rest = bits_below(c->count) & ~c->doomed;

		while (rest) {
			uint64_t set = component(c, rest);

			draft_fill(draft_add(ch), c, set);
			rest &= ~set;
		}
	}
	for (size_t i = 0; i < ch->add_n; i++)
		if (!plan_add(ch, i))
			return false;
	return true;
}

/* ---- comparing ---- */

struct rates {
	struct feerate *v;
	size_t n;
};

static int by_rate(const void *a, const void *b)
{
	const struct feerate *x = a, *y = b;

	return feerate_cmp(*y, *x);
}

static struct rates rates_before(const struct change *ch)
{
	struct rates r = { NULL, 0 };
	size_t n = 0;

	for (size_t i = 0; i < ch->touched_n; i++)
		n += ch->touched[i]->chunk_count;
	r.v = xmalloc((n + 1) * sizeof *r.v);
	for (size_t i = 0; i < ch->touched_n; i++) {
		const struct cluster *c = ch->touched[i];

		for (unsigned k = 0; k < c->chunk_count; k++)
			r.v[r.n++] = c->chunks[k].rate;
	}
	qsort(r.v, r.n, sizeof *r.v, by_rate);
	return r;
}

static struct rates rates_after(struct change *ch)
{
	struct rates r = { NULL, 0 };
	size_t n = 0;

	for (size_t i = 0; i < ch->draft_n; i++)
		n += ch->drafts[i]->n;
	r.v = xmalloc((n + 1) * sizeof *r.v);
	for (size_t i = 0; i < ch->draft_n; i++) {
		struct draft *d = ch->drafts[i];

		if (!d->n)
			continue;
		draft_linearize(d);
		memcpy(r.v + r.n, d->line.chunk_rate,
		       d->line.chunk_count * sizeof *r.v);
		r.n += d->line.chunk_count;
	}
	qsort(r.v, r.n, sizeof *r.v, by_rate);
	return r;
}

int change_compare(struct change *ch)
{
	struct rates before = rates_before(ch), after = rates_after(ch);
	int c = diagram_cmp(after.v, after.n, before.v, before.n);

	free(before.v);
	free(after.v);
	return c;
}

/* ---- doing ---- */

/* Entries that go, in mining order turned around: children first. */
static void drop_doomed(struct change *ch)
{
	for (size_t i = 0; i < ch->touched_n; i++) {
		struct cluster *c = ch->touched[i];

		for (unsigned k = c->count; k-- > 0;) {
			struct mempool_entry *e = c->entry[c->order[k]];

			if (c->doomed & BIT(c->order[k]))
				pool_drop(ch->m, e, (enum mempool_removal)
					  pool_entry_of(e)->removal);
		}
	}
}

void change_commit(struct change *ch)
{
	struct mempool *m = ch->m;

	drop_doomed(ch);
	/* New clusters first: entries that stay have left the old then. */
	for (size_t i = 0; i < ch->draft_n; i++) {
		struct cluster *c;

		if (!ch->drafts[i]->n)
			continue;
		c = cluster_new(ch->drafts[i], m->next_cluster++,
				&m->chunks);
		m->cluster_memory += c->memory_bytes;
	}
	for (size_t i = 0; i < ch->touched_n; i++) {
		m->cluster_memory -= ch->touched[i]->memory_bytes;
		cluster_free(ch->touched[i], &m->chunks);
	}
	ch->touched_n = 0;
	for (size_t i = 0; i < ch->add_n; i++)
		pool_insert(m, ch->adds[i].e);
	change_clear(ch);
}
