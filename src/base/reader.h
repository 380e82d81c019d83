/*
 * A reader that fails stickily: read all fields, test `failed` once.  After a
 * failure every read gives zero bytes.  Little-endian, as on Bitcoin's wire.
 */
#ifndef CLOISTER_BASE_READER_H
#define CLOISTER_BASE_READER_H

#include "base/bytes.h"

struct reader {
	const uint8_t *p;   /* next byte */
	const uint8_t *end;
	bool failed;
};

static inline struct reader reader_of(struct span s)
{
	/* No arithmetic on the NULL of an empty span. */
	return (struct reader){ s.p, s.n ? s.p + s.n : s.p, false };
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

static inline bool reader_need(struct reader *r, size_t n)
{
	if (reader_left(r) >= n && !r->failed)
		return true;
	r->failed = true;
	r->p = r->end;
	return false;
}

/** Borrow n bytes of the underlying buffer. */
static inline struct span read_span(struct reader *r, size_t n)
{
	struct span s = { NULL, 0 };

	if (!reader_need(r, n))
		return s;
	s = span_of(r->p, n);
	if (n)
		r->p += n;
	return s;
}

/** Copy n bytes, or zeros after a failure. */
static inline void read_copy(struct reader *r, void *out, size_t n)
{
	struct span s = read_span(r, n);

	if (s.p && n)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

static inline uint8_t read_u8(struct reader *r)
{
	return reader_need(r, 1) ? *r->p++ : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	struct span s = read_span(r, 2);

	if (!s.p)
		return 0;
	return (uint16_t)(s.p[0] | s.p[1] << 8);
}

static inline uint16_t read_u16_be(struct reader *r)
{
	struct span s = read_span(r, 2);

	if (!s.p)
		return 0;
	return (uint16_t)(s.p[0] << 8 | s.p[1]);
}

static inline uint32_t read_u32(struct reader *r)
{
	struct span s = read_span(r, 4);

	return s.p ? (uint32_t)s.p[0] | (uint32_t)s.p[1] << 8 |
		     (uint32_t)s.p[2] << 16 | (uint32_t)s.p[3] << 24 : 0;
}

static inline uint64_t read_u64(struct reader *r)
{
	uint64_t lo = read_u32(r);

	return lo | (uint64_t)read_u32(r) << 32;
}

/**
 * Read a compact size (varint of the P2P protocol).  Fails on a form longer
 * than needed and on values over 0x02000000, as Core's ReadCompactSize does.
 */
uint64_t read_compact(struct reader *r);
/** The same without the upper limit. */
uint64_t read_compact_any(struct reader *r);

/** A compact size, then that many bytes, borrowed. */
static inline struct span read_var_span(struct reader *r)
{
	return read_span(r, (size_t)read_compact(r));
}

#endif
