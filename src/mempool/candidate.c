/*
 * The questions put to a transaction before its scripts are run, cheapest
 * first, in the reference node's order.
 */
#include "config.h"

#include "mempool/candidate.h"

#include <stdlib.h>

#include "consensus/block_check.h"
#include "mempool/mempool_priv.h"

/* So many outputs tell whether the transaction itself is in the chain. */
#define KNOWN_OUTPUTS 8

void candidate_init(struct candidate *c, struct shared_tx *tx)
{
	*c = (struct candidate){ .tx = tx, .entry = entry_new(tx) };
}

void candidate_clear(struct candidate *c)
{
	entry_free(c->entry);
	arena_clear(&c->arena);
	free(c->conflicts.v);
	free(c->parents.v);
	*c = (struct candidate){ 0 };
}

static int next_height(const struct mempool *m)
{
	return chain_tip(m->opt.chain)->height + 1;
}

/* ---- the transaction as it stands ---- */

static bool check_alone(const struct attempt *a, const struct tx *tx,
			struct reject *r)
{
	const struct mempool *m = a->m;
	const struct header_node *tip = chain_tip(m->opt.chain);
	const struct mempool_entry *here;
	enum verdict v = tx_check(tx);

	if (v)
		return reject_set(r, REJECT_CONSENSUS, verdict_reason(v),
				  "%s", "");
	if (tx_is_coinbase(tx))
		return reject_set(r, REJECT_CONSENSUS, "coinbase", "%s", "");
	if (m->opt.policy.require_standard &&
	    !policy_standard(r, &m->opt.policy, tx))
		return false;
	if (tx->stripped_bytes < POLICY_MIN_TX_BYTES)
		return reject_set(r, REJECT_NONSTANDARD, "tx-size-small",
				  "%s", "");
	if (!tx_is_final(tx, tip->height + 1, header_node_mtp(tip)))
		return reject_set(r, REJECT_PREMATURE, "non-final", "%s", "");
	here = mempool_get(m, &tx->txid);
	if (!here)
		return true;
	if (memcmp(&entry_tx(here)->wtxid, &tx->wtxid, sizeof tx->wtxid))
		return reject_set(r, REJECT_CONFLICT,
				  "txn-same-nonwitness-data-in-mempool",
				  "%s", "");
	return reject_set(r, REJECT_CONFLICT, "txn-already-in-mempool", "%s",
			  "");
}

static bool find_conflicts(const struct attempt *a, struct candidate *c,
			   struct reject *r)
{
	const struct tx *tx = &c->tx->tx;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct mempool_entry *e =
			mempool_spender(a->m, &tx->in[i].prevout);

		if (!e)
			continue;
		if (a->no_replacing)
			return reject_set(r, REJECT_POLICY,
					  "bip125-replacement-disallowed",
					  "%s", "");
		entry_set_add(&c->conflicts, e);
	}
	return true;
}

/* ---- what it spends ---- */

static const struct tx *package_parent(const struct attempt *a,
				       const struct txid *id)
{
	for (size_t i = 0; i < a->before_n; i++)
		if (txid_eq(&a->before[i].tx->tx.txid, id))
			return &a->before[i].tx->tx;
	return NULL;
}

/* Is the transaction itself in the chain, with something left unspent? */
static enum err is_known(const struct mempool *m, const struct tx *tx,
			 bool *known, struct why *why)
{
	struct outpoint o = { .txid = tx->txid };
	uint32_t n = MIN_OF(tx->out_count, (uint32_t)KNOWN_OUTPUTS);
	struct coin coin;
	enum err e = ERR_NONE;

	*known = false;
	for (o.n = 0; !e && !*known && o.n < n; o.n++)
		e = chain_get_coin(m->opt.chain, known, &coin, &o, why);
	return e;
}

