/*
 * Compact sizes, read.
 */
#include "config.h"

#include "base/reader.h"

/* The largest compact size that stands for a length on the wire. */
#define COMPACT_MAX UINT64_C(0x02000000)

static uint64_t reader_fail(struct reader *r)
{
	r->failed = true;
	r->p = r->end;
	return 0;
}

uint64_t read_compact_any(struct reader *r)
{
	uint8_t first = read_u8(r);
	uint64_t v, least;

	switch (first) {
	case 253:
		v = read_u16(r);
		least = 253;
		break;
	case 254:
		v = read_u32(r);
		least = UINT64_C(1) << 16;
		break;
	case 255:
		v = read_u64(r);
		least = UINT64_C(1) << 32;
		break;
	default:
		return first;
	}
	if (r->failed || v < least)
		return reader_fail(r);
	return v;
}

uint64_t read_compact(struct reader *r)
{
	uint64_t v = read_compact_any(r);

	return v > COMPACT_MAX ? reader_fail(r) : v;
}
