/*
 * Containers of secrets: what is read is written back as the same bytes, and
 * no made-up one opens.  The input is tried as it is, and as what stands
 * between a good beginning and a right checksum.
 */
#include "config.h"

#include "base/base.h"
#include "crypto/hash.h"
#include "keys/keybox.h"

#define BEGINNING "cloister-keybox\n\x01"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Guessing right would mean forging a tag. */
static void try_open(const struct keybox *b)
{
	struct secret passphrase = {0}, out = {0};
	uint64_t steps = (uint64_t)b->cost.r * b->cost.p << b->cost.log2_n;
	bool opened;

	if (steps > 256)
		return;
	secret_init(&passphrase, 8);
	secret_append(&passphrase, "fuzz", 4);
	CHECK(keybox_open(&out, &opened, b, &passphrase, NULL) == ERR_NONE);
	CHECK(!opened && !out.p);
	secret_clear(&passphrase);
}

static void try_read(struct span s)
{
	struct bytes again = {0};
	struct keybox b;

	if (keybox_read(&b, s) != KEYBOX_OK)
		return;
	keybox_write(&again, &b);
	CHECK(span_eq(bytes_span(&again), s));
	bytes_clear(&again);
	try_open(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes whole = {0};
	uint8_t sum[32];

	try_read(span_of(data, size));
	bytes_append(&whole, BEGINNING, sizeof BEGINNING - 1);
	bytes_append(&whole, data, size);
	sha256(sum, whole.p, whole.n);
	bytes_append(&whole, sum, sizeof sum);
	try_read(bytes_span(&whole));
	bytes_clear(&whole);
	return 0;
}
