/*
 * Choosing from the address book: whom to dial, whom to test, what to tell.
 *
 * First a bucket that is not empty, then one of its addresses: so what one
 * source told has, at most, the weight of its buckets.
 */
#include "config.h"

#include "p2p/addrbook_priv.h"

#define PICK_TRIES 300
#define CHANCE_ONE 1048576.0
#define RECENT_S 600             /* tried so lately: very unlikely */
#define KEEP_S (4 * 60 * 60)     /* worked so lately: keeps its place */
#define TEST_WINDOW_S (40 * 60)  /* to test the one in the place */
#define EVICT_FAILURES 2         /* tests failed until it must go */

/* ---- dialling ---- */

static struct book_addr *from_table(struct addrbook *b,
				    const struct book_table *t)
{
	size_t nth = book_below(b, t->filled), bucket = 0, i;

	while (!t->used[bucket] || nth--)
		bucket++;
	nth = book_below(b, t->used[bucket]);
	i = bucket * BOOK_BUCKET_SIZE;
	while (!t->slots[i] || nth--)
		i++;
	return t->slots[i];
}

static double chance(const struct addrbook *b, const struct book_entry *e)
{
	double c = b->now - e->last_try < RECENT_S ? 0.01 : 1;
	uint32_t i;

	for (i = 0; i < MIN_OF(e->failures, 8u); i++)
		c *= 0.66;
	return c;
}

bool addrbook_pick(struct addrbook *b, struct onion *out, bool untried,
		   book_skip_fn *skip, void *arg)
{
	const struct book_addr *a;
	double easier = 1;
	bool tried;
	int i;

	for (i = 0; i < PICK_TRIES; i++) {
		tried = !untried && b->tried.filled &&
			(!b->fresh.filled || book_below(b, 2));
		if (!tried && !b->fresh.filled)
			return false;
		a = from_table(b, tried ? &b->tried : &b->fresh);
		if (b->now < a->e.not_before ||
		    (skip && skip(&a->e.onion, arg)))
			continue;
		if ((double)book_below(b, (size_t)CHANCE_ONE) <
		    easier * chance(b, &a->e) * CHANCE_ONE) {
			*out = a->e.onion;
			return true;
		}
		easier *= 1.2;
	}
	return false;
}

/* ---- test before eviction ---- */

static void pending_drop(struct addrbook *b, size_t i)
{
	b->pending[i] = b->pending[--b->pending_n];
}

bool addrbook_pick_test(struct addrbook *b, struct onion *out,
			book_skip_fn *skip, void *arg)
{
	size_t first, i;
	struct book_addr *old;

	if (!b->pending_n)
		return false;
	first = book_below(b, b->pending_n);
	for (i = 0; i < b->pending_n; i++) {
		old = *book_tried_slot(b, &b->pending[(first + i) %
						      b->pending_n]);
		if (!old || b->now - old->e.last_try < 60 ||
		    b->now - old->e.last_success < KEEP_S ||
		    (skip && skip(&old->e.onion, arg)))
			continue;
		*out = old->e.onion;
		return true;
	}
	return false;
}

/* true: the matter is settled. */
static bool settle_one(struct addrbook *b, const struct onion *o)
{
	struct book_addr *a = book_get(b, o), *old;

	if (!a || a->tried)
		return true;
	old = *book_tried_slot(b, o);
	if (!old || (old->e.last_try > a->e.last_success &&
		     old->e.last_try > old->e.last_success &&
		     old->e.failures >= EVICT_FAILURES)) {
		book_make_tried(b, a);
		return true;
	}
	/* Without a test the one in the place keeps it. */
	return b->now - old->e.last_success < KEEP_S ||
	       b->now - a->e.last_success > TEST_WINDOW_S;
}

void addrbook_settle(struct addrbook *b)
{
	size_t i = 0;

	while (i < b->pending_n) {
		struct onion o = b->pending[i];

		if (settle_one(b, &o))
			pending_drop(b, i);
		else
			i++;
	}
}

/* ---- telling others ---- */

size_t addrbook_sample(struct addrbook *b, struct book_entry *out, size_t max,
		       bool common)
{
	struct book_addr *t;
	size_t i, j, n = 0;

	/* A partial shuffle of the array itself. */
	for (i = 0; i < b->count && n < max; i++) {
		j = i + book_below(b, b->count - i);
		t = b->all[i];
		b->all[i] = b->all[j];
		b->all[j] = t;
		b->all[i]->at = i;
		b->all[j]->at = j;
		if ((b->all[i]->e.common || !common) &&
		    !book_hopeless(b, &b->all[i]->e))
			out[n++] = b->all[i]->e;
	}
	return n;
}

size_t addrbook_common_count(const struct addrbook *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->count; i++)
		n += b->all[i]->e.common;
	return n;
}
