/*
 * A snapshot file of the reference node (dumptxoutset, version 2): "utxo"
 * 0xff, u16 version, 4 bytes of network magic, base block hash, u64 count of
 * coins; then for each transaction its id, a compact count, and per coin a
 * compact index, height * 2 + coinbase, compressed amount and script.
 */
#ifndef CLOISTER_CHAINSTATE_SNAPSHOT_PRIV_H
#define CLOISTER_CHAINSTATE_SNAPSHOT_PRIV_H

#include "chainstate/coins.h"

/** Call fn for every coin, in the file's order; size_bytes: the file's. */
NODISCARD enum err snapshot_visit(struct block_hash *base,
				  uint64_t *size_bytes, const char *path,
				  const uint8_t magic[static 4],
				  coins_visit_fn *fn, void *arg,
				  struct why *why);

#endif
