/*
 * Which connections we want: those the owner named, kept up with growing
 * pauses; a number of slots filled from the address book, by several dials
 * at once; seeds for as long as the book is thin; now and then a feeler; and
 * a new circuit for those that have had theirs for hours.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>
#include <strings.h>

#define RETRY_FIRST_MS SECOND_MS
#define RETRY_MAX_MS (10 * MINUTE_MS)
#define DIALS_MAX 16             /* from the book at a time */
#define DIALS_SPARE 3            /* more than there are empty slots */
#define FEELER_EVERY_MS (2 * MINUTE_MS)
#define SEED_EVERY_MS (3 * SECOND_MS)
#define SEED_RETRY_MS (10 * MINUTE_MS)
#define SEEDS_MAX 2              /* at a time */
#define NAMES_ASKED 4            /* seed names, by as many exits */
#define NAMES_WAIT_MS MINUTE_MS  /* where the owner named somebody, too */
#define BOOK_THIN 100            /* fewer addresses: ask the seeds */
#define FETCH_TIMEOUT_MS (2 * MINUTE_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define ROTATE_MIN_MS (2 * HOUR_MS)
#define ROTATE_SPREAD_MS (8 * HOUR_MS)
#define ROTATE_EVERY_MS (5 * MINUTE_MS)
#define NO_USE_S (4 * 60 * 60)   /* it lacks services: not so soon again */
#define NO_ANSWER_S 120

/* ---- lists ---- */

static struct wanted_host *wanted_add(struct p2p *p, const char *host,
				      uint16_t port, bool seed)
{
	struct conns *c = &p->conns;

	c->wanted = xrealloc(c->wanted,
			     (c->wanted_n + 1) * sizeof(*c->wanted));
	c->wanted[c->wanted_n] = (struct wanted_host){
		.host = xstrdup(host), .port = port, .seed = seed,
	};
	return &c->wanted[c->wanted_n++];
}

static struct wanted_host *wanted_get(struct p2p *p, const char *host,
				      uint16_t port)
{
	struct wanted_host *w;
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (!w->seed && w->port == port &&
		    strcasecmp(w->host, host) == 0)
			return w;
	}
	return NULL;
}

void conns_init(struct p2p *p)
{
	const struct p2p_options *o = &p->opt;
	size_t i;

	p->conns.tor_ready = true;
	p->conns.names_wanted = NAMES_ASKED;
	for (i = 0; i < o->connect_n; i++)
		wanted_add(p, o->connect[i].host, o->connect[i].port, false);
	for (i = 0; i < o->addnode_n; i++)
		if (!wanted_get(p, o->addnode[i].host, o->addnode[i].port))
			wanted_add(p, o->addnode[i].host, o->addnode[i].port,
				   false);
	if (o->connect_only)
		return;
	for (i = 0; i < o->seed_n; i++)
		wanted_add(p, o->seed[i].host, o->seed[i].port, true);
	for (i = 0; i < o->seed_name_n; i++)
		wanted_add(p, o->seed_name[i].host, o->seed_name[i].port,
			   true)->name = true;
	if (p->conns.wanted_n)
		p->conns.seed_next = (size_t)(p2p_random(p) %
					      p->conns.wanted_n);
}

void conns_clear(struct p2p *p)
{
	size_t i;

	dials_forget(p);
	for (i = 0; i < p->conns.wanted_n; i++)
		free(p->conns.wanted[i].host);
	free(p->conns.wanted);
	free(p->conns.dials);
}

static uint64_t dial_wanted(struct p2p *p, const struct wanted_host *w,
			    enum conn_type type)
{
	struct dial d = { .host = w->host, .port = w->port, .type = type,
			  .name = w->name,
			  .timeout_ms = redial_named_timeout(p, w) };

	return dial_start(p, &d);
}

