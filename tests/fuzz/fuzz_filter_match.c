/*
 * Any bytes as a block filter: asked for scripts, it answers or is malformed.
 * And a filter made of scripts has every one of them.  First byte: which;
 * then a block hash, then the filter, or scripts with their lengths.
 */
#include "config.h"

#include "consensus/block_filter.h"
#include "consensus/opcode.h"

#define MAX_SCRIPTS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_any(const struct block_hash *hash, struct span filter)
{
	struct span wanted[8];
	bool match = false, again;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		wanted[i] = span_of(filter.p, MIN_OF(i * 4, filter.n));
	if (!block_filter_match(&match, filter, hash, wanted,
				ARRAY_SIZE(wanted)))
		return;
	CHECK(block_filter_match(&again, filter, hash, NULL, 0) && !again);
	/* It is in there if one of them is. */
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		CHECK(block_filter_match(&again, filter, hash, &wanted[i],
					 1));
		CHECK(!again || match);
		if (again)
			return;
	}
	CHECK(!match);
}

static void check_made(const struct block_hash *hash, struct reader *r)
{
	struct span scripts[MAX_SCRIPTS];
	struct block b = { .hash = *hash };
	struct bytes filter = { 0 }, other = { 0 };
	size_t n = 0, i;
	bool match;

	while (n < MAX_SCRIPTS && reader_left(r)) {
		scripts[n] = read_span(r, MIN_OF((size_t)read_u8(r) % 40,
						 reader_left(r)));
		n++;
	}
	block_filter_write(&filter, &b, scripts, n);
	for (i = 0; i < n; i++) {
		CHECK(block_filter_match(&match, bytes_span(&filter), hash,
					 &scripts[i], 1));
		CHECK(match || scripts[i].n == 0);
	}
	/* The order of what is spent makes no difference. */
	for (i = 0; i < n / 2; i++) {
		struct span s = scripts[i];

		scripts[i] = scripts[n - 1 - i];
		scripts[n - 1 - i] = s;
	}
	block_filter_write(&other, &b, scripts, n);
	CHECK(span_eq(bytes_span(&filter), bytes_span(&other)));
	bytes_clear(&filter);
	bytes_clear(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = reader_of(span_of(data, n));
	bool made = read_u8(&r) & 1;
	struct block_hash hash;

	read_copy(&r, hash.b, sizeof hash.b);
	if (r.failed)
		return 0;
	if (made)
		check_made(&hash, &r);
	else
		check_any(&hash, read_span(&r, reader_left(&r)));
	return 0;
}
