/*
 * Bytes as a file that has a name but stands on no disk, for readers that
 * want a path.
 */
#ifndef CLOISTER_TESTS_FUZZ_FILE_H
#define CLOISTER_TESTS_FUZZ_FILE_H

#include "base/bytes.h"

struct fuzz_file {
	int fd;
	char path[64];
};

void fuzz_file_make(struct fuzz_file *f, struct span content);
void fuzz_file_clear(struct fuzz_file *f);

#endif