static enum err fetch_coin(const struct attempt *a, struct candidate *c,
			   uint32_t i, bool *found, struct why *why)
{
	const struct outpoint *o = &c->tx->tx.in[i].prevout;
	const struct mempool_entry *e = mempool_get(a->m, &o->txid);
	const struct tx *parent = e ? entry_tx(e)
				    : package_parent(a, &o->txid);
	struct coin coin;
	enum err err;

	if (e)
		entry_set_add(&c->parents, e);
	if (parent) {
		*found = o->n < parent->out_count;
		if (*found)
			c->spent[i] = parent->out[o->n];
		c->meta[i] = (struct coin_meta){
			.height = next_height(a->m) };
		return ERR_NONE;
	}
	err = chain_get_coin(a->m->opt.chain, found, &coin, o, why);
	if (err || !*found)
		return err;
	c->spent[i].value_sat = coin.value_sat;
	c->spent[i].script_pubkey = arena_copy(&c->arena, coin.script);
	c->meta[i] = (struct coin_meta){ coin.height, coin.coinbase };
	c->entry->spends_coinbase |= coin.coinbase;
	return ERR_NONE;
}

static enum err fetch_coins(const struct attempt *a, struct candidate *c,
			    struct reject *r, struct why *why)
{
	const struct tx *tx = &c->tx->tx;
	enum err e = ERR_NONE;
	bool found = true, known;

	c->spent = arena_calloc(&c->arena, tx->in_count, sizeof *c->spent);
	c->meta = arena_calloc(&c->arena, tx->in_count, sizeof *c->meta);
	for (uint32_t i = 0; !e && found && i < tx->in_count; i++)
		e = fetch_coin(a, c, i, &found, why);
	if (e || found)
		return e;
	e = is_known(a->m, tx, &known, why);
	if (e)
		return e;
	if (known)
		reject_set(r, REJECT_CONFLICT, "txn-already-known", "%s", "");
	else
		reject_set(r, REJECT_MISSING_INPUTS,
			   "bad-txns-inputs-missingorspent", "%s", "");
	return ERR_NONE;
}

static int64_t mtp_before(int height, void *arg)
{
	return header_node_mtp(header_node_ancestor(arg,
						    MAX_OF(height - 1, 0)));
}

static bool has_relative_locks(const struct tx *tx)
{
	for (uint32_t i = 0; tx->version >= 2 && i < tx->in_count; i++) {
		uint32_t s = tx->in[i].sequence;

		if (!(s & SEQUENCE_DISABLE) && s & SEQUENCE_MASK)
			return true;
	}
	return false;
}

void money_text(char out[static 32], int64_t sat)
{
	size_t n;

	amount_format(out, sat);
	/* Zeros at the end go, but for two decimals. */
	for (n = strlen(out); n > 3 && out[n - 1] == '0' &&
	     out[n - 3] != '.'; n--)
		out[n - 1] = '\0';
}

static bool inputs_reject(const struct candidate *c, struct reject *r,
			  enum verdict v, int height)
{
	const struct tx *tx = &c->tx->tx;
	const char *reason = verdict_reason(v);
	int64_t in = 0, out = 0;
	char in_text[32], out_text[32];
	int depth = 0;

	if (v == VERDICT_PREMATURE_COINBASE) {
		for (uint32_t i = 0; i < tx->in_count && !depth; i++)
			if (c->meta[i].coinbase && height - c->meta[i].height
						   < COINBASE_MATURITY)
				depth = height - c->meta[i].height;
		return reject_set(r, REJECT_PREMATURE, reason, "tried to "
				  "spend coinbase at depth %d", depth);
	}
	if (v != VERDICT_IN_BELOW_OUT)
		return reject_set(r, REJECT_CONSENSUS, reason, "%s", "");
	for (uint32_t i = 0; i < tx->in_count; i++)
		in += c->spent[i].value_sat;
	for (uint32_t i = 0; i < tx->out_count; i++)
		out += tx->out[i].value_sat;
	money_text(in_text, in);
	money_text(out_text, out);
	return reject_set(r, REJECT_CONSENSUS, reason, "value in (%s) < "
			  "value out (%s)", in_text, out_text);
}

static bool check_inputs(const struct attempt *a, struct candidate *c,
			 struct reject *r)
{
	const struct tx *tx = &c->tx->tx;
	const struct mempool *m = a->m;
	struct header_node *tip = chain_tip(m->opt.chain);
	int height = tip->height + 1;
	enum verdict v;

