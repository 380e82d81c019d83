/*
 * What reading and writing of snapshot files share.
 */
#ifndef CLOISTER_CHAINSTATE_SNAPSHOT_PRIV_H
#define CLOISTER_CHAINSTATE_SNAPSHOT_PRIV_H

#include "chainstate/coin_record_priv.h"
#include "chainstate/snapshot.h"

#define SNAPSHOT_MAGIC "utxo\xff"
#define SNAPSHOT_MAGIC_BYTES 5
#define SNAPSHOT_VERSION 2

/** Call fn for every coin, in the file's order; size_bytes: the file's. */
NODISCARD enum err snapshot_visit(struct block_hash *base,
				  uint64_t *size_bytes, const char *path,
				  const uint8_t magic[static 4],
				  coins_visit_fn *fn, void *arg,
				  struct why *why);

#endif