static void dial_onion(struct p2p *p, const struct onion *o,
		       enum conn_type type, int64_t timeout_ms)
{
	char text[ONION_TEXT_SIZE];
	struct dial d = { .host = text, .port = o->port, .type = type,
			  .timeout_ms = timeout_ms };

	onion_format(text, o->key);
	dial_start(p, &d);
}

/* ---- what became of them ---- */

/* Doubling pauses, with a quarter of chance either way. */
int64_t wanted_pause_ms(const struct p2p *p, const struct wanted_host *w)
{
	int64_t ms = RETRY_FIRST_MS << MIN_OF(w->failures, 20u), soon;

	if (redial_named(p, w, &soon))
		return soon;
	ms = w->seed ? SEED_RETRY_MS : MIN_OF(ms, RETRY_MAX_MS);
	return ms * 3 / 4 + (int64_t)(p2p_random(p) % (uint64_t)(ms / 2));
}

static unsigned outbound_max(const struct p2p *p)
{
	return p->opt.max_outbound + tip_watch_extra(p);
}

static unsigned count(const struct p2p *p, enum conn_type type,
		      unsigned *dials)
{
	unsigned n = 0;
	size_t i;

	*dials = 0;
	for (i = 0; i < p->peers_n; i++)
		n += !p->peers[i]->gone && p->peers[i]->info.type == type;
	for (i = 0; i < p->conns.dials_n; i++)
		*dials += p->conns.dials[i].type == type &&
			  !p->conns.dials[i].replaces;
	return n;
}

void conns_connected(struct p2p *p, struct peer *peer, struct dial *d)
{
	unsigned dials;
	size_t i;

	if (d->has_onion) {
		pace_worked(&p->conns.pace, p->now_ms - d->started_ms);
		redial_found(p, &d->onion);
	}
	peer->host = d->host;
	peer->port = d->port;
	peer->seed_name = d->name;
	peer->announces = d->announces;
	peer->has_onion = d->has_onion;
	peer->onion = d->onion;
	peer->replaces = d->replaces;
	peer->info.type = d->type;
	peer->rotate_ms = p->now_ms + ROTATE_MIN_MS +
		(int64_t)(p2p_random(p) % (uint64_t)ROTATE_SPREAD_MS);
	for (i = 0; i < p->conns.wanted_n; i++) {
		if (p->conns.wanted[i].dial != d->id)
			continue;
		p->conns.wanted[i].dial = 0;
		p->conns.wanted[i].peer = peer->id;
	}
	/* Several were dialled for one slot and another was faster: at least
	 * it is known then that this one is there. */
	if (d->type == CONN_OUTBOUND && !d->replaces &&
	    count(p, CONN_OUTBOUND, &dials) > outbound_max(p))
		peer->info.type = CONN_FEELER;
}

void conns_handshaken(struct p2p *p, struct peer *peer)
{
	struct peer *old = peer->replaces ? peer_get(p, peer->replaces)
					  : NULL;

	peer->replaces = 0;
	if (old)
		peer_drop(p, old, CLOSE_DONE, "it has a new circuit");
}

static void book_closed(struct p2p *p, const struct peer *peer)
{
	if (!peer->has_onion)
		return;
	if (!peer->version_got)
		addrbook_failed(p->book, &peer->onion,
				peer->unfit ? NO_USE_S : NO_ANSWER_S,
				NO_USE_S);
	else if (peer->done)
		addrbook_left(p->book, &peer->onion);
}

void conns_closed(struct p2p *p, struct peer *peer)
{
	struct wanted_host *w;
	size_t i;

	book_closed(p, peer);
	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->peer != peer->id)
			continue;
		w->peer = 0;
		/* A connection that was of use starts the count anew. */
		w->failures = peer->done ? 0 : w->failures + 1;
		w->next_ms = p->now_ms + wanted_pause_ms(p, w);
	}
}

/* ---- what is due ---- */