	if (!tx_sequence_locks_ok(tx, c->meta, height, header_node_mtp(tip),
				  mtp_before, tip))
		return reject_set(r, REJECT_PREMATURE, "non-BIP68-final",
				  "%s", "");
	v = tx_check_inputs(&c->entry->fee_sat, tx, c->spent, c->meta,
			    height);
	if (v)
		return inputs_reject(c, r, v, height);
	if (!m->opt.policy.require_standard)
		return true;
	if (!policy_inputs_standard(r, tx, c->spent))
		return false;
	if (!policy_witness_standard(tx, c->spent))
		return reject_set(r, REJECT_WITNESS_MUTATED,
				  "bad-witness-nonstandard", "%s", "");
	return true;
}

/* ---- what it costs ---- */

bool candidate_fee_ok(struct mempool *m, struct reject *r, int64_t fee_sat,
		      int64_t vsize)
{
	int64_t pool = fee_at_rate(mempool_min_fee(m), vsize);
	int64_t relay = fee_at_rate(m->opt.policy.min_relay_sat_kvb, vsize);

	if (pool > 0 && fee_sat < pool)
		return reject_set(r, REJECT_RECONSIDERABLE,
				  "mempool min fee not met", "%lld < %lld",
				  (long long)fee_sat, (long long)pool);
	if (fee_sat < relay)
		return reject_set(r, REJECT_RECONSIDERABLE,
				  "min relay fee not met", "%lld < %lld",
				  (long long)fee_sat, (long long)relay);
	return true;
}

static void fill_entry(const struct attempt *a, struct candidate *c)
{
	const struct tx *tx = &c->tx->tx;
	struct mempool_entry *e = c->entry;
	uint64_t sigops = tx_sigop_cost(tx, c->spent, POLICY_SCRIPT_FLAGS);

	e->sigops_cost = (uint32_t)MIN_OF(sigops, UINT32_MAX / 32);
	e->weight_wu = (uint32_t)policy_adjusted_weight(tx_weight(tx),
							e->sigops_cost);
	e->delta_sat = pool_delta(a->m, &tx->txid);
	e->time_unix = a->opt->time_unix ? a->opt->time_unix : pool_now(a->m);
	e->height = chain_tip(a->m->opt.chain)->height;
	e->has_locks = has_relative_locks(tx);
	e->unbroadcast = a->opt->own;
	e->alone = c->parents.n == 0;
	e->replaced_other = c->conflicts.n > 0;
}

static bool check_costs(const struct attempt *a, struct candidate *c,
			struct reject *r)
{
	const struct policy *p = &a->m->opt.policy;

	fill_entry(a, c);
	if (c->entry->sigops_cost > POLICY_MAX_SIGOPS_COST)
		return reject_set(r, REJECT_NONSTANDARD,
				  "bad-txns-too-many-sigops", "%u",
				  (unsigned)c->entry->sigops_cost);
	if (p->require_standard &&
	    !policy_dust_fee_ok(r, p, &c->tx->tx, c->entry->fee_sat,
				candidate_fee(c)))
		return false;
	return a->bypass_limits || a->any_fee ||
	       candidate_fee_ok(a->m, r, candidate_fee(c),
				candidate_vsize(c));
}

static bool check_truc(const struct attempt *a, struct candidate *c,
		       struct reject *r)
{
	const struct mempool_entry *sibling = NULL;

	if (a->bypass_limits || truc_check(r, c, &sibling))
		return true;
	if (!sibling || a->no_sibling)
		return false;
	/* It may go, if that is worth it: asked about in replace.c. */
	r->class = REJECT_NONE;
	entry_set_add(&c->conflicts, sibling);
	c->sibling = true;
	c->entry->replaced_other = true;
	return true;
}

enum err candidate_check(const struct attempt *a, struct candidate *c,
			 struct reject *r, struct why *why)
{
	enum err e;

	r->class = REJECT_NONE;
	if (!check_alone(a, &c->tx->tx, r) || !find_conflicts(a, c, r))
		return ERR_NONE;
	e = fetch_coins(a, c, r, why);
	if (e || r->class)
		return e;
	if (check_inputs(a, c, r) && check_costs(a, c, r))
		(void)check_truc(a, c, r);
	return ERR_NONE;
}
