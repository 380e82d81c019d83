/*
 * One block onto the coins: the rules of Core's ConnectBlock, in its order.
 * Every coin that moves is noted in the flight's journal, which is also the
 * undo data.
 */
#include "config.h"

#include "validation/flight.h"

#include <stdlib.h>

#include "consensus/script.h"

/* Inputs whose coins are fetched together, about. */
#define PREFETCH_INPUTS 512

bool output_is_coin(const struct tx_out *out)
{
	return !script_is_unspendable(out->script_pubkey);
}

static size_t count_inputs(const struct block *b)
{
	size_t n = 0;
	uint32_t i;

	for (i = 1; i < b->tx_count; i++)
		n += b->tx[i].in_count;
	return n;
}

/*
 * Bring near the coins of some transactions from tx i on: what they spend,
 * and where their outputs go.  So few that they are still near when their
 * turn comes; so many that reading from the disk is worth sharing.
 *
 * next     out: the first transaction that was left out
 */
static enum err prefetch(struct flight *fl, uint32_t i, uint32_t *next,
			 struct why *why)
{
	const struct block *b = fl->block;
	struct coins *coins = fl->chain->coins;
	struct outpoint *list = NULL;
	size_t n = 0, cap = 0;
	uint32_t j, first = i;
	enum err e = ERR_NONE;

	for (; i < b->tx_count && n < PREFETCH_INPUTS; i++) {
		const struct tx *tx = &b->tx[i];

		if (i && n + tx->in_count > cap) {
			cap = n + tx->in_count + PREFETCH_INPUTS;
			list = xrealloc(list, cap * sizeof *list);
		}
		for (j = 0; i && j < tx->in_count; j++)
			list[n++] = tx->in[j].prevout;
	}
	*next = i;
	if (n)
		e = coins_prefetch(coins, list, n, fl->chain->workers, why);
	/* Last: reading from the disk drives it out again. */
	for (; first < i; first++)
		coins_expect(coins, &b->tx[first]);
	free(list);
	return e;
}

static void journal_init(struct flight *fl, size_t inputs)
{
	const struct block *b = fl->block;
	struct coin *coins;
	uint32_t i;

	fl->spent = arena_calloc(&fl->arena, inputs + 1, sizeof *fl->spent);
	fl->meta = arena_calloc(&fl->arena, inputs + 1, sizeof *fl->meta);
	coins = arena_calloc(&fl->arena, inputs + 1, sizeof *coins);
	fl->begun = true;
	fl->undo.count = b->tx_count - 1;
	fl->undo.txs = arena_calloc(&fl->arena, fl->undo.count,
				    sizeof *fl->undo.txs);
	for (i = 1; i < b->tx_count; i++) {
		fl->undo.txs[i - 1].coins = coins;
		coins += b->tx[i].in_count;
	}
}

static enum err check_bip30(struct flight *fl, struct finding *f,
			    struct why *why)
{
	const struct block *b = fl->block;
	struct outpoint o;
	struct coin coin;
	uint32_t i;
	bool found;
	enum err e;

	for (i = 0; i < b->tx_count; i++) {
		o.txid = b->tx[i].txid;
		for (o.n = 0; o.n < b->tx[i].out_count; o.n++) {
			e = coins_get(fl->chain->coins, &found, &coin, &o,
				      why);
			if (e)
				return e;
			if (!found)
				continue;
			*f = finding_of(VERDICT_BIP30);
			f->tx = (int32_t)i;
			return ERR_NONE;
		}
	}
	return ERR_NONE;
}

/* Spend what tx i spends, into the journal. */
static enum err spend_inputs(struct flight *fl, uint32_t i, bool *missing,
			     struct why *why)
{
	const struct tx *tx = &fl->block->tx[i];
	struct tx_undo *u = &fl->undo.txs[i - 1];
	uint32_t j;

	*missing = false;
	for (j = 0; j < tx->in_count; j++) {
		struct coin *coin = &u->coins[j];
		bool found;
		enum err e = coins_spend(fl->chain->coins, &found, coin,
					 &fl->arena, &tx->in[j].prevout, why);

		if (e)
			return e;
		if (!found) {
			*missing = true;
			return ERR_NONE;
		}
		u->count++;
		fl->spent[fl->spent_count].value_sat = coin->value_sat;
		fl->spent[fl->spent_count].script_pubkey = coin->script;
		fl->meta[fl->spent_count].height = coin->height;
		fl->meta[fl->spent_count++].coinbase = coin->coinbase;
	}
	return ERR_NONE;
}

static enum err add_outputs(struct flight *fl, uint32_t i, struct why *why)
{
	const struct tx *tx = &fl->block->tx[i];
	struct outpoint o = { .txid = tx->txid };
	struct coin coin = { .height = fl->node->height, .coinbase = i == 0 };

