/*
 * Any bytes as peers.dat: with a checksum of ours put under them, so that
 * entries are reached.  What was read works, and is written and read again
 * as the same bytes.  And any text as an onion address.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "crypto/hash.h"
#include "p2p/addrbook.h"

#define NOW INT64_C(1700000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void repeatable(void *ctx, void *out, size_t n)
{
	uint8_t *b = out;

	while (n--)
		*b++ = (uint8_t)prng_u64(ctx);
}

static void use(struct addrbook *b)
{
	struct onion o, t;
	bool tried;
	int i;

	for (i = 0; i < 20 && addrbook_pick(b, &o, i & 1, NULL, NULL); i++) {
		CHECK(addrbook_find(b, &tried, &o));
		if (i % 3 == 0)
			addrbook_failed(b, &o, 60, 3600);
		else
			addrbook_good(b, &o, 9);
		if (addrbook_pick_test(b, &t, NULL, NULL))
			addrbook_failed(b, &t, 60, 3600);
		addrbook_settle(b);
	}
	if (i)
		addrbook_remove(b, &o);
}

static void read_one(const struct bytes *in, struct prng *r)
{
	struct addrbook *b = addrbook_new(repeatable, r);
	struct bytes one = { 0 }, two = { 0 };

	addrbook_set_time(b, NOW);
	if (addrbook_read(b, bytes_span(in)) == BOOK_READ_OK) {
		addrbook_write(b, &one);
		CHECK(addrbook_read(b, bytes_span(&one)) == BOOK_READ_OK);
		addrbook_write(b, &two);
		CHECK(span_eq(bytes_span(&one), bytes_span(&two)));
		use(b);
	} else {
		CHECK(addrbook_count(b) == 0);
	}
	bytes_clear(&one);
	bytes_clear(&two);
	addrbook_free(b);
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
	struct bytes in = { 0 };
	struct prng r;
	uint8_t sum[32];

	prng_seed(&r, n);
	bytes_append(&in, data, n);
	read_one(&in, &r);
	in.n = 0;
	bytes_append(&in, "CLPEERS\2", 8);
	bytes_append(&in, data, n);
	sha256d(sum, in.p, in.n);
	bytes_append(&in, sum, sizeof sum);
	read_one(&in, &r);
	check_onion(span_of(data, n));
	bytes_clear(&in);
	return 0;
}
