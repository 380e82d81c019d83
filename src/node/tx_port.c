/*
 * Transactions of peers, judged by the mempool on the chain's thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "node/chain_port_priv.h"

struct tx_job {
	struct port_job base;
	struct shared_tx *tx, *child;
	bool answered;
	char reason[520];
	struct tx_reply reply;
};

static bool listed(const struct tx_reply *r, const struct txid *id)
{
	for (size_t i = 0; i < r->missing_n; i++)
		if (txid_eq(&r->missing[i], id))
			return true;
	return false;
}

/* Which of its parents nobody here knows; none, if they are too many. */
static enum err find_missing(struct tx_reply *r, struct chain_owner *o,
			     const struct tx *tx, struct why *why)
{
	struct coin coin;
	bool found;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct outpoint *at = &tx->in[i].prevout;
		enum err e;

		if (mempool_get(o->mempool, &at->txid) ||
		    listed(r, &at->txid))
			continue;
		e = chain_get_coin(o->chain, &found, &coin, at, why);
		if (e)
			return e;
		if (found)
			continue;
		if (r->missing_n == TX_MISSING_MAX) {
			r->missing_n = 0;
			return ERR_NONE;
		}
		r->missing[r->missing_n++] = at->txid;
	}
	return ERR_NONE;
}

static enum tx_outcome outcome_of(const struct accept_result *res)
{
	if (res->status == ACCEPT_OK)
		return TX_TAKEN;
	if (res->status == ACCEPT_IN_POOL ||
	    res->status == ACCEPT_OTHER_WITNESS)
		return TX_HAD;
	switch (res->reject.class) {
	case REJECT_MISSING_INPUTS:
		return TX_NO_INPUTS;
	case REJECT_CONFLICT:
		return TX_HAD;
	case REJECT_RECONSIDERABLE:
		return TX_LOW_FEE;
	case REJECT_WITNESS_STRIPPED:
		return TX_STRIPPED;
	case REJECT_NONE:
	case REJECT_CONSENSUS:
	case REJECT_NONSTANDARD:
	case REJECT_INPUTS_NONSTANDARD:
	case REJECT_PREMATURE:
	case REJECT_WITNESS_MUTATED:
	case REJECT_POLICY:
		break;
	}
	return TX_REFUSED;
}

static enum err judge_alone(struct tx_job *j, struct chain_owner *o,
			    struct why *why)
{
	const struct accept_options opt = { 0 };
	struct accept_result res;
	enum err e = mempool_accept(o->mempool, &res, NULL, j->tx, &opt, why);

	if (e)
		return e;
	j->reply.outcome = outcome_of(&res);
	if (res.status == ACCEPT_REFUSED)
		reject_text(j->reason, &res.reject);
	if (j->reply.outcome != TX_NO_INPUTS)
		return ERR_NONE;
	return find_missing(&j->reply, o, &j->tx->tx, why);
}

static enum err judge_both(struct tx_job *j, struct chain_owner *o,
			   struct why *why)
{
	const struct accept_options opt = { 0 };
	struct shared_tx *const txs[] = { j->tx, j->child };
	struct package_result res;
	enum err e = mempool_accept_package(o->mempool, &res, NULL, txs,
					    ARRAY_SIZE(txs), &opt, why);

	if (e)
		return e;
	j->reply.outcome = TX_REFUSED;
	if (res.class == PACKAGE_OK || res.class == PACKAGE_TX) {
		j->reply.outcome = outcome_of(&res.tx[0]);
		if (res.tx[0].status == ACCEPT_REFUSED)
			reject_text(j->reason, &res.tx[0].reject);
	} else {
		reject_text(j->reason, &res.reject);
	}
	package_result_clear(&res);
	return ERR_NONE;
}

static void tx_run(struct job *job, void *owner)
{
	struct tx_job *j = CONTAINER_OF(job, struct tx_job, base.job);
	struct chain_owner *o = owner;
	struct why why;
	enum err e;

	if (!chain_usable(o) || !o->mempool)
		return;
	j->reply.peer = j->base.peer;
	j->reply.tx = j->tx;
	j->reply.reason = j->reason;
	j->reply.with_child = j->child != NULL;
	if (j->child)
		e = judge_both(j, o, &why);
	else
		e = judge_alone(j, o, &why);
	if (e)
		chain_owner_trouble(o, &why);
	j->answered = !e;
}

static void tx_done(struct job *job)
{
	struct tx_job *j = CONTAINER_OF(job, struct tx_job, base.job);

	if (j->answered && j->base.port->p2p)
		p2p_on_tx_result(j->base.port->p2p, &j->reply);
	chain_port_unref(j->base.port);
	shared_tx_unref(j->tx);
	shared_tx_unref(j->child);
	free(j);
}

bool chain_port_tx(struct chain_port *cp, peer_id peer, struct shared_tx *tx,
		   struct shared_tx *child)
{
	struct tx_job *j = xcalloc(1, sizeof *j);

	j->base.job.run = tx_run;
	j->base.job.done = tx_done;
	j->tx = shared_tx_ref(tx);
	j->child = child ? shared_tx_ref(child) : NULL;
	if (chain_port_post(cp, &j->base, peer))
		return true;
	shared_tx_unref(j->tx);
	shared_tx_unref(j->child);
	free(j);
	return false;
}
