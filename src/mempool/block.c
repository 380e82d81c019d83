/*
 * What blocks do to the pool.  A block that connects takes its transactions
 * out, and whatever it makes impossible.  One that is disconnected gives
 * them back, once the tip stands: what spent from it in the pool waits aside
 * meanwhile, so that all come back as they first came, parents first.
 */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "consensus/block_check.h"
#include "mempool/accept.h"

/* Blocks kept for their transactions; those nearest the old tip go first. */
#define UNDONE_BYTES_MAX ((size_t)20 << 20)

/* ---- connecting ---- */

static void remove_spenders(struct change *ch, const struct tx *tx)
{
	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct mempool_entry *e =
			mempool_spender(ch->m, &tx->in[i].prevout);

		if (e && !entry_is_doomed(e))
			change_remove(ch, e, true, REMOVED_CONFLICT);
	}
}

void mempool_block_connected(struct mempool *m, const struct block *b)
{
	struct change ch;

	pool_fee_block(m);
	if (!m->by_txid.count && !m->deltas.count)
		return;
	change_init(&ch, m);
	for (uint32_t i = 1; i < b->tx_count; i++) {
		const struct tx *tx = &b->tx[i];
		const struct mempool_entry *e = mempool_get(m, &tx->txid);

		if (e)
			change_remove(&ch, e, false, REMOVED_BLOCK);
		else
			remove_spenders(&ch, tx);
		free(map_take(&m->deltas, &tx->txid));
	}
	CHECK(change_plan(&ch));
	change_commit(&ch);
}

/* ---- disconnecting ---- */

static void aside_add(struct undone *u, const struct mempool_entry *e)
{
	if (u->aside_n == u->aside_cap) {
		u->aside_cap = u->aside_cap ? 2 * u->aside_cap : 16;
		u->aside = xrealloc(u->aside,
				    u->aside_cap * sizeof *u->aside);
	}
	u->aside[u->aside_n++] = (struct aside){
		shared_tx_ref(e->tx), e->time_unix, e->unbroadcast };
}

/* All that the change removes goes into u, each cluster in its order, and
 * out of the pool. */
static void set_aside(struct change *ch, struct undone *u)
{
	for (size_t i = 0; i < ch->touched_n; i++) {
		const struct cluster *c = ch->touched[i];

		for (unsigned k = 0; k < c->count; k++)
			if (entry_is_doomed(cluster_at(c, k)))
				aside_add(u, cluster_at(c, k));
	}
	CHECK(change_plan(ch));
	change_commit(ch);
}

static struct undone *undone_add(struct mempool *m)
{
	if (m->undone_n == m->undone_cap) {
		m->undone_cap = m->undone_cap ? 2 * m->undone_cap : 4;
		m->undone = xrealloc(m->undone,
				     m->undone_cap * sizeof *m->undone);
	}
	m->undone[m->undone_n] = (struct undone){ 0 };
	return &m->undone[m->undone_n++];
}

static void limit_undone(struct mempool *m)
{
	size_t bytes = 0;

	for (size_t i = m->undone_n; i-- > 0;) {
		struct undone *u = &m->undone[i];

		if (u->block)
			bytes += u->block->raw.n;
		if (bytes <= UNDONE_BYTES_MAX)
			continue;
		block_unref(u->block);
		u->block = NULL;
	}
}

void mempool_block_disconnected(struct mempool *m, struct block *b)
{
	struct undone *u = undone_add(m);
	struct change ch;

	u->block = block_ref(b);
	change_init(&ch, m);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		struct outpoint o = { .txid = b->tx[i].txid };

		for (o.n = 0; o.n < b->tx[i].out_count; o.n++) {
			const struct mempool_entry *e =
				mempool_spender(m, &o);

			if (e)
				change_remove(&ch, e, true, REMOVED_REORG);
		}
	}
	set_aside(&ch, u);
	limit_undone(m);
}

/* ---- settling ---- */

static void undone_free(struct undone *u, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		block_unref(u[i].block);
		for (size_t j = 0; j < u[i].aside_n; j++)
			shared_tx_unref(u[i].aside[j].tx);
		free(u[i].aside);
	}
	free(u);
}

void undone_clear(struct mempool *m)
{
	undone_free(m->undone, m->undone_n);
	m->undone = NULL;
	m->undone_n = m->undone_cap = 0;
}

/* Take out what is not final in the next block any more; what must be asked
 * about its coins again goes aside. */
static void recheck_all(struct mempool *m, struct undone *u)
{
	const struct header_node *tip = chain_tip(m->opt.chain);
	int64_t mtp = header_node_mtp(tip);
	const struct mempool_entry *e;
	struct change ch;
	size_t pos;

	change_init(&ch, m);
	for (pos = 0; (e = mempool_next(m, &pos));)
		if (!tx_is_final(entry_tx(e), tip->height + 1, mtp))
			change_remove(&ch, e, true, REMOVED_REORG);
	CHECK(change_plan(&ch));
	change_commit(&ch);
	for (pos = 0; (e = mempool_next(m, &pos));)
		if (e->has_locks || e->spends_coinbase)
			change_remove(&ch, e, true, REMOVED_REORG);
	set_aside(&ch, u);
}

static enum err take_back(struct mempool *m, const struct aside *s,
			  bool scripts_known, struct why *why)
{
	const struct accept_options opt = { .own = s->own,
					    .time_unix = s->time_unix };
	const struct attempt a = { .m = m, .opt = &opt,
				   .bypass_limits = true };
	struct accept_result result;
	struct candidate c;
	enum err e;

	candidate_init(&c, s->tx);
	c.scripts_known = scripts_known;
	e = accept_one(&a, &result, NULL, &c, why);
	candidate_clear(&c);
	return e;
}

static enum err take_block_back(struct mempool *m, const struct block *b,
				struct why *why)
{
	enum err e = ERR_NONE;

	for (uint32_t i = 1; b && !e && i < b->tx_count; i++) {
		struct aside s = { .tx = shared_tx_copy(&b->tx[i]) };

		e = take_back(m, &s, false, why);
		shared_tx_unref(s.tx);
	}
	return e;
}

enum err mempool_settle(struct mempool *m, struct why *why)
{
	struct undone *u = m->undone;
	size_t n = m->undone_n, i, j;
	struct undone rest = { 0 };
	enum err e = ERR_NONE;

	if (!n)
		return ERR_NONE;
	m->undone = NULL;
	m->undone_n = m->undone_cap = 0;
	recheck_all(m, &rest);
	/* The lowest block was disconnected last. */
	for (i = n; !e && i-- > 0;)
		e = take_block_back(m, u[i].block, why);
	for (j = 0; !e && j < rest.aside_n; j++)
		e = take_back(m, &rest.aside[j], true, why);
	for (i = n; !e && i-- > 0;)
		for (j = 0; !e && j < u[i].aside_n; j++)
			e = take_back(m, &u[i].aside[j], true, why);
	for (j = 0; j < rest.aside_n; j++)
		shared_tx_unref(rest.aside[j].tx);
	free(rest.aside);
	undone_free(u, n);
	mempool_limit(m);
	log_debug(LOG_MEMPOOL, "blocks were disconnected: %zu transactions "
		  "now", mempool_count(m));
	return e;
}
