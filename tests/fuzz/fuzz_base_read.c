/*
 * Numbers in their compact and decimal forms, and hex: what is read is
 * written back as it was, and nothing but the shortest form is read.
 */
#include "config.h"

#include <stdlib.h>

#include "base/amount.h"
#include "base/reader.h"
#include "base/writer.h"

#define COMPACT_LIMIT 0x02000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_compact(struct span in)
{
	struct reader r = reader_of(in), bounded = r;
	struct bytes out = { 0 };
	uint64_t v, again;

	while (reader_left(&r) && !r.failed) {
		const uint8_t *from = r.p;

		bounded = r;
		v = read_compact_any(&r);
		again = read_compact(&bounded);
		if (r.failed) {
			CHECK(bounded.failed && v == 0 && again == 0);
			break;
		}
		CHECK(bounded.failed == (v > COMPACT_LIMIT));
		CHECK(bounded.failed || again == v);
		out.n = 0;
		write_compact(&out, v);
		CHECK(out.n == compact_size(v));
		CHECK(span_eq(bytes_span(&out),
			      span_of(from, (size_t)(r.p - from))));
	}
	/* A failure stays. */
	CHECK(!r.failed || (read_u64(&r) == 0 && read_u8(&r) == 0 &&
			    reader_left(&r) == 0 && r.failed));
	bytes_clear(&out);
}

static void check_fields(struct span in)
{
	struct reader r = reader_of(in);
	struct bytes out = { 0 };

	while (reader_left(&r) >= 17) {
		write_u8(&out, read_u8(&r));
		write_u16(&out, read_u16(&r));
		write_u16_be(&out, read_u16_be(&r));
		write_u32(&out, read_u32(&r));
		write_u64(&out, read_u64(&r));
	}
	CHECK(!r.failed);
	CHECK(span_eq(bytes_span(&out), span_of(in.p, out.n)));
	bytes_clear(&out);
}

static void check_var_spans(struct span in)
{
	struct reader r = reader_of(in);
	struct bytes out = { 0 };
	size_t whole = 0;

	while (reader_left(&r)) {
		struct span s = read_var_span(&r);

		if (r.failed)
			break;
		CHECK(s.n <= in.n);
		write_var_span(&out, s);
		whole = out.n;
	}
	CHECK(span_eq(bytes_span(&out), span_of(in.p, whole)));
	bytes_clear(&out);
}

static void check_hex(const char *text, struct span raw)
{
	char *hex = hex_new(raw), *again;
	struct bytes b = { 0 };

	CHECK(strlen(hex) == 2 * raw.n);
	CHECK(hex_append(&b, hex) && span_eq(bytes_span(&b), raw));
	b.n = 0;
	if (hex_append(&b, text)) {
		again = hex_new(bytes_span(&b));
		CHECK(strlen(again) == strlen(text));
		free(again);
	} else {
		CHECK(b.n == 0);
	}
	free(hex);
	bytes_clear(&b);
}

static void check_amount(const char *text)
{
	char back[32];
	int64_t sat, again;

	if (!amount_parse(&sat, text))
		return;
	amount_format(back, sat);
	CHECK(amount_parse(&again, back) && again == sat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span in = span_of(data, n);
	char *text = xmalloc(n + 1);

	if (n)
		memcpy(text, data, n);
	text[n] = 0;
	check_compact(in);
	check_fields(in);
	check_var_spans(in);
	check_hex(text, in);
	check_amount(text);
	free(text);
	return 0;
}
