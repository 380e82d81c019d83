/*
 * Fetching blocks: a plan from the chain (what is missing, lowest first, in a
 * moving window), spread over the peers by their measured throughput.
 *
 * Tor's latencies are long and uneven, so patience adapts: a block that is
 * late although another peer is idle goes to that one; a peer that loses
 * several blocks in a row, or falls silent with blocks outstanding, goes.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define WINDOW 1024
#define PLAN_LOW 256             /* plan anew when so few are left */
#define PLAN_EVERY_MS 100
#define ASKED_MAX 16             /* per peer */
#define ASKED_FIRST 4            /* while its throughput is unknown */
#define ASKED_AHEAD_S 15         /* of work for a peer */
#define RATE_GUESS_BYTES_S 65536
#define RATE_KEEP(x) ((x) - (x) / 8)
#define STALL_MIN_MS (10 * SECOND_MS)
#define STALL_MAX_MS (120 * SECOND_MS)
#define QUIET_MS MINUTE_MS
#define QUIET_ALONE_MS (10 * MINUTE_MS)
#define STRIKES_MAX 3
#define LIMITED_BLOCKS 286       /* BIP159: 288, less two for races */

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
	f->stall_ms = STALL_MIN_MS;
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

static struct fetch_block *entry_new(struct p2p *p,
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

static void entry_state(struct p2p *p, struct fetch_block *e,
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

static void entry_free(struct p2p *p, struct fetch_block *e)
{
	entry_state(p, e, FETCH_GIVEN);
	if (e->plan_at >= 0)
		p->fetch.plan[e->plan_at] = NULL;
	map_take(&p->fetch.by_hash, &e->hash);
	free(e);
}

/* It did not come: want it again, if the plan still does. */
static void entry_give_up(struct p2p *p, struct fetch_block *e, peer_id avoid)
{
	if (e->plan_at < 0) {
		entry_free(p, e);
		return;
	}
	entry_state(p, e, FETCH_WANTED);
	e->avoid = avoid;
}

/* ---- the plan ---- */

static void maybe_plan(struct p2p *p)
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
		entry_free(p, old[--n]);
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
			e = entry_new(p, &r->blocks[i].hash, 0);
		e->height = r->blocks[i].height;
		e->plan_at = (int)i;
		f->plan[i] = e;
	}
	drop_unplanned(p);
	fetch_tick(p);
	peers_reap(p);
}

/* ---- which peer ---- */

static bool can_serve(const struct p2p *p, const struct peer *peer,
		      const struct fetch_block *e)
{
	uint64_t s = peer->info.services;

	if (peer->gone || !peer->done || !(s & SERVICE_WITNESS) ||
	    peer->info.type == CONN_ADDR_FETCH || e->avoid == peer->id ||
	    p->now_ms < peer->fetch.rest_until_ms)
		return false;
	if (peer->headers.common_height < e->height)
		return false;
	if (s & SERVICE_NETWORK)
		return true;
	return (s & SERVICE_NETWORK_LIMITED) &&
	       e->height > peer->headers.best.height - LIMITED_BLOCKS;
}

/* Time until it would have delivered n blocks. */
static int64_t estimate_ms(const struct p2p *p, const struct peer *peer,
			   size_t n)
{
	uint64_t bytes = n * p->fetch.avg_bytes;

	if (!peer->fetch.bytes)
		return (int64_t)(bytes * 1000 / RATE_GUESS_BYTES_S);
	return (int64_t)(bytes * MAX_OF(peer->fetch.ms, UINT64_C(1)) /
			 peer->fetch.bytes);
}

static size_t room(const struct p2p *p, const struct peer *peer)
{
	size_t limit = ASKED_FIRST;
	int64_t one;

	if (peer->gone || !peer->done)
		return 0;
	if (peer->fetch.bytes) {
		one = MAX_OF(estimate_ms(p, peer, 1), INT64_C(1));
		limit = (size_t)(ASKED_AHEAD_S * SECOND_MS / one);
		limit = MIN_OF(MAX_OF(limit, (size_t)2), (size_t)ASKED_MAX);
	}
	return limit > peer->fetch.asked_n ? limit - peer->fetch.asked_n : 0;
}

