/*
 * Statistics over the whole coin set, as gettxoutsetinfo shows them.
 */
#ifndef CLOISTER_CHAINSTATE_UTXO_STATS_H
#define CLOISTER_CHAINSTATE_UTXO_STATS_H

#include "chainstate/coins.h"

enum utxo_hash_type {
	UTXO_HASH_NONE,
	UTXO_HASH_SERIALIZED,    /* hash_serialized_3 */
	UTXO_HASH_MUHASH,
};

struct utxo_stats {
	uint64_t txs;            /* transactions with an unspent output */
	uint64_t outputs;
	uint64_t bogosize;
	int64_t total_sat;
	uint64_t disk_bytes;
	uint8_t hash[32];        /* of the type asked for */
};

/* What an output counts besides its script: txid, index, height and
 * coinbase, amount, script length. */
#define COIN_BOGOSIZE 50
/** A coin in the form that the hashes take. */
void coin_element_write(struct bytes *b, const struct outpoint *o,
			const struct coin *c);

/* The sum while it is being made, for whoever walks over coins himself. */
struct utxo_tally;
struct utxo_tally *utxo_tally_new(enum utxo_hash_type type);
/** A coins_visit_fn; arg is the tally. */
bool utxo_tally_coin(const struct outpoint *o, const struct coin *c,
		     void *arg);
/** Of all coins so far, in key order; nothing can be added after this. */
void utxo_tally_end(struct utxo_tally *t, struct utxo_stats *out);
void utxo_tally_free(struct utxo_tally *t);

/** Over the flushed state.  stop (may be NULL) is asked now and then. */
NODISCARD enum err utxo_stats_compute(struct utxo_stats *out,
				      struct coins *c,
				      enum utxo_hash_type type,
				      bool (*stop)(void *arg), void *arg,
				      struct why *why);

/**
 * The same over a snapshot file of the reference node (dumptxoutset format,
 * version 2), without a chainstate: what its coins hash to.
 */
NODISCARD enum err snapshot_stats(struct utxo_stats *out,
				  struct block_hash *base, const char *path,
				  const uint8_t magic[static 4],
				  enum utxo_hash_type type, struct why *why);

#endif
