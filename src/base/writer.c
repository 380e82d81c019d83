/*
 * Compact sizes, written.
 */
#include "config.h"

#include "base/writer.h"

void write_compact(struct bytes *b, uint64_t v)
{
	if (v < 253) {
		write_u8(b, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		write_u8(b, 253);
		write_u16(b, (uint16_t)v);
	} else if (v <= UINT32_MAX) {
		write_u8(b, 254);
		write_u32(b, (uint32_t)v);
	} else {
		write_u8(b, 255);
		write_u64(b, v);
	}
}

size_t compact_size(uint64_t v)
{
	if (v < 253)
		return 1;
	if (v <= UINT16_MAX)
		return 3;
	return v <= UINT32_MAX ? 5 : 9;
}