/* Of the peers with room the one that would deliver first. */
static struct peer *choose(const struct p2p *p, const struct fetch_block *e)
{
	struct peer *best = NULL, *peer;
	int64_t ms, least = INT64_MAX;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (!peer->fetch.room || !can_serve(p, peer, e))
			continue;
		ms = estimate_ms(p, peer, peer->fetch.asked_n + 1);
		if (ms < least) {
			least = ms;
			best = peer;
		}
	}
	return best;
}

/* ---- asking ---- */

static void ask(struct p2p *p, struct peer *peer, struct fetch_block *e)
{
	struct peer_fetch *f = &peer->fetch;
	struct inv_item item = { INV_BLOCK | INV_WITNESS_FLAG, { 0 } };

	entry_state(p, e, FETCH_ASKED);
	e->peer = peer->id;
	e->asked_ms = p->now_ms;
	if (f->asked_n == f->asked_cap) {
		f->asked_cap = MAX_OF(2 * f->asked_cap, (size_t)ASKED_MAX);
		f->asked = xrealloc(f->asked,
				    f->asked_cap * sizeof(*f->asked));
	}
	f->asked[f->asked_n++] = e;
	if (f->room)
		f->room--;
	memcpy(item.hash, e->hash.b, sizeof item.hash);
	inv_item_write(&f->ask, &item);
	f->ask_n++;
}

static void send_asks(struct p2p *p)
{
	struct msg m = { .type = MSG_GETDATA };
	struct peer_fetch *f;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		f = &p->peers[i]->fetch;
		if (!f->ask_n)
			continue;
		m.u.inv.n = f->ask_n;
		m.u.inv.items = bytes_span(&f->ask);
		peer_send(p, p->peers[i], &m);
		f->ask_n = 0;
		f->ask.n = 0;
	}
}

static size_t count_room(struct p2p *p)
{
	size_t i, total = 0;

	for (i = 0; i < p->peers_n; i++) {
		p->peers[i]->fetch.room = room(p, p->peers[i]);
		total += p->peers[i]->fetch.room;
	}
	return total;
}

void fetch_assign(struct p2p *p)
{
	struct fetch *f = &p->fetch;
	size_t left = count_room(p), i;
	struct fetch_block *e;
	struct peer *peer;

	for (i = 0; i < f->plan_n && left && f->wanted_n; i++) {
		e = f->plan[i];
		if (!e || e->state != FETCH_WANTED)
			continue;
		peer = choose(p, e);
		if (!peer)
			continue;
		ask(p, peer, e);
		left--;
	}
	send_asks(p);
}

/* ---- patience ---- */

static bool another(const struct p2p *p, const struct peer *not,
		    const struct fetch_block *e)
{
	size_t i;

	for (i = 0; i < p->peers_n; i++)
		if (p->peers[i] != not && can_serve(p, p->peers[i], e))
			return true;
	return false;
}

static void give_up_all(struct p2p *p, struct peer *peer)
{
	while (peer->fetch.asked_n)
		entry_give_up(p, peer->fetch.asked[0], peer->id);
}

static void stalled(struct p2p *p, struct peer *peer, const char *text)
{
	if (!(peer->info.perms & PEER_PERM_NOBAN)) {
		peer_drop(p, peer, CLOSE_STALLED, text);
		return;
	}
	peer->fetch.rest_until_ms = p->now_ms + MINUTE_MS;
	peer->fetch.strikes = 0;
	give_up_all(p, peer);
}

/* Nothing at all comes, and it owes us blocks. */
static bool quiet(struct p2p *p, struct peer *peer)
{
	struct fetch_block *e = peer->fetch.asked[0];
	int64_t ms = p->now_ms - MAX_OF(peer->last_recv_ms, e->asked_ms);

	if (ms <= QUIET_MS || (ms <= QUIET_ALONE_MS && !another(p, peer, e)))
		return false;
	stalled(p, peer, "it owes blocks and is silent");
	return true;
}

