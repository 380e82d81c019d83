/*
 * MuHash3072: a hash of a set, kept by multiplication modulo
 * 2^3072 - 1103717 (the reference node's MuHash).  Not thread-safe.
 */
#ifndef CLOISTER_CRYPTO_MUHASH_H
#define CLOISTER_CRYPTO_MUHASH_H

#include "base/bytes.h"

struct muhash {
	uint64_t num[48], den[48];
};

void muhash_init(struct muhash *m);                /* the empty set */
void muhash_insert(struct muhash *m, struct span element);
void muhash_remove(struct muhash *m, struct span element);
void muhash_combine(struct muhash *m, const struct muhash *other);
/** SHA256 of the number, in the byte order that gettxoutsetinfo reverses. */
void muhash_final(const struct muhash *m, uint8_t out[static 32]);
/** The same of n sets, for little more than the price of one. */
void muhash_final_many(uint8_t (*out)[32], const struct muhash *m, size_t n);

#endif
