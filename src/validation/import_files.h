/*
 * Which files to import: one, or the blkNNNNN.dat of a directory in order.
 */
#ifndef CLOISTER_VALIDATION_IMPORT_FILES_H
#define CLOISTER_VALIDATION_IMPORT_FILES_H

#include "base/err.h"

struct import_file {
	char *path;
	uint64_t size_bytes;
	unsigned long number;
};

struct import_files {
	struct import_file *list;
	size_t count;
};

/** ERR_INPUT when there are none. */
NODISCARD enum err import_files_find(struct import_files *out,
				     const char *path, struct why *why);
void import_files_clear(struct import_files *f);

#endif
