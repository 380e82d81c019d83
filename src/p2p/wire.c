/*
 * Message framing.  Judged as the reference node does: foreign magic and
 * excessive length end the connection, a wrong checksum or a command that is
 * not printable only loses the message.
 */
#include "config.h"

#include "p2p/wire.h"

#include "crypto/hash.h"

/* First piece of memory for a payload; then it doubles with what comes. */
#define PAYLOAD_FIRST_BYTES 16384u

static bool command_ok(const uint8_t c[static MSG_COMMAND_BYTES])
{
	size_t i = 0;

	while (i < MSG_COMMAND_BYTES && c[i] >= 0x20 && c[i] <= 0x7e)
		i++;
	while (i < MSG_COMMAND_BYTES && c[i] == 0)
		i++;
	return i == MSG_COMMAND_BYTES;
}

static uint32_t get_u32(const uint8_t p[static 4])
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static size_t take(struct span *in, size_t want)
{
	size_t n = MIN_OF(in->n, want);

	in->p += n;
	in->n -= n;
	return n;
}

static enum wire_result feed_head(struct wire_reader *w, struct span *in,
				  const uint8_t magic[static 4])
{
	const uint8_t *from = in->p;
	size_t n = take(in, WIRE_HEADER_BYTES - w->head_n), known;

	if (n)
		memcpy(w->head + w->head_n, from, n);
	w->head_n += n;
	known = MIN_OF(w->head_n, (size_t)4);
	if (memcmp(w->head, magic, known) != 0)
		return WIRE_BAD_MAGIC;
	if (w->head_n < WIRE_HEADER_BYTES)
		return WIRE_MORE;
	w->length = get_u32(w->head + 16);
	if (w->length > WIRE_PAYLOAD_MAX)
		return WIRE_OVERSIZE;
	w->type = command_ok(w->head + 4) ? msg_type_get(w->head + 4)
					  : MSG_UNKNOWN;
	return WIRE_MORE;
}

static void feed_payload(struct wire_reader *w, struct span *in)
{
	const uint8_t *from = in->p;
	size_t n = take(in, w->length - w->payload.n), room;

	if (w->payload.n + n > w->payload.cap) {
		room = MAX_OF(w->payload.cap, (size_t)PAYLOAD_FIRST_BYTES);
		while (room < w->payload.n + n)
			room *= 2;
		room = MIN_OF(room, (size_t)w->length);
		bytes_reserve(&w->payload, room - w->payload.n);
	}
	if (n)
		bytes_append(&w->payload, from, n);
}

enum wire_result wire_feed(struct wire_reader *w, struct span *in,
			   const uint8_t magic[static 4])
{
	uint8_t sum[32];
	enum wire_result r;

	if (w->done) {
		w->done = false;
		w->head_n = 0;
		bytes_clear(&w->payload);
	}
	if (w->head_n < WIRE_HEADER_BYTES) {
		r = feed_head(w, in, magic);
		if (r != WIRE_MORE || w->head_n < WIRE_HEADER_BYTES)
			return r;
	}
	feed_payload(w, in);
	if (w->payload.n < w->length)
		return WIRE_MORE;
	w->done = true;
	sha256d(sum, w->payload.p, w->payload.n);
	if (memcmp(sum, w->head + 20, 4) != 0 || !command_ok(w->head + 4))
		return WIRE_DROPPED;
	return WIRE_MESSAGE;
}

enum msg_type wire_receiving(const struct wire_reader *w)
{
	if (w->done || w->head_n < WIRE_HEADER_BYTES)
		return MSG_UNKNOWN;
	return w->type;
}

void wire_clear(struct wire_reader *w)
{
	bytes_clear(&w->payload);
	*w = (struct wire_reader){ 0 };
}

size_t wire_begin(struct bytes *out, const uint8_t magic[static 4],
		  enum msg_type type)
{
	uint8_t head[WIRE_HEADER_BYTES] = { 0 };
	const char *name = msg_type_name(type);
	size_t at = out->n;

	CHECK(type != MSG_UNKNOWN);
	memcpy(head, magic, 4);
	memcpy(head + 4, name, strlen(name));
	bytes_append(out, head, sizeof head);
	return at;
}

void wire_end(struct bytes *out, size_t at)
{
	uint8_t sum[32];
	size_t n = out->n - at - WIRE_HEADER_BYTES, i;
	uint8_t *head = out->p + at;

	CHECK(n <= WIRE_PAYLOAD_MAX);
	for (i = 0; i < 4; i++)
		head[16 + i] = (uint8_t)(n >> (8 * i));
	sha256d(sum, head + WIRE_HEADER_BYTES, n);
	memcpy(head + 20, sum, 4);
}
