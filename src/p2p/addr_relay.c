/*
 * Addresses: taking them from peers (onion v3 only, at a bounded rate), giving
 * a sample to those who ask.
 *
 * Whoever is our outbound peer and also comes to our onion must not find out
 * that the two are one node, by telling something here and hearing it there.
 * So what strangers tell goes to strangers and into nothing of ours; what
 * outbound peers tell goes to outbound peers and into the book; and out of
 * the book strangers get what several have told, with nothing of how.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define RATE_PER_S 0.1           /* addresses taken unasked */
#define SHARE_PERCENT 23
#define CACHE_MS (24 * 60 * MINUTE_MS)
#define TOLD_DAYS 7              /* strangers get times within so many */
#define TOO_OLD_S (10 * 24 * 60 * 60)
#define PENALTY_S (2 * 60 * 60)  /* hearsay is older than it says */
#define FRESH_S 600              /* worth passing on */
#define FEW 10                   /* gossip; more is an answer to getaddr */

static void tokens_add(struct p2p *p, struct peer *peer)
{
	struct peer_addrs *a = &peer->addrs;

	if (a->tokens < ADDR_MAX)
		a->tokens = MIN_OF(a->tokens + RATE_PER_S *
				   (double)(p->now_ms - a->tokens_ms) / 1000,
				   (double)ADDR_MAX);
	a->tokens_ms = p->now_ms;
}

void addrs_handshaken(struct p2p *p, struct peer *peer)
{
	if (peer->announces)
		announce_tell(p, peer);
	if (!peer_outbound(peer) || peer->announces)
		return;
	peer->info.addr_relay = peer->info.type != CONN_ADDR_FETCH;
	peer->addrs.asked = true;
	peer->addrs.tokens += ADDR_MAX;
	peer_send_plain(p, peer, MSG_GETADDR);
}

/* Time stamps of others are not to be trusted far. */
static int64_t plausible(const struct p2p *p, uint32_t time)
{
	int64_t t = time;

	if (t > p->now_unix + 600 || t < 100000000)
		t = p->now_unix - TOO_OLD_S / 2;
	return t;
}

/* The teller, as the book counts sources. */
static struct onion source_of(const struct peer *peer)
{
	struct onion o = { 0 };

	if (peer->has_onion)
		o = peer->onion;
	else                     /* a seed's name, loopback */
		sha256d(o.key, (const uint8_t *)peer->host,
			strlen(peer->host));
	return o;
}

static void take(struct p2p *p, struct peer *peer,
		 const struct addrv2_item *item, bool gossip)
{
	struct addr_news news = { .services = item->services };
	struct onion source;
	int64_t seen = plausible(p, item->time);

	memcpy(news.onion.key, item->addr.p, ONION_KEY_BYTES);
	news.onion.port = item->port;
	news.time = (uint32_t)seen;
	if (!item->port)
		return;
	/* Our own, too, is treated as any other: the difference would show. */
	peer->info.addr_processed++;
	gossip_known(p, peer, &news.onion);
	if (gossip && seen > p->now_unix - FRESH_S)
		gossip_add(p, peer, &news);
	if (!peer_outbound(peer))
		return;
	source = source_of(peer);
	if (!onion_eq(&news.onion, &source))
		seen -= PENALTY_S;
	addrbook_add(p->book, &news.onion, item->services, seen, &source);
}

/* A seed's answer is complete; one address alone is the peer's own. */
static void fetch_answered(struct p2p *p, struct peer *peer, size_t n,
			   size_t onions)
{
	if (peer->info.type != CONN_ADDR_FETCH || n < 2)
		return;
	if (peer->seed_name && onions && p->conns.names_wanted)
		p->conns.names_wanted--;
	peer_drop(p, peer, CLOSE_DONE, "it sent its addresses");
}

void addrs_message(struct p2p *p, struct peer *peer,
		   const struct msg_addrv2 *m)
{
	struct reader r = reader_of(m->items);
	struct addrv2_item item;
	bool gossip = m->n <= FEW && !peer->addrs.asked;
	size_t i, onions = 0;

	peer->info.addr_relay = true;
	tokens_add(p, peer);
	for (i = 0; i < m->n; i++) {
		if (!addrv2_item_read(&item, &r))
			break;   /* cannot be: it was read before */
		if (item.net != NET_TORV3)
			continue;
		onions++;
		if (peer->addrs.tokens < 1) {
			peer->info.addr_rate_limited++;
			continue;
		}
		peer->addrs.tokens--;
		take(p, peer, &item, gossip);
	}
	/* As the reference node: an answer less than full was the answer. */
	if (m->n < ADDR_MAX && m->n > 1)
		peer->addrs.asked = false;
	fetch_answered(p, peer, m->n, onions);
}

void addrs_legacy(struct p2p *p, struct peer *peer, size_t n)
{
	if (peer->info.type == CONN_ADDR_FETCH && n > 1)
		peer_drop(p, peer, CLOSE_DONE, "it knows no onions");
}

/* ---- answering ---- */

/* Times and services as told, or seen, would say who told us and when. */
static void blur(struct p2p *p, struct book_entry *e)
{
	int64_t day = 24 * 60 * 60;

	e->seen = p2p_rounded_time(p) - day / 2 -
		  (int64_t)(p2p_random(p) % (uint64_t)(TOLD_DAYS * day));
	e->services = SERVICE_NETWORK | SERVICE_WITNESS;
}

static void cache_refresh(struct p2p *p)
{
	size_t max, i;

	if (p->addr_cache_n && p->now_ms < p->addr_cache_until_ms)
		return;
	free(p->addr_cache);
	max = addrbook_common_count(p->book) * SHARE_PERCENT / 100;
	max = MIN_OF(max, (size_t)ADDR_MAX);
	p->addr_cache = xcalloc(max + 1, sizeof(*p->addr_cache));
	p->addr_cache_n = addrbook_sample(p->book, p->addr_cache, max, true);
	for (i = 0; i < p->addr_cache_n; i++)
		blur(p, &p->addr_cache[i]);
	/* 21 to 27 hours, not to be told from outside. */
	p->addr_cache_until_ms = p->now_ms + CACHE_MS * 7 / 8 +
		(int64_t)(p2p_random(p) % (uint64_t)(CACHE_MS / 4));
}

void addrs_getaddr(struct p2p *p, struct peer *peer)
{
	struct msg m = { .type = MSG_ADDRV2 };
	struct bytes items = { 0 };
	struct addrv2_item item = { .net = NET_TORV3 };
	const struct book_entry *e;
	size_t i;

	/* Outbound peers and those at private doors could use it to recognise
	 * us; the old message cannot hold an onion address. */
	if (peer_outbound(peer) || peer->addrs.sent || peer->door ||
	    !peer->wants_addrv2)
		return;
	peer->addrs.sent = true;
	peer->info.addr_relay = true;
	cache_refresh(p);
	for (i = 0; i < p->addr_cache_n; i++) {
		e = &p->addr_cache[i];
		item.time = (uint32_t)e->seen;
		item.services = e->services;
		item.port = e->onion.port;
		item.addr = span_of(e->onion.key, ONION_KEY_BYTES);
		addrv2_item_write(&items, &item);
	}
	m.u.addrv2.n = p->addr_cache_n;
	m.u.addrv2.items = bytes_span(&items);
	if (p->addr_cache_n)
		peer_send(p, peer, &m);
	bytes_clear(&items);
}
