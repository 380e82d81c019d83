/*
 * Records of trusted peers, and their file.
 */
#include "config.h"

#include "tls/trust_store.h"

#include "base/file.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "cloister-trusted-v1"
#define WORD "peer "
#define SUM_SIZE 8
#define RECORD_MAX 1024

/* ---- the records ---- */

bool trust_name_ok(const char *name)
{
	size_t n = strnlen(name, TRUST_NAME_MAX + 1);

	return n > 0 && n <= TRUST_NAME_MAX && name[0] != '-' &&
	       name[n - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

struct trust_peer *trust_get(const struct trust_store *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i]->name, name) == 0)
			return s->v[i];
	return NULL;
}

struct trust_peer *trust_get_id(const struct trust_store *s,
				const struct node_id *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->state != TRUST_INVITED &&
		    node_id_eq(&s->v[i]->id, id))
			return s->v[i];
	return NULL;
}

struct trust_peer *trust_add(struct trust_store *s)
{
	if (s->n == TRUST_PEERS_MAX)
		return NULL;
	s->v[s->n] = xcalloc(1, sizeof *s->v[0]);
	return s->v[s->n++];
}

static void peer_free(struct trust_peer *p)
{
	bytes_wipe(p, sizeof *p);
	free(p);
}

void trust_remove(struct trust_store *s, struct trust_peer *p)
{
	size_t i = 0;

	while (i < s->n && s->v[i] != p)
		i++;
	CHECK(i < s->n);
	s->n--;
	memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof s->v[0]);
	peer_free(p);
}

void trust_store_clear(struct trust_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		peer_free(s->v[i]);
	s->n = 0;
}

void trust_token_hash(uint8_t out[static TRUST_HASH_SIZE],
		      const uint8_t token[static TRUST_TOKEN_SIZE])
{
	static const char tag[] = "cloister invite token";
	uint8_t in[sizeof tag + TRUST_TOKEN_SIZE];

	memcpy(in, tag, sizeof tag);
	memcpy(in + sizeof tag, token, TRUST_TOKEN_SIZE);
	sha256(out, in, sizeof in);
	bytes_wipe(in, sizeof in);
}

/* ---- one record's bytes ---- */

static void text_write(struct bytes *out, const char *s)
{
	write_u8(out, (uint8_t)strlen(s));
	bytes_append(out, s, strlen(s));
}