static bool connected_to(const struct p2p *p, const char *host,
			 uint16_t port)
{
	struct onion o = { .port = port };
	size_t i;

	/* As good as: we talk to ourselves enough. */
	if (onion_parse(o.key, host) && announce_is_own(p, &o))
		return true;
	for (i = 0; i < p->peers_n; i++)
		if (!p->peers[i]->gone && p->peers[i]->host &&
		    p->peers[i]->port == port &&
		    strcasecmp(p->peers[i]->host, host) == 0)
			return true;
	for (i = 0; i < p->conns.dials_n; i++)
		if (p->conns.dials[i].port == port &&
		    strcasecmp(p->conns.dials[i].host, host) == 0)
			return true;
	return false;
}

static bool skip(const struct onion *o, void *arg)
{
	const struct p2p *p = arg;
	size_t i;

	if (announce_is_own(p, o))
		return true;
	for (i = 0; i < p->peers_n; i++)
		if (!p->peers[i]->gone && p->peers[i]->has_onion &&
		    onion_eq(&p->peers[i]->onion, o))
			return true;
	return dialling_onion(p, o);
}

/* Is there a way out to onions now? */
static bool onions_up(const struct p2p *p)
{
	return p->conns.tor_ready && p->now_ms >= p->conns.tor_retry_ms;
}

static void named_hosts(struct p2p *p)
{
	struct wanted_host *w;
	uint8_t key[ONION_KEY_BYTES];
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->seed || w->peer || w->dial || p->now_ms < w->next_ms ||
		    connected_to(p, w->host, w->port) ||
		    (!onions_up(p) && onion_parse(key, w->host)))
			continue;
		w->dial = dial_wanted(p, w, CONN_MANUAL);
	}
}

/* Fill empty slots: more dials than slots, for many addresses are dead. */
static bool slots(struct p2p *p)
{
	unsigned dials, open = count(p, CONN_OUTBOUND, &dials), race;
	int64_t timeout_ms;
	struct onion o;

	if (open >= outbound_max(p))
		return false;
	race = 2 * (outbound_max(p) - open) + DIALS_SPARE;
	if (dials >= MIN_OF(race, (unsigned)DIALS_MAX))
		return true;
	while (p->conns.anchors_n) {
		o = p->conns.anchors[--p->conns.anchors_n];
		if (skip(&o, p))
			continue;
		dial_onion(p, &o, CONN_OUTBOUND, 0);
		return true;
	}
	if (redial_due(p, &o, &timeout_ms))
		dial_onion(p, &o, CONN_OUTBOUND, timeout_ms);
	else if (addrbook_pick(p->book, &o, false, skip, p))
		dial_onion(p, &o, CONN_OUTBOUND, 0);
	return true;
}

static void feelers(struct p2p *p)
{
	unsigned dials, open = count(p, CONN_FEELER, &dials);
	struct conns *c = &p->conns;
	struct onion o;

	if (dials || open || p->now_ms < c->feeler_next_ms)
		return;
	c->feeler_next_ms = p->now_ms + FEELER_EVERY_MS / 2 +
		(int64_t)(p2p_random(p) % (uint64_t)FEELER_EVERY_MS);
	if (addrbook_pick_test(p->book, &o, skip, p) ||
	    addrbook_pick(p->book, &o, true, skip, p))
		dial_onion(p, &o, CONN_FEELER, 0);
}

/* The same peer by a new circuit; the old one goes when that works. */
static void rotate(struct p2p *p)
{
	struct conns *c = &p->conns;
	struct peer *peer;
	struct dial d;
	size_t i;

	if (p->now_ms < c->rotate_next_ms)
		return;
	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (peer->gone || peer->info.type != CONN_OUTBOUND ||
		    !peer->done || !peer->has_onion ||
		    p->now_ms < peer->rotate_ms)
			continue;
		peer->rotate_ms = p->now_ms + HOUR_MS;
		c->rotate_next_ms = p->now_ms + ROTATE_EVERY_MS;
		d = (struct dial){ .host = peer->host, .port = peer->port,
				   .type = CONN_OUTBOUND,
				   .replaces = peer->id };
		dial_start(p, &d);
		return;
	}
}