	for (o.n = 0; o.n < tx->out_count; o.n++, fl->outs_done++) {
		enum err e;

		if (!output_is_coin(&tx->out[o.n]))
			continue;
		coin.value_sat = tx->out[o.n].value_sat;
		coin.script = tx->out[o.n].script_pubkey;
		e = coins_add(fl->chain->coins, &o, &coin, coin.coinbase,
			      why);
		if (e)
			return e;
	}
	fl->outs_done = 0;
	fl->txs_done++;
	return ERR_NONE;
}

/* MTP of the block before the one at `height`, for BIP68. */
static int64_t mtp_before(int height, void *arg)
{
	return header_node_mtp(header_node_ancestor(arg,
						    MAX_OF(height - 1, 0)));
}

/* Of the transactions so far. */
struct totals {
	int64_t fees;
	uint64_t sigops;
	int64_t prev_mtp;        /* of the block before: the same for all */
};

/* The rules of one transaction and its spent coins, scripts apart. */
static enum verdict check_tx(struct flight *fl, struct totals *t,
			     const struct tx *tx, size_t first)
{
	const struct chain_params *p = fl->chain->opt.params;
	struct header_node *prev = fl->node->prev;
	int height = fl->node->height;
	int64_t fee;
	enum verdict v = tx_check_inputs(&fee, tx, fl->spent + first,
					 fl->meta + first, height);

	if (v)
		return v;
	if (!amount_add(&t->fees, t->fees, fee))
		return VERDICT_ACCUMULATED_FEE;
	if (buried_active(p, BURIED_CSV, height) &&
	    !tx_sequence_locks_ok(tx, fl->meta + first, height,
				  t->prev_mtp, mtp_before, prev))
		return VERDICT_TXNS_NONFINAL;
	return VERDICT_OK;
}

/* Its scripts were checked when it came by itself. */
static bool scripts_known(struct flight *fl, const struct tx *tx)
{
	struct script_cache *cache = fl->chain->scripts;

	return cache && script_cache_count(cache) &&
	       script_cache_erase(cache, &tx->wtxid, fl->flags);
}

static enum err apply_tx(struct flight *fl, struct totals *t, uint32_t i,
			 enum verdict *v, struct why *why)
{
	const struct tx *tx = &fl->block->tx[i];
	size_t first = fl->spent_count;
	bool missing = false;
	enum err e;

	*v = VERDICT_OK;
	if (i) {
		e = spend_inputs(fl, i, &missing, why);
		if (e)
			return e;
		*v = missing ? VERDICT_INPUTS_MISSING
			     : check_tx(fl, t, tx, first);
	}
	if (*v)
		return ERR_NONE;
	t->sigops += tx_sigop_cost(tx, fl->spent + first, fl->flags);
	if (t->sigops > MAX_BLOCK_SIGOPS_COST) {
		*v = VERDICT_BAD_BLOCK_SIGOPS;
		return ERR_NONE;
	}
	if (i && fl->check_scripts && !scripts_known(fl, tx))
		script_checks_add(&fl->checks, tx, i, fl->spent + first);
	return add_outputs(fl, i, why);
}

static bool coinbase_amount_ok(const struct flight *fl, int64_t fees)
{
	const struct tx *tx = &fl->block->tx[0];
	int64_t limit = fees + block_subsidy_sat(fl->chain->opt.params,
						 fl->node->height);
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < tx->out_count; i++)
		sum += tx->out[i].value_sat;     /* tx_check bounded it */
	return sum <= limit;
}

enum err flight_apply(struct flight *fl, struct finding *f, struct why *why)
{
	const struct block *b = fl->block;
	size_t inputs = count_inputs(b);
	struct totals t = { .prev_mtp = header_node_mtp(fl->node->prev) };
	enum verdict v = VERDICT_OK;
	enum err e = ERR_NONE;
	uint32_t i, fetched = 0;

	*f = finding_of(VERDICT_OK);
	journal_init(fl, inputs);
	if (bip30_applies(fl->chain->opt.params, fl->node))
		e = check_bip30(fl, f, why);
	if (e || f->verdict)
		return e;
	if (fl->check_scripts)
		script_checks_init(&fl->checks, fl->chain->workers,
				   &fl->arena, b, fl->flags);
	for (i = 0; !e && !v && i < b->tx_count; i++) {
		if (i == fetched)
			e = prefetch(fl, i, &fetched, why);
		if (!e)
			e = apply_tx(fl, &t, i, &v, why);
	}
	if (e)
		return e;
	if (v) {
		*f = finding_of(v);
		f->tx = (int32_t)i - 1;
	} else if (!coinbase_amount_ok(fl, t.fees)) {
		*f = finding_of(VERDICT_BAD_COINBASE_AMOUNT);
	} else if (fl->check_scripts) {
		script_checks_flush(&fl->checks);
	}
	return ERR_NONE;
}
