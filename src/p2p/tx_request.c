/*
 * Who is asked for a transaction: of those who announced it, one at a time,
 * those we chose ourselves first, and in an order that they cannot know.  A
 * peer that does not answer costs one wait, and is not asked again for it.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

/* Through Tor an answer takes seconds. */
#define ANSWER_MS (30 * SECOND_MS)
#define PEER_WANTS_MAX 5000      /* announcements of one peer that wait */
#define PEER_ASKED_MAX 100       /* more only after this */
#define OVERLOADED_MS (2 * SECOND_MS)
#define LOOK_MS 100

enum from_state { FROM_WAITS, FROM_ASKED, FROM_DONE };

struct want_from {
	peer_id peer;
	int64_t at_ms;           /* not asked before */
	enum from_state state;
	bool chosen;             /* outbound or trusted */
	bool by_wtxid;
};

struct want {
	uint8_t hash[32];
	struct want_from *from;
	size_t n;
	bool asked;              /* one of them, until: */
	int64_t until_ms;
};

static uint64_t want_hash(const void *key, const void *ctx)
{
	const uint64_t *salt = ctx;

	return siphash_u256(salt[0], salt[1], key);
}

static bool want_is(const void *item, const void *key)
{
	return memcmp(((const struct want *)item)->hash, key, 32) == 0;
}

static const void *want_key(const void *item)
{
	return ((const struct want *)item)->hash;
}

static const struct map_type want_type = { want_hash, want_is, want_key };

static void want_free(struct p2p *p, struct want *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct peer *peer = peer_get(p, w->from[i].peer);

		if (!peer || w->from[i].state == FROM_DONE)
			continue;
		peer->txs.wants--;
		if (w->from[i].state == FROM_ASKED)
			peer->txs.asked--;
	}
	free(w->from);
	free(w);
}

static struct want_from *from_of(const struct want *w, peer_id peer)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->from[i].peer == peer)
			return &w->from[i];
	return NULL;
}

bool tx_wants_full(const struct peer *peer)
{
	return peer->txs.wants >= PEER_WANTS_MAX;
}

static struct want *want_make(struct p2p *p, const uint8_t *hash)
{
	struct want *w = map_get(&p->txs.wants, hash);

	if (w)
		return w;
	if (!p->txs.wants.type)
		map_init(&p->txs.wants, &want_type, p->txs.salt);
	w = xcalloc(1, sizeof *w);
	memcpy(w->hash, hash, 32);
	map_put(&p->txs.wants, w);
	return w;
}

void tx_want(struct p2p *p, struct peer *peer, const uint8_t hash[static 32],
	     bool by_wtxid, int64_t delay_ms)
{
	struct want *w;

	if (tx_wants_full(peer))
		return;
	w = want_make(p, hash);
	if (from_of(w, peer->id))
		return;
	if (peer->txs.asked >= PEER_ASKED_MAX)
		delay_ms += OVERLOADED_MS;
	w->from = xrealloc(w->from, (w->n + 1) * sizeof *w->from);
	w->from[w->n++] = (struct want_from){
		.peer = peer->id, .at_ms = p->now_ms + delay_ms,
		.chosen = peer_outbound(peer) || peer->door,
		.by_wtxid = by_wtxid,
	};
	peer->txs.wants++;
}

void tx_unwant(struct p2p *p, const uint8_t hash[static 32])
{
	struct want *w = map_take(&p->txs.wants, hash);

	if (w)
		want_free(p, w);
}

/* Nothing more from this one. */
static void from_done(struct p2p *p, struct want *w, struct want_from *f)
{
	struct peer *peer = peer_get(p, f->peer);

	if (f->state == FROM_DONE)
		return;
	if (f->state == FROM_ASKED)
		w->asked = false;
	if (peer) {
		peer->txs.wants--;
		peer->txs.asked -= f->state == FROM_ASKED;
	}
	f->state = FROM_DONE;
}

void tx_want_failed(struct p2p *p, struct peer *peer,
		    const uint8_t hash[static 32])
{
	struct want *w = map_get(&p->txs.wants, hash);
	struct want_from *f = w ? from_of(w, peer->id) : NULL;

	if (f)
		from_done(p, w, f);
}

bool tx_was_asked(const struct p2p *p, const struct peer *peer,
		  const uint8_t hash[static 32])
{
	const struct want *w = map_get(&p->txs.wants, hash);
	const struct want_from *f = w ? from_of(w, peer->id) : NULL;

	return f && f->state == FROM_ASKED;
}

