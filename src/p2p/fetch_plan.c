/*
 * What to fetch: blocks the chain misses, in its order (lowest first, in a
 * moving window), and the state of each.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define WINDOW 1024
#define PLAN_LOW 256             /* plan anew when so few are left */
#define PLAN_EVERY_MS 100

/* ---- entries ---- */

static uint64_t hash_of(const void *key, const void *ctx)
{
	const struct block_hash *h = key;
	const uint64_t *salt = ctx;

	return siphash_u256(salt[0], salt[1], h->b);
}

static const void *key_of(const void *item)
{
	return &((const struct fetch_block *)item)->hash;
}

static bool eq(const void *item, const void *key)
{
	return block_hash_eq(key_of(item), key);
}

static const struct map_type entry_map = { hash_of, eq, key_of };

void fetch_init(struct p2p *p)
{
	struct fetch *f = &p->fetch;

	f->salt[0] = p2p_random(p);
	f->salt[1] = p2p_random(p);
	map_init(&f->by_hash, &entry_map, f->salt);
	f->stall_ms = FETCH_STALL_MIN_MS;
	f->avg_bytes = 1000;
}

void fetch_clear(struct p2p *p)
{
	struct fetch *f = &p->fetch;
	void *e;
	size_t pos = 0;

	while ((e = map_next(&f->by_hash, &pos)))
		free(e);
	map_clear(&f->by_hash);
	free(f->plan);
}

struct fetch_block *fetch_entry_new(struct p2p *p,
				     const struct block_hash *hash,
				     int height)
{
	struct fetch_block *e = xcalloc(1, sizeof *e);

	e->hash = *hash;
	e->height = height;
	e->plan_at = -1;
	map_put(&p->fetch.by_hash, e);
	p->fetch.wanted_n++;
	return e;
}

/* Take it from the peer's list, if it is there. */
static void unask(struct p2p *p, struct fetch_block *e)
{
	struct peer_fetch *f;
	struct peer *peer = NULL;
	size_t i;

	CHECK(e->state == FETCH_ASKED);
	p->fetch.asked_n--;
	/* The peer may be on its way out: look among all. */
	for (i = 0; i < p->peers_n; i++)
		if (p->peers[i]->id == e->peer)
			peer = p->peers[i];
	CHECK(peer);
	f = &peer->fetch;
	for (i = 0; i < f->asked_n && f->asked[i] != e; i++)
		;
	CHECK(i < f->asked_n);
	memmove(f->asked + i, f->asked + i + 1,
		(f->asked_n - i - 1) * sizeof(*f->asked));
	f->asked_n--;
}

void fetch_entry_state(struct p2p *p, struct fetch_block *e,
			enum fetch_state state)
{
	if (e->state == FETCH_WANTED)
		p->fetch.wanted_n--;
	else if (e->state == FETCH_ASKED)
		unask(p, e);
	e->state = state;
	if (state == FETCH_WANTED)
		p->fetch.wanted_n++;
	else if (state == FETCH_ASKED)
		p->fetch.asked_n++;
}

void fetch_entry_free(struct p2p *p, struct fetch_block *e)
{
	fetch_entry_state(p, e, FETCH_GIVEN);
	if (e->plan_at >= 0)
		p->fetch.plan[e->plan_at] = NULL;
	map_take(&p->fetch.by_hash, &e->hash);
	free(e);
}

/* It did not come: want it again, if the plan still does. */
void fetch_entry_give_up(struct p2p *p, struct fetch_block *e, peer_id avoid)
{
	if (e->plan_at < 0) {
		fetch_entry_free(p, e);
		return;
	}
	fetch_entry_state(p, e, FETCH_WANTED);
	e->avoid = avoid;
}

/* ---- the plan ---- */

void fetch_plan_maybe(struct p2p *p)
{
	struct fetch *f = &p->fetch;
	struct plan_request req = { .max = WINDOW, .window = WINDOW };
	struct plan_peer *list;
	size_t i;

	if (!p->has_tip || f->plan_out ||
	    !(f->dirty || (f->stale && f->wanted_n < PLAN_LOW &&
			   p->now_ms - f->plan_ms >= PLAN_EVERY_MS)))
		return;
	list = xcalloc(p->peers_n + 1, sizeof *list);
	for (i = 0; i < p->peers_n; i++) {
		if (p->peers[i]->gone || !p->peers[i]->headers.has_best)
			continue;
		list[req.peer_count].peer = p->peers[i]->id;
		list[req.peer_count++].best = p->peers[i]->headers.best.hash;
	}
	req.peers = list;
	if (p->ports.chain_plan(p->ports.ctx, &req)) {
		f->plan_out = true;
		f->dirty = f->stale = false;
		f->plan_ms = p->now_ms;
	}
	free(list);
}

static void plan_peer_update(struct p2p *p, const struct plan_peer *in)
{
	struct peer *peer = peer_get(p, in->peer);

	if (!peer || !in->known ||
	    !block_hash_eq(&in->best, &peer->headers.best.hash))
		return;
	peer->headers.best = in->point;
	peer->headers.common_height = in->common_height;
}

/* Entries that the new plan does not have and nobody was asked for. */
static void drop_unplanned(struct p2p *p)
{
	struct fetch *f = &p->fetch;
	struct fetch_block **old = NULL, *e;
	size_t n = 0, pos = 0;

	old = xcalloc(f->by_hash.count + 1, sizeof(*old));
	while ((e = map_next(&f->by_hash, &pos)))
		if (e->plan_at < 0 && e->state == FETCH_WANTED)
			old[n++] = e;
	while (n)
		fetch_entry_free(p, old[--n]);
	free(old);
}

void p2p_on_plan(struct p2p *p, const struct plan_reply *r)
{
	struct fetch *f = &p->fetch;
	struct fetch_block *e;
	size_t i;

	f->plan_out = false;
	for (i = 0; i < r->peer_count; i++)
		plan_peer_update(p, &r->peers[i]);
	for (i = 0; i < f->plan_n; i++)
		if (f->plan[i])
			f->plan[i]->plan_at = -1;
	free(f->plan);
	f->plan = xcalloc(r->block_count + 1, sizeof(*f->plan));
	f->plan_n = r->block_count;
	for (i = 0; i < f->plan_n; i++) {
		e = map_get(&f->by_hash, &r->blocks[i].hash);
		if (!e)
			e = fetch_entry_new(p, &r->blocks[i].hash, 0);
		e->height = r->blocks[i].height;
		e->only = r->blocks[i].only;
		e->plan_at = (int)i;
		f->plan[i] = e;
	}
	drop_unplanned(p);
	fetch_tick(p);
	peers_reap(p);
}
