/*
 * Bytes: a borrowed span, and a buffer that grows.  Hex.
 */
#ifndef CLOISTER_BASE_BYTES_H
#define CLOISTER_BASE_BYTES_H

#include <string.h>

#include "base/base.h"

/* Borrowed bytes; whoever lends them says until when. */
struct span {
	const uint8_t *p;
	size_t n;
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ (const uint8_t *)p, n };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* An owned buffer.  {0} is an empty one. */
struct bytes {
	uint8_t *p;
	size_t n;
	size_t cap;
};

void bytes_clear(struct bytes *b);            /* frees, then empty */
void bytes_reserve(struct bytes *b, size_t extra);
void bytes_append(struct bytes *b, const void *p, size_t n);
/** Drop n bytes from the front. */
void bytes_consume(struct bytes *b, size_t n);
static inline struct span bytes_span(const struct bytes *b)
{
	return span_of(b->p, b->n);
}

/** Write 2n lower-case digits and a NUL. */
void hex_encode(char *out, const uint8_t *p, size_t n);
/** The same in a new string; free() it. */
char *hex_new(struct span s);
/** Read exactly out_n bytes from exactly 2*out_n digits of either case. */
NODISCARD bool hex_decode(uint8_t *out, size_t out_n, const char *hex);
/** Append the decoded string to b; on bad hex b is unchanged. */
NODISCARD bool hex_append(struct bytes *b, const char *hex);

/** Compare in constant time. */
bool bytes_equal_ct(const void *a, const void *b, size_t n);
/** Overwrite so that the compiler cannot leave it out. */
void bytes_wipe(void *p, size_t n);

#endif
