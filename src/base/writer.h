/*
 * Append little-endian fields to a struct bytes.  The twin of reader.h.
 */
#ifndef CLOISTER_BASE_WRITER_H
#define CLOISTER_BASE_WRITER_H

#include "base/bytes.h"

static inline void write_u8(struct bytes *b, uint8_t v)
{
	bytes_append(b, &v, 1);
}

static inline void write_u16(struct bytes *b, uint16_t v)
{
	uint8_t t[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	bytes_append(b, t, 2);
}

static inline void write_u16_be(struct bytes *b, uint16_t v)
{
	uint8_t t[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	bytes_append(b, t, 2);
}

static inline void write_u32(struct bytes *b, uint32_t v)
{
	uint8_t t[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			 (uint8_t)(v >> 24) };

	bytes_append(b, t, 4);
}

static inline void write_u64(struct bytes *b, uint64_t v)
{
	write_u32(b, (uint32_t)v);
	write_u32(b, (uint32_t)(v >> 32));
}

static inline void write_span(struct bytes *b, struct span s)
{
	bytes_append(b, s.p, s.n);
}

void write_compact(struct bytes *b, uint64_t v);
size_t compact_size(uint64_t v);      /* bytes write_compact() appends */

/** A compact size, then the bytes. */
static inline void write_var_span(struct bytes *b, struct span s)
{
	write_compact(b, s.n);
	write_span(b, s);
}

#endif
