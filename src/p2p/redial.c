/*
 * Peers lost.  A connection that was of use and ended without a reason that
 * we know ended, most often, because a circuit broke or somebody's tor was
 * started again: the peer is there, or will be soon.  So it is dialled again
 * at once, then with pauses that grow a little, for some minutes; each try by
 * a new circuit, and with more patience than the one before.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#define NAMED_MS (10 * MINUTE_MS)    /* so long are they thought of as lost */
#define BOOK_MS (2 * MINUTE_MS)
#define NAMED_OF_USE_MS (2 * SECOND_MS)   /* connected so long */
#define BOOK_OF_USE_MS (20 * SECOND_MS)
#define PAUSE_MIN_MS 400
#define PAUSE_MAX_MS (4 * SECOND_MS)
#define REFRESH_MS (2 * SECOND_MS)
#define TIMEOUT_MS (6 * SECOND_MS)   /* of the first try */
#define TIMEOUT_MAX_MS MINUTE_MS

static bool lately(const struct p2p *p, const struct lost *l, int64_t window)
{
	return l->at_ms && p->now_ms - l->at_ms < window;
}

/* A part of the time it is gone, with a quarter of chance either way. */
static int64_t pause_ms(const struct p2p *p, const struct lost *l)
{
	int64_t ms = (p->now_ms - l->at_ms) / 8;

	ms = MIN_OF(MAX_OF(ms, PAUSE_MIN_MS), PAUSE_MAX_MS);
	return ms * 3 / 4 + (int64_t)(p2p_random(p) % (uint64_t)(ms / 2));
}

static int64_t timeout_ms(const struct p2p *p, const struct lost *l)
{
	const struct dial_pace *pace = &p->conns.pace;
	int64_t ms = MAX_OF(TIMEOUT_MS, pace->mean_ms + 4 * pace->spread_ms);

	return MIN_OF(ms << MIN_OF(l->tries, 4u), (int64_t)TIMEOUT_MAX_MS);
}

/* One that leaves as soon as it came is not lost anew each time. */
static void lose(const struct p2p *p, struct lost *l, const struct peer *peer)
{
	if (lately(p, l, NAMED_MS) &&
	    p->now_ms - peer->connected_ms < NAMED_OF_USE_MS)
		return;
	*l = (struct lost){ .at_ms = MAX_OF(p->now_ms, 1) };
}

/* A service that was started again has another descriptor, and tor takes long
 * to give up the one it has.  Directories answer a few times in a quarter of
 * an hour only: so at once, and then less and less often. */
static void refresh(struct p2p *p, struct lost *l, const char *host)
{
	int64_t gone = p->now_ms - l->at_ms;

	if (p->now_ms < l->refresh_ms || !p->ports.refresh)
		return;
	l->refresh_ms = p->now_ms + MAX_OF(2 * gone, REFRESH_MS);
	p->ports.refresh(p->ports.ctx, host);
}

/* ---- those the owner named ---- */

bool redial_named(const struct p2p *p, const struct wanted_host *w,
		  int64_t *pause)
{
	if (!lately(p, &w->lost, NAMED_MS))
		return false;
	*pause = pause_ms(p, &w->lost);
	return true;
}

int64_t redial_named_timeout(const struct p2p *p,
			     const struct wanted_host *w)
{
	return lately(p, &w->lost, NAMED_MS) ? timeout_ms(p, &w->lost) : 0;
}

/* ---- those of the book ---- */

static struct lost_peer *lost_get(struct p2p *p, const struct onion *o)
{
	for (size_t i = 0; i < p->conns.lost_n; i++)
		if (onion_eq(&p->conns.lost[i].onion, o))
			return &p->conns.lost[i];
	return NULL;
}

static void lost_remove(struct p2p *p, struct lost_peer *l)
{
	*l = p->conns.lost[--p->conns.lost_n];
}

/* The one lost longest makes room. */
static struct lost_peer *lost_add(struct p2p *p, const struct onion *o)
{
	struct conns *c = &p->conns;
	struct lost_peer *l = lost_get(p, o);

	if (l)
		return l;
	if (c->lost_n == LOST_MAX) {
		size_t oldest = 0;

		for (size_t i = 1; i < c->lost_n; i++)
			if (c->lost[i].lost.at_ms < c->lost[oldest].lost.at_ms)
				oldest = i;
		lost_remove(p, &c->lost[oldest]);
	}
	l = &c->lost[c->lost_n++];
	*l = (struct lost_peer){ .onion = *o };
	return l;
}

void redial_lost(struct p2p *p, const struct peer *peer)
{
	struct lost_peer *l;
	size_t i;

	if (!peer->done || peer->gone)
		return;
	for (i = 0; i < p->conns.wanted_n; i++)
		if (p->conns.wanted[i].peer == peer->id)
			lose(p, &p->conns.wanted[i].lost, peer);
	if (peer->info.type != CONN_OUTBOUND || !peer->has_onion ||
	    p->now_ms - peer->connected_ms < BOOK_OF_USE_MS)
		return;
	l = lost_add(p, &peer->onion);
	lose(p, &l->lost, peer);
	l->next_ms = p->now_ms + pause_ms(p, &l->lost);
}

void redial_found(struct p2p *p, const struct onion *o)
{
	struct lost_peer *l = lost_get(p, o);

	if (l)
		lost_remove(p, l);
}

bool redial_failed(struct p2p *p, const struct onion *o)
{
	struct lost_peer *l = lost_get(p, o);

	if (!l)
		return false;
	l->lost.tries++;
	l->next_ms = p->now_ms + pause_ms(p, &l->lost);
	return true;
}

bool redial_due(struct p2p *p, struct onion *out, int64_t *timeout)
{
	struct conns *c = &p->conns;
	size_t i = 0;

	while (i < c->lost_n) {
		struct lost_peer *l = &c->lost[i];

		if (!lately(p, &l->lost, BOOK_MS)) {
			lost_remove(p, l);
			continue;
		}
		i++;
		if (p->now_ms < l->next_ms || dialling_onion(p, &l->onion))
			continue;
		*out = l->onion;
		*timeout = timeout_ms(p, &l->lost);
		return true;
	}
	return false;
}

/* ---- both ---- */

void redial_tick(struct p2p *p)
{
	struct conns *c = &p->conns;
	uint8_t key[ONION_KEY_BYTES];
	char host[ONION_TEXT_SIZE];

	if (!c->tor_ready)
		return;
	for (size_t i = 0; i < c->wanted_n; i++) {
		struct wanted_host *w = &c->wanted[i];

		if (!w->peer && lately(p, &w->lost, NAMED_MS) &&
		    onion_parse(key, w->host))
			refresh(p, &w->lost, w->host);
	}
	for (size_t i = 0; i < c->lost_n; i++) {
		struct lost_peer *l = &c->lost[i];

		if (!lately(p, &l->lost, BOOK_MS))
			continue;
		onion_format(host, l->onion.key);
		refresh(p, &l->lost, host);
	}
}

void redial_anew(struct p2p *p)
{
	struct conns *c = &p->conns;
	int64_t now = MAX_OF(p->now_ms, 1);
	size_t i;

	for (i = 0; i < c->wanted_n; i++)
		if (c->wanted[i].lost.at_ms && !c->wanted[i].peer)
			c->wanted[i].lost = (struct lost){ .at_ms = now };
	for (i = 0; i < c->lost_n; i++) {
		c->lost[i].lost = (struct lost){ .at_ms = now };
		c->lost[i].next_ms = 0;
	}
}
