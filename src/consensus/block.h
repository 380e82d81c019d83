/*
 * A block and its header.  A decoded block is one raw buffer and one arena,
 * immutable and reference counted; any thread may hold a reference.
 */
#ifndef CLOISTER_CONSENSUS_BLOCK_H
#define CLOISTER_CONSENSUS_BLOCK_H

#include <stdatomic.h>

#include "consensus/tx.h"

#define BLOCK_HEADER_BYTES 80

struct block_header {
	uint32_t version;        /* compare as int32_t where Core does */
	struct block_hash prev;
	uint8_t merkle_root[32];
	uint32_t time;
	uint32_t bits;
	uint32_t nonce;
};

NODISCARD bool block_header_read(struct block_header *out, struct reader *r);
void block_header_write(struct bytes *b, const struct block_header *h);
void block_header_hash(struct block_hash *out, const struct block_header *h);

struct block {
	struct block_header header;
	struct block_hash hash;
	uint32_t tx_count;
	struct tx *tx;
	struct span raw;
	uint32_t stripped_bytes; /* whole block without witness data */
	struct bytes own;        /* backing of raw */
	struct arena arena;
	_Atomic unsigned refs;
};

/**
 * Decode a whole block; trailing bytes are an error.
 *
 * raw      TAKES: moved into the block, or freed on failure
 * return   a block with one reference, or NULL if it is malformed
 */
struct block *block_decode(struct bytes *raw TAKES);
struct block *block_ref(struct block *b);
void block_unref(struct block *b);         /* accepts NULL */

uint64_t block_weight(const struct block *b);

#endif
