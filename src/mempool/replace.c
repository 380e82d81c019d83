/*
 * Replacement: whoever spends what the pool spends already must pay more
 * than all it drives out and for its own relay, and leave the pool a better
 * feerate diagram.  Nobody need have signalled anything.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "mempool/candidate.h"
#include "mempool/mempool_priv.h"

static unsigned count_clusters(const struct entry_set *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t j = 0;

		while (j < i && s->v[j]->cluster != s->v[i]->cluster)
			j++;
		n += j == i;
	}
	return n;
}

static bool too_many(struct reject *r, const char *prefix, const char *suffix,
		     const struct candidate *c, unsigned clusters)
{
	char reason[128], txid[65];

	hash_to_rpc_hex(txid, c->tx->tx.txid.b);
	snprintf(reason, sizeof reason, "%stoo many potential replacements%s",
		 prefix, suffix);
	return reject_set(r, REJECT_POLICY, reason, "rejecting replacement "
			  "%s; too many conflicting clusters (%u > %d)", txid,
			  clusters, POLICY_MAX_CLUSTERS_REPLACED);
}

/* What is paid against what is driven out, and for the relay. */
struct bid {
	const struct candidate *c;       /* named in the text */
	int64_t fee_sat, vsize, old_fee_sat;
};

static bool pays(struct reject *r, const struct mempool *m,
		 const struct bid *b, const char *reason)
{
	int64_t relay = fee_at_rate(m->opt.policy.incremental_sat_kvb,
				    b->vsize);
	int64_t more = b->fee_sat - b->old_fee_sat;
	char txid[65], x[32], y[32];

	hash_to_rpc_hex(txid, b->c->tx->tx.txid.b);
	money_text(x, b->fee_sat);
	money_text(y, b->old_fee_sat);
	if (more < 0)
		return reject_set(r, REJECT_RECONSIDERABLE, reason,
				  "rejecting replacement %s, less fees than "
				  "conflicting txs; %s < %s", txid, x, y);
	money_text(x, more);
	money_text(y, relay);
	if (more < relay)
		return reject_set(r, REJECT_RECONSIDERABLE, reason,
				  "rejecting replacement %s, not enough "
				  "additional fees to relay; %s < %s", txid,
				  x, y);
	return true;
}

static bool too_large(struct reject *r)
{
	return reject_set(r, REJECT_POLICY, "too-large-cluster", "%s", "");
}

/* Spending what it drives out, it would be spending nothing. */
static bool spends_conflict(struct reject *r, const struct candidate *c)
{
	char txid[65], other[65];

	for (size_t i = 0; i < c->parents.n; i++) {
		const struct mempool_entry *p = c->parents.v[i];
		const struct cluster *cl = p->cluster;
		uint64_t set = entry_ancestors(p);

		for (; set; set &= set - 1) {
			const struct mempool_entry *e =
				cluster_entry(cl, bit_first(set));

			if (!entry_set_has(&c->conflicts, e))
				continue;
			hash_to_rpc_hex(txid, c->tx->tx.txid.b);
			hash_to_rpc_hex(other, entry_tx(e)->txid.b);
			reject_set(r, REJECT_CONSENSUS,
				   "bad-txns-spends-conflicting-tx",
				   "%s spends conflicting transaction %s",
				   txid, other);
			return true;
		}
	}
	return false;
}

static void remove_conflicts(struct change *ch, const struct candidate *c)
{
	for (size_t i = 0; i < c->conflicts.n; i++)
		change_remove(ch, c->conflicts.v[i], true, REMOVED_REPLACED);
}

#define NO_BETTER "insufficient feerate: does not improve feerate diagram"

