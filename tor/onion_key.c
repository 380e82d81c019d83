/*
 * Keys of our onion services.  keys/onion_NAME.key is one line of text, the
 * seed in hex; keys/onion_NAME.addr is the address it had when it was made,
 * so that a lost or damaged key is noticed instead of replaced.
 */
#include "config.h"

#include "tor/onion_key.h"

#include "base/file.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "tor/ed25519.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_TAG "cloister-onion-seed-v1 "
#define FILE_LEN (sizeof FILE_TAG - 1 + 64 + 1)
#define FILE_MAX 1024

bool onion_key_from_seed(struct onion_key *k, const uint8_t seed[static 32])
{
	if (!ed25519_public(k->public, seed))
		return false;
	memmove(k->seed, seed, sizeof k->seed);
	onion_format(k->address, k->public);
	return true;
}

void onion_key_write_tor(struct bytes *out, const struct onion_key *k)
{
	static const char header[32] = "== ed25519v1-secret: type0 ==";
	uint8_t expanded[64];

	/* RFC 8032, 5.1.5: hash the seed, clamp the scalar */
	sha512(expanded, k->seed, sizeof k->seed);
	expanded[0] &= 0xf8;
	expanded[31] = (uint8_t)((expanded[31] & 0x7f) | 0x40);
	bytes_reserve(out, sizeof header + sizeof expanded);
	bytes_append(out, header, sizeof header);
	bytes_append(out, expanded, sizeof expanded);
	bytes_wipe(expanded, sizeof expanded);
}

void onion_key_clear(struct onion_key *k)
{
	bytes_wipe(k, sizeof *k);
}

/* ---- files ---- */

struct key_paths {
	char *key, *addr;
};

static bool seed_parse(uint8_t seed[static 32], const struct bytes *text)
{
	char hex[65];

	if (text->n != FILE_LEN || text->p[FILE_LEN - 1] != '\n' ||
	    memcmp(text->p, FILE_TAG, sizeof FILE_TAG - 1) != 0)
		return false;
	memcpy(hex, text->p + sizeof FILE_TAG - 1, 64);
	hex[64] = '\0';
	return hex_decode(seed, 32, hex);
}

static enum err key_load(struct onion_key *k, const char *path,
			 struct why *why)
{
	struct bytes text = {0};
	uint8_t seed[32];
	enum err e = file_read(&text, path, FILE_MAX, why);

	if (e)
		goto out;
	if (!seed_parse(seed, &text)) {
		e = why_set(why, ERR_INPUT, "%s is damaged: put a copy of it "
			    "back; delete it and the .addr file beside it "
			    "only to begin with a new onion address", path);
		goto out;
	}
	if (!onion_key_from_seed(k, seed))
		e = why_set(why, ERR_STATE, "cannot derive an Ed25519 key");
out:
	bytes_wipe(seed, sizeof seed);
	if (text.p)
		bytes_wipe(text.p, text.n);
	bytes_clear(&text);
	return e;
}

static enum err addr_save(const struct onion_key *k, const char *path,
			  struct why *why)
{
	char line[ONION_TEXT_SIZE + 1];

	snprintf(line, sizeof line, "%s\n", k->address);
	return file_replace(path, span_of(line, strlen(line)), 0600, why);
}

/* The key first: without .addr it is taken as it is. */
static enum err key_make(struct onion_key *k, const struct key_paths *p,
			 struct why *why)
{
	uint8_t seed[32];
	char line[FILE_LEN + 1] = FILE_TAG;
	enum err e;

	random_bytes(seed, sizeof seed);
	if (!onion_key_from_seed(k, seed)) {
		e = why_set(why, ERR_STATE, "cannot derive an Ed25519 key");
		goto out;
	}
	hex_encode(line + sizeof FILE_TAG - 1, seed, sizeof seed);
	line[FILE_LEN - 1] = '\n';
	e = file_replace(p->key, span_of(line, FILE_LEN), 0600, why);
	if (!e)
		e = addr_save(k, p->addr, why);
out:
	bytes_wipe(seed, sizeof seed);
	bytes_wipe(line, sizeof line);
	return e;
}

/* Compare with the recorded address; record it if there is none. */
static enum err addr_check(const struct onion_key *k,
			   const struct key_paths *p, struct why *why)
{
	struct bytes text = {0};
	enum err e;

	if (!file_exists(p->addr))
		return addr_save(k, p->addr, why);
	e = file_read(&text, p->addr, FILE_MAX, why);
	if (e)
		goto out;
	while (text.n > 0 && text.p[text.n - 1] <= ' ')
		text.n--;
	if (!span_eq(bytes_span(&text),
		     span_of(k->address, ONION_TEXT_SIZE - 1)))
		e = why_set(why, ERR_INPUT, "%s is the key of %s, but %s says "
			    "otherwise: put the right key back, or delete the "
			    ".addr file to use this one",
			    p->key, k->address, p->addr);
out:
	bytes_clear(&text);
	return e;
}

static enum err key_open(struct onion_key *k, const struct key_paths *p,
			 struct why *why)
{
	enum err e;

	if (file_exists(p->key)) {
		e = key_load(k, p->key, why);
		return e ? e : addr_check(k, p, why);
	}
	if (file_exists(p->addr))
		return why_set(why, ERR_INPUT, "%s is missing, but %s says "
			       "that an address was in use: put the key back, "
			       "or delete the .addr file to begin with a new "
			       "onion address", p->key, p->addr);
	return key_make(k, p, why);
}

enum err onion_key_open(struct onion_key *k, const char *dir,
			const char *name, struct why *why)
{
	char *keys = path_join(dir, "keys");
	struct key_paths p = {
		.key = xasprintf("%s/onion_%s.key", keys, name),
		.addr = xasprintf("%s/onion_%s.addr", keys, name),
	};
	enum err e = dir_make(keys, 0700, why);

	if (!e)
		e = key_open(k, &p, why);
	if (e)
		onion_key_clear(k);
	free(p.key);
	free(p.addr);
	free(keys);
	return e;
}
