/*
 * A mempool on a real regtest chain in a temporary directory, run inline,
 * with coins that anybody can spend; and a check of everything that must
 * hold in a mempool at any time, counted anew.
 */
#ifndef CLOISTER_TESTS_MEMPOOL_RIG_H
#define CLOISTER_TESTS_MEMPOOL_RIG_H

#include "base/random.h"
#include "mempool/mempool.h"
#include "validation/miner.h"

/* P2WSH of OP_TRUE. */
extern const uint8_t rig_script[34];

struct rig {
	char dir[64];
	struct chain_params params;
	struct clock clock;
	struct chain *chain;
	struct mempool *m;
	int next_coin;                   /* height of the next free coinbase */
	/* what the events told */
	size_t added, removed[REMOVED_REPLACED + 1];
	double *connect_ms;      /* if given: what the last block took */
	struct mempool_options opt;
};

/* A transaction to be built: outputs to rig_script. */
struct rig_spend {
	struct outpoint in[20];
	size_t ins;
	int64_t out[200];
	size_t outs;
	uint32_t version, sequence, lock_time;   /* 0: usual ones */
	size_t pad;              /* bytes of an OP_RETURN output besides */
};

/** policy NULL: the default.  Some 10 coinbases are mature. */
void rig_open(struct rig *r, const struct policy *policy);
void rig_close(struct rig *r);
/** Close what is still open when the program ends (fuzz targets). */
void rig_close_at_exit(struct rig *r);
/** A new pool in place of the old. */
void rig_empty(struct rig *r);
/** Mine a block of these (or of what the pool offers best: txs NULL). */
void rig_mine(struct rig *r, struct shared_tx *const *txs, size_t n);
/** Leave the tip by the owner's word; the node it was. */
struct header_node *rig_undo(struct rig *r, int blocks);
/** A mature coinbase, each once; mines more where none is left. */
struct outpoint rig_coin(struct rig *r, int64_t *value);
/** One reference. */
struct shared_tx *rig_tx(const struct rig_spend *s);
/** One input, one output, this fee. */
struct shared_tx *rig_pay(struct outpoint o, int64_t value, int64_t fee);
static inline struct outpoint rig_out(const struct shared_tx *t, uint32_t n)
{
	return (struct outpoint){ t->tx.txid, n };
}

/** Accept; the reason, "" if it was taken (good until the next call). */
const char *rig_accept(struct rig *r, struct shared_tx *tx);
bool rig_has(const struct rig *r, const struct shared_tx *tx);
/** Everything that must hold; CHECKs. */
void rig_check(struct rig *r);

#endif
