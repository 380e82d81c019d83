/*
 * Trusted peers have places of their own (whoever lets them in bounds their
 * number), and never give way.  This is about strangers:
 *
 * Who may come in, and who gives way when the slots are full: first those
 * who share a circuit, then those who do not get on with the handshake, then
 * the youngest of those who are not among the best in any way that an
 * attacker cannot easily be in all: quick, useful, with us for long.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define HALF_OPEN_MIN 8          /* handshakes at a time; or a quarter */
#define HALF_OPEN_MS (5 * SECOND_MS)
#define KEEP_QUICK 8
#define KEEP_USEFUL 4

unsigned inbound_count(const struct p2p *p)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < p->peers_n; i++)
		n += !p->peers[i]->gone && !p->peers[i]->door &&
		     !peer_outbound(p->peers[i]);
	return n;
}

static bool may_go(const struct peer *peer)
{
	return !peer->gone && !peer_outbound(peer) && !peer->door &&
	       !(peer->info.perms & PEER_PERM_NOBAN);
}

/* The youngest of the circuit that has most of them, if it has several. */
static struct peer *crowded(const struct p2p *p)
{
	struct peer *worst = NULL, *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (may_go(peer) && peer->circuit &&
		    peer->circuit->peers > 1 &&
		    (!worst || peer->circuit->peers >= worst->circuit->peers))
			worst = peer;    /* ids grow: the last is youngest */
	}
	return worst;
}

static struct peer *dawdling(const struct p2p *p, unsigned *half_open)
{
	struct peer *oldest = NULL, *peer;
	size_t i;

	*half_open = 0;
	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (!may_go(peer) || peer->done)
			continue;
		++*half_open;
		if (!oldest && p->now_ms - peer->connected_ms > HALF_OPEN_MS)
			oldest = peer;
	}
	return oldest;
}

/* ---- the best of each kind are kept ---- */

static int by_ping(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a;
	const struct peer *y = *(struct peer *const *)b;
	uint64_t px = (uint64_t)x->info.min_ping_ms;     /* none: huge */
	uint64_t py = (uint64_t)y->info.min_ping_ms;

	return px < py ? -1 : px > py;
}

static int by_last_block(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a;
	const struct peer *y = *(struct peer *const *)b;

	return x->info.last_block > y->info.last_block ? -1
	     : x->info.last_block < y->info.last_block;
}

static int by_age(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a;
	const struct peer *y = *(struct peer *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Sort, and take the first keep of them out of the list. */
static size_t keep_best(struct peer **v, size_t n, size_t keep,
			int (*cmp)(const void *, const void *))
{
	if (!n)
		return 0;
	qsort(v, n, sizeof *v, cmp);
	keep = MIN_OF(keep, n);
	memmove(v, v + keep, (n - keep) * sizeof *v);
	return n - keep;
}

static struct peer *least(const struct p2p *p)
{
	struct peer **v = xcalloc(p->peers_n + 1, sizeof *v), *out;
	size_t i, n = 0, useful = 0;

	for (i = 0; i < p->peers_n; i++) {
		if (!may_go(p->peers[i]) || !p->peers[i]->done)
			continue;
		useful += p->peers[i]->info.last_block != 0;
		v[n++] = p->peers[i];
	}
	n = keep_best(v, n, MIN_OF(useful, (size_t)KEEP_USEFUL),
		      by_last_block);
	n = keep_best(v, n, KEEP_QUICK, by_ping);
	n = keep_best(v, n, (n + 1) / 2, by_age);
	out = n ? v[n - 1] : NULL;
	free(v);
	return out;
}

static bool give_way(struct p2p *p, struct peer *peer)
{
	if (!peer)
		return false;
	peer_drop(p, peer, CLOSE_UNWANTED, "it gives way to a new one");
	return true;
}

bool inbound_room(struct p2p *p)
{
	unsigned half_open, half_max = MAX_OF((unsigned)HALF_OPEN_MIN,
					      p->opt.max_inbound / 4);
	struct peer *slow = dawdling(p, &half_open), *worst;

	if (half_open >= half_max && !give_way(p, slow))
		return false;
	if (inbound_count(p) < p->opt.max_inbound)
		return true;
	worst = crowded(p);
	if (!worst)
		worst = dawdling(p, &half_open);
	if (!worst)
		worst = least(p);
	return give_way(p, worst);
}
