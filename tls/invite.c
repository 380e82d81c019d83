/*
 * Invites: version, fields, six bytes of a tagged SHA-256.
 */
#include "config.h"

#include "tls/invite.h"

#include "base/base32.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

#include <string.h>
#include <strings.h>

#define PREFIX "clinv"
#define INVITE_VERSION "1"
#define HEAD (sizeof PREFIX INVITE_VERSION - 1)
#define SUM_SIZE 6
#define FIELDS (4 + 3 * 32 + TRUST_TOKEN_SIZE + 4)
#define RAW_SIZE (FIELDS + SUM_SIZE)

static void checksum(uint8_t out[static SUM_SIZE], const uint8_t *fields)
{
	static const char tag[] = "cloister invite 1";
	uint8_t in[sizeof tag + FIELDS], hash[32];

	memcpy(in, tag, sizeof tag);
	memcpy(in + sizeof tag, fields, FIELDS);
	sha256(hash, in, sizeof in);
	memcpy(out, hash, SUM_SIZE);
	bytes_wipe(in, sizeof in);
}

void invite_write(char out[static INVITE_TEXT_SIZE], const struct invite *i)
{
	struct bytes raw = {0};
	uint8_t sum[SUM_SIZE];

	bytes_reserve(&raw, RAW_SIZE);
	write_u32(&raw, i->chain);
	bytes_append(&raw, i->onion, sizeof i->onion);
	bytes_append(&raw, i->key, sizeof i->key);
	bytes_append(&raw, i->id.key, sizeof i->id.key);
	bytes_append(&raw, i->token, sizeof i->token);
	write_u32(&raw, (uint32_t)i->expires);
	CHECK(raw.n == FIELDS);
	checksum(sum, raw.p);
	bytes_append(&raw, sum, sizeof sum);
	memcpy(out, PREFIX INVITE_VERSION, HEAD);
	base32_encode(out + HEAD, raw.p, raw.n);
	bytes_wipe(raw.p, raw.n);
	bytes_clear(&raw);
}

static void fields_read(struct invite *out, const uint8_t *raw)
{
	struct reader r = reader_of(span_of(raw, FIELDS));

	out->chain = read_u32(&r);
	read_copy(&r, out->onion, sizeof out->onion);
	read_copy(&r, out->key, sizeof out->key);
	read_copy(&r, out->id.key, sizeof out->id.key);
	read_copy(&r, out->token, sizeof out->token);
	out->expires = read_u32(&r);
}

/* Without white space; false if it does not fit. */
static bool squeeze(char out[static INVITE_TEXT_SIZE], const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		if (n == INVITE_TEXT_SIZE - 1)
			return false;
		out[n++] = *text;
	}
	out[n] = '\0';
	return true;
}

enum invite_verdict invite_read(struct invite *out, const char *text)
{
	char line[INVITE_TEXT_SIZE];
	uint8_t raw[RAW_SIZE], sum[SUM_SIZE];
	bool fits = squeeze(line, text);

	if (!fits && strncasecmp(text, PREFIX, sizeof PREFIX - 1) == 0)
		return INVITE_LENGTH;
	if (!fits || strncasecmp(line, PREFIX, sizeof PREFIX - 1) != 0)
		return INVITE_FOREIGN;
	if (line[HEAD - 1] != INVITE_VERSION[0])
		return line[HEAD - 1] ? INVITE_NEWER : INVITE_LENGTH;
	if (strlen(line) != HEAD + BASE32_DIGITS(RAW_SIZE))
		return INVITE_LENGTH;
	if (!base32_decode(raw, RAW_SIZE, line + HEAD, strlen(line) - HEAD))
		return INVITE_ALTERED;
	checksum(sum, raw);
	if (memcmp(sum, raw + FIELDS, SUM_SIZE) != 0)
		return INVITE_ALTERED;
	fields_read(out, raw);
	bytes_wipe(raw, sizeof raw);
	return INVITE_OK;
}

const char *invite_verdict_text(enum invite_verdict v)
{
	switch (v) {
	case INVITE_OK:
		return "a whole invite";
	case INVITE_FOREIGN:
		return "this is no invite: one begins with " PREFIX INVITE_VERSION;
	case INVITE_NEWER:
		return "this invite is of another version of Cloister";
	case INVITE_LENGTH:
		return "this invite is not whole: some of it is missing, or "
		       "there is something behind it";
	case INVITE_ALTERED:
		return "this invite was altered or mistyped: its checksum is "
		       "wrong";
	}
	return "unknown";
}
