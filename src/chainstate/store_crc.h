/*
 * CRC-32C, the checksum in LevelDB's files, by the processor's instruction
 * where there is one.  Pure; any thread.
 */
#ifndef CLOISTER_CHAINSTATE_STORE_CRC_H
#define CLOISTER_CHAINSTATE_STORE_CRC_H

#include "base/base.h"

#ifdef HAVE_LEVELDB_INSIDE
/** Go on from crc with n more bytes.  The linker has LevelDB call this. */
uint32_t store_crc(uint32_t crc, const char *p, size_t n) __asm__(
	"__wrap__ZN7leveldb6crc32c6ExtendEjPKcm");
/** LevelDB's own, with tables. */
uint32_t store_crc_plain(uint32_t crc, const char *p, size_t n) __asm__(
	"__real__ZN7leveldb6crc32c6ExtendEjPKcm");
#else
/** Go on from crc with n more bytes, one bit at a time. */
uint32_t store_crc(uint32_t crc, const char *p, size_t n);
#endif

#endif
