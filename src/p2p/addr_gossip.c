/*
 * Passing fresh addresses on: each to two peers, the same two for a day
 * whoever tells it again, after a random delay, never to one that has it, and
 * never from one side of the node to another (addr_relay.c says why).
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define KNOWN_SLOTS 1024
#define NEWS_MAX 100             /* waiting for one peer */
#define RELAY_TO 2
#define SEND_SPREAD_MS (60 * SECOND_MS)
#define DAY_S (24 * 60 * 60)

static uint64_t hash_of(const struct p2p *p, const struct onion *o)
{
	return siphash_u256_u32(p->gossip_secret[0], p->gossip_secret[1],
				o->key, o->port);
}

/* A table of fingerprints: what is overwritten is sent once more. */
static uint32_t *slot_of(const struct p2p *p, struct peer *peer,
			 const struct onion *o, uint32_t *print)
{
	uint64_t h = hash_of(p, o);

	if (!peer->addrs.known)
		peer->addrs.known = xcalloc(KNOWN_SLOTS,
					    sizeof(*peer->addrs.known));
	*print = (uint32_t)(h >> 32) | 1u;
	return &peer->addrs.known[h % KNOWN_SLOTS];
}

void gossip_known(struct p2p *p, struct peer *peer, const struct onion *o)
{
	uint32_t print, *slot = slot_of(p, peer, o, &print);

	*slot = print;
}

static bool knows(struct p2p *p, struct peer *peer, const struct onion *o)
{
	uint32_t print;

	return *slot_of(p, peer, o, &print) == print;
}

static bool takes_news(const struct peer *peer)
{
	return !peer->gone && peer->done && peer->wants_addrv2 &&
	       peer->info.addr_relay && !peer_passing(peer);
}

/* The node is outbound to some, the public onion to others, and to each of its
 * friends the owner of a private door. */
static bool same_side(const struct peer *a, const struct peer *b)
{
	return !a->door && !b->door && peer_outbound(a) == peer_outbound(b);
}

static uint64_t rank(const struct p2p *p, const struct peer *peer,
		     const struct onion *o)
{
	uint64_t h = hash_of(p, o);
	/* Each address changes its two at a time of day of its own. */
	uint64_t day = ((uint64_t)p->now_unix + h % DAY_S) / DAY_S;
	const uint64_t what[3] = { h, day, peer->id };

	return siphash(p->gossip_secret[1], p->gossip_secret[0], what,
		       sizeof what);
}

static void push(struct p2p *p, struct peer *peer,
		 const struct addr_news *news)
{
	struct peer_addrs *a = &peer->addrs;

	if (knows(p, peer, &news->onion))
		return;
	if (!a->news)
		a->news = xcalloc(NEWS_MAX, sizeof(*a->news));
	if (a->news_n == NEWS_MAX) {
		a->news[p2p_random(p) % NEWS_MAX] = *news;
		return;
	}
	if (!a->news_n)
		a->send_ms = p->now_ms +
			(int64_t)(p2p_random(p) % SEND_SPREAD_MS);
	a->news[a->news_n++] = *news;
}

void gossip_add(struct p2p *p, const struct peer *from,
		const struct addr_news *news)
{
	struct peer *best[RELAY_TO] = { 0 }, *peer;
	uint64_t ranks[RELAY_TO] = { 0 }, r;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer == from || !same_side(peer, from) ||
		    !takes_news(peer))
			continue;
		r = rank(p, peer, &news->onion);
		if (!best[0] || r > ranks[0]) {
			best[1] = best[0];
			ranks[1] = ranks[0];
			best[0] = peer;
			ranks[0] = r;
		} else if (!best[1] || r > ranks[1]) {
			best[1] = peer;
			ranks[1] = r;
		}
	}
	for (i = 0; i < RELAY_TO; i++)
		if (best[i])
			push(p, best[i], news);
}

void gossip_tick(struct p2p *p, struct peer *peer)
{
	struct peer_addrs *a = &peer->addrs;
	struct msg m = { .type = MSG_ADDRV2 };
	struct addrv2_item item = { .net = NET_TORV3 };
	struct bytes items = { 0 };
	size_t i;

	if (!a->news_n || p->now_ms < a->send_ms || peer->gone)
		return;
	for (i = 0; i < a->news_n; i++) {
		if (knows(p, peer, &a->news[i].onion))
			continue;
		item.time = a->news[i].time;
		item.services = a->news[i].services;
		item.port = a->news[i].onion.port;
		item.addr = span_of(a->news[i].onion.key, ONION_KEY_BYTES);
		addrv2_item_write(&items, &item);
		m.u.addrv2.n++;
		gossip_known(p, peer, &a->news[i].onion);
	}
	a->news_n = 0;
	m.u.addrv2.items = bytes_span(&items);
	if (m.u.addrv2.n)
		peer_send(p, peer, &m);
	bytes_clear(&items);
}

void gossip_detach(struct peer *peer)
{
	free(peer->addrs.known);
	free(peer->addrs.news);
}
