/*
 * 256-bit unsigned numbers: targets and chain work.  Pure.
 */
#ifndef CLOISTER_CONSENSUS_U256_H
#define CLOISTER_CONSENSUS_U256_H

#include "base/base.h"

/* Little-endian limbs. */
struct u256 {
	uint64_t w[4];
};

int u256_cmp(const struct u256 *a, const struct u256 *b);
bool u256_is_zero(const struct u256 *a);
void u256_add(struct u256 *out, const struct u256 *a, const struct u256 *b);
void u256_sub(struct u256 *out, const struct u256 *a, const struct u256 *b);
void u256_mul_u32(struct u256 *out, const struct u256 *a, uint32_t m);
void u256_div(struct u256 *out, const struct u256 *a, const struct u256 *b);
void u256_shl(struct u256 *out, const struct u256 *a, unsigned n);
void u256_shr(struct u256 *out, const struct u256 *a, unsigned n);
unsigned u256_bits(const struct u256 *a);
void u256_from_le(struct u256 *out, const uint8_t b[static 32]);
void u256_to_le(uint8_t b[static 32], const struct u256 *a);
/** Big-endian hex, up to 64 digits, an optional 0x before them. */
NODISCARD bool u256_from_hex(struct u256 *out, const char *hex);
void u256_to_hex(char out[static 65], const struct u256 *a);
double u256_to_double(const struct u256 *a);

/** Decode nBits; false if negative, zero or overflowing (Core's meanings). */
NODISCARD bool u256_from_compact(struct u256 *out, uint32_t bits);
uint32_t u256_to_compact(const struct u256 *a);
/** Expected hashes of a block with these bits: 2^256 / (target + 1). */
void u256_block_work(struct u256 *out, uint32_t bits);

#endif
