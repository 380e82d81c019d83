/*
 * Any bytes as a LevelDB manifest, and a whole one followed by any bytes:
 * what is kept is never longer than the file, and reads the same again.
 */
#include "config.h"

#include "chainstate/store_manifest_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(struct span file)
{
	struct manifest m, again;
	size_t good, same;

	if (manifest_read(&m, &good, file)) {
		CHECK(good <= file.n);
		CHECK(manifest_read(&again, &same, span_of(file.p, good)));
		CHECK(same == good && again.count == m.count &&
		      again.log == m.log);
		manifest_clear(&again);
	}
	manifest_clear(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* Comparator c, log 5, next file 9, last sequence 7. */
	static const uint8_t whole[] = { 0, 0, 0, 0, 9, 0, 1, 1, 1, 'c', 2,
					 5, 3, 9, 4, 7 };
	struct bytes b = { 0 };

	check(span_of(data, n));
	bytes_append(&b, whole, sizeof(whole));
	bytes_append(&b, data, n);
	check(bytes_span(&b));
	bytes_clear(&b);
	return 0;
}
