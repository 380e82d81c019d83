/*
 * Randomness from the system; stops the process if there is none.
 */
#ifndef CLOISTER_BASE_RANDOM_H
#define CLOISTER_BASE_RANDOM_H

#include "base/base.h"

void random_bytes(void *out, size_t n);
uint64_t random_u64(void);
/** Uniform in [0, bound); bound > 0. */
uint64_t random_below(uint64_t bound);

/* A small deterministic generator for tests and simulations: not for
 * secrets.  Seed with any value. */
struct prng {
	uint64_t s[4];
};
void prng_seed(struct prng *p, uint64_t seed);
uint64_t prng_u64(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t bound);

#endif
