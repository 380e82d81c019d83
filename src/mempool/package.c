/*
 * Packages: several transactions that are judged together, since a child may
 * pay for its parents.
 */
#include "config.h"

#include <stdlib.h>

#include "mempool/accept.h"

void package_result_clear(struct package_result *r)
{
	free(r->tx);
	*r = (struct package_result){ 0 };
}

/* A package-wide failure.  Always false. */
static bool fail(struct package_result *out, enum package_class class,
		 const char *reason)
{
	out->class = class;
	return reject_set(&out->reject, REJECT_NONE, reason, "%s", "");
}

/* ---- shape ---- */

static bool same_id(const struct tx *a, const struct tx *b)
{
	return txid_eq(&a->txid, &b->txid);
}

static bool conflict(const struct tx *a, const struct tx *b)
{
	for (uint32_t i = 0; i < a->in_count; i++)
		for (uint32_t j = 0; j < b->in_count; j++)
			if (outpoint_eq(&a->in[i].prevout, &b->in[j].prevout))
				return true;
	return false;
}

static bool well_formed(struct package_result *out,
			struct shared_tx *const *txs, size_t n)
{
	uint64_t weight = 0;
	size_t i, j;

	if (n > POLICY_MAX_PACKAGE_COUNT)
		return fail(out, PACKAGE_POLICY,
			    "package-too-many-transactions");
	for (i = 0; i < n; i++)
		weight += tx_weight(&txs[i]->tx);
	if (n > 1 && weight > POLICY_MAX_PACKAGE_WEIGHT_WU)
		return fail(out, PACKAGE_POLICY, "package-too-large");
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			if (same_id(&txs[i]->tx, &txs[j]->tx))
				return fail(out, PACKAGE_POLICY,
					    "package-contains-duplicates");
	for (i = 0; i < n; i++)
		for (j = i + 1; j < n; j++)
			if (tx_spends_from(&txs[i]->tx, &txs[j]->tx.txid))
				return fail(out, PACKAGE_POLICY,
					    "package-not-sorted");
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			if (conflict(&txs[i]->tx, &txs[j]->tx))
				return fail(out, PACKAGE_POLICY,
					    "conflict-in-package");
	return true;
}

/* The last spends from each other, and they not from one another. */
bool package_is_child_with_parents(struct shared_tx *const *txs, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (!tx_spends_from(&txs[n - 1]->tx, &txs[i]->tx.txid))
			return false;
		for (size_t j = 0; j + 1 < n; j++)
			if (tx_spends_from(&txs[i]->tx, &txs[j]->tx.txid))
				return false;
	}
	return n > 1;
}

/* ---- together ---- */

/* Some of a package: which, and what becomes of them. */
struct together {
	struct mempool *m;
	const struct accept_options *opt;
	bool share_fees;         /* one rate for all; replacing is allowed */
	struct candidate c[POLICY_MAX_PACKAGE_COUNT];
	struct accept_result *result[POLICY_MAX_PACKAGE_COUNT];
	size_t n;
};

static bool refuse_one(struct package_result *out, struct accept_result *r)
{
	r->status = ACCEPT_REFUSED;
	return fail(out, PACKAGE_TX, "transaction failed");
}

static enum err check_each(struct together *t, struct package_result *out,
			   struct why *why)
{
	struct attempt a = { .m = t->m, .opt = t->opt, .no_sibling = true,
			     .any_fee = t->share_fees,
			     .no_replacing = !t->share_fees,
			     .before = t->c };

