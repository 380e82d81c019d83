/*
 * Blocks that come, and what the chain says of them.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include "consensus/block_check.h"
#include "crypto/hash.h"

#define RATE_KEEP(x) ((x) - (x) / 8)

/* ---- blocks come ---- */

static void measure(struct p2p *p, struct peer *peer, int64_t asked_ms,
		    size_t n)
{
	struct peer_fetch *f = &peer->fetch;
	int64_t from = MAX_OF(asked_ms, f->last_block_ms);

	f->bytes = RATE_KEEP(f->bytes) + n;
	f->ms = RATE_KEEP(f->ms) + (uint64_t)(p->now_ms - from);
	f->last_block_ms = p->now_ms;
	f->strikes = 0;
	p->fetch.avg_bytes = (p->fetch.avg_bytes * 31 + n) / 32 + 1;
	p->fetch.stall_ms = MAX_OF(p->fetch.stall_ms -
				   p->fetch.stall_ms / 64, FETCH_STALL_MIN_MS);
}

static struct block_source *source_get(struct p2p *p,
				       const struct block_hash *hash)
{
	struct fetch *f = &p->fetch;
	size_t i;

	for (i = 0; i < BLOCK_SOURCES; i++)
		if (f->sources[i].peer &&
		    block_hash_eq(&f->sources[i].hash, hash))
			return &f->sources[i];
	return NULL;
}

static bool has_work(const struct p2p *p, const struct bytes *raw,
		     const struct block_hash *hash)
{
	struct reader r = reader_of(bytes_span(raw));
	struct block_header h;

	return block_header_read(&h, &r) &&
	       pow_ok(p->opt.params, hash, h.bits);
}

bool fetch_block_message(struct p2p *p, struct peer *peer, struct bytes *raw)
{
	struct block_hash hash;
	struct fetch_block *e;
	size_t n = raw->n;

	if (n < BLOCK_HEADER_BYTES) {
		peer_misbehaved(p, peer, "its block message is malformed");
		return true;
	}
	peer->fetch.rest_until_ms = 0;
	sha256d(hash.b, raw->p, BLOCK_HEADER_BYTES);
	e = map_get(&p->fetch.by_hash, &hash);
	/* Nobody asked for it: at least it must have cost something. */
	if (!e && !has_work(p, raw, &hash)) {
		peer_misbehaved(p, peer, "its block lacks proof of work");
		return true;
	}
	if (e ? e->state == FETCH_GIVEN : source_get(p, &hash) != NULL)
		return true;     /* somebody else was faster */
	if (!p->ports.chain_block(p->ports.ctx, peer->id, &hash, raw,
				  e != NULL))
		return false;
	if (!e)
		return true;
	if (e->state == FETCH_ASKED && e->peer == peer->id)
		measure(p, peer, e->asked_ms, n);
	fetch_entry_state(p, e, FETCH_GIVEN);
	e->peer = peer->id;
	fetch_assign(p);
	return true;
}

void fetch_notfound(struct p2p *p, struct peer *peer,
		    const struct msg_inv *m)
{
	struct block_hash hash;
	struct fetch_block *e;
	struct inv_item item;
	size_t i;

	for (i = 0; i < m->n; i++) {
		item = inv_item_get(m, i);
		memcpy(hash.b, item.hash, sizeof hash.b);
		e = map_get(&p->fetch.by_hash, &hash);
		if (e && e->state == FETCH_ASKED && e->peer == peer->id)
			fetch_entry_give_up(p, e, peer->id);
	}
	fetch_assign(p);
}

/* ---- what became of them ---- */

static void block_bad(struct p2p *p, const struct block_reply *r,
		      struct fetch_block *e)
{
	struct peer *peer = peer_get(p, r->peer);
	enum verdict_class class = verdict_class(r->verdict);
	bool other_copy = class == VERDICT_CLASS_MUTATED ||
			  r->verdict == VERDICT_MALFORMED;

	if (e && other_copy)
		fetch_entry_give_up(p, e, r->peer);
	else if (e)
		fetch_entry_free(p, e);
	p->fetch.dirty = true;
	if (!peer)
		return;
	if (class == VERDICT_CLASS_MISSING_PREV)
		headers_inv(p, peer, &r->hash);
	else if (class != VERDICT_CLASS_FUTURE &&
		 class != VERDICT_CLASS_LOW_WORK &&
		 r->verdict != VERDICT_DUPLICATE_INVALID)
		peer_misbehaved(p, peer, r->reason);
}

static void block_good(struct p2p *p, const struct block_reply *r,
		       struct fetch_block *e)
{
	struct peer *peer = peer_get(p, r->peer);
	struct fetch *f = &p->fetch;

	if (e)
		fetch_entry_free(p, e);
	f->stale = true;
	if (!r->is_new)
		return;
	f->sources[f->source_next] =
		(struct block_source){ r->hash, r->peer };
	f->source_next = (f->source_next + 1) % BLOCK_SOURCES;
	if (peer)
		peer->info.last_block = p->now_unix;
}

void p2p_on_block_result(struct p2p *p, const struct block_reply *r)
{
	struct fetch_block *e = map_get(&p->fetch.by_hash, &r->hash);

	/* Another copy may be on its way: the answer is not for that. */
	if (e && e->state != FETCH_GIVEN)
		e = NULL;
	if (r->verdict == VERDICT_OK) {
		block_good(p, r, e);
	} else {
		log_debug(LOG_P2P, "block of peer=%llu: %s",
			  (unsigned long long)r->peer, r->reason);
		block_bad(p, r, e);
	}
	peers_retry(p);
	fetch_tick(p);
	peers_reap(p);
}

void p2p_on_block_checked(struct p2p *p, const struct block_hash *hash,
			  enum verdict verdict, const char *reason)
{
	struct fetch_block *e;
	struct block_source *s;
	struct peer *peer = NULL;

	if (verdict == VERDICT_OK)
		return;
	/* It may be said before the block's own result is. */
	e = map_get(&p->fetch.by_hash, hash);
	s = source_get(p, hash);
	if (s)
		peer = peer_get(p, s->peer);
	else if (e && e->state == FETCH_GIVEN)
		peer = peer_get(p, e->peer);
	if (s)
		s->peer = 0;
	p->fetch.dirty = true;
	if (peer)
		peer_misbehaved(p, peer, reason);
	peers_reap(p);
}

bool p2p_fetch_block(struct p2p *p, peer_id id, const struct block_hash *hash)
{
	struct peer *peer = peer_get(p, id);
	struct fetch_block *e;

	if (!peer || !peer->done || !(peer->info.services & SERVICE_WITNESS))
		return false;
	e = map_get(&p->fetch.by_hash, hash);
	if (!e)
		e = fetch_entry_new(p, hash, -1);
	if (e->state != FETCH_GIVEN) {
		e->avoid = 0;
		fetch_ask(p, peer, e);
		fetch_send_asks(p);
	}
	return true;
}
