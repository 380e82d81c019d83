/*
 * Coins as bytes: database keys and values.
 */
#include "config.h"

#include "chainstate/coin_record_priv.h"

/*
 * n as a number whose first byte says how long it is: 0xxxxxxx,
 * 10xxxxxx +1, 110xxxxx +2, 1110xxxx +3, 11110000 +4.  Comparing the bytes
 * compares the numbers.
 */
static size_t index_encode(uint8_t out[static 5], uint32_t n)
{
	const uint8_t be[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
				(uint8_t)(n >> 8), (uint8_t)n };

	if (n < 1u << 7) {
		out[0] = be[3];
		return 1;
	}
	if (n < 1u << 14) {
		out[0] = 0x80 | be[2];
		out[1] = be[3];
		return 2;
	}
	if (n < 1u << 21) {
		out[0] = 0xc0 | be[1];
		memcpy(out + 1, be + 2, 2);
		return 3;
	}
	if (n < 1u << 28) {
		out[0] = 0xe0 | be[0];
		memcpy(out + 1, be + 1, 3);
		return 4;
	}
	out[0] = 0xf0;
	memcpy(out + 1, be, 4);
	return 5;
}

static bool index_decode(uint32_t *out, struct span s)
{
	uint8_t again[5];
	uint32_t n;
	size_t len;

	if (s.n == 0 || s.n > 5)
		return false;
	n = s.n < 5 ? s.p[0] & (0xffu >> s.n) : 0;
	for (size_t i = 1; i < s.n; i++)
		n = n << 8 | s.p[i];
	len = index_encode(again, n);
	*out = n;
	return span_eq(span_of(again, len), s);
}

size_t coin_key_encode(uint8_t out[static COIN_KEY_MAX],
		       const struct outpoint *o)
{
	out[0] = COIN_KEY_PREFIX;
	memcpy(out + 1, o->txid.b, 32);
	return 33 + index_encode(out + 33, o->n);
}

bool coin_key_decode(struct outpoint *o, struct span key)
{
	if (key.n < 34 || key.p[0] != COIN_KEY_PREFIX)
		return false;
	memcpy(o->txid.b, key.p + 1, 32);
	return index_decode(&o->n, span_of(key.p + 33, key.n - 33));
}

void coin_out_write(struct bytes *b, const struct coin *c)
{
	varint_write(b, amount_compress((uint64_t)c->value_sat));
	script_compress(b, c->script);
}

bool coin_out_read(struct coin *c, uint8_t buf[static SCRIPT_FORM_MAX],
		   struct reader *r)
{
	uint64_t sat = amount_decompress(varint_read(r));

	if (sat > (uint64_t)MAX_MONEY_SAT)
		r->failed = true;
	c->value_sat = (int64_t)sat;
	c->script = script_unpack(buf, r);
	return !r->failed;
}

void coin_value_write(struct bytes *b, const struct coin *c)
{
	varint_write(b, coin_code(c));
	coin_out_write(b, c);
}

bool coin_value_read(struct coin *c, uint8_t buf[static SCRIPT_FORM_MAX],
		     struct reader *r)
{
	coin_set_code(c, varint_read_u32(r));
	return coin_out_read(c, buf, r);
}
