/*
 * Which connections we want: those the owner named, kept up with growing
 * pauses; a number of slots filled from the address book; seeds for as long
 * as the book is thin; now and then a feeler.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>
#include <strings.h>

#define RETRY_FIRST_MS SECOND_MS
#define RETRY_MAX_MS (10 * MINUTE_MS)
#define SPACING_MS 500           /* between dials from the book */
#define DIALS_MAX 8              /* from the book at a time */
#define FEELER_EVERY_MS (2 * MINUTE_MS)
#define SEED_EVERY_MS (10 * SECOND_MS)
#define SEED_RETRY_MS (10 * MINUTE_MS)
#define SEEDS_MAX 2              /* at a time */
#define BOOK_THIN 100            /* fewer addresses: ask the seeds */
#define FETCH_TIMEOUT_MS (2 * MINUTE_MS)

/* ---- lists ---- */

static void wanted_add(struct p2p *p, const char *host, uint16_t port,
		       bool seed)
{
	struct conns *c = &p->conns;

	c->wanted = xrealloc(c->wanted,
			     (c->wanted_n + 1) * sizeof(*c->wanted));
	c->wanted[c->wanted_n++] = (struct wanted_host){
		.host = xstrdup(host), .port = port, .seed = seed,
	};
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

	for (i = 0; i < o->connect_n; i++)
		wanted_add(p, o->connect[i].host, o->connect[i].port, false);
	for (i = 0; i < o->addnode_n; i++)
		if (!wanted_get(p, o->addnode[i].host, o->addnode[i].port))
			wanted_add(p, o->addnode[i].host, o->addnode[i].port,
				   false);
	for (i = 0; i < o->seed_n && !o->connect_only; i++)
		wanted_add(p, o->seed[i].host, o->seed[i].port, true);
}

static void dial_clear(struct dial *d)
{
	free(d->host);
	*d = (struct dial){ 0 };
}

void conns_clear(struct p2p *p)
{
	size_t i;

	conns_forget_dials(p);
	for (i = 0; i < p->conns.wanted_n; i++)
		free(p->conns.wanted[i].host);
	free(p->conns.wanted);
	free(p->conns.dials);
}

static uint64_t dial(struct p2p *p, const char *host, uint16_t port,
		     enum conn_type type)
{
	struct conns *c = &p->conns;
	struct dial *d;

	c->dials = xrealloc(c->dials, (c->dials_n + 1) * sizeof(*c->dials));
	d = &c->dials[c->dials_n++];
	*d = (struct dial){ .id = ++c->last_dial, .host = xstrdup(host),
			    .port = port, .type = type };
	d->onion.port = port;
	d->has_onion = onion_parse(d->onion.key, host);
	if (d->has_onion)
		addrbook_attempt(p->book, &d->onion, p->now_unix);
	p->ports.dial(p->ports.ctx, d->id, host, port, type);
	return c->last_dial;
}

bool conns_take_dial(struct p2p *p, struct dial *out, uint64_t id)
{
	struct conns *c = &p->conns;
	size_t i;

	for (i = 0; i < c->dials_n; i++) {
		if (c->dials[i].id != id)
			continue;
		*out = c->dials[i];
		c->dials[i] = c->dials[--c->dials_n];
		return true;
	}
	return false;
}

void conns_forget_dials(struct p2p *p)
{
	size_t i;

	for (i = 0; i < p->conns.dials_n; i++)
		dial_clear(&p->conns.dials[i]);
	p->conns.dials_n = 0;
	for (i = 0; i < p->conns.wanted_n; i++)
		p->conns.wanted[i].dial = 0;
}

/* ---- what became of them ---- */

/* Doubling pauses, with a quarter of chance either way. */
static int64_t pause_ms(const struct p2p *p, const struct wanted_host *w)
{
	int64_t ms = RETRY_FIRST_MS << MIN_OF(w->failures, 20u);

	ms = w->seed ? SEED_RETRY_MS : MIN_OF(ms, RETRY_MAX_MS);
	return ms * 3 / 4 + (int64_t)(p2p_random(p) % (uint64_t)(ms / 2));
}

void conns_connected(struct p2p *p, struct peer *peer, uint64_t id)
{
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		if (p->conns.wanted[i].dial != id)
			continue;
		p->conns.wanted[i].dial = 0;
		p->conns.wanted[i].peer = peer->id;
	}
}

