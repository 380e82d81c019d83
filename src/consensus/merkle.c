/*
 * Merkle trees.  A level with an odd count repeats its last hash, so that a
 * list that really ends in a repetition can have the same root
 * (CVE-2012-2459): such a list is reported as mutated.
 */
#include "config.h"

#include "consensus/block_check.h"

#include <stdlib.h>

#include "crypto/hash.h"

static bool has_equal_pair(uint8_t (*level)[32], size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		if (memcmp(level[i], level[i + 1], 32) == 0)
			return true;
	}
	return false;
}

/* Fold in place; level has room for one more if n is odd. */
static bool fold(uint8_t out[static 32], uint8_t (*level)[32], size_t n)
{
	bool mutated = false;

	if (n == 0) {
		memset(out, 0, 32);
		return false;
	}
	while (n > 1) {
		mutated |= has_equal_pair(level, n);
		if (n & 1) {
			memcpy(level[n], level[n - 1], 32);
			n++;
		}
		n /= 2;
		sha256d_64(level[0], level[0], n);
	}
	memcpy(out, level[0], 32);
	return mutated;
}

void merkle_root(uint8_t out[static 32], const uint8_t (*leaves)[32],
		 size_t n)
{
	uint8_t (*level)[32] = xmalloc((n + 1) * sizeof *level);

	if (n)
		memcpy(level, leaves, n * sizeof *level);
	fold(out, level, n);
	free(level);
}

void block_merkle_root(uint8_t out[static 32], bool *mutated,
		       const struct block *b)
{
	uint8_t (*level)[32] = xmalloc((b->tx_count + (size_t)1) *
				       sizeof *level);

	for (uint32_t i = 0; i < b->tx_count; i++)
		memcpy(level[i], b->tx[i].txid.b, 32);
	*mutated = fold(out, level, b->tx_count);
	free(level);
}

void block_witness_merkle_root(uint8_t out[static 32], const struct block *b)
{
	uint8_t (*level)[32] = xmalloc((b->tx_count + (size_t)1) *
				       sizeof *level);

	memset(level[0], 0, 32);
	for (uint32_t i = 1; i < b->tx_count; i++)
		memcpy(level[i], b->tx[i].wtxid.b, 32);
	fold(out, level, b->tx_count);
	free(level);
}
