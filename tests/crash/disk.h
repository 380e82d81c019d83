/*
 * A disk as POSIX promises it, fed from the log of tap.so: what is durable,
 * and what only was written.  At any moment it can be laid out as a directory
 * that a power cut might have left.
 *
 * A file's bytes are durable after its fsync, a name after its directory's
 * (or, unless the disk is strict, that of the new file itself, as ext4, XFS
 * and btrfs have it).
 * What is pending may be there in part: any sectors of the data (the rest
 * reads as zeros or garbage), any size, a name without the data and data
 * without the name.
 */
#ifndef CLOISTER_TESTS_CRASH_DISK_H
#define CLOISTER_TESTS_CRASH_DISK_H

#include "base/random.h"
#include "tests/crash/tap.h"

enum cut_names {
	NAMES_ALL,       /* every pending change of a directory is there */
	NAMES_NONE,
	NAMES_ORDERED,   /* some first ones, in each directory */
	NAMES_ANY,       /* any of them */
	NAMES_KINDS,
};

enum cut_data {
	DATA_ALL,
	DATA_NONE,
	DATA_SIZE,       /* the size is there, the bytes are zeros */
	DATA_ORDERED,    /* some first writes, the last one torn */
	DATA_ANY,        /* any sectors, any size */
	DATA_GARBAGE,    /* the same, and lost sectors hold anything */
	DATA_KINDS,
};

struct cut {
	enum cut_names names;
	enum cut_data data;
	uint64_t seed;
};

struct disk;
struct disk *disk_new(bool strict);
void disk_free(struct disk *d);
/** Begin with what is in dir, all of it durable. */
void disk_load(struct disk *d, const char *dir);
/** The next record of the log; data is borrowed for the disk's life. */
void disk_apply(struct disk *d, const struct tap_record *r,
		const uint8_t *data);
/** Make dir (which must not exist) as the cut leaves it. */
void disk_lay_out(const struct disk *d, const char *dir,
		  const struct cut *cut);

#endif
