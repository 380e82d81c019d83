/*
 * Names of things: 32 bytes in wire order, each with a type of its own so that
 * one cannot be passed for another.  Reversed hex exists only in
 * hash_to_rpc_hex and its inverse.
 */
#ifndef CLOISTER_CONSENSUS_IDS_H
#define CLOISTER_CONSENSUS_IDS_H

#include "base/bytes.h"

struct txid {
	uint8_t b[32];
};

struct wtxid {
	uint8_t b[32];
};

struct block_hash {
	uint8_t b[32];
};

struct outpoint {
	struct txid txid;
	uint32_t n;
};

static inline bool txid_eq(const struct txid *a, const struct txid *b)
{
	return memcmp(a->b, b->b, 32) == 0;
}

static inline bool block_hash_eq(const struct block_hash *a,
				 const struct block_hash *b)
{
	return memcmp(a->b, b->b, 32) == 0;
}

static inline bool outpoint_eq(const struct outpoint *a,
			       const struct outpoint *b)
{
	return a->n == b->n && txid_eq(&a->txid, &b->txid);
}

bool hash_is_zero(const uint8_t h[static 32]);
/** 64 digits, bytes reversed as the world shows them, and a NUL. */
void hash_to_rpc_hex(char out[static 65], const uint8_t h[static 32]);
NODISCARD bool hash_from_rpc_hex(uint8_t h[static 32], const char *hex);

#endif
