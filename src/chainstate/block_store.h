/*
 * Block and undo files in the reference node's layout: blkNNNNN.dat holds
 * magic, length, block; revNNNNN.dat holds magic, length, undo, checksum.
 * Both may be obfuscated with the 8 bytes of xor.dat.  Appends only; what is
 * appended is durable after block_store_sync().  Owned by the chain thread;
 * block_store_read is safe from any thread.
 */
#ifndef CLOISTER_CHAINSTATE_BLOCK_STORE_H
#define CLOISTER_CHAINSTATE_BLOCK_STORE_H

#include "base/err.h"
#include "consensus/block.h"

/* Where a record's payload begins.  file < 0: nowhere. */
struct disk_pos {
	int32_t file;
	uint32_t offset;
};

/* What the index keeps of one blk/rev pair. */
struct block_file_info {
	uint32_t blocks, size_bytes, undo_bytes;
	uint32_t height_first, height_last;
	uint64_t time_first, time_last;
};

struct block_store;
/** Open dir (created if missing) for a chain's magic. files: infos from the
 * index, file_count of them (copied); bytes past a known end are overwritten. */
NODISCARD enum err block_store_open(struct block_store **out,
				    const char *dir,
				    const uint8_t magic[static 4],
				    const struct block_file_info *files,
				    size_t file_count, struct why *why);
void block_store_close(struct block_store *s);
/** A file takes no more blocks once it has so many bytes (128 MiB, if this is
 * not called); for tests of what happens between files. */
void block_store_set_file_bytes(struct block_store *s, uint32_t bytes);

NODISCARD enum err block_store_append(struct block_store *s,
				      struct disk_pos *pos, struct span raw,
				      int height, uint32_t time,
				      struct why *why);
/** The same bytes again, over damaged ones. */
NODISCARD enum err block_store_rewrite(struct block_store *s,
				       struct disk_pos pos, struct span raw,
				       struct why *why);
/** Undo of a block goes to the rev file of the block's own file. */
NODISCARD enum err block_store_append_undo(struct block_store *s,
					   struct disk_pos *pos, int32_t file,
					   struct span undo,
					   const struct block_hash *prev,
					   struct why *why);
/** Append the raw block to out (magic and length are checked). */
NODISCARD enum err block_store_read(struct block_store *s, struct bytes *out,
				    struct disk_pos pos, struct why *why);
/** Append the undo payload; its checksum over prev is checked
 * (ERR_CORRUPT). */
NODISCARD enum err block_store_read_undo(struct block_store *s,
					 struct bytes *out,
					 struct disk_pos pos,
					 const struct block_hash *prev,
					 struct why *why);
/** fsync all files appended to since the last call. */
NODISCARD enum err block_store_sync(struct block_store *s, struct why *why);

/**
 * A rebuild of the index.  adopt: all files there are count, as long as they
 * are, with no known block in them; so what is appended comes after them.
 * drop_loose: remove block files after the first number that is missing, and
 * all undo files.  claim: there is a block at pos.
 */
NODISCARD enum err block_store_adopt(struct block_store *s, bool drop_loose,
				     struct why *why);
void block_store_claim(struct block_store *s, struct disk_pos pos, size_t n,
		       int height, uint32_t time);

/**
 * Pruning.  forget: nothing that counts is in that pair of files any more (to
 * be told to the index, then made true by unlink).  unlink: remove the files;
 * those that are gone already are fine.  Never the last pair.
 */
void block_store_forget(struct block_store *s, size_t i);
NODISCARD enum err block_store_unlink(struct block_store *s, size_t i,
				      struct why *why);

size_t block_store_file_count(const struct block_store *s);
const struct block_file_info *
block_store_file(const struct block_store *s, size_t i);
uint64_t block_store_disk_bytes(const struct block_store *s);

#endif
