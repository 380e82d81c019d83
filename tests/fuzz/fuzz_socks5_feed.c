/*
 * A proxy that says anything: fed whole and as the transport reads (only what
 * is wanted), the outcome is the same, and nothing past the end is eaten.
 */
#include "config.h"

#include "base/base.h"
#include "tor/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum socks5_status feed_whole(struct socks5 *s, struct bytes *out,
				     size_t *used, struct span in)
{
	socks5_start(s, out, "host.onion", 8333, "user", "pass");
	return socks5_feed(s, used, out, in);
}

static enum socks5_status feed_exact(struct socks5 *s, struct bytes *out,
				     size_t *used, struct span in)
{
	enum socks5_status st = SOCKS5_MORE;
	size_t have = 0, n;

	*used = 0;
	socks5_start(s, out, "host.onion", 8333, "user", "pass");
	while (st == SOCKS5_MORE) {
		size_t want = socks5_wants(s, span_of(in.p + *used, have));

		CHECK(want > 0 && have + want <= 300);
		if (*used + have + want > in.n)
			break;
		have += want;
		st = socks5_feed(s, &n, out, span_of(in.p + *used, have));
		CHECK(n <= have);
		*used += n;
		have -= n;
	}
	CHECK(st != SOCKS5_DONE || have == 0);
	return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct bytes a = {0}, b = {0};
	struct socks5 s, t;
	size_t used_s, used_t;
	enum socks5_status st = feed_whole(&s, &a, &used_s, in);

	CHECK(used_s <= size);
	if (st == SOCKS5_DONE) {
		CHECK(feed_exact(&t, &b, &used_t, in) == SOCKS5_DONE);
		CHECK(used_s == used_t);
		CHECK(span_eq(bytes_span(&a), bytes_span(&b)));
		CHECK(s.error == SOCKS5_OK);
	} else if (st == SOCKS5_FAILED) {
		CHECK(s.error != SOCKS5_OK);
	}
	bytes_clear(&a);
	bytes_clear(&b);
	return 0;
}