	for (a.before_n = 0; a.before_n < t->n; a.before_n++) {
		struct candidate *c = &t->c[a.before_n];
		struct accept_result *r = t->result[a.before_n];
		int64_t max = t->opt->max_rate_sat_kvb;
		enum err e = candidate_check(&a, c, &r->reject, why);

		if (e)
			return e;
		if (r->reject.class) {
			refuse_one(out, r);
			return ERR_NONE;
		}
		accept_fill(r, c);
		if (!max || candidate_fee(c) * 1000 <=
			    max * candidate_vsize(c))
			continue;
		r->status = ACCEPT_REFUSED;
		reject_set(&r->reject, REJECT_POLICY, "max feerate exceeded",
			   "%s", "");
		fail(out, PACKAGE_TX, "max feerate exceeded");
		return ERR_NONE;
	}
	return ERR_NONE;
}

static bool truc_ok(struct together *t, struct package_result *out)
{
	for (size_t i = 0; i < t->n; i++) {
		if (truc_check_package(&out->reject, t->c, t->n, i))
			continue;
		out->class = PACKAGE_POLICY;
		return false;
	}
	return true;
}

/* All pay together what each would have to. */
static bool fees_ok(struct together *t, struct package_result *out)
{
	struct accept_result *last = t->result[t->n - 1];
	int64_t fee = 0, vsize = 0;

	for (size_t i = 0; i < t->n; i++) {
		fee += candidate_fee(&t->c[i]);
		vsize += candidate_vsize(&t->c[i]);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct accept_result *r = t->result[i];

		r->rate_sat_kvb = rate_of_fee(fee, vsize);
		r->includes_count = t->n;
		for (size_t j = 0; j < t->n; j++)
			r->includes[j] = t->c[j].tx->tx.wtxid;
	}
	if (candidate_fee_ok(t->m, &last->reject, fee, vsize))
		return true;
	return refuse_one(out, last);
}

static bool plan(struct together *t, struct package_result *out,
		 struct change *ch)
{
	if (!replace_plan_package(ch, &out->reject, t->c, t->n)) {
		out->class = PACKAGE_POLICY;
		return false;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct accept_result *r = t->result[i];

		if (ephemeral_spent(&r->reject, t->m, &t->c[i], t->c, i))
			continue;
		r->status = ACCEPT_REFUSED;
		return fail(out, PACKAGE_TX, "unspent-dust");
	}
	for (size_t i = 0; i < t->n; i++)
		if (!candidate_scripts_ok(t->m, &t->c[i],
					  &t->result[i]->reject))
			return refuse_one(out, t->result[i]);
	return true;
}

static enum err accept_together(struct together *t,
				struct package_result *out,
				struct tx_list *replaced, struct why *why)
{
	struct change ch;
	enum err e = check_each(t, out, why);

	if (e || out->class)
		return e;
	change_init(&ch, t->m);
	if (truc_ok(t, out) && (!t->share_fees || fees_ok(t, out)) &&
	    plan(t, out, &ch)) {
		for (size_t i = 0; i < t->n; i++)
			t->result[i]->status = ACCEPT_OK;
		if (!t->opt->test) {
			accept_list_removed(replaced, &ch);
			for (size_t i = 0; i < t->n; i++)
				t->c[i].entry = NULL;
			change_commit(&ch);
		}
	}
	change_clear(&ch);
	return ERR_NONE;
}

static void together_add(struct together *t, struct shared_tx *tx,
			 struct accept_result *r)
{
	candidate_init(&t->c[t->n], tx);
	*r = (struct accept_result){ .status = ACCEPT_UNTRIED };
	t->result[t->n++] = r;
}

static void together_clear(struct together *t)
{
	for (size_t i = 0; i < t->n; i++)
		candidate_clear(&t->c[i]);
}

/* ---- the ways in ---- */

static enum err test_all(struct mempool *m, struct package_result *out,
			 struct shared_tx *const *txs,
			 const struct accept_options *opt, struct why *why)
{
	struct together t = { .m = m, .opt = opt };
	enum err e;

	for (size_t i = 0; i < out->n; i++)
		together_add(&t, txs[i], &out->tx[i]);
	e = accept_together(&t, out, NULL, why);
	together_clear(&t);
	return e;
}

