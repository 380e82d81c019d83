/*
 * SHA-256: streaming, short messages, and the choice of a kernel at run time.
 */
#include "config.h"

#include "crypto/hash.h"

#include <stdatomic.h>
#include <string.h>

#include "crypto/sha256_priv.h"

/* The processor is asked once; every thread would find the same. */
static const struct sha256_kernel *kernel(void)
{
	static const struct sha256_kernel *_Atomic chosen;
	const struct sha256_kernel *k =
		atomic_load_explicit(&chosen, memory_order_relaxed);

	if (!k) {
		k = sha256_ni_get();
		if (!k)
			k = &sha256_plain;
		atomic_store_explicit(&chosen, k, memory_order_relaxed);
	}
	return k;
}

const char *sha256_impl(void)
{
	return kernel()->name;
}

void sha256_init(struct sha256 *h)
{
	memcpy(h->s, sha256_start, sizeof(h->s));
	h->n = 0;
}

void sha256_update(struct sha256 *h, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t held = h->n % 64, part;

	if (n == 0)
		return;
	h->n += n;
	if (held) {
		part = MIN_OF(n, 64 - held);
		memcpy(h->buf + held, p, part);
		p += part;
		n -= part;
		if (held + part < 64)
			return;
		kernel()->blocks(h->s, h->buf, 1);
	}
	if (n >= 64) {
		kernel()->blocks(h->s, p, n / 64);
		p += n & ~(size_t)63;
		n &= 63;
	}
	if (n)
		memcpy(h->buf, p, n);
}

/* The last one or two blocks: held bytes, a one bit, zeros, the length. */
static void finish(uint32_t s[static 8], const uint8_t *held, uint64_t total)
{
	uint8_t block[128];
	size_t n = total % 64, size = n < 56 ? 64 : 128;

	if (n)
		memcpy(block, held, n);
	block[n] = 0x80;
	memset(block + n + 1, 0, size - n - 9);
	store_be32(block + size - 8, (uint32_t)(total >> 29));
	store_be32(block + size - 4, (uint32_t)(total << 3));
	kernel()->blocks(s, block, size / 64);
}

static void digest(uint8_t *out, const uint32_t s[static 8])
{
	int i;

	for (i = 0; i < 8; i++)
		store_be32(out + 4 * i, s[i]);
}

/* The hash of the digest that s is. */
static void digest_again(uint8_t out[static 32], uint32_t s[static 8])
{
	uint8_t block[64] = { [32] = 0x80, [62] = 0x01 };

	digest(block, s);
	memcpy(s, sha256_start, sizeof(sha256_start));
	kernel()->blocks(s, block, 1);
	digest(out, s);
}

void sha256_final(struct sha256 *h, uint8_t out[static 32])
{
	finish(h->s, h->buf, h->n);
	digest(out, h->s);
}

void sha256d_final(struct sha256 *h, uint8_t out[static 32])
{
	finish(h->s, h->buf, h->n);
	digest_again(out, h->s);
}

/* The state after all of a message: nothing is copied but its end. */
static void whole(uint32_t s[static 8], const uint8_t *p, size_t n)
{
	memcpy(s, sha256_start, sizeof(sha256_start));
	if (n >= 64)
		kernel()->blocks(s, p, n / 64);
	finish(s, n % 64 ? p + (n & ~(size_t)63) : NULL, n);
}

void sha256(uint8_t out[static 32], const void *p, size_t n)
{
	uint32_t s[8];

	whole(s, p, n);
	digest(out, s);
}

void sha256d(uint8_t out[static 32], const void *p, size_t n)
{
	uint32_t s[8];

	whole(s, p, n);
	digest_again(out, s);
}

void sha256d_64(uint8_t *out, const uint8_t *in, size_t n)
{
	kernel()->double_64(out, in, n);
}

bool sha256_self_test(void)
{
	/* SHA-256 of "abc" */
	static const uint8_t abc[32] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
		0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
		0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
		0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	};
	uint8_t data[5 * 64], mine[5 * 32], plain[5 * 32];
	uint32_t s[8], t[8];
	size_t i;

	sha256(mine, "abc", 3);
	if (memcmp(mine, abc, 32) != 0)
		return false;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 197 + (i >> 3));
	for (i = 0; i <= 5; i++) {
		memcpy(s, sha256_start, sizeof(s));
		memcpy(t, sha256_start, sizeof(t));
		kernel()->blocks(s, data, i);
		sha256_plain.blocks(t, data, i);
		if (memcmp(s, t, sizeof(s)) != 0)
			return false;
		kernel()->double_64(mine, data, i);
		sha256_plain.double_64(plain, data, i);
		if (memcmp(mine, plain, 32 * i) != 0)
			return false;
	}
	return true;
}

void sha256_tagged_init(struct sha256 *h, const char *tag)
{
	uint8_t t[32];

	sha256(t, tag, strlen(tag));
	sha256_init(h);
	sha256_update(h, t, sizeof(t));
	sha256_update(h, t, sizeof(t));
}

void hmac_sha256(uint8_t out[static 32], struct span key, struct span msg)
{
	uint8_t k[64] = { 0 }, pad[64], inner[32];
	struct sha256 h;
	size_t i;

	if (key.n > sizeof(k))
		sha256(k, key.p, key.n);
	else if (key.n)
		memcpy(k, key.p, key.n);
	for (i = 0; i < sizeof(k); i++)
		pad[i] = k[i] ^ 0x36;
	sha256_init(&h);
	sha256_update(&h, pad, sizeof(pad));
	sha256_update(&h, msg.p, msg.n);
	sha256_final(&h, inner);
	for (i = 0; i < sizeof(k); i++)
		pad[i] = k[i] ^ 0x5c;
	sha256_init(&h);
	sha256_update(&h, pad, sizeof(pad));
	sha256_update(&h, inner, sizeof(inner));
	sha256_final(&h, out);
	bytes_wipe(k, sizeof(k));
	bytes_wipe(pad, sizeof(pad));
	bytes_wipe(inner, sizeof(inner));
	bytes_wipe(&h, sizeof(h));
}
