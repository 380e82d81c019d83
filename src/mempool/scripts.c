/*
 * Scripts of a candidate: few inputs are checked here and now, many by the
 * pool of workers.  What passed is remembered for the block that will have
 * it.
 */
#include "config.h"

#include "mempool/candidate.h"
#include "mempool/mempool_priv.h"
#include "validation/script_checks.h"

/* From so many inputs on it pays to wake the workers. */
#define SHARED_INPUTS 8

static bool check_here(const struct candidate *c, struct finding *f)
{
	const struct tx *tx = &c->tx->tx;
	struct sighash_cache cache;

	sighash_cache_init(&cache, tx, c->spent);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (script_verify(tx, i, c->spent, POLICY_SCRIPT_FLAGS,
				  &cache, &f->script))
			continue;
		f->in = (int32_t)i;
		return false;
	}
	return true;
}

static bool check_shared(struct mempool *m, const struct candidate *c,
			 struct finding *f)
{
	/* The checks are made for blocks, whose first one is left out. */
	struct tx txs[2] = { { 0 }, c->tx->tx };
	const struct block b = { .tx_count = 2, .tx = txs };
	struct arena arena = { 0 };
	struct script_checks s;

	script_checks_init(&s, m->opt.workers, &arena, &b,
			   POLICY_SCRIPT_FLAGS);
	script_checks_add(&s, &txs[1], 1, c->spent);
	script_checks_flush(&s);
	script_checks_wait(&s, f);
	script_checks_clear(&s);
	arena_clear(&arena);
	return f->verdict == VERDICT_OK;
}

static bool refuse(struct reject *r, const struct candidate *c,
		   const struct finding *f)
{
	const struct tx *tx = &c->tx->tx;
	const struct outpoint *o = &tx->in[f->in].prevout;
	struct finding named = { .verdict = VERDICT_SCRIPT,
				 .script = f->script, .tx = -1, .in = -1 };
	char reason[160], txid[65], wtxid[65], prev[65];
	bool stripped = !tx->has_witness &&
			policy_spends_witness(tx, c->spent);

	finding_text(reason, &named, false);
	hash_to_rpc_hex(txid, tx->txid.b);
	hash_to_rpc_hex(wtxid, tx->wtxid.b);
	hash_to_rpc_hex(prev, o->txid.b);
	return reject_set(r, stripped ? REJECT_WITNESS_STRIPPED
				      : REJECT_NONSTANDARD, reason,
			  "input %d of %s (wtxid %s), spending %s:%u",
			  (int)f->in, txid, wtxid, prev, (unsigned)o->n);
}

bool candidate_scripts_ok(struct mempool *m, const struct candidate *c,
			  struct reject *r)
{
	const struct tx *tx = &c->tx->tx;
	struct chain *chain = m->opt.chain;
	uint32_t rules = chain_next_script_flags(chain);
	struct finding f = { .tx = -1, .in = -1 };
	bool shared = m->opt.workers && tx->in_count >= SHARED_INPUTS;

	if (c->scripts_known)
		return true;
	if (!(shared ? check_shared(m, c, &f) : check_here(c, &f)))
		return refuse(r, c, &f);
	/* Flags only forbid: what keeps to more keeps to fewer. */
	CHECK(!(rules & ~(uint32_t)POLICY_SCRIPT_FLAGS));
	script_cache_insert(chain_script_cache(chain), &tx->wtxid, rules);
	return true;
}
