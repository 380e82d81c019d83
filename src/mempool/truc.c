/*
 * Topologically restricted transactions (version 3, BIP431): at most one
 * unconfirmed parent or one child, both of version 3, the child small.
 */
#include "config.h"

#include "mempool/candidate.h"

#define REASON "TRUC-violation"

/* Names of a transaction in a text: "tx %s (wtxid=%s)". */
struct names {
	char txid[65], wtxid[65];
};

static struct names names_of(const struct tx *tx)
{
	struct names n;

	hash_to_rpc_hex(n.txid, tx->txid.b);
	hash_to_rpc_hex(n.wtxid, tx->wtxid.b);
	return n;
}

static bool broken_inheritance(struct reject *r, const struct tx *child,
			       const struct tx *parent)
{
	struct names c = names_of(child), p = names_of(parent);
	bool truc = child->version == TRUC_VERSION;

	return reject_set(r, REJECT_POLICY, REASON, "%sversion=3 tx %s "
			  "(wtxid=%s) cannot spend from %sversion=3 tx %s "
			  "(wtxid=%s)", truc ? "" : "non-", c.txid, c.wtxid,
			  truc ? "non-" : "", p.txid, p.wtxid);
}

static bool too_many_ancestors(struct reject *r, const struct tx *tx)
{
	struct names n = names_of(tx);

	return reject_set(r, REJECT_POLICY, REASON, "tx %s (wtxid=%s) would "
			  "have too many ancestors", n.txid, n.wtxid);
}

static bool too_many_descendants(struct reject *r, const struct tx *parent)
{
	struct names n = names_of(parent);

	return reject_set(r, REJECT_POLICY, REASON, "tx %s (wtxid=%s) would "
			  "exceed descendant count limit", n.txid, n.wtxid);
}

static bool too_big(struct reject *r, const struct tx *tx, const char *what,
		    int64_t vsize, int64_t max)
{
	struct names n = names_of(tx);

	return reject_set(r, REJECT_POLICY, REASON, "version=3 %stx %s "
			  "(wtxid=%s) is too big: %lld > %lld virtual bytes",
			  what, n.txid, n.wtxid, (long long)vsize,
			  (long long)max);
}

/* The one parent's other descendants; one of them may have to go. */
static bool check_descendants(struct reject *r, const struct candidate *c,
			      const struct mempool_entry **sibling)
{
	const struct mempool_entry *p = c->parents.v[0];
	uint64_t others = entry_descendants(p) & ~(UINT64_C(1) << p->slot);
	const struct mempool_entry *one = NULL;

	for (uint64_t set = others; set; set &= set - 1) {
		one = cluster_entry(p->cluster, bit_first(set));
		if (entry_set_has(&c->conflicts, one))
			return true;
	}
	if (!others)
		return true;
	/* More can only be there after a reorganisation. */
	if (bit_count(others) == 1 && bit_count(entry_ancestors(one)) == 2)
		*sibling = one;
	return too_many_descendants(r, entry_tx(p));
}

bool truc_check(struct reject *r, const struct candidate *c,
		const struct mempool_entry **sibling)
{
	const struct tx *tx = &c->tx->tx;
	bool truc = tx->version == TRUC_VERSION;
	int64_t vsize = candidate_vsize(c);

	for (size_t i = 0; i < c->parents.n; i++) {
		const struct tx *p = entry_tx(c->parents.v[i]);

		if ((p->version == TRUC_VERSION) != truc)
			return broken_inheritance(r, tx, p);
	}
	if (!truc)
		return true;
	if (vsize > TRUC_MAX_VSIZE)
		return too_big(r, tx, "", vsize, TRUC_MAX_VSIZE);
	if (!c->parents.n)
		return true;
	if (c->parents.n > 1 || bit_count(entry_ancestors(c->parents.v[0])) >
				1)
		return too_many_ancestors(r, tx);
	if (vsize > TRUC_CHILD_MAX_VSIZE)
		return too_big(r, tx, "child ", vsize, TRUC_CHILD_MAX_VSIZE);
	return check_descendants(r, c, sibling);
}

/* ---- in a package ---- */

/* Others of the package beside child and its parent. */
static bool check_relatives(struct reject *r, const struct candidate *all,
			    size_t n, size_t i, const struct tx *parent)
{
	const struct tx *tx = &all[i].tx->tx;

	for (size_t j = 0; j < n; j++) {
		const struct tx *other = &all[j].tx->tx;

		if (j == i)
			continue;
		if (tx_spends_from(other, &parent->txid))
			return too_many_descendants(r, parent);
		if (tx_spends_from(other, &tx->txid))
			return too_many_ancestors(r, other);
	}
	return true;
}

bool truc_check_package(struct reject *r, const struct candidate *all,
			size_t n, size_t i)
{
	const struct candidate *c = &all[i];
	const struct tx *tx = &c->tx->tx, *parent = NULL;
	bool truc = tx->version == TRUC_VERSION;
	size_t parents = c->parents.n;
	int64_t vsize = candidate_vsize(c);

	for (size_t j = 0; j < i; j++) {
		const struct tx *p = &all[j].tx->tx;

		if (!tx_spends_from(tx, &p->txid))
			continue;
		parents++;
		parent = p;
		if (!truc && p->version == TRUC_VERSION)
			return broken_inheritance(r, tx, p);
	}
	if (!truc || !parents)
		return true;
	if (parents > 1 ||
	    (c->parents.n && bit_count(entry_ancestors(c->parents.v[0])) > 1))
		return too_many_ancestors(r, tx);
	if (vsize > TRUC_CHILD_MAX_VSIZE)
		return too_big(r, tx, "child ", vsize, TRUC_CHILD_MAX_VSIZE);
	if (c->parents.n)
		parent = entry_tx(c->parents.v[0]);
	if (parent->version != TRUC_VERSION)
		return broken_inheritance(r, tx, parent);
	if (!check_relatives(r, all, n, i, parent))
		return false;
	if (c->parents.n && bit_count(entry_descendants(c->parents.v[0])) > 1)
		return too_many_descendants(r, parent);
	return true;
}
