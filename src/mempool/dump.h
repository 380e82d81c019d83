/*
 * mempool.dat as bytes: the reference node's version 2.  A number, a key,
 * then everything under the key by its place in the file.
 */
#ifndef CLOISTER_MEMPOOL_DUMP_H
#define CLOISTER_MEMPOOL_DUMP_H

#include "base/err.h"

#define DUMP_VERSION_PLAIN 1
#define DUMP_VERSION 2
#define DUMP_KEY_BYTES 8

/** Apply the key to n bytes that stand at `pos` in the file. */
void dump_obfuscate(uint8_t *p, size_t n, uint64_t pos,
		    const uint8_t key[static DUMP_KEY_BYTES]);

#endif
