/*
 * Reading, writing, sealing and opening containers.
 *
 * The checksum at the end is no part of the protection: it tells damage from
 * a wrong passphrase, which the seal alone cannot.
 */
#include "config.h"

#include "keys/keybox.h"

#include <string.h>

#include "base/random.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

#define MAGIC "cloister-keybox\n"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define FORMAT 1
#define KDF_SCRYPT 1
#define AEAD_CHACHA20_POLY1305 1
#define SUM_SIZE 32

const struct scrypt_cost keybox_cost = { 17, 8, 1 };

bool keybox_looks_like(struct span s)
{
	return s.n >= MAGIC_SIZE && memcmp(s.p, MAGIC, MAGIC_SIZE) == 0;
}

/* ---- reading ---- */

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

/* A length byte, then at most max characters of a name. */
static void read_name(struct reader *r, char *out, size_t max)
{
	size_t n = read_u8(r);
	struct span s = read_span(r, n);

	out[0] = '\0';
	if (r->failed || n > max) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_name_char(s.p[i]))
			r->failed = true;
		out[i] = (char)s.p[i];
	}
	out[n] = '\0';
}

static bool sum_ok(struct span s)
{
	uint8_t sum[SUM_SIZE];

	if (s.n < SUM_SIZE)
		return false;
	sha256(sum, s.p, s.n - SUM_SIZE);
	return memcmp(sum, s.p + s.n - SUM_SIZE, SUM_SIZE) == 0;
}

/* From behind the version to the checksum. */
static enum keybox_verdict read_body(struct keybox *out, struct reader *r)
{
	uint8_t kdf = read_u8(r), aead;
	size_t n;

	out->cost.log2_n = read_u8(r);
	out->cost.r = read_u8(r);
	out->cost.p = read_u8(r);
	aead = read_u8(r);
	if (r->failed)
		return KEYBOX_DAMAGED;
	if (kdf != KDF_SCRYPT || aead != AEAD_CHACHA20_POLY1305 ||
	    !scrypt_cost_ok(&out->cost))
		return KEYBOX_NEWER;
	read_copy(r, out->salt, sizeof out->salt);
	read_copy(r, out->nonce, sizeof out->nonce);
	read_name(r, out->kind, KEYBOX_KIND_MAX);
	read_name(r, out->label, KEYBOX_LABEL_MAX);
	n = read_u16(r);
	out->sealed = read_span(r, n);
	if (r->failed || reader_left(r) || !out->kind[0] ||
	    n < CIPHER_TAG_SIZE || n > KEYBOX_SECRET_MAX + CIPHER_TAG_SIZE)
		return KEYBOX_DAMAGED;
	return KEYBOX_OK;
}

enum keybox_verdict keybox_read(struct keybox *out, struct span s)
{
	struct reader r;

	memset(out, 0, sizeof *out);
	if (!keybox_looks_like(s))
		return KEYBOX_FOREIGN;
	if (s.n > MAGIC_SIZE && s.p[MAGIC_SIZE] > FORMAT)
		return KEYBOX_NEWER;
	if (!sum_ok(s) || s.n > KEYBOX_SIZE_MAX)
		return KEYBOX_DAMAGED;
	s.n -= SUM_SIZE;
	r = reader_of(s);
	(void)read_span(&r, MAGIC_SIZE);
	if (read_u8(&r) != FORMAT)
		return KEYBOX_DAMAGED;
	return read_body(out, &r);
}

/* ---- writing ---- */

static void write_name(struct bytes *out, const char *name, size_t max)
{
	size_t n = strlen(name);

	CHECK(n <= max);
	write_u8(out, (uint8_t)n);
	bytes_append(out, name, n);
}

/* All that stands before the sealed bytes, their length included. */
static void write_header(struct bytes *out, const struct keybox *b,
			 size_t sealed_n)
{
	bytes_append(out, MAGIC, MAGIC_SIZE);
	write_u8(out, FORMAT);
	write_u8(out, KDF_SCRYPT);
	write_u8(out, b->cost.log2_n);
	write_u8(out, b->cost.r);
	write_u8(out, b->cost.p);
	write_u8(out, AEAD_CHACHA20_POLY1305);
	bytes_append(out, b->salt, sizeof b->salt);
	bytes_append(out, b->nonce, sizeof b->nonce);
	write_name(out, b->kind, KEYBOX_KIND_MAX);
	write_name(out, b->label, KEYBOX_LABEL_MAX);
	write_u16(out, (uint16_t)sealed_n);
}

void keybox_write(struct bytes *out, const struct keybox *b)
{
	size_t start = out->n;
	uint8_t sum[SUM_SIZE];

	write_header(out, b, b->sealed.n);
	write_span(out, b->sealed);
	sha256(sum, out->p + start, out->n - start);
	bytes_append(out, sum, sizeof sum);
}

/* ---- the seal ---- */

static enum err derive(struct secret *key, const struct keybox *b,
		       const struct secret *passphrase, struct why *why)
{
	secret_init(key, CIPHER_KEY_SIZE);
	key->n = CIPHER_KEY_SIZE;
	if (cipher_derive(key->p, secret_span(passphrase), b->salt, &b->cost))
		return ERR_NONE;
	return why_set(why, ERR_MEMORY, "not enough memory to derive a key "
		       "from the passphrase (%u MiB are needed)",
		       (128u * b->cost.r << b->cost.log2_n) >> 20);
}

enum err keybox_seal(struct bytes *out, const struct keybox *kind,
		     const struct secret *in, const struct secret *passphrase,
		     struct why *why)
{
	struct keybox b = *kind;
	struct cipher_box c = { .nonce = b.nonce };
	uint8_t sealed[KEYBOX_SECRET_MAX + CIPHER_TAG_SIZE];
	struct bytes header = {0};
	struct secret key = {0};
	enum err e;

	CHECK(in->n <= KEYBOX_SECRET_MAX && scrypt_cost_ok(&b.cost));
	random_bytes(b.salt, sizeof b.salt);
	random_bytes(b.nonce, sizeof b.nonce);
	b.sealed = span_of(sealed, in->n + CIPHER_TAG_SIZE);
	e = derive(&key, &b, passphrase, why);
	if (e)
		goto out;
	write_header(&header, &b, b.sealed.n);
	c.header = bytes_span(&header);
	c.key = key.p;
	if (cipher_seal(sealed, &c, secret_span(in)))
		keybox_write(out, &b);
	else
		e = why_set(why, ERR_STATE, "cannot encrypt");
out:
	secret_clear(&key);
	bytes_clear(&header);
	return e;
}

enum err keybox_open(struct secret *out, bool *opened,
		     const struct keybox *b, const struct secret *passphrase,
		     struct why *why)
{
	struct cipher_box c = { .nonce = b->nonce };
	size_t n = b->sealed.n - CIPHER_TAG_SIZE;
	struct bytes header = {0};
	struct secret key = {0};
	enum err e = derive(&key, b, passphrase, why);

	*opened = false;
	if (e)
		goto out;
	write_header(&header, b, b->sealed.n);
	c.header = bytes_span(&header);
	c.key = key.p;
	secret_init(out, MAX_OF(n, (size_t)1));
	*opened = cipher_open(out->p, &c, b->sealed);
	if (*opened)
		out->n = n;
	else
		secret_clear(out);
out:
	secret_clear(&key);
	bytes_clear(&header);
	return e;
}
