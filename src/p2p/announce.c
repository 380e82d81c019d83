/*
 * Telling the network our own onion address.  Not on connections that stay:
 * whoever is at the other end of one would know whose it is, and with it all
 * that we ask, say and do there.  So now and then somebody from the book gets
 * a connection that only tells the address, and ends.  Those told pass it on.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#define FIRST_TOLD 8             /* soon after one another */
#define FIRST_PAUSE_MS (30 * SECOND_MS)
#define PAUSE_MS (2 * 60 * MINUTE_MS)

static bool is_local(const struct onion *o, void *arg)
{
	const struct p2p *p = arg;

	return onion_eq(o, &p->local);
}

bool announce_is_own(const struct p2p *p, const struct onion *o)
{
	return p->has_local && onion_eq(o, &p->local);
}

void announce_tell(struct p2p *p, struct peer *peer)
{
	struct msg m = { .type = MSG_ADDRV2 };
	struct bytes items = { 0 };
	struct addrv2_item item = {
		.time = (uint32_t)p2p_rounded_time(p),
		.services = p->opt.services,
		.net = NET_TORV3,
		.port = p->local.port,
		.addr = span_of(p->local.key, ONION_KEY_BYTES),
	};

	if (!p->has_local || !peer->wants_addrv2)
		return;
	addrv2_item_write(&items, &item);
	m.u.addrv2.n = 1;
	m.u.addrv2.items = bytes_span(&items);
	peer_send(p, peer, &m);
	bytes_clear(&items);
}

void announce_tick(struct p2p *p)
{
	int64_t pause = p->told < FIRST_TOLD ? FIRST_PAUSE_MS : PAUSE_MS;
	char text[ONION_TEXT_SIZE];
	struct dial d = { .host = text, .type = CONN_FEELER,
			  .announces = true };

	/* Until the chain is there we are of little use to others. */
	if (!p->has_local || p->now_ms < p->tell_ms || !p->has_tip ||
	    p->tip.initial_download ||
	    !addrbook_pick(p->book, &d.onion, false, is_local, p))
		return;
	p->told++;
	p->tell_ms = p->now_ms + pause / 2 +
		     (int64_t)(p2p_random(p) % (uint64_t)pause);
	onion_format(text, d.onion.key);
	d.port = d.onion.port;
	dial_start(p, &d);
}

bool p2p_set_local_onion(struct p2p *p, const char *onion, uint16_t port)
{
	struct onion o = { .port = port };
	size_t i;

	if (!onion) {
		p->has_local = false;
		return true;
	}
	if (!port || !onion_parse(o.key, onion))
		return false;
	if (p->has_local && onion_eq(&o, &p->local))
		return true;
	p->has_local = true;
	p->local = o;
	p->told = 0;
	p->tell_ms = p->now_ms;
	/* Named by a slip; by their bytes we would never know. */
	for (i = 0; i < p->peers_n; i++)
		if (p->peers[i]->has_onion &&
		    onion_eq(&p->peers[i]->onion, &o))
			peer_drop(p, p->peers[i], CLOSE_UNWANTED,
				  "that is our own address");
	peers_reap(p);
	return true;
}
