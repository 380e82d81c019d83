/*
 * From whom: planned blocks are spread over the peers by their measured
 * throughput.
 *
 * Tor's latencies are long and uneven, so patience adapts: a block that is
 * late although another peer is idle goes to that one; a peer that loses
 * several blocks in a row, or falls silent with blocks outstanding, goes.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#define ASKED_MAX 16             /* per peer */
#define ASKED_FIRST 4            /* while its throughput is unknown */
#define ASKED_AHEAD_S 15         /* of work for a peer */
#define RATE_GUESS_BYTES_S 65536
#define STALL_MAX_MS (120 * SECOND_MS)
#define QUIET_MS MINUTE_MS
#define QUIET_ALONE_MS (10 * MINUTE_MS)
#define FRIEND_WORTH 4           /* so much slower may a trusted one be */
#define STRIKES_MAX 3
#define REST_MS (30 * SECOND_MS)  /* after it was late; ends with a block */
#define LIMITED_BLOCKS 286       /* BIP159: 288, less two for races */

/* ---- which peer ---- */

static bool can_serve(const struct p2p *p, const struct peer *peer,
		      const struct fetch_block *e)
{
	uint64_t s = peer->info.services;

	if (peer->gone || !peer->done || !(s & SERVICE_WITNESS) ||
	    peer_passing(peer) || e->avoid == peer->id ||
	    p->now_ms < peer->fetch.rest_until_ms)
		return false;
	if (e->only ? e->only != peer->id
		    : peer->headers.common_height < e->height)
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
		if (peer->door)
			ms /= FRIEND_WORTH;
		if (ms < least) {
			least = ms;
			best = peer;
		}
	}
	return best;
}

/* ---- asking ---- */

void fetch_ask(struct p2p *p, struct peer *peer, struct fetch_block *e)
{
	struct peer_fetch *f = &peer->fetch;
	struct inv_item item = { INV_BLOCK | INV_WITNESS_FLAG, { 0 } };

	fetch_entry_state(p, e, FETCH_ASKED);
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

void fetch_send_asks(struct p2p *p)
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
		fetch_ask(p, peer, e);
		left--;
	}
	fetch_send_asks(p);
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
		fetch_entry_give_up(p, peer->fetch.asked[0], peer->id);
}

static void stalled(struct p2p *p, struct peer *peer, const char *text)
{
	if (!(peer->info.perms & PEER_PERM_NOBAN)) {
		peer_drop(p, peer, CLOSE_STALLED, text);
		return;
	}
	peer->fetch.rest_until_ms = p->now_ms + REST_MS;
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

/* Give one of its blocks to an idle peer; false: none can take it. */
static bool steal(struct p2p *p, struct peer *peer, struct fetch_block *e)
{
	peer_id avoided = e->avoid;
	struct peer *other;

	e->avoid = peer->id;
	other = choose(p, e);
	if (!other) {
		e->avoid = avoided;
		return false;
	}
	log_debug(LOG_P2P, "block at height %d: peer=%llu is late, asking "
		  "peer=%llu", e->height, (unsigned long long)peer->id,
		  (unsigned long long)other->id);
	fetch_entry_state(p, e, FETCH_WANTED);
	fetch_ask(p, other, e);
	return true;
}

/* Its oldest block is late.  If that is at least on its way, another may try
 * to be faster with it; if nothing is, the others need not wait their turn. */
static void maybe_steal(struct p2p *p, struct peer *peer)
{
	struct peer_fetch *f = &peer->fetch;
	bool coming = wire_receiving(&peer->wire) == MSG_BLOCK;
	size_t i = 0, had = f->asked_n;

	if (!late(p, peer))
		return;
	while (i < f->asked_n && !(coming && f->asked_n < had))
		if (!steal(p, peer, f->asked[i]))
			i++;
	if (f->asked_n == had)
		return;
	p->fetch.stall_ms = MIN_OF(p->fetch.stall_ms * 3 / 2, STALL_MAX_MS);
	/* The next one's turn begins now. */
	f->last_block_ms = p->now_ms;
	if (!coming)
		f->rest_until_ms = p->now_ms + REST_MS;
	if (++f->strikes >= STRIKES_MAX)
		stalled(p, peer, "it stalls the download of blocks");
}

static void patience(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	count_room(p);
	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer->gone || !peer->fetch.asked_n || peer->unread)
			continue;
		if (!quiet(p, peer))
			maybe_steal(p, peer);
	}
	fetch_send_asks(p);
}

void fetch_tick(struct p2p *p)
{
	fetch_plan_maybe(p);
	fetch_assign(p);
	patience(p);
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
