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
