/*
 * Any bytes from a peer, framed: however they are cut, the same messages come
 * out; and what we frame is taken as we meant it.  First byte: the cut; with
 * its top bit the rest is bytes as they are, else payloads to be framed.
 */
#include "config.h"

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "p2p/wire.h"

static const uint8_t magic[4] = { 0xfa, 0xbf, 0xb5, 0xda };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct outcome {
	enum wire_result end;
	unsigned messages, dropped;
	struct sha256 sum;
};

static void take_message(struct outcome *o, const struct wire_reader *w)
{
	uint8_t type = (uint8_t)w->type;

	CHECK(w->payload.n == w->length && w->length <= WIRE_PAYLOAD_MAX);
	o->messages++;
	sha256_update(&o->sum, &type, 1);
	sha256_update(&o->sum, w->payload.p, w->payload.n);
}

/* Everything of one piece; false when the connection would end. */
static bool feed_piece(struct outcome *o, struct wire_reader *w,
		       struct span in)
{
	do {
		size_t before = in.n;

		o->end = wire_feed(w, &in, magic);
		CHECK(in.n <= before);
		/* Memory follows what came, not what was announced. */
		CHECK(w->payload.cap <= 2 * w->payload.n + 16384);
		if (o->end == WIRE_MESSAGE)
			take_message(o, w);
		else if (o->end == WIRE_DROPPED)
			o->dropped++;
		else if (o->end != WIRE_MORE)
			return false;
		CHECK(o->end != WIRE_MORE || in.n == 0 || w->head_n);
	} while (in.n);
	return true;
}

static void feed_all(struct outcome *o, struct span in, size_t cut)
{
	struct wire_reader w = { 0 };
	size_t at;

	*o = (struct outcome){ 0 };
	sha256_init(&o->sum);
	for (at = 0; at < in.n; at += cut)
		if (!feed_piece(o, &w, span_of(in.p + at,
					       MIN_OF(cut, in.n - at))))
			break;
	wire_clear(&w);
}

/* Payloads, each with a byte of type and one of length, as messages. */
static unsigned frame(struct bytes *out, struct span in)
{
	struct reader r = reader_of(in);
	unsigned messages = 0;

	while (reader_left(&r) >= 2) {
		uint8_t type = read_u8(&r);
		size_t n = read_u8(&r), at;

		at = wire_begin(out, magic, (enum msg_type)
				(1 + type % (MSG_TYPE_COUNT - 1)));
		write_span(out, read_span(&r, MIN_OF(n, reader_left(&r))));
		wire_end(out, at);
		messages++;
	}
	return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct outcome whole, pieces;
	struct bytes in = { 0 };
	uint8_t a[32], b[32];
	unsigned framed = 0;

	if (n < 2)
		return 0;
	if (data[0] & 0x80)
		bytes_append(&in, data + 1, n - 1);
	else
		framed = frame(&in, span_of(data + 1, n - 1));
	feed_all(&whole, bytes_span(&in), in.n ? in.n : 1);
	feed_all(&pieces, bytes_span(&in), 1 + (data[0] & 0x7f));
	CHECK(whole.messages == pieces.messages);
	CHECK(whole.dropped == pieces.dropped && whole.end == pieces.end);
	CHECK((data[0] & 0x80) || (whole.messages == framed &&
				   whole.dropped == 0));
	sha256_final(&whole.sum, a);
	sha256_final(&pieces.sum, b);
	CHECK(memcmp(a, b, sizeof a) == 0);
	bytes_clear(&in);
	return 0;
}
