/*
 * Two Bloom filters: when one is full, the older is emptied and goes on.
 */
#include "config.h"

#include "p2p/rolling.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"

#define BITS_PER_ITEM 20
#define PROBES 8

void rolling_init(struct rolling *r, size_t max, const uint64_t salt[2])
{
	*r = (struct rolling){ .max = max };
	memcpy(r->salt, salt, sizeof r->salt);
	r->words_n = (max * BITS_PER_ITEM + 63) / 64;
	for (int i = 0; i < 2; i++)
		r->words[i] = xcalloc(r->words_n, sizeof(*r->words[i]));
}

void rolling_clear(struct rolling *r)
{
	free(r->words[0]);
	free(r->words[1]);
	*r = (struct rolling){ .max = 0 };
}

void rolling_empty(struct rolling *r)
{
	r->n = 0;
	for (int i = 0; r->max && i < 2; i++)
		memset(r->words[i], 0, r->words_n * sizeof(*r->words[i]));
}

/* The k-th bit of an item, from two halves of one hash. */
static uint64_t probe(const struct rolling *r, uint64_t h, unsigned k)
{
	return ((uint32_t)h + (uint64_t)k * ((uint32_t)(h >> 32) | 1)) %
	       (r->words_n * 64);
}

void rolling_add(struct rolling *r, const uint8_t hash[static 32])
{
	uint64_t h = siphash_u256(r->salt[0], r->salt[1], hash), *w;

	if (!r->max || rolling_has(r, hash))
		return;
	if (r->n == r->max) {
		r->present ^= 1;
		memset(r->words[r->present], 0,
		       r->words_n * sizeof(*r->words[0]));
		r->n = 0;
	}
	w = r->words[r->present];
	for (unsigned k = 0; k < PROBES; k++) {
		uint64_t bit = probe(r, h, k);

		w[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	r->n++;
}

static bool half_has(const struct rolling *r, const uint64_t *w, uint64_t h)
{
	for (unsigned k = 0; k < PROBES; k++) {
		uint64_t bit = probe(r, h, k);

		if (!(w[bit / 64] >> bit % 64 & 1))
			return false;
	}
	return true;
}

bool rolling_has(const struct rolling *r, const uint8_t hash[static 32])
{
	uint64_t h = siphash_u256(r->salt[0], r->salt[1], hash);

	return r->max && (half_has(r, r->words[0], h) ||
			  half_has(r, r->words[1], h));
}
