/*
 * Any bytes as a snapshot of the coins.  The head is given, so that inputs
 * are about what follows; with an odd first byte they are the whole file.
 */
#include "config.h"

#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/snapshot_priv.h"
#include "tests/fuzz/fuzz_file.h"

static const uint8_t magic[4] = { 0xfa, 0xbf, 0xb5, 0xda };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
	uint64_t coins;
	size_t script_bytes, limit;
};

static bool visit(const struct outpoint *o, const struct coin *c, void *arg)
{
	struct seen *s = arg;

	(void)o;
	CHECK(amount_ok(c->value_sat) && c->height >= 0);
	s->coins++;
	s->script_bytes += c->script.n;
	return s->coins < 1000;
}

static void wrap(struct bytes *out, struct span in)
{
	struct reader r = reader_of(in);

	bytes_append(out, "utxo\xff\x02\x00", 7);
	bytes_append(out, magic, 4);
	for (int i = 0; i < 32; i++)
		write_u8(out, 0);
	write_u64(out, read_u8(&r));
	write_span(out, read_span(&r, reader_left(&r)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seen seen = { 0 };
	struct block_hash base;
	struct bytes all = { 0 };
	struct why why = { 0 };
	uint64_t size = 0;
	struct fuzz_file f;
	enum err e;

	if (n && !(data[0] & 1))
		wrap(&all, span_of(data + 1, n - 1));
	else if (n)
		bytes_append(&all, data + 1, n - 1);
	fuzz_file_make(&f, bytes_span(&all));
	e = snapshot_visit(&base, &size, f.path, magic, visit, &seen, &why);
	/* A file that is not as it should be is the user's to mend. */
	CHECK(!e || e == ERR_INPUT || e == ERR_STOPPED);
	CHECK(!e || (why.err == e && why.text[0]));
	CHECK(e || size == all.n);
	/* The longest expansion: a form of 33 bytes to a script of 67. */
	CHECK(seen.script_bytes <= 3 * all.n);
	fuzz_file_clear(&f);
	bytes_clear(&all);
	return 0;
}
