/*
 * Debian's LevelDB computes its checksums with tables, a tenth as fast as
 * the processor does: some percent of an import.
 */
#include "config.h"

#include "chainstate/store_crc.h"

#ifdef HAVE_LEVELDB_INSIDE

#ifdef __x86_64__
#include <nmmintrin.h>
#include <string.h>

__attribute__((target("sse4.2")))
static uint32_t crc_fast(uint32_t crc, const char *p, size_t n)
{
	uint64_t c = ~crc, v;

	for (; n >= sizeof(v); n -= sizeof(v), p += sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		c = _mm_crc32_u64(c, v);
	}
	for (; n; n--)
		c = _mm_crc32_u8((uint32_t)c, (uint8_t)*p++);
	return ~(uint32_t)c;
}
#endif

uint32_t store_crc(uint32_t crc, const char *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc_fast(crc, p, n);
#endif
	return store_crc_plain(crc, p, n);
}

#else

uint32_t store_crc(uint32_t crc, const char *p, size_t n)
{
	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

#endif
