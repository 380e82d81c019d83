/*
 * A transaction on its way into the pool: what is known of it so far.
 */
#ifndef CLOISTER_MEMPOOL_CANDIDATE_H
#define CLOISTER_MEMPOOL_CANDIDATE_H

#include "consensus/tx_inputs.h"
#include "mempool/change.h"

struct candidate {
	struct shared_tx *tx;            /* borrowed from the caller */
	struct mempool_entry *entry;     /* ours until it is the pool's */
	struct arena arena;
	struct tx_out *spent;            /* one per input */
	struct coin_meta *meta;
	struct entry_set conflicts;      /* spend what it spends */
	struct entry_set parents;        /* in the pool */
	bool sibling;                    /* conflicts has its sibling too */
	bool scripts_known;              /* were checked when it came first */
};

/* What an attempt allows. */
struct attempt {
	struct mempool *m;
	const struct accept_options *opt;
	bool any_fee;                    /* fees are asked about later */
	bool bypass_limits;              /* it comes back from a block */
	bool no_replacing;
	bool no_sibling;                 /* no eviction of TRUC siblings */
	struct candidate *before;        /* of the same package */
	size_t before_n;
};

void candidate_init(struct candidate *c, struct shared_tx *tx);
void candidate_clear(struct candidate *c);

/**
 * All questions but replacement, clusters and scripts, in the reference
 * node's order.
 *
 * r        class REJECT_NONE when it passed
 */
NODISCARD enum err candidate_check(const struct attempt *a,
				   struct candidate *c, struct reject *r,
				   struct why *why);
/** Enough for the pool's minimum and for relay? */
NODISCARD bool candidate_fee_ok(struct mempool *m, struct reject *r,
				int64_t fee_sat, int64_t vsize);
/** Its scripts, under the flags of policy. */
NODISCARD bool candidate_scripts_ok(struct mempool *m,
				    const struct candidate *c,
				    struct reject *r);

static inline int64_t candidate_fee(const struct candidate *c)
{
	return entry_modified_fee(c->entry);
}

static inline int64_t candidate_vsize(const struct candidate *c)
{
	return entry_vsize(c->entry);
}

/* ---- truc.c: BIP431 ---- */

/** sibling: out: who must go for it; NULL if the rules are broken or kept
 * without. */
NODISCARD bool truc_check(struct reject *r, const struct candidate *c,
			  const struct mempool_entry **sibling);
/** The same among the n of a package. */
NODISCARD bool truc_check_package(struct reject *r,
				  const struct candidate *all, size_t n,
				  size_t i);

/* ---- ephemeral.c ---- */

/** It spends all dust of its unconfirmed parents, of the pool and of
 * `before`. */
NODISCARD bool ephemeral_spent(struct reject *r, const struct mempool *m,
			       const struct candidate *c,
			       const struct candidate *before,
			       size_t before_n);

/* ---- replace.c ---- */

/**
 * Plan c's way in, and its conflicts' way out; refused if that is not worth
 * it, or the cluster grows too large.
 */
NODISCARD bool replace_plan(struct change *ch, struct reject *r,
			    const struct candidate *c);
/** The same for a package of parent and child. */
NODISCARD bool replace_plan_package(struct change *ch, struct reject *r,
				    const struct candidate *all, size_t n);

/** "0.00001": at least two decimals, as the reference node writes. */
void money_text(char out[static 32], int64_t sat);

#endif
