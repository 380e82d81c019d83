/*
 * Bech32: 32 symbols, a readable prefix, and a BCH code of six symbols that
 * finds any four errors.
 */
#include "config.h"

#include "crypto/bech32_priv.h"

static const char symbols[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

uint32_t bech32_step(uint32_t c, uint8_t value)
{
	static const uint32_t generator[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3,
	};
	uint32_t top = c >> 25;

	c = (c & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++) {
		if (top >> i & 1)
			c ^= generator[i];
	}
	return c;
}

/* The prefix counts twice: its high bits, a zero, its low bits. */
uint32_t bech32_start(const char *hrp)
{
	uint32_t c = 1;

	for (const char *s = hrp; *s; s++)
		c = bech32_step(c, (uint8_t)*s >> 5);
	c = bech32_step(c, 0);
	for (const char *s = hrp; *s; s++)
		c = bech32_step(c, *s & 31);
	return c;
}

bool bech32_encode(char out[static BECH32_MAX_CHARS + 1],
		   enum bech32_kind kind, const char *hrp, struct span values)
{
	uint32_t c = bech32_start(hrp);
	size_t at = strlen(hrp);

	if (kind == BECH32_NONE || at == 0 || at > BECH32_MAX_HRP ||
	    at + 1 + values.n + BECH32_CHECKSUM_N > BECH32_MAX_CHARS)
		return false;
	memcpy(out, hrp, at);
	out[at++] = '1';
	for (size_t i = 0; i < values.n; i++) {
		CHECK(values.p[i] < 32);
		c = bech32_step(c, values.p[i]);
		out[at++] = symbols[values.p[i]];
	}
	for (int i = 0; i < BECH32_CHECKSUM_N; i++)
		c = bech32_step(c, 0);
	c ^= kind == BECH32 ? BECH32_RESIDUE : BECH32M_RESIDUE;
	for (int i = BECH32_CHECKSUM_N - 1; i >= 0; i--)
		out[at++] = symbols[c >> 5 * i & 31];
	out[at] = 0;
	return true;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

int bech32_value(char c)
{
	const char *at = strchr(symbols, to_lower(c));

	return at && c ? (int)(at - symbols) : -1;
}

/* Printable characters, of one case. */
static bool characters_ok(const char *text, size_t n)
{
	bool upper = false, lower = false;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < 33 || text[i] > 126)
			return false;
		upper |= is_upper(text[i]);
		lower |= text[i] >= 'a' && text[i] <= 'z';
	}
	return !(upper && lower);
}

static bool refuse(struct why *why, const char *reason)
{
	why_set(why, ERR_INPUT, "%s", reason);
	return false;
}

/* Symbols behind the mark, and what the code says of them. */
static bool read_values(struct bech32 *out, const char *s, struct why *why)
{
	uint32_t c = bech32_start(out->hrp);

	for (; *s; s++) {
		int v = bech32_value(*s);

		if (v < 0)
			return refuse(why, "Invalid Base 32 character");
		out->values[out->n++] = (uint8_t)v;
		c = bech32_step(c, (uint8_t)v);
	}
	if (c == BECH32_RESIDUE)
		out->kind = BECH32;
	else if (c == BECH32M_RESIDUE)
		out->kind = BECH32M;
	else
		return refuse(why, bech32_checksum_reason(c, out->n));
	out->n -= BECH32_CHECKSUM_N;
	return true;
}

bool bech32_decode(struct bech32 *out, const char *text, struct why *why)
{
	size_t n = strnlen(text, BECH32_MAX_CHARS + 1), hrp_n;
	const char *mark;

	memset(out, 0, sizeof *out);
	if (n > BECH32_MAX_CHARS)
		return refuse(why, "Bech32 string too long");
	if (!characters_ok(text, n))
		return refuse(why, "Invalid character or mixed case");
	mark = strrchr(text, '1');
	if (!mark)
		return refuse(why, "Missing separator");
	hrp_n = (size_t)(mark - text);
	if (hrp_n == 0 || hrp_n + 1 + BECH32_CHECKSUM_N > n)
		return refuse(why, "Invalid separator position");
	for (size_t i = 0; i < hrp_n; i++)
		out->hrp[i] = to_lower(text[i]);
	return read_values(out, mark + 1, why);
}

/* Bytes into groups of five bits, zeros after the last. */
size_t bech32_values_of(uint8_t *out, struct span s)
{
	unsigned waiting = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		waiting = (waiting << 8 | s.p[i]) & 0xfff;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			out[n++] = waiting >> bits & 31;
		}
	}
	if (bits)
		out[n++] = (uint8_t)(waiting << (5 - bits) & 31);
	return n;
}

/* And back: at most four bits may be left, all zero. */
bool bech32_bytes_of(uint8_t *out, size_t *out_n, size_t max,
		     struct span values)
{
	unsigned waiting = 0, bits = 0;
	size_t at = 0;

	for (size_t i = 0; i < values.n; i++) {
		waiting = (waiting << 5 | values.p[i]) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		if (at == max)
			return false;
		bits -= 8;
		out[at++] = (uint8_t)(waiting >> bits);
	}
	*out_n = at;
	return bits < 5 && (waiting & ((1u << bits) - 1)) == 0;
}