static bool late(const struct p2p *p, const struct peer *peer)
{
	const struct fetch_block *e = peer->fetch.asked[0];
	int64_t since = MAX_OF(e->asked_ms, peer->fetch.last_block_ms);
	int64_t allowed = MAX_OF(p->fetch.stall_ms,
				 3 * estimate_ms(p, peer, 1));

	/* It is coming, only slowly. */
	if (wire_receiving(&peer->wire) == MSG_BLOCK &&
	    p->now_ms - peer->last_recv_ms < p->fetch.stall_ms / 2)
		allowed *= 3;
	return p->now_ms - since > allowed;
}

/* Its oldest block is late: give it to an idle peer, if there is one. */
static void maybe_steal(struct p2p *p, struct peer *peer)
{
	struct fetch_block *e = peer->fetch.asked[0];
	struct peer *other;
	peer_id avoided = e->avoid;

	e->avoid = peer->id;
	other = late(p, peer) ? choose(p, e) : NULL;
	if (!other) {
		e->avoid = avoided;
		return;
	}
	log_debug(LOG_P2P, "block at height %d: peer=%llu is late, asking "
		  "peer=%llu", e->height, (unsigned long long)peer->id,
		  (unsigned long long)other->id);
	entry_state(p, e, FETCH_WANTED);
	ask(p, other, e);
	p->fetch.stall_ms = MIN_OF(p->fetch.stall_ms * 3 / 2, STALL_MAX_MS);
	/* The next one's turn begins now. */
	peer->fetch.last_block_ms = p->now_ms;
	if (++peer->fetch.strikes >= STRIKES_MAX)
		stalled(p, peer, "it stalls the download of blocks");
}

static void patience(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	count_room(p);
	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer->gone || !peer->fetch.asked_n || peer->held)
			continue;
		if (!quiet(p, peer))
			maybe_steal(p, peer);
	}
	send_asks(p);
}

void fetch_tick(struct p2p *p)
{
	maybe_plan(p);
	fetch_assign(p);
	patience(p);
}

/* ---- blocks come ---- */

static void measure(struct p2p *p, struct peer *peer, int64_t asked_ms,
		    size_t n)
{
	struct peer_fetch *f = &peer->fetch;
	int64_t from = MAX_OF(asked_ms, f->last_block_ms);

	f->bytes = RATE_KEEP(f->bytes) + n;
	f->ms = RATE_KEEP(f->ms) + (uint64_t)(p->now_ms - from);
	f->last_block_ms = p->now_ms;
	f->strikes = 0;
	p->fetch.avg_bytes = (p->fetch.avg_bytes * 31 + n) / 32 + 1;
	p->fetch.stall_ms = MAX_OF(p->fetch.stall_ms -
				   p->fetch.stall_ms / 64, STALL_MIN_MS);
}

static struct block_source *source_get(struct p2p *p,
				       const struct block_hash *hash)
{
	struct fetch *f = &p->fetch;
	size_t i;

	for (i = 0; i < BLOCK_SOURCES; i++)
		if (f->sources[i].peer &&
		    block_hash_eq(&f->sources[i].hash, hash))
			return &f->sources[i];
	return NULL;
}

bool fetch_block_message(struct p2p *p, struct peer *peer, struct bytes *raw)
{
	struct block_hash hash;
	struct fetch_block *e;
	size_t n = raw->n;

	if (n < BLOCK_HEADER_BYTES) {
		peer_misbehaved(p, peer, "its block message is malformed");
		return true;
	}
	sha256d(hash.b, raw->p, BLOCK_HEADER_BYTES);
	e = map_get(&p->fetch.by_hash, &hash);
	if (e ? e->state == FETCH_GIVEN : source_get(p, &hash) != NULL)
		return true;     /* somebody else was faster */
	if (!p->ports.chain_block(p->ports.ctx, peer->id, &hash, raw,
				  e != NULL))
		return false;
	if (!e)
		return true;
	if (e->state == FETCH_ASKED && e->peer == peer->id)
		measure(p, peer, e->asked_ms, n);
	entry_state(p, e, FETCH_GIVEN);
	e->peer = peer->id;
	fetch_assign(p);
	return true;
}

