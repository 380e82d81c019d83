/*
 * The tip watch: do strangers show the same chain as the witnesses, trusted
 * peers whose headers we count on?  Where the two differ in work for long,
 * one side is cut off, or is being lied to: the owner is told, and a few more
 * outbound peers are tried.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdio.h>

#define DIFFERS_MS (10 * MINUTE_MS)
#define ANSWER_MS MINUTE_MS      /* to say it again; whoever is silent goes */
#define TOLD_AGAIN_MS (60 * MINUTE_MS)
#define EXTRA_OUTBOUND 2

/* The best that one side shows; NULL: nobody of it has shown anything. */
static const struct header_point *best_of(const struct p2p *p, bool witness)
{
	const struct header_point *best = NULL;

	for (size_t i = 0; i < p->peers_n; i++) {
		const struct peer *peer = p->peers[i];

		if (peer->gone || !peer->done || !peer->headers.has_best ||
		    (witness ? !peer->witness : peer->door))
			continue;
		if (!best || u256_cmp(&peer->headers.best.work,
				      &best->work) > 0)
			best = &peer->headers.best;
	}
	return best;
}

/* Who got a block from us does not announce it to us: ask. */
static void ask_all(struct p2p *p)
{
	for (size_t i = 0; i < p->peers_n; i++) {
		struct peer *peer = p->peers[i];

		if (!peer->gone && peer->done &&
		    (peer->witness || !peer->door))
			headers_ask_from_ours(p, peer);
	}
}

static void warn(struct p2p *p, const struct header_point *witness,
		 const struct header_point *stranger, bool behind)
{
	struct tip_watch *w = &p->tip_watch;

	snprintf(w->warning, sizeof w->warning, "For more than %d minutes "
		 "strangers have shown a chain with %s work (up to block %d) "
		 "than the witnesses among the trusted peers (%d): one side "
		 "is cut off or lied to. Payments seen now may not last.",
		 (int)(DIFFERS_MS / MINUTE_MS), behind ? "less" : "more",
		 stranger->height, witness->height);
	if (w->told_ms && p->now_ms - w->told_ms < TOLD_AGAIN_MS)
		return;
	w->told_ms = p->now_ms;
	log_warn(LOG_P2P, "%s", w->warning);
}

static void agree(struct p2p *p)
{
	if (p->tip_watch.warning[0])
		log_info(LOG_P2P, "strangers and witnesses show the same "
			 "chain again, or one side is gone");
	p->tip_watch = (struct tip_watch){ .since_ms = 0 };
}

void tip_watch_tick(struct p2p *p)
{
	struct tip_watch *w = &p->tip_watch;
	const struct header_point *witness = best_of(p, true);
	const struct header_point *stranger = best_of(p, false);
	int cmp = witness && stranger
			  ? u256_cmp(&stranger->work, &witness->work) : 0;

	if (!p->has_tip || p->tip.initial_download || !cmp) {
		agree(p);
		return;
	}
	if (!w->since_ms)
		w->since_ms = MAX_OF(p->now_ms, INT64_C(1));
	if (p->now_ms - w->since_ms < DIFFERS_MS)
		return;
	if (!w->asked_ms) {
		w->asked_ms = p->now_ms;
		ask_all(p);
	}
	if (p->now_ms - w->asked_ms >= ANSWER_MS)
		warn(p, witness, stranger, cmp < 0);
}

unsigned tip_watch_extra(const struct p2p *p)
{
	return p->tip_watch.warning[0] ? EXTRA_OUTBOUND : 0;
}

const char *p2p_tip_warning(const struct p2p *p)
{
	return p->tip_watch.warning[0] ? p->tip_watch.warning : NULL;
}
