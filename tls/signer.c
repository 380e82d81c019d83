/*
 * Leaves, signed on request, not too many.  A request is the version and an
 * Ed25519 key; an answer the version, the key again, and the two certificates,
 * each behind its length (u16).
 */
#include "config.h"

#include "tls/signer.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define FORMAT 1
#define BURST 8
#define EVERY_S 60

struct tls_signer {
	struct tls_key *key;
	struct node_id id;
	struct signer_options opt;
	unsigned tokens;
	int64_t counted_unix;    /* tokens grew until then */
};

struct tls_signer *tls_signer_new(const struct identity *id,
				  const struct signer_options *o)
{
	struct tls_signer *s = xcalloc(1, sizeof *s);

	s->key = tls_key_from_seed(&id->seed);
	CHECK(s->key);
	s->id = id->id;
	if (o)
		s->opt = *o;
	if (!s->opt.leaf_life_s)
		s->opt.leaf_life_s = CERT_LEAF_LIFE_S;
	if (!s->opt.burst)
		s->opt.burst = BURST;
	if (!s->opt.every_s)
		s->opt.every_s = EVERY_S;
	s->tokens = s->opt.burst;
	return s;
}

void tls_signer_free(struct tls_signer *s)
{
	if (!s)
		return;
	tls_key_free(s->key);
	free(s);
}

const struct node_id *tls_signer_id(const struct tls_signer *s)
{
	return &s->id;
}

/* A bucket on the owner's clock, which may jump. */
static bool take_token(struct tls_signer *s, int64_t now)
{
	int64_t more = (now - s->counted_unix) / s->opt.every_s;

	if (more != 0) {
		s->counted_unix = now;
		if (more > 0)
			s->tokens = (unsigned)MIN_OF(
				s->tokens + (uint64_t)more, s->opt.burst);
	}
	if (!s->tokens)
		return false;
	s->tokens--;
	return true;
}

void sign_request_write(struct bytes *out,
			const uint8_t public_key[static 32])
{
	write_u8(out, FORMAT);
	bytes_append(out, public_key, 32);
}

static void append_cert(struct bytes *out, struct bytes *der)
{
	write_u16(out, (uint16_t)der->n);
	bytes_append(out, der->p, der->n);
	bytes_clear(der);
}

enum sign_result tls_sign(struct tls_signer *s, struct bytes *answer,
			  struct span request, int64_t now_unix)
{
	struct leaf_terms t = {
		.from_unix = now_unix - CERT_BACKDATE_S,
		.until_unix = now_unix + s->opt.leaf_life_s,
	};
	struct reader r = reader_of(request);
	unsigned version = read_u8(&r);
	struct span key = read_span(&r, sizeof t.public_key);
	struct bytes der = {0};
	size_t before = answer->n;

	if (r.failed || reader_left(&r) || version != FORMAT)
		return SIGN_MALFORMED;
	if (!take_token(s, now_unix))
		return SIGN_TOO_OFTEN;
	memcpy(t.public_key, key.p, key.n);
	write_u8(answer, FORMAT);
	bytes_append(answer, t.public_key, sizeof t.public_key);
	cert_make_root(&der, s->key);
	append_cert(answer, &der);
	cert_make_leaf(&der, s->key, &t);
	append_cert(answer, &der);
	CHECK(answer->n - before <= SIGN_ANSWER_MAX);
	return SIGN_OK;
}

bool sign_answer_read(struct sign_answer *out, struct span answer)
{
	struct reader r = reader_of(answer);
	unsigned version = read_u8(&r);
	struct span key = read_span(&r, sizeof out->public_key);

	out->root = read_span(&r, read_u16(&r));
	out->leaf = read_span(&r, read_u16(&r));
	if (r.failed || reader_left(&r) || version != FORMAT)
		return false;
	memcpy(out->public_key, key.p, key.n);
	return true;
}
