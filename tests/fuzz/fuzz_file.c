/*
 * Files in memory, by their name below /proc.
 */
#include "config.h"

#include "tests/fuzz/fuzz_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

void fuzz_file_make(struct fuzz_file *f, struct span content)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	CHECK(f->fd >= 0);
	snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
	if (content.n)
		CHECK(!file_pwrite(f->fd, content.p, content.n, 0, f->path,
				   NULL));
}

void fuzz_file_clear(struct fuzz_file *f)
{
	close(f->fd);
}
