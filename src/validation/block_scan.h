/*
 * One block file read from front to back: records of magic, length, block,
 * with anything between them.  Owned by whoever opened it.
 */
#ifndef CLOISTER_VALIDATION_BLOCK_SCAN_H
#define CLOISTER_VALIDATION_BLOCK_SCAN_H

#include "base/bytes.h"
#include "base/err.h"

/* Of a block's serialisation: MAX_BLOCK_WEIGHT_WU bounds it. */
#define SCAN_BLOCK_MAX 4000000u
#define SCAN_BLOCK_MIN 81u

struct block_scan;
struct scan_record {
	uint64_t pos;            /* of its magic */
	uint32_t size_bytes;     /* of the block */
	uint64_t garbage;        /* bytes skipped before it */
};

/** An xor.dat beside the file is obeyed, unless the file begins in clear. */
NODISCARD enum err block_scan_open(struct block_scan **out, const char *path,
				   const uint8_t magic[static 4],
				   struct why *why);
void block_scan_close(struct block_scan *s);
/** The next thing that looks like a record; *found is false at the end. */
NODISCARD enum err block_scan_next(struct block_scan *s, bool *found,
				   struct scan_record *rec, struct why *why);
/** Append the record's block to out. */
NODISCARD enum err block_scan_read(struct block_scan *s, struct bytes *out,
				   struct scan_record rec, struct why *why);
/** Does another record, or the file's end, stand behind it? */
NODISCARD enum err block_scan_fits(struct block_scan *s, bool *fits,
				   struct scan_record rec, struct why *why);
/** It was no record after all: look on from the byte after its first. */
void block_scan_reject(struct block_scan *s, struct scan_record rec);

uint64_t block_scan_size(const struct block_scan *s);
uint64_t block_scan_pos(const struct block_scan *s);
uint64_t block_scan_garbage(const struct block_scan *s);

#endif