void conns_closed(struct p2p *p, struct peer *peer)
{
	struct wanted_host *w;
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->peer != peer->id)
			continue;
		w->peer = 0;
		/* A connection that was of use starts the count anew. */
		w->failures = peer->done ? 0 : w->failures + 1;
		w->next_ms = p->now_ms + pause_ms(p, w);
	}
}

void p2p_dial_failed(struct p2p *p, uint64_t id, const char *why)
{
	struct wanted_host *w;
	struct dial d;
	size_t i;

	if (!conns_take_dial(p, &d, id))
		return;
	log_debug(LOG_P2P, "cannot connect to %s:%u: %s", d.host, d.port,
		  why);
	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->dial != id)
			continue;
		w->dial = 0;
		w->failures++;
		w->next_ms = p->now_ms + pause_ms(p, w);
	}
	dial_clear(&d);
}

/* ---- what is due ---- */

static bool connected_to(const struct p2p *p, const char *host,
			 uint16_t port)
{
	size_t i;

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
	char text[ONION_TEXT_SIZE];

	onion_format(text, o->key);
	return (p->has_local && onion_eq(o, &p->local)) ||
	       connected_to(p, text, o->port);
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
		*dials += p->conns.dials[i].type == type;
	return n;
}

static void named_hosts(struct p2p *p)
{
	struct wanted_host *w;
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->seed || w->peer || w->dial || p->now_ms < w->next_ms ||
		    connected_to(p, w->host, w->port))
			continue;
		w->dial = dial(p, w->host, w->port, CONN_MANUAL);
	}
}

static void book_dial(struct p2p *p, enum conn_type type, bool untried)
{
	char text[ONION_TEXT_SIZE];
	struct onion o;

	if (!addrbook_pick(p->book, &o, p->now_unix, untried, skip, p))
		return;
	onion_format(text, o.key);
	dial(p, text, o.port, type);
}

static void slots(struct p2p *p)
{
	unsigned dials, open = count(p, CONN_OUTBOUND, &dials);
	unsigned feeling, feelers = count(p, CONN_FEELER, &feeling);
	struct conns *c = &p->conns;

	if (open + dials < p->opt.max_outbound) {
		if (p->now_ms < c->outbound_next_ms || dials >= DIALS_MAX)
			return;
		c->outbound_next_ms = p->now_ms + SPACING_MS;
		book_dial(p, CONN_OUTBOUND, false);
		return;
	}
	if (dials || feelers || feeling || p->now_ms < c->feeler_next_ms)
		return;
	c->feeler_next_ms = p->now_ms + FEELER_EVERY_MS / 2 +
		(int64_t)(p2p_random(p) % (uint64_t)FEELER_EVERY_MS);
	book_dial(p, CONN_FEELER, true);
}

static void seeds(struct p2p *p)
{
	struct conns *c = &p->conns;
	unsigned dials, open = count(p, CONN_ADDR_FETCH, &dials);
	struct wanted_host *w;
	size_t i;

	if (addrbook_count(p->book) >= BOOK_THIN ||
	    open + dials >= SEEDS_MAX || p->now_ms < c->seed_next_ms)
		return;
	for (i = 0; i < c->wanted_n; i++) {
		w = &c->wanted[(c->seed_next + i) % c->wanted_n];
		if (!w->seed || w->peer || w->dial || p->now_ms < w->next_ms)
			continue;
		c->seed_next = (c->seed_next + i + 1) % c->wanted_n;
		c->seed_next_ms = p->now_ms + SEED_EVERY_MS;
		w->dial = dial(p, w->host, w->port, CONN_ADDR_FETCH);
		return;
	}
}

static void fetch_timeouts(struct p2p *p)
{
	struct peer *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (!peer->gone && peer->info.type == CONN_ADDR_FETCH &&
		    p->now_ms - peer->connected_ms > FETCH_TIMEOUT_MS)
			peer_drop(p, peer, CLOSE_DONE,
				  "it sent no addresses");
	}
}

void conns_tick(struct p2p *p)
{
	if (!p->active)
		return;
	fetch_timeouts(p);
	named_hosts(p);
	if (p->opt.connect_only)
		return;
	seeds(p);
	if (!p->opt.no_outbound)
		slots(p);
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

void p2p_try_once(struct p2p *p, const char *host, uint16_t port,
		  enum conn_type type)
{
	if (p->active && !connected_to(p, host, port))
		dial(p, host, port, type);
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
