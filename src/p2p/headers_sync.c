/*
 * Headers: from one peer first, from the others once we are near the present;
 * in batches that the chain accepts; and through pre-synchronisation where the
 * chain says that they do not show enough work yet.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#define RESPONSE_MS (2 * MINUTE_MS)
/* In all, for the peer we follow: a base, and more per header expected. */
#define SYNC_BASE_MS (15 * MINUTE_MS)
#define SYNC_PER_HEADER_MS 5
#define BLOCK_EVERY_S 600
#define RECENT_S (24 * 60 * 60)
#define PRESYNC_INBOUND_MAX 16
#define BEHIND_MS (20 * MINUTE_MS)

/* ---- asking ---- */

static bool send_getheaders(struct p2p *p, struct peer *peer,
			    const struct block_hash *first, size_t first_n,
			    bool from_parent)
{
	struct msg m = { .type = MSG_GETHEADERS };
	struct bytes hashes = { 0 };
	size_t skip = from_parent && p->locator_n > 1 ? 1 : 0, n;

	if (!p->has_tip || (peer->headers.asked_ms &&
			    p->now_ms - peer->headers.asked_ms < RESPONSE_MS))
		return false;
	n = MIN_OF(p->locator_n - skip, LOCATOR_MAX - first_n);
	if (first_n)
		bytes_append(&hashes, first, first_n * sizeof(*first));
	bytes_append(&hashes, p->locator + skip, n * sizeof(*p->locator));
	m.u.locator.version = P2P_VERSION;
	m.u.locator.n = first_n + n;
	m.u.locator.hashes = bytes_span(&hashes);
	peer->headers.asked_ms = MAX_OF(p->now_ms, INT64_C(1));
	peer_send(p, peer, &m);
	bytes_clear(&hashes);
	return true;
}

/* From where the peer may differ from us.  Our best header's parent comes
 * first, so that a peer on the same tip answers with it. */
bool headers_ask_from_ours(struct p2p *p, struct peer *peer)
{
	return send_getheaders(p, peer, NULL, 0, true);
}

static void ask_presync(struct p2p *p, struct peer *peer)
{
	struct block_hash first[2] = {
		presync_next(peer->headers.presync),
		presync_start(peer->headers.presync),
	};

	send_getheaders(p, peer, first, 2, false);
}

void headers_inv(struct p2p *p, struct peer *peer,
		 const struct block_hash *hash)
{
	struct peer_headers *h = &peer->headers;

	if (!p->has_tip)
		return;
	if (block_hash_eq(hash, &p->tip.best_header.hash)) {
		h->has_best = true;
		h->best = p->tip.best_header;
		h->common_height = h->best.height;
		p->fetch.dirty = true;
		return;
	}
	headers_ask_from_ours(p, peer);
}

/* ---- to the chain ---- */

static void batch_clear(struct headers_batch *b)
{
	free(b->h);
	*b = (struct headers_batch){ 0 };
}

void headers_detach(struct peer *peer)
{
	batch_clear(&peer->headers.batch);
	presync_free(peer->headers.presync);
	peer->headers.presync = NULL;
}

void headers_retry(struct p2p *p, struct peer *peer)
{
	struct headers_batch *b = &peer->headers.batch;

	if (b->h && !b->posted)
		b->posted = p->ports.chain_headers(p->ports.ctx, peer->id,
						   b->h, b->n, b->vouched);
}

static void post(struct p2p *p, struct peer *peer,
		 struct block_header *h TAKES, size_t n, bool vouched,
		 bool full)
{
	struct headers_batch *b = &peer->headers.batch;

	CHECK(!b->h);
	*b = (struct headers_batch){ h, n, false, vouched, full };
	headers_retry(p, peer);
}

/* ---- pre-synchronisation ---- */

static void presync_end(struct peer *peer)
{
	presync_free(peer->headers.presync);
	peer->headers.presync = NULL;
}

static struct block_header *unpack(struct span raw, size_t *n)
{
	struct reader r = reader_of(raw);
	struct block_header *h;
	size_t i;

	*n = raw.n / BLOCK_HEADER_BYTES;
	h = xcalloc(*n, sizeof *h);
	for (i = 0; i < *n; i++)
		CHECK(block_header_read(&h[i], &r));
	return h;
}

static void presync_feed(struct p2p *p, struct peer *peer,
			 const struct block_header *h, size_t n, bool full)
{
	struct presync *s = peer->headers.presync;
	struct bytes out = { 0 };
	struct block_header *list;
	enum presync_result res;
	const char *why;
	size_t list_n;

	res = presync_take(s, &out, h, n, full, &why);
	peer->headers.done |= res == PRESYNC_FAILED;
	if (res == PRESYNC_FAILED)
		log_debug(LOG_P2P, "headers of peer=%llu not followed: %s",
			  (unsigned long long)peer->id, why);
	if (res != PRESYNC_MORE)
		presync_end(peer);
	if (out.n && res != PRESYNC_FAILED) {
		list = unpack(bytes_span(&out), &list_n);
		post(p, peer, list, list_n, true,
		     res == PRESYNC_COMPLETE && full);
	}
	bytes_clear(&out);
	if (res == PRESYNC_MORE)
		ask_presync(p, peer);
}

