/*
 * Building and signing spends for script tests.
 */
#include "config.h"

#include "tests/unit/script_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/secp.h"
#include "tests/unit/script_text.h"

static const uint8_t op_true[1] = { OP_1 };

struct scene *scene_new(void)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->in[0].prevout.txid.b[0] = 1;
	s->in[1].prevout.txid.b[0] = 2;
	s->in[0].sequence = s->in[1].sequence = 0xfffffffe;
	s->out[0] = (struct tx_out){ 1000, span_of(op_true, 1) };
	s->out[1] = (struct tx_out){ 2000, span_of(op_true, 1) };
	s->spent[0] = (struct tx_out){ 3000, span_of(op_true, 1) };
	s->spent[1] = (struct tx_out){ 4000, span_of(op_true, 1) };
	s->tx = (struct tx){ .version = 2, .in_count = 2, .out_count = 2,
			     .in = s->in, .out = s->out };
	s->in[0].witness = s->in[1].witness = s->witness;
	return s;
}

void scene_free(struct scene *s)
{
	arena_clear(&s->arena);
	free(s);
}

struct span keep(struct scene *s, struct bytes *b)
{
	struct span out = arena_copy(&s->arena, bytes_span(b));

	bytes_clear(b);
	return out;
}

struct span words(struct scene *s, const char *text, ...)
{
	struct bytes b = { 0 };
	char line[8192];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof line, text, ap);
	va_end(ap);
	assert_true(script_parse(&b, line));
	return keep(s, &b);
}

const char *push(struct scene *s, struct span v)
{
	char *out = arena_alloc(&s->arena, 2 * v.n + 8);

	assert_in_range(v.n, 1, 75);
	snprintf(out, 8, "0x%02x 0x", (unsigned)v.n);
	hex_encode(out + 7, v.p, v.n);
	return out;
}

void set_pubkey(struct scene *s, struct span script)
{
	s->spent[s->at].script_pubkey = script;
}

void set_sig(struct scene *s, struct span script)
{
	s->in[s->at].script_sig = script;
}

void add_witness(struct scene *s, struct span v)
{
	s->witness[s->in[s->at].witness_count++] = v;
	assert_true(s->in[s->at].witness_count < MAX_WITNESS);
}

enum script_error run(struct scene *s, uint32_t flags)
{
	enum script_error err;
	bool ok;

	sighash_cache_init(&s->cache, &s->tx, s->spent);
	ok = script_verify(&s->tx, s->at, s->spent, flags, &s->cache, &err);
	assert_int_equal(ok, err == SCRIPT_OK);
	return err;
}

struct span repeat(struct scene *s, const char *first, const char *word,
		   unsigned count, const char *last)
{
	struct bytes b = { 0 };
	unsigned i;

	assert_true(script_parse(&b, first));
	for (i = 0; i < count; i++)
		assert_true(script_parse(&b, word));
	assert_true(script_parse(&b, last));
	return keep(s, &b);
}

struct span wsh(struct scene *s, struct span script)
{
	uint8_t out[34] = { OP_0, 32 };

	sha256(out + 2, script.p, script.n);
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

struct span p2sh(struct scene *s, struct span script)
{
	uint8_t out[23] = { OP_HASH160, 20, [22] = OP_EQUAL };

	hash160(out + 2, script.p, script.n);
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

/* ---- keys and signatures --------------------------------------------- */

void secret(uint8_t key[static 32], uint8_t which)
{
	memset(key, which, 32);
}

struct span pubkey(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[33];

	secret(key, which);
	assert_true(secp_pubkey_create(out, key));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

struct span hybrid(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[65];

	secret(key, which);
	assert_true(secp_pubkey_uncompressed(out, key));
	out[0] = (uint8_t)(6 | (out[64] & 1));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

struct span xonly(struct scene *s, uint8_t which)
{
	uint8_t key[32], out[32];

	secret(key, which);
	assert_true(secp_xonly_create(out, key));
	return arena_copy(&s->arena, span_of(out, sizeof out));
}

struct spend spend_of(struct scene *s)
{
	struct spend p = { &s->tx, s->at, s->spent, &s->cache };

	sighash_cache_init(&s->cache, &s->tx, s->spent);
	return p;
}

struct span sign(struct scene *s, uint8_t which, struct span code,
		 uint8_t type, enum sig_version version)
{
	struct sighash_memo memo = { .have = 0 };
	struct spend p = spend_of(s);
	uint8_t key[32], msg[32], sig[73];
	size_t n;

	secret(key, which);
	if (version != SIG_BASE && !s->cache.has_bip143) {
		/* The witness comes after signing: say there will be one. */
		s->in[s->at].witness_count = 1;
		p = spend_of(s);
		s->in[s->at].witness_count = 0;
	}
	sighash_ecdsa(msg, &memo, &p, version, code, type);
	assert_true(secp_ecdsa_sign(sig, &n, msg, key));
	sig[n] = type;
	return arena_copy(&s->arena, span_of(sig, n + 1));
}