/* Try one alone.  *again: its fees or inputs may be mended by the others. */
static enum err try_alone(struct mempool *m, struct accept_result *out,
			  struct tx_list *replaced, struct shared_tx *tx,
			  const struct accept_options *opt, bool *again,
			  struct why *why)
{
	const struct attempt a = { .m = m, .opt = opt };
	struct candidate c;
	enum err e;

	*again = false;
	*out = (struct accept_result){ 0 };
	if (accept_known(m, out, &tx->tx))
		return ERR_NONE;
	candidate_init(&c, tx);
	e = accept_one(&a, out, replaced, &c, why);
	candidate_clear(&c);
	*again = out->status == ACCEPT_REFUSED &&
		 (out->reject.class == REJECT_RECONSIDERABLE ||
		  out->reject.class == REJECT_MISSING_INPUTS);
	return e;
}

/* What was taken may have been pushed out by the others meanwhile. */
static void check_stayed(struct mempool *m, struct package_result *out,
			 struct shared_tx *const *txs)
{
	mempool_limit(m);
	for (size_t i = 0; i < out->n; i++) {
		struct accept_result *r = &out->tx[i];

		if (r->status == ACCEPT_REFUSED ||
		    r->status == ACCEPT_UNTRIED ||
		    mempool_get(m, &txs[i]->tx.txid))
			continue;
		r->status = ACCEPT_REFUSED;
		reject_set(&r->reject, REJECT_RECONSIDERABLE, "mempool full",
			   "%s", "");
		fail(out, PACKAGE_TX, "transaction failed");
	}
}

static enum err submit_all(struct mempool *m, struct package_result *out,
			   struct tx_list *replaced,
			   struct shared_tx *const *txs,
			   const struct accept_options *opt, struct why *why)
{
	struct together t = { .m = m, .opt = opt, .share_fees = true };
	struct accept_result alone[POLICY_MAX_PACKAGE_COUNT];
	bool again, give_up = false;
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; !e && i < out->n; i++) {
		e = try_alone(m, &out->tx[i], replaced, txs[i], opt, &again,
			      why);
		if (e)
			break;
		if (again) {
			alone[t.n] = out->tx[i];
			candidate_init(&t.c[t.n], txs[i]);
			t.result[t.n++] = &out->tx[i];
		} else if (out->tx[i].status == ACCEPT_REFUSED) {
			give_up = true;
		}
	}
	if (give_up) {
		fail(out, PACKAGE_TX, "transaction failed");
	} else if (!e && t.n) {
		for (i = 0; i < t.n; i++)
			*t.result[i] = (struct accept_result){
				.status = ACCEPT_UNTRIED };
		e = accept_together(&t, out, replaced, why);
		/* Who has no verdict of the second try keeps the first. */
		for (i = 0; i < t.n; i++)
			if (t.result[i]->status == ACCEPT_UNTRIED)
				*t.result[i] = alone[i];
	}
	together_clear(&t);
	check_stayed(m, out, txs);
	return e;
}

enum err mempool_accept_package(struct mempool *m, struct package_result *out,
				struct tx_list *replaced,
				struct shared_tx *const *txs, size_t n,
				const struct accept_options *opt,
				struct why *why)
{
	enum err e = mempool_settle(m, why);

	*out = (struct package_result){ .n = n };
	if (e)
		return e;
	out->tx = xcalloc(n, sizeof *out->tx);
	for (size_t i = 0; i < n; i++)
		out->tx[i].status = ACCEPT_UNTRIED;
	if (!well_formed(out, txs, n))
		return ERR_NONE;
	if (opt->test)
		return test_all(m, out, txs, opt, why);
	if (n > 1 && !package_is_child_with_parents(txs, n)) {
		fail(out, PACKAGE_POLICY, "package-not-child-with-parents");
		return ERR_NONE;
	}
	return submit_all(m, out, replaced, txs, opt, why);
}
