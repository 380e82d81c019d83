/*
 * Secret bytes: passphrases, seeds, keys.  They live in pages of their own
 * that are locked into memory (as far as the system lets us), left out of
 * core dumps, empty in children, and wiped when given back.  Never logged,
 * never in a struct bytes.
 */
#ifndef CLOISTER_BASE_SECRET_H
#define CLOISTER_BASE_SECRET_H

#include "base/bytes.h"

/* {0} is an empty one that holds nothing. */
struct secret {
	uint8_t *p;
	size_t n;                /* in use */
	size_t cap;              /* bytes at p */
};

/** Room for cap bytes, none in use; cap > 0. */
void secret_init(struct secret *s, size_t cap);
/** Wipe, give back; {0} again. */
void secret_clear(struct secret *s);
/** There must be room (CHECK): it never moves. */
void secret_append(struct secret *s, const void *p, size_t n);
/** Forget what is beyond n bytes. */
void secret_cut(struct secret *s, size_t n);
/** In constant time for equal lengths. */
bool secret_equal(const struct secret *a, const struct secret *b);

static inline struct span secret_span(const struct secret *s)
{
	return span_of(s->p, s->n);
}

#endif
