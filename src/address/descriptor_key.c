/*
 * Key expressions of descriptors (BIP380): [origin]KEY/path/range.
 */
#include "config.h"

#include "address/descriptor_priv.h"

#include <stdlib.h>

#include "address/address.h"
#include "crypto/secp.h"

#define FINGERPRINT_CHARS 8
#define HEX_KEY_CHARS_MAX 130

static bool refuse(struct why *why, const char *fmt, struct piece t)
{
	why_set(why, ERR_INPUT, fmt, (int)MIN_OF(t.n, 150u), t.p);
	return false;
}

static char *piece_str(struct piece t)
{
	char *s = xmemdup(t.n ? t.p : "", t.n + 1);

	s[t.n] = 0;
	return s;
}

/* Cut what stands before the next slash off the front. */
static struct piece next_step(struct piece *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	struct piece step = { rest->p,
			      slash ? (size_t)(slash - rest->p) : rest->n };
	size_t used = step.n + (slash ? 1 : 0);

	rest->p += used;
	rest->n -= used;
	return step;
}

/* "44", "44h", "44'". */
static bool step_read(uint32_t *out, bool *apostrophe, struct piece t,
		      struct why *why)
{
	struct piece digits = t;
	bool hardened = t.n && (t.p[t.n - 1] == '\'' || t.p[t.n - 1] == 'h');
	uint64_t v = 0;

	if (hardened) {
		*apostrophe = t.p[t.n - 1] == '\'';
		digits.n--;
	}
	if (digits.n == 0 || digits.n > 10)
		return refuse(why, "Key path value '%.*s' is not a valid "
			      "uint32", digits);
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return refuse(why, "Key path value '%.*s' is not a "
				      "valid uint32", digits);
		v = v * 10 + (uint64_t)(digits.p[i] - '0');
	}
	if (v > 0x7fffffff)
		return refuse(why, "Key path value %.*s is out of range",
			      digits);
	*out = (uint32_t)v | (hardened ? EXT_KEY_HARDENED : 0);
	return true;
}

static void path_write(struct bytes *b, const uint32_t *path, size_t n,
		       bool apostrophe)
{
	for (size_t i = 0; i < n; i++) {
		char *s = xasprintf("/%u%s", path[i] & ~EXT_KEY_HARDENED,
				    !(path[i] & EXT_KEY_HARDENED) ? "" :
				    apostrophe ? "'" : "h");

		bytes_append(b, s, strlen(s));
		free(s);
	}
}

/* "d34db33f/44h" between brackets. */
static bool origin_read(struct desc_key *k, struct piece t, struct why *why)
{
	struct piece id = next_step(&t);
	struct bytes b = { 0 };
	bool apostrophe = false, ok = true;
	uint8_t raw[FINGERPRINT_CHARS / 2];
	char hex[FINGERPRINT_CHARS + 1];

	if (id.n != FINGERPRINT_CHARS) {
		why_set(why, ERR_INPUT, "Fingerprint is not 4 bytes (%zu "
			"characters instead of 8 characters)", id.n);
		return false;
	}
	memcpy(hex, id.p, id.n);
	hex[id.n] = 0;
	if (!hex_decode(raw, sizeof raw, hex))
		return refuse(why, "Fingerprint '%.*s' is not hex", id);
	hex_encode(hex, raw, sizeof raw);
	bytes_append(&b, hex, FINGERPRINT_CHARS);
	while (ok && t.n) {
		uint32_t step;

		ok = step_read(&step, &apostrophe, next_step(&t), why);
		if (ok)
			path_write(&b, &step, 1, apostrophe);
	}
	bytes_append(&b, "", 1);
	if (ok)
		k->origin = (char *)b.p;
	else
		bytes_clear(&b);
	return ok;
}

static bool key_is(struct desc_key *k, const uint8_t *p, size_t n)
{
	memcpy(k->pub, p, n);
	k->pub_n = n;
	return secp_pubkey_valid(span_of(p, n)) && p[0] <= 4;
}

static bool hex_key_read(struct desc_key *k, const char *text)
{
	size_t n = strlen(text) / 2;
	uint8_t raw[65] = { 2 };

	if (k->xonly && n == 32)
		return hex_decode(raw + 1, 32, text) && key_is(k, raw, 33);
	return (n == 33 || n == 65) && hex_decode(raw, n, text) &&
	       key_is(k, raw, n);
}

static bool wif_read(struct desc_key *k, const struct chain_params *p,
		     const char *text)
{
	struct wif_key w;
	bool ok = wif_decode(&w, p, text);

	if (ok) {
		k->is_private = true;
		k->pub_n = w.compressed ? 33 : 65;
		ok = w.compressed ? secp_pubkey_create(k->pub, w.secret) :
				    secp_pubkey_uncompressed(k->pub,
							     w.secret);
	}
	bytes_wipe(&w, sizeof w);
	return ok;
}

/* A key without a path. */
static bool plain_read(struct desc_key *k, const struct chain_params *p,
		       struct piece t, enum desc_place place, struct why *why)
{
	char *text = piece_str(t);
	bool is_hex = t.n && t.n <= HEX_KEY_CHARS_MAX &&
		      strspn(text, "0123456789abcdefABCDEF") == t.n;
	bool ok = false;

