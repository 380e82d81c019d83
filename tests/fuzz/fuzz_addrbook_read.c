/*
 * Any bytes as the address book's file; and what was read can be used and
 * written, and reads the same.  Its head and checksum are made right unless
 * the first byte is odd.  And any text as an onion address.
 */
#include "config.h"

#include <stdlib.h>

#include "base/random.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "p2p/addrbook.h"

#define ENTRY_BYTES 74
#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_random(void *ctx, void *out, size_t n)
{
	uint8_t *p = out;

	while (n--)
		*p++ = (uint8_t)prng_u64(ctx);
}

static void make_file(struct bytes *out, struct span in)
{
	struct reader r = reader_of(in);
	uint8_t sum[32];

	bytes_append(out, "CLPEERS1", 8);
	write_u32(out, (uint32_t)(in.n / ENTRY_BYTES));
	write_span(out, read_span(&r, in.n - in.n % ENTRY_BYTES));
	sha256d(sum, out->p, out->n);
	bytes_append(out, sum, sizeof sum);
}

static void use(struct addrbook *b)
{
	struct book_entry some[16];
	struct onion o;
	size_t n = addrbook_sample(b, some, ARRAY_SIZE(some), NOW), i;

	CHECK(n <= addrbook_count(b));
	for (i = 0; i < 20; i++) {
		if (!addrbook_pick(b, &o, NOW, i & 1, NULL, NULL))
			continue;
		addrbook_attempt(b, &o, NOW);
		if (i % 3 == 0)
			addrbook_good(b, &o, 1, NOW);
		if (i % 7 == 6)
			addrbook_remove(b, &o);
	}
}

static void check_book(struct span file)
{
	struct prng rng;
	struct addrbook *b, *again;
	struct bytes out = { 0 };

	prng_seed(&rng, 1);
	b = addrbook_new(64, fuzz_random, &rng);
	again = addrbook_new(64, fuzz_random, &rng);
	if (addrbook_read(b, file)) {
		use(b);
		addrbook_write(b, &out);
		CHECK(!addrbook_changed(b));
		CHECK(addrbook_read(again, bytes_span(&out)));
		CHECK(addrbook_count(again) == addrbook_count(b));
	} else {
		CHECK(addrbook_count(b) == 0);
	}
	bytes_clear(&out);
	addrbook_free(b);
	addrbook_free(again);
}

static void check_onion(struct span in)
{
	uint8_t key[ONION_KEY_BYTES], again[ONION_KEY_BYTES];
	char text[ONION_TEXT_SIZE], *s;

	s = xasprintf("%.*s", (int)in.n, (const char *)in.p);
	if (onion_parse(key, s)) {
		onion_format(text, key);
		CHECK(onion_parse(again, text));
		CHECK(memcmp(key, again, sizeof key) == 0);
	}
	free(s);
	if (in.n < sizeof key)
		return;
	onion_format(text, in.p);
	CHECK(onion_parse(key, text) && memcmp(key, in.p, sizeof key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes file = { 0 };

	if (n == 0)
		return 0;
	if (data[0] & 1)
		bytes_append(&file, data + 1, n - 1);
	else
		make_file(&file, span_of(data + 1, n - 1));
	check_book(bytes_span(&file));
	check_onion(span_of(data + 1, n - 1));
	bytes_clear(&file);
	return 0;
}
