/*
 * A transaction's way in: the questions of candidate.c, the change to the
 * clusters planned, the scripts, then it is done.
 */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "mempool/accept.h"

void tx_list_add(struct tx_list *l, struct shared_tx *tx)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 8;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = shared_tx_ref(tx);
}

void tx_list_clear(struct tx_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		shared_tx_unref(l->v[i]);
	free(l->v);
	*l = (struct tx_list){ 0 };
}

/* ---- results ---- */

void accept_list_removed(struct tx_list *out, const struct change *ch)
{
	for (size_t i = 0; out && i < ch->touched_n; i++) {
		const struct cluster *c = ch->touched[i];
		uint64_t set = c->doomed;

		for (; set; set &= set - 1)
			tx_list_add(out, c->entry[bit_first(set)]->tx);
	}
}

void accept_log(const struct candidate *c, const struct accept_result *out)
{
	char wtxid[65], text[520];

	if (!log_wants(LOG_MEMPOOL, LOG_LEVEL_DEBUG))
		return;
	hash_to_rpc_hex(wtxid, c->tx->tx.wtxid.b);
	if (out->status == ACCEPT_OK) {
		log_debug(LOG_MEMPOOL, "accepted wtx=%s vsize=%lld fee=%lld",
			  wtxid, (long long)out->vsize,
			  (long long)out->fee_sat);
		return;
	}
	reject_text(text, &out->reject);
	log_debug(LOG_MEMPOOL, "refused wtx=%s: %s", wtxid, text);
}

/* What it is and pays, alone. */
void accept_fill(struct accept_result *out, const struct candidate *c)
{
	out->fee_sat = c->entry->fee_sat;
	out->vsize = candidate_vsize(c);
	out->rate_sat_kvb = rate_of_fee(candidate_fee(c), out->vsize);
	out->includes[0] = c->tx->tx.wtxid;
	out->includes_count = 1;
}

bool accept_known(const struct mempool *m, struct accept_result *out,
		  const struct tx *tx)
{
	const struct mempool_entry *e = mempool_get(m, &tx->txid);

	if (!e)
		return false;
	out->fee_sat = e->fee_sat;
	out->vsize = entry_vsize(e);
	out->other = entry_tx(e)->wtxid;
	out->status = memcmp(&out->other, &tx->wtxid, sizeof out->other) ?
		      ACCEPT_OTHER_WITNESS : ACCEPT_IN_POOL;
	return true;
}

/* ---- one ---- */

static bool rate_ok(struct reject *r, const struct attempt *a,
		    const struct candidate *c)
{
	int64_t max = a->opt->max_rate_sat_kvb;

	return !max || candidate_fee(c) * 1000 <= max * candidate_vsize(c) ||
	       reject_set(r, REJECT_POLICY, "max feerate exceeded", "%s", "");
}

static void finish(const struct attempt *a, struct accept_result *out,
		   struct tx_list *replaced, struct candidate *c,
		   struct change *ch)
{
	const struct txid id = c->tx->tx.txid;

	out->status = ACCEPT_OK;
	if (a->opt->test)
		return;
	accept_list_removed(replaced, ch);
	c->entry = NULL;
	change_commit(ch);
	if (a->bypass_limits)
		return;
	mempool_limit(a->m);
	if (mempool_get(a->m, &id))
		return;
	out->status = ACCEPT_REFUSED;
	reject_set(&out->reject, REJECT_RECONSIDERABLE, "mempool full", "%s",
		   "");
}

enum err accept_one(const struct attempt *a, struct accept_result *out,
		    struct tx_list *replaced, struct candidate *c,
		    struct why *why)
{
	struct reject *r = &out->reject;
	struct change ch;
	enum err e;

	*out = (struct accept_result){ 0 };
	change_init(&ch, a->m);
	e = candidate_check(a, c, r, why);
	if (e)
		goto out;
	if (r->class == REJECT_CONFLICT)
		(void)accept_known(a->m, out, &c->tx->tx);
	if (r->class == REJECT_NONE || r->class == REJECT_RECONSIDERABLE)
		accept_fill(out, c);
	if (r->class == REJECT_NONE && rate_ok(r, a, c) &&
	    ephemeral_spent(r, a->m, c, NULL, 0) &&
	    replace_plan(&ch, r, c) && candidate_scripts_ok(a->m, c, r))
		finish(a, out, replaced, c, &ch);
	accept_log(c, out);
out:
	change_clear(&ch);
	return e;
}

enum err mempool_accept(struct mempool *m, struct accept_result *out,
			struct tx_list *replaced, struct shared_tx *tx,
			const struct accept_options *opt, struct why *why)
{
	const struct attempt a = { .m = m, .opt = opt };
	struct candidate c;
	enum err e = mempool_settle(m, why);

	if (e)
		return e;
	candidate_init(&c, tx);
	e = accept_one(&a, out, replaced, &c, why);
	candidate_clear(&c);
	return e;
}