	if (t.n == 0) {
		why_set(why, ERR_INPUT, "No key provided");
	} else if (is_hex && !hex_key_read(k, text)) {
		refuse(why, "Pubkey '%.*s' is invalid", t);
	} else if (!is_hex && !wif_read(k, p, text)) {
		refuse(why, "key '%.*s' is not valid", t);
	} else if (k->pub_n == 65 && place & (PLACE_P2WPKH | PLACE_P2WSH | PLACE_P2TR)) {
		why_set(why, ERR_INPUT, "Uncompressed keys are not allowed");
	} else {
		ok = true;
	}
	bytes_wipe(text, t.n);
	free(text);
	return ok;
}

static bool path_read(struct desc_key *k, struct piece t, struct why *why)
{
	while (t.n) {
		struct piece step = next_step(&t);

		if (t.n == 0 && step.n && step.p[0] == '*') {
			if (step.n == 1) {
				k->range = RANGE_PLAIN;
				return true;
			}
			if (step.n == 2 && strchr("'h", step.p[1])) {
				k->range = RANGE_HARDENED;
				k->apostrophe = step.p[1] == '\'';
				return true;
			}
		}
		k->path = xrealloc(k->path,
				   (k->path_n + 1) * sizeof *k->path);
		if (!step_read(&k->path[k->path_n], &k->apostrophe, step,
			       why))
			return false;
		k->path_n++;
	}
	return true;
}

bool desc_key_read(struct desc_key *out, const struct chain_params *p,
		   struct piece t, enum desc_place place, struct why *why)
{
	struct piece rest, head;
	char *text;

	*out = (struct desc_key){ .xonly = place == PLACE_P2TR };
	if (t.n && t.p[0] == '[') {
		const char *end = memchr(t.p, ']', t.n);

		if (!end) {
			why_set(why, ERR_INPUT, "Key origin start '[ "
				"character expected but not found, got "
				"'%c' instead", t.p[0]);
			return false;
		}
		head = (struct piece){ t.p + 1, (size_t)(end - t.p) - 1 };
		if (!origin_read(out, head, why))
			return false;
		t.n -= (size_t)(end + 1 - t.p);
		t.p = end + 1;
	}
	rest = t;
	head = next_step(&rest);
	text = piece_str(head);
	out->is_ext = ext_key_decode(&out->ext, p, text);
	bytes_wipe(text, head.n);
	free(text);
	if (!out->is_ext)
		return plain_read(out, p, t, place, why);
	out->is_private = out->ext.is_private;
	out->pub_n = 33;
	return path_read(out, rest, why);
}

void desc_key_clear(struct desc_key *k)
{
	free(k->origin);
	free(k->path);
	bytes_wipe(k, sizeof *k);
}

bool desc_key_at(uint8_t out[static 65], size_t *n, const struct desc_key *k,
		 uint32_t index)
{
	struct ext_key at;
	bool ok = true;

	*n = k->pub_n;
	if (!k->is_ext) {
		memcpy(out, k->pub, k->pub_n);
		return true;
	}
	at = k->ext;
	for (size_t i = 0; i < k->path_n && ok; i++)
		ok = ext_key_derive(&at, &at, k->path[i]);
	if (k->range == RANGE_HARDENED)
		index |= EXT_KEY_HARDENED;
	if (ok && k->range != RANGE_NONE)
		ok = ext_key_derive(&at, &at, index);
	if (ok) {
		ext_key_neuter(&at, &at);
		memcpy(out, at.key, 33);
	}
	bytes_wipe(&at, sizeof at);
	return ok;
}

static void str_write(struct bytes *b, const char *s)
{
	bytes_append(b, s, strlen(s));
}

static void hex_write(struct bytes *b, const uint8_t *p, size_t n)
{
	char *hex = hex_new(span_of(p, n));

	str_write(b, hex);
	free(hex);
}

/* The key at an index with the whole way to it as its origin. */
static bool write_at(struct bytes *b, const struct desc_key *k,
		     uint32_t index)
{
	uint8_t pub[65], id[4];
	size_t n;

	if (!desc_key_at(pub, &n, k, index))
		return false;
	str_write(b, "[");
	if (k->origin) {
		str_write(b, k->origin);
	} else {
		ext_key_fingerprint(id, &k->ext);
		hex_write(b, id, sizeof id);
	}
	path_write(b, k->path, k->path_n, k->apostrophe);
	if (k->range == RANGE_HARDENED)
		index |= EXT_KEY_HARDENED;
	if (k->range != RANGE_NONE)
		path_write(b, &index, 1, k->apostrophe);
	str_write(b, "]");
	hex_write(b, pub + (k->xonly ? 1 : 0), n - (k->xonly ? 1 : 0));
	return true;
}

bool desc_key_write(struct bytes *b, const struct desc_key *k,
		    const struct chain_params *p, const uint32_t *index)
{
	char text[BASE58_MAX_CHARS];
	struct ext_key pub;

	if (k->is_ext && index)
		return write_at(b, k, *index);
	if (k->origin) {
		str_write(b, "[");
		str_write(b, k->origin);
		str_write(b, "]");
	}
	if (!k->is_ext) {
		hex_write(b, k->pub + (k->xonly ? 1 : 0),
			  k->pub_n - (k->xonly ? 1 : 0));
		return true;
	}
	ext_key_neuter(&pub, &k->ext);
	ext_key_encode(text, p, &pub);
	str_write(b, text);
	path_write(b, k->path, k->path_n, k->apostrophe);
	if (k->range != RANGE_NONE)
		str_write(b, k->range == RANGE_PLAIN ? "/*" :
			     k->apostrophe ? "/*'" : "/*h");
	return true;
}
