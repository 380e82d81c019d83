/*
 * Any bytes as a record of the block index, or of a block file: what decodes
 * means the same when it is written and read again.
 */
#include "config.h"

#include "base/reader.h"
#include "chainstate/index_db_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool pos_eq(struct disk_pos a, struct disk_pos b)
{
	return a.file == b.file && (a.file < 0 || a.offset == b.offset);
}

/* The header stands last; the key is made to fit it. */
static void check_record(struct span value)
{
	struct index_record rec, again;
	struct bytes out = { 0 };
	uint8_t key[33] = { 'b' };
	struct block_header h;
	struct block_hash hash;
	struct reader r;

	if (value.n < BLOCK_HEADER_BYTES)
		return;
	r = reader_of(span_of(value.p + value.n - BLOCK_HEADER_BYTES,
			      BLOCK_HEADER_BYTES));
	CHECK(block_header_read(&h, &r));
	block_header_hash(&hash, &h);
	CHECK(!index_record_read(&rec, span_of(key, 33), value));
	memcpy(key + 1, hash.b, 32);
	CHECK(!index_record_read(&rec, span_of(key, 32), value));
	if (!index_record_read(&rec, span_of(key, 33), value))
		return;
	CHECK(rec.height >= 0 && rec.data.file >= -1 && rec.undo.file >= -1);
	index_record_write(&out, &rec);
	CHECK(index_record_read(&again, span_of(key, 33), bytes_span(&out)));
	CHECK(again.height == rec.height && again.status == rec.status &&
	      again.tx_count == rec.tx_count);
	CHECK(pos_eq(again.data, rec.data) && pos_eq(again.undo, rec.undo));
	CHECK(memcmp(again.hash.b, rec.hash.b, 32) == 0);
	bytes_clear(&out);
}

static void check_file(struct span value)
{
	struct block_file_info f;
	struct bytes out = { 0 };

	if (!file_info_read(&f, value))
		return;
	file_info_write(&out, &f);
	/* Numbers have one form: the bytes are the same. */
	CHECK(span_eq(bytes_span(&out), value));
	bytes_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_record(span_of(data, n));
	check_file(span_of(data, n));
	return 0;
}
