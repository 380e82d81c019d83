/*
 * Snapshot files of the reference node (dumptxoutset, version 2): "utxo"
 * 0xff, u16 version, 4 bytes of network magic, base block hash, u64 count of
 * coins; then for each transaction its id, a compact count, and per coin a
 * compact index, height * 2 + coinbase, compressed amount and script.
 */
#ifndef CLOISTER_CHAINSTATE_SNAPSHOT_H
#define CLOISTER_CHAINSTATE_SNAPSHOT_H

#include "chainstate/coins.h"

struct snapshot_reader;
/**
 * Read the head.  ERR_INPUT, with the reference node's words: cannot be
 * opened, or is no snapshot of this chain.
 */
NODISCARD enum err snapshot_reader_open(struct snapshot_reader **out,
					const char *path,
					const uint8_t magic[static 4],
					struct block_hash *base,
					struct why *why);
/**
 * Call fn for the coins of so many transactions, in the file's order; false
 * ends it (ERR_STOPPED).  ERR_INPUT: it does not decode, ends too early, or
 * (with none left) has more than its coins.
 */
NODISCARD enum err snapshot_reader_step(struct snapshot_reader *s, bool *more,
					size_t groups, coins_visit_fn *fn,
					void *arg, struct why *why);
/** Coins the head promised and which have not been read. */
uint64_t snapshot_reader_left(const struct snapshot_reader *s);
void snapshot_reader_close(struct snapshot_reader *s);

struct snapshot_writer;
/** Begin path.incomplete; ERR_INPUT if path exists. */
NODISCARD enum err snapshot_writer_open(struct snapshot_writer **out,
					const char *path,
					const uint8_t magic[static 4],
					const struct block_hash *base,
					struct why *why);
/** The next coin, in key order. */
NODISCARD enum err snapshot_writer_add(struct snapshot_writer *w,
				       const struct outpoint *o,
				       const struct coin *coin,
				       struct why *why);
/** All are written: make it durable, and give it its name. */
NODISCARD enum err snapshot_writer_end(struct snapshot_writer *w,
				       struct why *why);
/** What was not ended is removed. */
void snapshot_writer_free(struct snapshot_writer *w);

#endif
