/*
 * Framing: split in every way, damaged in every way.
 */
#include "config.h"

#include "test_p2p.h"

#include "p2p/wire.h"

static const uint8_t magic[4] = { 0xfa, 0xbf, 0xb5, 0xda };

static struct bytes frame(enum msg_type type, const char *payload)
{
	struct bytes b = { 0 };
	size_t at = wire_begin(&b, magic, type);

	bytes_append(&b, payload, strlen(payload));
	wire_end(&b, at);
	return b;
}

static void takes_any_split(void **state)
{
	struct bytes b = frame(MSG_TX, "some payload"), second;
	struct wire_reader w;
	enum wire_result r;
	struct span in;
	size_t cut;

	(void)state;
	second = frame(MSG_VERACK, "");
	bytes_append(&b, second.p, second.n);
	for (cut = 0; cut <= b.n; cut++) {
		unsigned messages = 0, part;

		w = (struct wire_reader){ 0 };
		for (part = 0; part < 2; part++) {
			in = part ? span_of(b.p + cut, b.n - cut)
				  : span_of(b.p, cut);
			while (in.n) {
				r = wire_feed(&w, &in, magic);
				if (r == WIRE_MORE)
					continue;
				assert_int_equal(r, WIRE_MESSAGE);
				if (messages++ == 0) {
					assert_int_equal(w.type, MSG_TX);
					assert_true(span_eq(
						bytes_span(&w.payload),
						span_of("some payload", 12)));
				} else {
					assert_int_equal(w.type, MSG_VERACK);
					assert_int_equal(w.payload.n, 0);
				}
			}
		}
		assert_int_equal(messages, 2);
		wire_clear(&w);
	}
	bytes_clear(&b);
	bytes_clear(&second);
}

static enum wire_result feed_all(struct wire_reader *w, struct bytes *b)
{
	struct span in = bytes_span(b);
	enum wire_result r = WIRE_MORE;

	while (in.n && r == WIRE_MORE)
		r = wire_feed(w, &in, magic);
	return r;
}

static void judges_damage(void **state)
{
	static const struct {
		size_t at;
		uint8_t xor;
		enum wire_result result;
	} cases[] = {
		{ 0, 1, WIRE_BAD_MAGIC }, { 3, 0x80, WIRE_BAD_MAGIC },
		{ 19, 0x01, WIRE_OVERSIZE },    /* length + 2^24 */
		{ 20, 1, WIRE_DROPPED },        /* checksum */
		{ 30, 1, WIRE_DROPPED },        /* payload */
		{ 4, 0x80, WIRE_DROPPED },      /* not printable */
		{ 10, 'x', WIRE_DROPPED },      /* after the zero */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bytes b = frame(MSG_TX, "some payload");
		struct wire_reader w = { 0 };

		b.p[cases[i].at] ^= cases[i].xor;
		/* A wrong magic is seen at the first wrong byte. */
		if (cases[i].result == WIRE_BAD_MAGIC)
			b.n = cases[i].at + 1;
		assert_int_equal(feed_all(&w, &b), cases[i].result);
		wire_clear(&w);
		bytes_clear(&b);
	}
}

static void goes_on_after_dropped(void **state)
{
	struct bytes b = frame(MSG_TX, "some payload"), good;
	struct wire_reader w = { 0 };
	struct span in;

	(void)state;
	good = frame(MSG_PING, "12345678");
	b.p[20] ^= 1;
	bytes_append(&b, good.p, good.n);
	in = bytes_span(&b);
	assert_int_equal(wire_feed(&w, &in, magic), WIRE_DROPPED);
	assert_int_equal(wire_feed(&w, &in, magic), WIRE_MESSAGE);
	assert_int_equal(w.type, MSG_PING);
	assert_int_equal(in.n, 0);
	wire_clear(&w);
	bytes_clear(&b);
	bytes_clear(&good);
}

/* A length alone costs no memory. */
static void memory_follows_bytes(void **state)
{
	uint8_t head[WIRE_HEADER_BYTES] = { 0xfa, 0xbf, 0xb5, 0xda,
					    'b', 'l', 'o', 'c', 'k' };
	struct wire_reader w = { 0 };
	struct span in = span_of(head, sizeof head);

	(void)state;
	head[16] = 0x00;         /* 4,000,000 = 0x3d0900 */
	head[17] = 0x09;
	head[18] = 0x3d;
	assert_int_equal(wire_feed(&w, &in, magic), WIRE_MORE);
	assert_int_equal(wire_receiving(&w), MSG_BLOCK);
	in = span_of(head, 10);
	assert_int_equal(wire_feed(&w, &in, magic), WIRE_MORE);
	assert_true(w.payload.cap <= 65536);
	wire_clear(&w);
	head[16] = 0x01;         /* one more is too many */
	in = span_of(head, sizeof head);
	assert_int_equal(wire_feed(&w, &in, magic), WIRE_OVERSIZE);
	wire_clear(&w);
}

int test_p2p_wire(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_any_split),
		cmocka_unit_test(judges_damage),
		cmocka_unit_test(goes_on_after_dropped),
		cmocka_unit_test(memory_follows_bytes),
	};

	return cmocka_run_group_tests_name("p2p wire", tests, NULL, NULL);
}
