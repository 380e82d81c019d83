/*
 * Strangers at the door.  Of an inbound peer Tor tells one thing: the circuit
 * it came by.  So limits hang on circuits: how many connections, bytes and
 * messages come through one; and whoever breaks a rule loses all it has
 * there, the circuit included, and nobody else loses anything.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define CIRCUITS_MAX 1024        /* remembered */
#define CONNS_BURST 8            /* what tor allows at a time, too */
#define CONNS_PER_S 0.1
#define CONNS_REFUSED 24         /* one more is an attack */
#define MESSAGES_BURST 5000
#define MESSAGES_PER_S 100
#define BYTES_BURST 16000000
#define BYTES_PER_S 1000000

static double refill(double tokens, double add, double max)
{
	return MIN_OF(tokens + add, max);
}

static void circuit_refill(const struct p2p *p, struct circuit *c)
{
	double s = (double)(p->now_ms - c->at_ms) / 1000;

	c->at_ms = p->now_ms;
	c->conns = refill(c->conns, s * CONNS_PER_S, CONNS_BURST);
	c->messages = refill(c->messages, s * MESSAGES_PER_S,
			     MESSAGES_BURST);
	c->bytes = refill(c->bytes, s * BYTES_PER_S, BYTES_BURST);
}

/* Room for one more: the one without peers that is idle longest goes. */
static void forget_one(struct p2p *p)
{
	struct circuit *c;
	size_t i, oldest = p->circuits_n;

	if (p->circuits_n < CIRCUITS_MAX)
		return;
	for (i = 0; i < p->circuits_n; i++) {
		c = p->circuits[i];
		if (!c->peers && (oldest == p->circuits_n ||
				  c->at_ms < p->circuits[oldest]->at_ms))
			oldest = i;
	}
	if (oldest == p->circuits_n)
		return;          /* all in use: as many as there are peers */
	free(p->circuits[oldest]);
	p->circuits[oldest] = p->circuits[--p->circuits_n];
}

static struct circuit *circuit_of(struct p2p *p, uint32_t id)
{
	struct circuit *c;
	size_t i;

	for (i = 0; i < p->circuits_n; i++)
		if (p->circuits[i]->id == id)
			return p->circuits[i];
	forget_one(p);
	c = xcalloc(1, sizeof *c);
	c->id = id;
	c->at_ms = p->now_ms;
	c->conns = CONNS_BURST;
	c->messages = MESSAGES_BURST;
	c->bytes = BYTES_BURST;
	p->circuits = xrealloc(p->circuits, (p->circuits_n + 1) *
			       sizeof(*p->circuits));
	p->circuits[p->circuits_n++] = c;
	return c;
}

void circuits_clear(struct p2p *p)
{
	size_t i;

	for (i = 0; i < p->circuits_n; i++)
		free(p->circuits[i]);
	free(p->circuits);
}

void circuit_ban(struct p2p *p, struct circuit *c, const char *text)
{
	size_t i;

	if (c->banned)
		return;
	c->banned = true;
	log_debug(LOG_P2P, "circuit=%u is cut with its %u peers: %s", c->id,
		  c->peers, text);
	for (i = 0; i < p->peers_n; i++)
		if (p->peers[i]->circuit == c)
			peer_drop(p, p->peers[i], CLOSE_MISBEHAVED, text);
	if (p->ports.close_circuit)
		p->ports.close_circuit(p->ports.ctx, c->id);
}

struct circuit *circuit_admit(struct p2p *p, uint32_t id)
{
	struct circuit *c = circuit_of(p, id);

	circuit_refill(p, c);
	if (c->banned)
		return NULL;
	c->conns--;
	if (c->conns < -CONNS_REFUSED) {
		circuit_ban(p, c, "it opens connections without end");
		return NULL;
	}
	return c->conns < 0 ? NULL : c;
}

bool circuit_message(struct p2p *p, struct circuit *c)
{
	circuit_refill(p, c);
	c->messages--;
	if (c->messages >= 0)
		return true;
	circuit_ban(p, c, "it sends messages without end");
	return false;
}

void circuit_bytes(struct p2p *p, struct circuit *c, size_t n)
{
	circuit_refill(p, c);
	c->bytes -= (double)n;
}

bool circuit_slow(struct p2p *p, struct circuit *c)
{
	circuit_refill(p, c);
	return c->bytes < 0;
}