bool replace_plan(struct change *ch, struct reject *r,
		  const struct candidate *c)
{
	const char *suffix = c->sibling ? " (including sibling eviction)"
					: "";
	struct bid bid = { c, candidate_fee(c), candidate_vsize(c), 0 };
	unsigned clusters = count_clusters(&c->conflicts);
	char reason[64];

	if (clusters > POLICY_MAX_CLUSTERS_REPLACED)
		return too_many(r, "", suffix, c, clusters);
	if (c->conflicts.n && spends_conflict(r, c))
		return false;
	remove_conflicts(ch, c);
	bid.old_fee_sat = change_removed_fees(ch);
	snprintf(reason, sizeof reason, "insufficient fee%s", suffix);
	if (c->conflicts.n && !pays(r, ch->m, &bid, reason))
		return false;
	change_add(ch, c->entry, &c->parents);
	if (!change_plan(ch))
		return too_large(r);
	if (c->conflicts.n && change_compare(ch) != 1)
		return reject_set(r, REJECT_RECONSIDERABLE,
				  "replacement-failed", "%s", NO_BETTER);
	return true;
}

/* ---- packages ---- */

#define FAILED "package RBF failed: "

static void rate_text(char out[static 48], int64_t fee_sat, int64_t vsize)
{
	char amount[32];

	amount_format(amount, rate_of_fee(fee_sat, vsize));
	snprintf(out, 48, "%s BTC/kvB", amount);
}

/* The two must be one chunk: else the child only buys the parent's way. */
static bool child_pays(struct reject *r, const struct candidate *parent,
		       const struct bid *whole)
{
	int64_t fee = candidate_fee(parent), vsize = candidate_vsize(parent);
	char x[48], y[48];

	if (feerate_cmp((struct feerate){ whole->fee_sat, whole->vsize },
			(struct feerate){ fee, vsize }) > 0)
		return true;
	rate_text(x, whole->fee_sat, whole->vsize);
	rate_text(y, fee, vsize);
	return reject_set(r, REJECT_POLICY, FAILED "package feerate is less "
			  "than or equal to parent feerate",
			  "package feerate %s <= parent feerate is %s", x, y);
}

static bool package_pays(struct change *ch, struct reject *r,
			 const struct candidate *all, size_t n)
{
	const struct candidate *child = &all[n - 1];
	struct bid bid = { .c = child };
	struct entry_set conflicts = { 0 };
	unsigned clusters;

	if (n != 2 || !tx_spends_from(&child->tx->tx, &all[0].tx->tx.txid))
		return reject_set(r, REJECT_POLICY, FAILED "package must be "
				  "1-parent-1-child", "%s", "");
	for (size_t i = 0; i < n; i++) {
		if (all[i].parents.n)
			return reject_set(r, REJECT_POLICY, FAILED "new "
					  "transaction cannot have mempool "
					  "ancestors", "%s", "");
		bid.fee_sat += candidate_fee(&all[i]);
		bid.vsize += candidate_vsize(&all[i]);
		for (size_t j = 0; j < all[i].conflicts.n; j++)
			entry_set_add(&conflicts, all[i].conflicts.v[j]);
	}
	clusters = count_clusters(&conflicts);
	free(conflicts.v);
	if (clusters > POLICY_MAX_CLUSTERS_REPLACED)
		return too_many(r, FAILED, "", child, clusters);
	bid.old_fee_sat = change_removed_fees(ch);
	return pays(r, ch->m, &bid, FAILED "insufficient anti-DoS fees") &&
	       child_pays(r, &all[0], &bid);
}

bool replace_plan_package(struct change *ch, struct reject *r,
			  const struct candidate *all, size_t n)
{
	bool replaces = false;

	for (size_t i = 0; i < n; i++) {
		replaces |= all[i].conflicts.n > 0;
		remove_conflicts(ch, &all[i]);
	}
	if (replaces && !package_pays(ch, r, all, n))
		return false;
	for (size_t i = 0; i < n; i++)
		change_add(ch, all[i].entry, &all[i].parents);
	if (!change_plan(ch))
		return too_large(r);
	if (replaces && change_compare(ch) != 1)
		return reject_set(r, REJECT_POLICY, FAILED NO_BETTER, "%s",
				  "");
	return true;
}