/* Each costs memory; those who came to us may have so much in all. */
static bool presync_allowed(const struct p2p *p, const struct peer *peer)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < p->peers_n; i++)
		n += p->peers[i]->headers.presync != NULL;
	return peer_outbound(peer) || n < PRESYNC_INBOUND_MAX;
}

static void presync_begin(struct p2p *p, struct peer *peer,
			  const struct headers_reply *r,
			  const struct headers_batch *b)
{
	struct presync_options o = {
		.params = p->opt.params,
		.minimum_work = p->opt.minimum_chain_work,
		.start = r->start,
		.start_bits = r->start_bits,
		.start_mtp = r->start_mtp,
		.now_unix = p->now_unix,
	};

	o.salt[0] = p2p_random(p);
	o.salt[1] = p2p_random(p);
	o.offset = (uint32_t)(p2p_random(p) % PRESYNC_PERIOD);
	log_debug(LOG_P2P, "headers of peer=%llu: first pass from height %d",
		  (unsigned long long)peer->id, r->start.height);
	peer->headers.presync = presync_new(&o);
	presync_feed(p, peer, b->h, b->n, b->full);
}

/* ---- a headers message ---- */

static const char *check(const struct p2p *p, const struct block_header *h,
			 size_t n)
{
	struct block_hash hash;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i && !block_hash_eq(&h[i].prev, &hash))
			return "its headers are not in sequence";
		block_header_hash(&hash, &h[i]);
		if (!pow_ok(p->opt.params, &hash, h[i].bits))
			return "one of its headers lacks proof of work";
	}
	return NULL;
}

static void no_more(struct p2p *p, struct peer *peer)
{
	peer->headers.done = true;
	if (peer->headers.presync)
		presync_feed(p, peer, NULL, 0, false);
}

bool headers_message(struct p2p *p, struct peer *peer,
		     const struct msg_headers *m)
{
	struct block_header *h;
	const char *bad;
	bool full = m->n == HEADERS_MAX;
	size_t i;

	if (peer->headers.batch.h)
		return false;
	peer->headers.asked_ms = 0;
	if (!m->n) {
		no_more(p, peer);
		return true;
	}
	h = xcalloc(m->n, sizeof *h);
	for (i = 0; i < m->n; i++)
		h[i] = headers_get(m, i);
	bad = check(p, h, m->n);
	if (bad) {
		free(h);
		peer_misbehaved(p, peer, bad);
		return true;
	}
	if (peer->headers.presync) {
		presync_feed(p, peer, h, m->n, full);
		free(h);
	} else {
		post(p, peer, h, m->n, false, full);
	}
	return true;
}

/* ---- the chain's answer ---- */

static void best_update(struct p2p *p, struct peer *peer,
			const struct headers_reply *r)
{
	struct peer_headers *h = &peer->headers;

	if (!r->accepted)
		return;
	/* Of equal work its latest word counts: it may have changed sides. */
	if (h->has_best && u256_cmp(&r->last.work, &h->best.work) < 0)
		return;
	h->has_best = true;
	h->best = r->last;
	h->common_height = r->common_height;
	p->fetch.dirty = true;
}

static void refused(struct p2p *p, struct peer *peer,
		    const struct headers_reply *r,
		    const struct headers_batch *b)
{
	switch (verdict_class(r->verdict)) {
	case VERDICT_CLASS_OK:
	case VERDICT_CLASS_FUTURE:
		break;
	case VERDICT_CLASS_MISSING_PREV:
		headers_ask_from_ours(p, peer);
		break;
	case VERDICT_CLASS_LOW_WORK:
		if (b->full && r->has_start && !b->vouched &&
		    !peer->headers.presync && presync_allowed(p, peer))
			presync_begin(p, peer, r, b);
		else
			peer->headers.done = true;
		break;
	case VERDICT_CLASS_CONSENSUS:
	case VERDICT_CLASS_MUTATED:
	case VERDICT_CLASS_HEADER:
	case VERDICT_CLASS_INVALID_PREV:
		/* A block we know to be bad may come from a peer that has
		 * not found out: no reason to close inbound connections. */
		if (r->verdict == VERDICT_DUPLICATE_INVALID &&
		    !peer_outbound(peer))
			break;
		peer_misbehaved(p, peer, r->reason);
		break;
	}
}

static void accepted(struct p2p *p, struct peer *peer,
		     const struct headers_reply *r,
		     const struct headers_batch *b)
{
	best_update(p, peer, r);
	if (b->full)
		send_getheaders(p, peer, &r->last.hash, 1, false);
	else if (!peer->headers.presync)
		peer->headers.done = true;
}