void fetch_notfound(struct p2p *p, struct peer *peer,
		    const struct msg_inv *m)
{
	struct block_hash hash;
	struct fetch_block *e;
	struct inv_item item;
	size_t i;

	for (i = 0; i < m->n; i++) {
		item = inv_item_get(m, i);
		memcpy(hash.b, item.hash, sizeof hash.b);
		e = map_get(&p->fetch.by_hash, &hash);
		if (e && e->state == FETCH_ASKED && e->peer == peer->id)
			entry_give_up(p, e, peer->id);
	}
	fetch_assign(p);
}

void fetch_detach(struct p2p *p, struct peer *peer)
{
	give_up_all(p, peer);
}

void fetch_info(const struct peer *peer, int *heights)
{
	size_t i, j;
	int h;

	/* By insertion: they are few, and nearly in order. */
	for (i = 0; i < peer->fetch.asked_n; i++) {
		h = peer->fetch.asked[i]->height;
		for (j = i; j && heights[j - 1] > h; j--)
			heights[j] = heights[j - 1];
		heights[j] = h;
	}
}

/* ---- what became of them ---- */

static void block_bad(struct p2p *p, const struct block_reply *r,
		      struct fetch_block *e)
{
	struct peer *peer = peer_get(p, r->peer);
	enum verdict_class class = verdict_class(r->verdict);
	bool other_copy = class == VERDICT_CLASS_MUTATED ||
			  r->verdict == VERDICT_MALFORMED;

	if (e && other_copy)
		entry_give_up(p, e, r->peer);
	else if (e)
		entry_free(p, e);
	p->fetch.dirty = true;
	if (!peer)
		return;
	if (class == VERDICT_CLASS_MISSING_PREV)
		headers_inv(p, peer, &r->hash);
	else if (class != VERDICT_CLASS_FUTURE &&
		 class != VERDICT_CLASS_LOW_WORK &&
		 r->verdict != VERDICT_DUPLICATE_INVALID)
		peer_misbehaved(p, peer, r->reason);
}

static void block_good(struct p2p *p, const struct block_reply *r,
		       struct fetch_block *e)
{
	struct peer *peer = peer_get(p, r->peer);
	struct fetch *f = &p->fetch;

	if (e)
		entry_free(p, e);
	f->stale = true;
	if (!r->is_new)
		return;
	f->sources[f->source_next] =
		(struct block_source){ r->hash, r->peer };
	f->source_next = (f->source_next + 1) % BLOCK_SOURCES;
	if (peer)
		peer->info.last_block = p->now_unix;
}

void p2p_on_block_result(struct p2p *p, const struct block_reply *r)
{
	struct fetch_block *e = map_get(&p->fetch.by_hash, &r->hash);

	/* Another copy may be on its way: the answer is not for that. */
	if (e && e->state != FETCH_GIVEN)
		e = NULL;
	if (r->verdict == VERDICT_OK) {
		block_good(p, r, e);
	} else {
		log_debug(LOG_P2P, "block of peer=%llu: %s",
			  (unsigned long long)r->peer, r->reason);
		block_bad(p, r, e);
	}
	fetch_tick(p);
	peers_reap(p);
}

void p2p_on_block_checked(struct p2p *p, const struct block_hash *hash,
			  enum verdict verdict, const char *reason)
{
	struct fetch_block *e;
	struct block_source *s;
	struct peer *peer = NULL;

	if (verdict == VERDICT_OK)
		return;
	/* It may be said before the block's own result is. */
	e = map_get(&p->fetch.by_hash, hash);
	s = source_get(p, hash);
	if (s)
		peer = peer_get(p, s->peer);
	else if (e && e->state == FETCH_GIVEN)
		peer = peer_get(p, e->peer);
	if (s)
		s->peer = 0;
	p->fetch.dirty = true;
	if (peer)
		peer_misbehaved(p, peer, reason);
	peers_reap(p);
}

bool p2p_fetch_block(struct p2p *p, peer_id id, const struct block_hash *hash)
{
	struct peer *peer = peer_get(p, id);
	struct fetch_block *e;

	if (!peer || !peer->done || !(peer->info.services & SERVICE_WITNESS))
		return false;
	e = map_get(&p->fetch.by_hash, hash);
	if (!e)
		e = entry_new(p, hash, -1);
	if (e->state != FETCH_GIVEN) {
		e->avoid = 0;
		ask(p, peer, e);
		send_asks(p);
	}
	return true;
}
