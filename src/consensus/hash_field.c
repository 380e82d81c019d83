/*
 * Fields of transactions, for hashing.
 */
#include "config.h"

#include "consensus/hash_field_priv.h"

size_t put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
	return 4;
}

size_t put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)v);
	put_u32(p + 4, (uint32_t)(v >> 32));
	return 8;
}

size_t put_outpoint(uint8_t *p, const struct outpoint *o)
{
	memcpy(p, o->txid.b, 32);
	return 32 + put_u32(p + 32, o->n);
}

size_t put_compact(uint8_t *p, uint64_t v)
{
	if (v < 0xfd) {
		p[0] = (uint8_t)v;
		return 1;
	}
	if (v <= 0xffff) {
		p[0] = 0xfd;
		p[1] = (uint8_t)v;
		p[2] = (uint8_t)(v >> 8);
		return 3;
	}
	if (v <= 0xffffffff) {
		p[0] = 0xfe;
		return 1 + put_u32(p + 1, (uint32_t)v);
	}
	p[0] = 0xff;
	return 1 + put_u64(p + 1, v);
}

void hash_u32(struct sha256 *h, uint32_t v)
{
	uint8_t t[4];

	sha256_update(h, t, put_u32(t, v));
}

void hash_var(struct sha256 *h, struct span s)
{
	uint8_t t[9];

	sha256_update(h, t, put_compact(t, s.n));
	if (s.n)
		sha256_update(h, s.p, s.n);
}

void hash_output(struct sha256 *h, const struct tx_out *out)
{
	uint8_t t[8 + 9 + 64];
	struct span s = out->script_pubkey;
	size_t n = put_u64(t, (uint64_t)out->value_sat);

	n += put_compact(t + n, s.n);
	if (s.n <= 64) {        /* nearly always */
		if (s.n)
			memcpy(t + n, s.p, s.n);
		sha256_update(h, t, n + s.n);
		return;
	}
	sha256_update(h, t, n);
	sha256_update(h, s.p, s.n);
}