/* ---- seeds ---- */

static bool seed_due(const struct p2p *p, const struct wanted_host *w)
{
	size_t known = addrbook_count(p->book);

	if (!w->seed || w->peer || w->dial || p->now_ms < w->next_ms)
		return false;
	if (!w->name)
		return known < BOOK_THIN;
	/* Names: at the first contact only, but then several, so that it is
	 * not one seed, or one exit, that chooses our peers. */
	return p->conns.names_wanted &&
	       p->now_ms >= p->conns.names_from_ms &&
	       (known == 0 || p->conns.names_wanted < NAMES_ASKED);
}

static void seeds(struct p2p *p)
{
	struct conns *c = &p->conns;
	unsigned dials, open = count(p, CONN_ADDR_FETCH, &dials);
	struct wanted_host *w;
	size_t i;

	if (open + dials >= SEEDS_MAX || p->now_ms < c->seed_next_ms)
		return;
	if (!c->names_from_ms)
		c->names_from_ms = p->now_ms + (c->wanted_n > p->opt.seed_name_n
						? NAMES_WAIT_MS : 0);
	for (i = 0; i < c->wanted_n; i++) {
		w = &c->wanted[(c->seed_next + i) % c->wanted_n];
		if (!seed_due(p, w))
			continue;
		c->seed_next = (c->seed_next + i + 1) % c->wanted_n;
		c->seed_next_ms = p->now_ms + SEED_EVERY_MS;
		w->dial = dial_wanted(p, w, CONN_ADDR_FETCH);
		return;
	}
}

static void fetch_timeouts(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (!peer->gone && peer_passing(peer) &&
		    p->now_ms - peer->connected_ms > FETCH_TIMEOUT_MS)
			peer_drop(p, peer, CLOSE_DONE,
				  "it has had its time");
	}
}

void conns_tick(struct p2p *p)
{
	if (!p->active)
		return;
	fetch_timeouts(p);
	redial_tick(p);
	named_hosts(p);
	if (p->opt.connect_only || !onions_up(p))
		return;
	addrbook_settle(p->book);
	seeds(p);
	if (p->opt.no_outbound)
		return;
	announce_tick(p);
	if (!slots(p))
		feelers(p);
	rotate(p);
}

/* ---- the owner's commands ---- */

bool p2p_addnode(struct p2p *p, const char *host, uint16_t port)
{
	if (wanted_get(p, host, port))
		return false;
	wanted_add(p, host, port, false);
	return true;
}

bool p2p_addnode_remove(struct p2p *p, const char *host, uint16_t port)
{
	struct conns *c = &p->conns;
	struct wanted_host *w = wanted_get(p, host, port);
	size_t i;

	if (!w)
		return false;
	i = (size_t)(w - c->wanted);
	free(w->host);
	memmove(w, w + 1, (c->wanted_n - i - 1) * sizeof *w);
	c->wanted_n--;
	return true;
}

void p2p_try_for(struct p2p *p, const char *host, uint16_t port,
		 enum conn_type type, int64_t timeout_ms)
{
	const struct dial d = { .host = (char *)host, .port = port,
				.type = type, .timeout_ms = timeout_ms };

	if (p->active && !connected_to(p, host, port))
		dial_start(p, &d);
}

void p2p_try_once(struct p2p *p, const char *host, uint16_t port,
		  enum conn_type type)
{
	p2p_try_for(p, host, port, type, 0);
}

void p2p_added_visit(const struct p2p *p, added_node_fn *fn, void *arg)
{
	const struct wanted_host *w;
	struct added_node n;
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		n = (struct added_node){ w->host, w->port, w->peer };
		if (!w->seed)
			fn(&n, arg);
	}
}
