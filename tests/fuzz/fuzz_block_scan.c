/*
 * Any bytes as a block file: the scan ends, each record lies in the file and
 * behind the last one, and records and garbage are all there is.  First byte:
 * after which records the scanner is told that it was wrong.  The byte 0xa5
 * stands for the network's magic, so that inputs find it.
 */
#include "config.h"

#include "tests/fuzz/fuzz_file.h"
#include "validation/block_scan.h"

static const uint8_t magic[4] = { 0xfa, 0xbf, 0xb5, 0xda };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void make_file(struct bytes *out, struct span in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == 0xa5)
			bytes_append(out, magic, sizeof magic);
		else
			bytes_append(out, in.p + i, 1);
	}
}

static void check_record(struct block_scan *s, struct scan_record rec,
			 struct span file)
{
	struct bytes raw = { 0 };
	bool fits;

	CHECK(rec.size_bytes >= SCAN_BLOCK_MIN);
	CHECK(rec.pos + 8 + rec.size_bytes <= file.n);
	CHECK(memcmp(file.p + rec.pos, magic, sizeof magic) == 0);
	CHECK(!block_scan_read(s, &raw, rec, NULL));
	CHECK(span_eq(bytes_span(&raw),
		      span_of(file.p + rec.pos + 8, rec.size_bytes)));
	CHECK(!block_scan_fits(s, &fits, rec, NULL));
	CHECK(fits || rec.pos + 8 + rec.size_bytes < file.n);
	bytes_clear(&raw);
}

static void scan(struct block_scan *s, struct span file, uint8_t wrong)
{
	uint64_t next = 0, in_records = 0;
	struct scan_record rec;
	unsigned i = 0;
	bool found;

	for (;;) {
		CHECK(!block_scan_next(s, &found, &rec, NULL));
		if (!found)
			break;
		CHECK(rec.pos >= next);
		check_record(s, rec, file);
		if (wrong >> (i++ % 8) & 1) {
			block_scan_reject(s, rec);
			next = rec.pos + 1;
		} else {
			next = rec.pos + 8 + rec.size_bytes;
			in_records += 8 + rec.size_bytes;
		}
		CHECK(block_scan_pos(s) == next);
	}
	CHECK(block_scan_pos(s) == file.n);
	CHECK(block_scan_garbage(s) + in_records == file.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct block_scan *s;
	struct bytes file = { 0 };
	struct fuzz_file f;

	if (n == 0)
		return 0;
	make_file(&file, span_of(data + 1, n - 1));
	fuzz_file_make(&f, bytes_span(&file));
	CHECK(!block_scan_open(&s, f.path, magic, NULL));
	CHECK(block_scan_size(s) == file.n);
	scan(s, bytes_span(&file), data[0]);
	block_scan_close(s);
	fuzz_file_clear(&f);
	bytes_clear(&file);
	return 0;
}
