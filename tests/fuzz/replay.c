/*
 * main() of fuzz targets built without libFuzzer: every file of the given
 * directories is one input.  Takes libFuzzer's command line, of which only
 * the directories matter, and -v: name each input before it is run.
 */
#include "config.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* As libFuzzer's -timeout. */
#define INPUT_SECONDS 20
#define INPUT_MAX_BYTES ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* In memory of exactly its size, so that a sanitizer sees its end. */
static void run_input(struct span in)
{
	uint8_t *copy = xmalloc(in.n ? in.n : 1);

	if (in.n)
		memcpy(copy, in.p, in.n);
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(in.n ? copy : NULL, in.n);
	alarm(0);
	free(copy);
}

static void run_file(const char *path, bool verbose)
{
	struct bytes in = { 0 };
	struct why why;

	if (verbose) {
		puts(path);
		fflush(stdout);
	}
	if (file_read(&in, path, INPUT_MAX_BYTES, &why)) {
		fprintf(stderr, "replay: %s\n", why.text);
		exit(2);
	}
	run_input(bytes_span(&in));
	bytes_clear(&in);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static size_t run_tree(char *dir, bool verbose)
{
	char *roots[] = { dir, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t inputs = 0;
	FTSENT *f;

	if (!tree) {
		perror(dir);
		exit(2);
	}
	while ((f = fts_read(tree)) != NULL) {
		if (f->fts_info == FTS_F) {
			run_file(f->fts_path, verbose);
			inputs++;
		}
	}
	fts_close(tree);
	return inputs;
}

int main(int argc, char **argv)
{
	bool verbose = false;
	size_t inputs = 1;

	run_input(span_of(NULL, 0));
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (argv[i][0] != '-')
			inputs += run_tree(argv[i], verbose);
	}
	printf("%zu inputs\n", inputs);
	return 0;
}