void tx_wants_notfound(struct p2p *p, struct peer *peer,
		       const struct msg_inv *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct inv_item item = inv_item_get(m, i);

		if ((item.type & ~INV_WITNESS_FLAG) == INV_TX ||
		    item.type == INV_WTX)
			tx_want_failed(p, peer, item.hash);
	}
}

/* Whom to ask: chosen ones first, then by a number nobody can foretell. */
static struct want_from *candidate(const struct p2p *p, const struct want *w)
{
	struct want_from *best = NULL;
	uint64_t best_rank = 0, rank;

	for (size_t i = 0; i < w->n; i++) {
		struct want_from *f = &w->from[i];

		if (f->state != FROM_WAITS || f->at_ms > p->now_ms)
			continue;
		rank = siphash_u256_u32(p->txs.salt[0] ^ f->peer,
					p->txs.salt[1], w->hash,
					(uint32_t)f->peer);
		if (best && (best->chosen > f->chosen ||
			     (best->chosen == f->chosen &&
			      best_rank >= rank)))
			continue;
		best = f;
		best_rank = rank;
	}
	return best;
}

static void ask(struct p2p *p, struct want *w, struct want_from *f)
{
	struct peer *peer = peer_get(p, f->peer);
	struct inv_item item;

	if (!peer) {
		f->state = FROM_DONE;
		return;
	}
	item.type = f->by_wtxid ? INV_WTX : INV_TX | INV_WITNESS_FLAG;
	memcpy(item.hash, w->hash, sizeof item.hash);
	inv_item_write(&peer->txs.asking, &item);
	peer->txs.asked++;
	f->state = FROM_ASKED;
	w->asked = true;
	w->until_ms = p->now_ms + ANSWER_MS;
}

static bool is_over(const struct want *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->from[i].state != FROM_DONE)
			return false;
	return true;
}

static void look(struct p2p *p, struct want *w)
{
	struct want_from *f;

	if (w->asked && p->now_ms >= w->until_ms)
		for (size_t i = 0; i < w->n; i++)
			if (w->from[i].state == FROM_ASKED)
				from_done(p, w, &w->from[i]);
	if (w->asked)
		return;
	f = candidate(p, w);
	if (f)
		ask(p, w, f);
}

static void send_asked(struct p2p *p, struct peer *peer)
{
	struct msg m = { .type = MSG_GETDATA };
	struct bytes *b = &peer->txs.asking;

	m.u.inv.n = b->n / INV_ITEM_BYTES;
	m.u.inv.items = bytes_span(b);
	if (m.u.inv.n && !peer->gone)
		peer_send(p, peer, &m);
	b->n = 0;
}

void tx_wants_tick(struct p2p *p)
{
	struct want *w, **over;
	size_t pos = 0, n = 0;

	if (p->now_ms < p->txs.wants_ms || !p->txs.wants.count)
		return;
	/* Under a flood of announcements, less often. */
	p->txs.wants_ms = p->now_ms + LOOK_MS +
			  (int64_t)(p->txs.wants.count / 100);
	over = xcalloc(p->txs.wants.count, sizeof(*over));
	while ((w = map_next(&p->txs.wants, &pos)) != NULL) {
		look(p, w);
		if (is_over(w))
			over[n++] = w;
	}
	for (size_t i = 0; i < n; i++)
		tx_unwant(p, over[i]->hash);
	free(over);
	for (size_t i = 0; i < p->peers_n; i++)
		send_asked(p, p->peers[i]);
}

void tx_wants_detach(struct p2p *p, struct peer *peer)
{
	struct want *w;
	size_t pos = 0;

	while (peer->txs.wants &&
	       (w = map_next(&p->txs.wants, &pos)) != NULL) {
		struct want_from *f = from_of(w, peer->id);

		if (!f || f->state == FROM_DONE)
			continue;
		peer->txs.wants--;
		if (f->state == FROM_ASKED)
			w->asked = false;
		f->state = FROM_DONE;
	}
}

void tx_wants_clear(struct p2p *p)
{
	struct want *w;
	size_t pos = 0;

	while ((w = map_next(&p->txs.wants, &pos)) != NULL) {
		free(w->from);
		free(w);
	}
	map_clear(&p->txs.wants);
}