void p2p_on_headers_result(struct p2p *p, const struct headers_reply *r)
{
	struct peer *peer = peer_get(p, r->peer);
	struct headers_batch b;

	if (!peer || !peer->headers.batch.h || !peer->headers.batch.posted)
		return;
	b = peer->headers.batch;
	peer->headers.batch = (struct headers_batch){ 0 };
	if (r->verdict == VERDICT_OK) {
		accepted(p, peer, r, &b);
	} else {
		log_debug(LOG_P2P, "headers of peer=%llu: %s",
			  (unsigned long long)peer->id, r->reason);
		best_update(p, peer, r);
		refused(p, peer, r, &b);
	}
	batch_clear(&b);
	if (!peer->gone)
		peer_resume(p, peer);
	fetch_tick(p);
	peers_reap(p);
}

/* ---- whom to follow, and for how long ---- */

static bool has_headers(const struct peer *peer)
{
	return !peer->gone && peer->done &&
	       (peer->info.services &
		(SERVICE_NETWORK | SERVICE_NETWORK_LIMITED)) &&
	       !peer_passing(peer);
}

static bool recent(const struct p2p *p)
{
	return p->tip.best_header_time > p->now_unix - RECENT_S;
}

struct survey {
	bool outbound;           /* there is one to follow */
	bool friend;             /* a trusted one is not yet followed */
	unsigned following;      /* started and not done */
	unsigned candidates;
};

static struct survey survey(const struct p2p *p)
{
	struct survey s = { 0 };
	const struct peer *peer;
	size_t i;

	for (i = 0; i < p->peers_n; i++) {
		peer = p->peers[i];
		if (!has_headers(peer))
			continue;
		s.candidates++;
		s.outbound |= peer_outbound(peer) || peer->door;
		s.friend |= peer->door && !peer->headers.started_ms;
		s.following += peer->headers.started_ms &&
			       !peer->headers.done;
	}
	return s;
}

static void maybe_start(struct p2p *p, struct peer *peer, struct survey *s)
{
	if (peer->headers.started_ms)
		return;
	if (!recent(p) && !peer->door &&
	    (s->friend || (s->outbound && !peer_outbound(peer))))
		return;
	if (!recent(p) && s->following)
		return;
	if (!headers_ask_from_ours(p, peer))
		return;
	peer->headers.started_ms = MAX_OF(p->now_ms, INT64_C(1));
	s->following++;
}

static const char *overdue(const struct p2p *p, const struct peer *peer)
{
	const struct peer_headers *h = &peer->headers;
	int64_t expected;

	if (h->asked_ms && p->now_ms - h->asked_ms > RESPONSE_MS &&
	    !peer->unread && wire_receiving(&peer->wire) != MSG_HEADERS)
		return "no answer to getheaders";
	if (recent(p) || h->done || !h->started_ms)
		return NULL;
	expected = (p->now_unix - p->tip.best_header_time) / BLOCK_EVERY_S;
	if (p->now_ms - h->started_ms >
	    SYNC_BASE_MS + MAX_OF(expected, INT64_C(0)) * SYNC_PER_HEADER_MS)
		return "headers come too slowly";
	return NULL;
}

static void maybe_timeout(struct p2p *p, struct peer *peer, struct survey *s)
{
	const char *late = overdue(p, peer);

	if (!late)
		return;
	if (s->candidates > 1 &&
	    !(peer->info.perms & PEER_PERM_NOBAN)) {
		s->candidates--;
		s->following -= peer->headers.started_ms &&
				!peer->headers.done;
		peer_drop(p, peer, CLOSE_STALLED, late);
		return;
	}
	/* The only one: ask it again. */
	presync_end(peer);
	peer->headers.asked_ms = 0;
	peer->headers.started_ms = 0;
	peer->headers.done = false;
}

/* An outbound peer whose chain stays weaker than ours holds a slot that a
 * better one should have. */
static void maybe_evict(struct p2p *p, struct peer *peer)
{
	struct peer_headers *h = &peer->headers;

	if (peer->info.type != CONN_OUTBOUND || p->tip.initial_download)
		return;
	if (h->has_best && u256_cmp(&h->best.work, &p->tip.tip.work) >= 0) {
		h->behind_ms = 0;
		h->behind_asked = false;
		return;
	}
	if (!h->behind_ms)
		h->behind_ms = MAX_OF(p->now_ms, INT64_C(1));
	if (p->now_ms - h->behind_ms > BEHIND_MS && !h->behind_asked)
		h->behind_asked = headers_ask_from_ours(p, peer);
	if (h->behind_asked &&
	    p->now_ms - h->behind_ms > BEHIND_MS + RESPONSE_MS)
		peer_drop(p, peer, CLOSE_UNWANTED, "its chain is outdated");
}

void headers_tick(struct p2p *p)
{
	struct survey s;
	size_t i;

	if (!p->has_tip)
		return;
	s = survey(p);
	for (i = 0; i < p->peers_n; i++) {
		if (!has_headers(p->peers[i]))
			continue;
		headers_retry(p, p->peers[i]);
		maybe_timeout(p, p->peers[i], &s);
		if (!p->peers[i]->gone)
			maybe_start(p, p->peers[i], &s);
		if (!p->peers[i]->gone)
			maybe_evict(p, p->peers[i]);
	}
}

void headers_common_unknown(struct p2p *p)
{
	size_t i;

	for (i = 0; i < p->peers_n; i++)
		p->peers[i]->headers.common_height = -1;
	p->fetch.dirty = true;
}
