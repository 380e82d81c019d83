/*
 * Any bytes as the flush journal that a crash left: taken whole or removed,
 * never half.  With an odd first byte its checksum is made right, so that
 * what stands before it is looked at.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"
#include "chainstate/coin_journal_priv.h"
#include "crypto/hash.h"

#define HEAD "cljrnl1\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void make_file(struct bytes *out, struct span in)
{
	struct reader r = reader_of(in);
	bool whole = read_u8(&r) & 1;
	uint8_t sum[32];

	if (whole)
		bytes_append(out, HEAD, strlen(HEAD));
	bytes_append(out, r.p, reader_left(&r));
	if (!whole)
		return;
	bytes_append(out, "", 1);
	sha256(sum, out->p, out->n);
	bytes_append(out, sum, sizeof sum);
}

static char *scratch_dir(void)
{
	const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *dir = path_join(shm, "cloister-fuzz-XXXXXX");

	CHECK(mkdtemp(dir));
	return dir;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *dir, *path;
	struct bytes file = { 0 };
	struct why why;
	uint64_t number, again;

	if (n == 0)
		return 0;
	dir = scratch_dir();
	path = path_join(dir, "flush.journal");
	make_file(&file, span_of(data, n));
	CHECK(!file_replace(path, bytes_span(&file), 0600, &why));
	CHECK(!journal_check(&number, dir, &why));
	/* Only an unusable one is gone (number 0 may be in the file). */
	CHECK(number == 0 || file_exists(path));
	CHECK(!journal_check(&again, dir, &why) && again == number);
	(void)unlink(path);
	CHECK(rmdir(dir) == 0);
	free(path);
	free(dir);
	bytes_clear(&file);
	return 0;
}
