/*
 * The key that obfuscates the reference node's block files: 8 bytes of
 * xor.dat, laid over each file from its start.
 */
#ifndef CLOISTER_CHAINSTATE_XOR_KEY_H
#define CLOISTER_CHAINSTATE_XOR_KEY_H

#include "base/bytes.h"
#include "base/err.h"

struct xor_key {
	uint8_t b[8];
	bool set;                /* false: files are plain */
};

/** Read dir/xor.dat; without one, or all zero, the files are plain. */
NODISCARD enum err xor_key_load(struct xor_key *out, const char *dir,
				struct why *why);
/** Turn bytes that stand at `offset` of a file; the same both ways. */
void xor_key_apply(const struct xor_key *k, uint8_t *p, size_t n,
		   uint64_t offset);

#endif
