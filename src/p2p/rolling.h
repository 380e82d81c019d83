/*
 * A set that remembers about the newest so many items, and now and then
 * believes that it saw what it did not.  Fixed memory.  Loop thread.
 */
#ifndef CLOISTER_P2P_ROLLING_H
#define CLOISTER_P2P_ROLLING_H

#include "base/base.h"

/* {0} is one that is not made yet: empty, and takes nothing. */
struct rolling {
	uint64_t salt[2];
	uint64_t *words[2];      /* the present half and the one before */
	size_t words_n;          /* of each */
	size_t n, max;           /* in the present half */
	unsigned present;
};

/** max: at least so many are remembered, at most twice as many; about one
 * in a thousand others is believed to be among them. */
void rolling_init(struct rolling *r, size_t max, const uint64_t salt[2]);
void rolling_clear(struct rolling *r);
void rolling_empty(struct rolling *r);
void rolling_add(struct rolling *r, const uint8_t hash[static 32]);
bool rolling_has(const struct rolling *r, const uint8_t hash[static 32]);

#endif
