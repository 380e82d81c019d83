/*
 * Dials under way, how long they may take, and what a failure means for the
 * address.
 *
 * The time allowed starts at 30 s and follows what connecting really takes
 * here (as TCP's retransmission timer does), between 8 s and 60 s.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define TIMEOUT_START_MS (30 * SECOND_MS)
#define TIMEOUT_MIN_MS (8 * SECOND_MS)
#define TIMEOUT_MAX_MS (60 * SECOND_MS)
#define HOUR_S 3600

/* ---- time allowed ---- */

void pace_worked(struct dial_pace *pace, int64_t ms)
{
	int64_t off = ms - pace->mean_ms;

	if (!pace->known) {
		pace->known = true;
		pace->mean_ms = ms;
		pace->spread_ms = ms / 2;
	} else {
		pace->mean_ms += off / 8;
		pace->spread_ms += ((off < 0 ? -off : off) -
				    pace->spread_ms) / 4;
	}
	pace->timeout_ms = MAX_OF(TIMEOUT_MIN_MS, MIN_OF(TIMEOUT_MAX_MS,
			2 * (pace->mean_ms + 4 * pace->spread_ms)));
}

/* Too short perhaps: a little more the next time. */
void pace_timed_out(struct dial_pace *pace)
{
	pace->timeout_ms = MIN_OF(TIMEOUT_MAX_MS,
				  pace->timeout_ms + pace->timeout_ms / 16);
}

/* ---- the list ---- */

uint64_t dial_start(struct p2p *p, const struct dial *want)
{
	struct conns *c = &p->conns;
	struct dial_request req;
	struct dial *d;

	if (!c->pace.timeout_ms)
		c->pace.timeout_ms = TIMEOUT_START_MS;
	c->dials = xrealloc(c->dials, (c->dials_n + 1) * sizeof(*c->dials));
	d = &c->dials[c->dials_n++];
	*d = *want;
	d->id = ++c->last_dial;
	d->host = xstrdup(want->host);
	d->started_ms = p->now_ms;
	d->onion.port = d->port;
	d->has_onion = onion_parse(d->onion.key, d->host);
	req = (struct dial_request){
		.id = d->id, .host = d->host, .port = d->port,
		.type = d->type, .seed_name = d->name,
		/* Somebody the owner named gets all the time there is. */
		.timeout_ms = d->timeout_ms ? d->timeout_ms :
			      d->type == CONN_MANUAL ? TIMEOUT_MAX_MS
						     : c->pace.timeout_ms,
	};
	p->ports.dial(p->ports.ctx, &req);
	return c->last_dial;
}

bool dial_take(struct p2p *p, struct dial *out, uint64_t id)
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

void dial_clear(struct dial *d)
{
	free(d->host);
	*d = (struct dial){ 0 };
}

void dials_forget(struct p2p *p)
{
	size_t i;

	for (i = 0; i < p->conns.dials_n; i++)
		dial_clear(&p->conns.dials[i]);
	p->conns.dials_n = 0;
	for (i = 0; i < p->conns.wanted_n; i++)
		p->conns.wanted[i].dial = 0;
}

bool dialling_onion(const struct p2p *p, const struct onion *o)
{
	size_t i;

	for (i = 0; i < p->conns.dials_n; i++)
		if (p->conns.dials[i].has_onion &&
		    onion_eq(&p->conns.dials[i].onion, o))
			return true;
	return false;
}

/* ---- failures ---- */

/* What it means for an address of the book. */
static void judge(struct p2p *p, const struct onion *o, enum dial_failure f)
{
	switch (f) {
	case FAILURE_NO_TOR:
		break;
	case FAILURE_BAD_ADDRESS:
		addrbook_remove(p->book, o);
		break;
	case FAILURE_NOT_FOUND:
		addrbook_failed(p->book, o, HOUR_S / 2, 24 * HOUR_S);
		break;
	case FAILURE_AUTH:
		addrbook_failed(p->book, o, 12 * HOUR_S, 24 * HOUR_S);
		break;
	case FAILURE_OTHER:
	case FAILURE_REFUSED:
	case FAILURE_UNREACHABLE:
	case FAILURE_TIMEOUT:
		addrbook_failed(p->book, o, 120, 4 * HOUR_S);
		break;
	}
}

/* What only the owner can mend: said once. */
static void tell_owner(struct wanted_host *w, enum dial_failure f)
{
	if (w->seed || w->warned)
		return;
	if (f == FAILURE_AUTH)
		log_warn(LOG_P2P, "%s:%u lets only those in whose client key "
			 "it knows; ask its owner for one", w->host, w->port);
	else if (f == FAILURE_BAD_ADDRESS)
		log_warn(LOG_P2P, "%s:%u is no address that Tor accepts: "
			 "mistyped?", w->host, w->port);
	else
		return;
	w->warned = true;
}

static void wanted_failed(struct p2p *p, uint64_t id, enum dial_failure f)
{
	struct wanted_host *w;
	int64_t pause;
	size_t i;

	for (i = 0; i < p->conns.wanted_n; i++) {
		w = &p->conns.wanted[i];
		if (w->dial != id)
			continue;
		w->dial = 0;
		tell_owner(w, f);
		if (f != FAILURE_NO_TOR && redial_named(p, w, &pause))
			w->lost.tries++;
		else
			w->failures += f != FAILURE_NO_TOR;
		w->next_ms = p->now_ms + wanted_pause_ms(p, w);
	}
}

void p2p_dial_failed(struct p2p *p, uint64_t id, enum dial_failure f,
		     const char *why)
{
	struct dial d;

	if (!dial_take(p, &d, id))
		return;
	log_debug(LOG_P2P, "cannot connect to %s:%u: %s", d.host, d.port,
		  why);
	if (d.has_onion && !p->conns.tor_ready)
		f = FAILURE_NO_TOR;
	if (f == FAILURE_NO_TOR && !d.name)
		p->conns.tor_retry_ms = p->now_ms + TOR_RETRY_MS;
	if (f == FAILURE_TIMEOUT && d.has_onion && d.type != CONN_MANUAL &&
	    !d.timeout_ms)
		pace_timed_out(&p->conns.pace);
	if (d.has_onion && !(d.type == CONN_OUTBOUND &&
			     redial_failed(p, &d.onion)))
		judge(p, &d.onion, f);
	wanted_failed(p, id, f);
	dial_clear(&d);
}

void p2p_set_tor_ready(struct p2p *p, bool ready)
{
	struct conns *c = &p->conns;
	size_t i;

	if (ready == c->tor_ready)
		return;
	c->tor_ready = ready;
	c->tor_retry_ms = 0;
	if (ready)
		redial_anew(p);
	for (i = 0; ready && i < c->wanted_n; i++)
		c->wanted[i].next_ms = 0;
}