static void text_read(struct reader *r, char *out, size_t size)
{
	struct span s = read_span(r, read_u8(r));

	if (s.n >= size || (s.n && memchr(s.p, 0, s.n)))
		r->failed = true;
	if (r->failed)
		return;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void onion_read(struct reader *r, char out[static ONION_TEXT_SIZE])
{
	uint8_t key[ONION_KEY_BYTES];
	char again[ONION_TEXT_SIZE];

	text_read(r, out, ONION_TEXT_SIZE);
	if (r->failed || !out[0])
		return;
	if (!onion_parse(key, out)) {
		r->failed = true;
		return;
	}
	onion_format(again, key);
	if (strcmp(again, out) != 0)
		r->failed = true;
}

static void door_write(struct bytes *out, const struct trust_door *d)
{
	text_write(out, d->name);
	bytes_append(out, d->client, sizeof d->client);
	bytes_append(out, d->secret, sizeof d->secret);
	text_write(out, d->told);
}

static void door_read(struct reader *r, struct trust_door *d)
{
	text_read(r, d->name, sizeof d->name);
	read_copy(r, d->client, sizeof d->client);
	read_copy(r, d->secret, sizeof d->secret);
	onion_read(r, d->told);
	if (d->name[0] && (d->name[0] != 'd' || strlen(d->name) != 11 ||
			   strspn(d->name + 1, "0123456789abcdef") != 10))
		r->failed = true;
}

static void peer_write(struct bytes *out, const struct trust_peer *p)
{
	text_write(out, p->name);
	write_u8(out, (uint8_t)p->state);
	write_u8(out, p->roles);
	bytes_append(out, p->id.key, sizeof p->id.key);
	text_write(out, p->way.onion);
	bytes_append(out, p->way.key, sizeof p->way.key);
	door_write(out, &p->door);
	door_write(out, &p->next);
	bytes_append(out, p->token, sizeof p->token);
	bytes_append(out, p->token_hash, sizeof p->token_hash);
	write_u64(out, (uint64_t)p->created);
	write_u64(out, (uint64_t)p->expires);
	write_u64(out, (uint64_t)p->enrolled);
	write_u64(out, (uint64_t)p->last_seen);
}

static bool peer_read(struct trust_peer *p, struct span s)
{
	struct reader r = reader_of(s);
	unsigned state;

	text_read(&r, p->name, sizeof p->name);
	state = read_u8(&r);
	p->state = (enum trust_state)state;
	p->roles = read_u8(&r);
	read_copy(&r, p->id.key, sizeof p->id.key);
	onion_read(&r, p->way.onion);
	read_copy(&r, p->way.key, sizeof p->way.key);
	door_read(&r, &p->door);
	door_read(&r, &p->next);
	read_copy(&r, p->token, sizeof p->token);
	read_copy(&r, p->token_hash, sizeof p->token_hash);
	p->created = (int64_t)read_u64(&r);
	p->expires = (int64_t)read_u64(&r);
	p->enrolled = (int64_t)read_u64(&r);
	p->last_seen = (int64_t)read_u64(&r);
	return !r.failed && reader_left(&r) == 0 && trust_name_ok(p->name) &&
	       state < TRUST_STATE_COUNT && !(p->roles & ~ROLE_ALL);
}

/* ---- the file's bytes ---- */

static void checksum(uint8_t out[static SUM_SIZE], struct span s)
{
	uint8_t hash[32];

	sha256(hash, s.p, s.n);
	memcpy(out, hash, SUM_SIZE);
}

static void hex_write(struct bytes *out, struct span s)
{
	char *hex = hex_new(s);

	bytes_append(out, hex, 2 * s.n);
	bytes_wipe(hex, 2 * s.n);
	free(hex);
}

static void wipe(struct bytes *b)
{
	if (b->p)
		bytes_wipe(b->p, b->cap);
	bytes_clear(b);
}

void trust_store_write(struct bytes *out, const struct trust_store *s)
{
	struct bytes record = {0};
	uint8_t sum[SUM_SIZE];

	bytes_append(out, FIRST_LINE "\n", sizeof FIRST_LINE);
	for (size_t i = 0; i < s->n; i++) {
		record.n = 0;
		peer_write(&record, s->v[i]);
		checksum(sum, bytes_span(&record));
		bytes_append(out, WORD, sizeof WORD - 1);
		hex_write(out, span_of(sum, sizeof sum));
		bytes_append(out, " ", 1);
		hex_write(out, bytes_span(&record));
		bytes_append(out, "\n", 1);
	}
	wipe(&record);
}

/* "peer 0123456789abcdef HEX" without its end; only as it is written. */
static bool line_read(struct trust_peer *p, struct span line)
{
	const size_t head = sizeof WORD - 1 + 2 * SUM_SIZE + 1;
	char hex[2 * RECORD_MAX + 1];
	uint8_t record[RECORD_MAX], sum[SUM_SIZE], is[SUM_SIZE];
	size_t n;
	bool ok;

	if (line.n <= head || line.n - head > 2 * RECORD_MAX ||
	    (line.n - head) % 2 || memcmp(line.p, WORD, sizeof WORD - 1) ||
	    line.p[head - 1] != ' ')
		return false;
	memcpy(hex, line.p + sizeof WORD - 1, 2 * SUM_SIZE);
	hex[2 * SUM_SIZE] = '\0';
	if (!hex_decode(sum, sizeof sum, hex))
		return false;
	n = (line.n - head) / 2;
	memcpy(hex, line.p + head, 2 * n);
	hex[2 * n] = '\0';
	ok = hex_decode(record, n, hex);
	if (ok)
		checksum(is, span_of(record, n));
	ok = ok && memcmp(is, sum, sizeof is) == 0 &&
	     peer_read(p, span_of(record, n));
	bytes_wipe(record, sizeof record);
	bytes_wipe(hex, sizeof hex);
	return ok;
}

static bool is_double(const struct trust_store *s, const struct trust_peer *p)
{
	return trust_get(s, p->name) ||
	       (p->state != TRUST_INVITED && trust_get_id(s, &p->id));
}

static bool take_line(struct trust_store *s, struct span line)
{
	struct trust_peer p = {0}, *to;
	bool ok = line_read(&p, line) && !is_double(s, &p);

	to = ok ? trust_add(s) : NULL;
	if (to)
		*to = p;
	bytes_wipe(&p, sizeof p);
	return to != NULL;
}

/* The next line without its end; false at the end of the file. */
static bool next_line(struct span *line, struct span *rest)
{
	const uint8_t *end;

	if (!rest->n)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = end ? (size_t)(end - rest->p) : rest->n;
	rest->p += end ? line->n + 1 : line->n;
	rest->n -= end ? line->n + 1 : line->n;
	return true;
}

bool trust_store_read(struct trust_store *out, unsigned *bad,
		      struct span file)
{
	struct span line;

	memset(out, 0, sizeof *out);
	*bad = 0;
	if (!next_line(&line, &file) ||
	    !span_eq(line, span_of(FIRST_LINE, sizeof FIRST_LINE - 1)))
		return false;
	while (next_line(&line, &file))
		if (!take_line(out, line))
			(*bad)++;
	return true;
}

/* ---- the file ---- */

enum err trust_store_load(struct trust_store *out, const char *path,
			  struct why *why)
{
	struct bytes file = {0};
	char *aside = NULL;
	unsigned bad = 0;
	enum err e = ERR_NONE;

	memset(out, 0, sizeof *out);
	why_set(why, ERR_NONE, "%s", "");
	if (!file_exists(path))
		return ERR_NONE;
	e = file_read(&file, path, TRUST_FILE_MAX, why);
	if (e)
		goto out;
	if (!trust_store_read(out, &bad, bytes_span(&file))) {
		e = why_set(why, ERR_INPUT, "%s is no list of trusted peers, "
			    "or one of a newer version: nobody is trusted "
			    "until it is put right or removed", path);
		goto out;
	}
	if (!bad)
		goto out;
	aside = xasprintf("%s.damaged", path);
	e = file_replace(aside, bytes_span(&file), 0600, why);
	if (!e)
		why_set(why, ERR_CORRUPT, "%s: %u of %zu records are damaged "
			"and left out, the others are loaded; the file is "
			"kept as %s", path, bad, bad + out->n, aside);
out:
	free(aside);
	wipe(&file);
	if (e)
		trust_store_clear(out);
	return e;
}

enum err trust_store_save(const struct trust_store *s, const char *path,
			  struct why *why)
{
	struct bytes file = {0};
	enum err e;

	trust_store_write(&file, s);
	e = file_replace(path, bytes_span(&file), 0600, why);
	wipe(&file);
	return e;
}
