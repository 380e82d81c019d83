/*
 * The compact forms that coins take on disk: the reference node's VARINT,
 * its compressed amounts and its compressed scripts.
 */
#include "config.h"

#include "chainstate/undo.h"

#include "chainstate/coin_record_priv.h"
#include "crypto/secp.h"

#include <string.h>

#define MAX_SCRIPT_BYTES 10000

/* Script forms below this number are the special ones. */
#define SPECIAL_FORMS 6

enum { FORM_P2PKH, FORM_P2SH, FORM_EVEN, FORM_ODD, FORM_FULL_EVEN,
       FORM_FULL_ODD };

size_t varint_encode(uint8_t out[static VARINT_MAX], uint64_t v)
{
	uint8_t tmp[VARINT_MAX];
	size_t n = 0;

	for (;;) {
		tmp[n] = (uint8_t)((v & 0x7f) | (n ? 0x80 : 0));
		n++;
		if (v <= 0x7f)
			break;
		v = (v >> 7) - 1;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}

void varint_write(struct bytes *b, uint64_t v)
{
	uint8_t tmp[VARINT_MAX];

	bytes_append(b, tmp, varint_encode(tmp, v));
}

uint64_t varint_read(struct reader *r)
{
	uint64_t v = 0;

	for (;;) {
		uint8_t c = read_u8(r);

		if (r->failed || v > UINT64_MAX >> 7)
			break;
		v = v << 7 | (c & 0x7f);
		if (!(c & 0x80))
			return v;
		if (v == UINT64_MAX)
			break;
		v++;
	}
	r->failed = true;
	return 0;
}

uint32_t varint_read_u32(struct reader *r)
{
	uint64_t v = varint_read(r);

	if (v <= UINT32_MAX)
		return (uint32_t)v;
	r->failed = true;
	return 0;
}

/* Trailing zeros and the last other digit are taken apart. */
uint64_t amount_compress(uint64_t sat)
{
	unsigned zeros = 0;
	uint64_t digit;

	if (sat == 0)
		return 0;
	while (sat % 10 == 0 && zeros < 9) {
		sat /= 10;
		zeros++;
	}
	if (zeros == 9)
		return 1 + (sat - 1) * 10 + 9;
	digit = sat % 10;
	sat /= 10;
	return 1 + (sat * 9 + digit - 1) * 10 + zeros;
}

uint64_t amount_decompress(uint64_t x)
{
	unsigned zeros;
	uint64_t sat;

	if (x == 0)
		return 0;
	x--;
	zeros = x % 10;
	x /= 10;
	if (zeros < 9) {
		sat = x / 9 * 10 + x % 9 + 1;
	} else {
		sat = x + 1;
	}
	while (zeros--)
		sat *= 10;
	return sat;
}

/* The form's number and the 20 or 32 bytes it keeps; -1: none fits. */
static int script_form(const uint8_t **kept, struct span s)
{
	const uint8_t *p = s.p;

	if (s.n == 25 && p[0] == 0x76 && p[1] == 0xa9 && p[2] == 20 &&
	    p[23] == 0x88 && p[24] == 0xac) {
		*kept = p + 3;
		return FORM_P2PKH;
	}
	if (s.n == 23 && p[0] == 0xa9 && p[1] == 20 && p[22] == 0x87) {
		*kept = p + 2;
		return FORM_P2SH;
	}
	*kept = p + 2;
	if (s.n == 35 && p[0] == 33 && (p[1] == 2 || p[1] == 3) &&
	    p[34] == 0xac)
		return p[1];
	if (s.n == 67 && p[0] == 65 && p[1] == 4 && p[66] == 0xac &&
	    secp_pubkey_valid(span_of(p + 1, 65)))
		return FORM_FULL_EVEN + (p[65] & 1);
	return -1;
}

static size_t form_bytes(uint64_t form)
{
	return form == FORM_P2PKH || form == FORM_P2SH ? 20 : 32;
}

void script_compress(struct bytes *b, struct span script)
{
	const uint8_t *kept;
	int form = script_form(&kept, script);

	if (form < 0) {
		varint_write(b, script.n + SPECIAL_FORMS);
		bytes_append(b, script.p, script.n);
		return;
	}
	varint_write(b, (uint64_t)form);
	bytes_append(b, kept, form_bytes((uint64_t)form));
}

/* Write a special form's script out; 0 if the key is no point. */
static size_t form_expand(uint8_t out[static SCRIPT_FORM_MAX], int form,
			  const uint8_t *kept)
{
	uint8_t key[33];

	switch (form) {
	case FORM_P2PKH:
		memcpy(out, "\x76\xa9\x14", 3);
		memcpy(out + 3, kept, 20);
		memcpy(out + 23, "\x88\xac", 2);
		return 25;
	case FORM_P2SH:
		memcpy(out, "\xa9\x14", 2);
		memcpy(out + 2, kept, 20);
		out[22] = 0x87;
		return 23;
	case FORM_EVEN:
	case FORM_ODD:
		out[0] = 33;
		out[1] = (uint8_t)form;
		memcpy(out + 2, kept, 32);
		out[34] = 0xac;
		return 35;
	default:
		key[0] = (uint8_t)(form - 2);
		memcpy(key + 1, kept, 32);
		if (!secp_pubkey_decompress(out + 1, key))
			return 0;
		out[0] = 65;
		out[66] = 0xac;
		return 67;
	}
}

struct span script_unpack(uint8_t buf[static SCRIPT_FORM_MAX],
			  struct reader *r)
{
	uint64_t size = varint_read(r);
	struct span s;
	size_t n;

	if (size < SPECIAL_FORMS) {
		s = read_span(r, form_bytes(size));
		n = s.p ? form_expand(buf, (int)size, s.p) : 0;
		if (n == 0)
			r->failed = true;
		return span_of(buf, n);
	}
	size -= SPECIAL_FORMS;
	if (size > reader_left(r)) {
		r->failed = true;
		return span_of(buf, 0);
	}
	s = read_span(r, (size_t)size);
	if (size > MAX_SCRIPT_BYTES) {
		/* As the reference node: never spendable, so any will do. */
		buf[0] = 0x6a;
		return span_of(buf, 1);
	}
	return s;
}

struct span script_decompress(struct reader *r, struct arena *a)
{
	uint8_t buf[SCRIPT_FORM_MAX];
	struct span s = script_unpack(buf, r);

	return r->failed ? span_of(NULL, 0) : arena_copy(a, s);
}
