/*
 * Layout: magic, u64 number, tip, then for each change a key length byte, the
 * key, a u32 value length (all ones: delete) and the value; a zero byte; the
 * SHA-256 of everything before.
 */
#include "config.h"

#include "chainstate/coin_journal_priv.h"

#include "base/file.h"
#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/coins_priv.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define JOURNAL_NAME "flush.journal"
#define HEAD_BYTES (8 + 8 + 32)
#define IO_BYTES ((size_t)256 << 10)
#define VALUE_DELETE UINT32_MAX
#define VALUE_MAX 20000

static const char magic[8] = "cljrnl1\n";

struct journal {
	char *dir, *path;
	int fd;
	uint64_t at;
	struct bytes buf;
	struct sha256 sha;
	enum err err;
	struct why why;
};

static void journal_drain(struct journal *j)
{
	if (j->err)
		j->buf.n = 0;
	if (j->buf.n == 0)
		return;
	sha256_update(&j->sha, j->buf.p, j->buf.n);
	j->err = file_pwrite(j->fd, j->buf.p, j->buf.n, j->at, j->path,
			     &j->why);
	j->at += j->buf.n;
	j->buf.n = 0;
}

enum err journal_begin(struct journal **out, const char *dir, uint64_t number,
		       const struct block_hash *tip, struct why *why)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	*out = NULL;
	j->path = path_join(dir, JOURNAL_NAME);
	j->fd = open(j->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (j->fd < 0) {
		enum err e = why_errno(why, "cannot create %s", j->path);

		free(j->path);
		free(j);
		return e;
	}
	j->dir = xstrdup(dir);
	sha256_init(&j->sha);
	bytes_append(&j->buf, magic, sizeof(magic));
	write_u64(&j->buf, number);
	bytes_append(&j->buf, tip->b, 32);
	*out = j;
	return ERR_NONE;
}

void journal_put(struct journal *j, struct span key, struct span value)
{
	CHECK(key.n > 0 && key.n <= COIN_KEY_MAX && value.n <= VALUE_MAX);
	write_u8(&j->buf, (uint8_t)key.n);
	write_span(&j->buf, key);
	write_u32(&j->buf, value.p ? (uint32_t)value.n : VALUE_DELETE);
	if (value.p)
		write_span(&j->buf, value);
	if (j->buf.n >= IO_BYTES)
		journal_drain(j);
}

enum err journal_end(struct journal *j TAKES, struct why *why)
{
	uint8_t sum[32];
	enum err e;

	write_u8(&j->buf, 0);
	journal_drain(j);
	sha256_final(&j->sha, sum);
	e = j->err;
	if (e && why)
		*why = j->why;
	if (!e)
		e = file_pwrite(j->fd, sum, 32, j->at, j->path, why);
	if (!e && fdatasync(j->fd) != 0)
		e = why_errno(why, "cannot sync %s", j->path);
	if (!e)
		e = dir_sync(j->dir, why);
	close(j->fd);
	if (e)
		(void)unlink(j->path);
	bytes_clear(&j->buf);
	free(j->path);
	free(j->dir);
	free(j);
	return e;
}

/* ---- reading ------------------------------------------------------------ */

struct journal_reader {
	char *path;
	int fd;
	uint64_t at;
	struct bytes buf;
	size_t used;             /* of buf */
	uint64_t number;
	struct block_hash tip;
};

/* Have n unread bytes in buf; ERR_CORRUPT when the file ends before. */
static enum err reader_fill(struct journal_reader *r, size_t n,
			    struct why *why)
{
	while (r->buf.n - r->used < n) {
		ssize_t got;

		bytes_consume(&r->buf, r->used);
		r->used = 0;
		bytes_reserve(&r->buf, IO_BYTES);
		got = pread(r->fd, r->buf.p + r->buf.n, IO_BYTES,
			    (off_t)r->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return why_errno(why, "cannot read %s", r->path);
		if (got == 0)
			return why_set(why, ERR_CORRUPT, "%s is incomplete",
				       r->path);
		r->buf.n += (size_t)got;
		r->at += (uint64_t)got;
	}
	return ERR_NONE;
}

static enum err reader_take(struct journal_reader *r, struct span *out,
			    size_t n, struct sha256 *sha, struct why *why)
{
	enum err e = reader_fill(r, n, why);

	if (e)
		return e;
	*out = span_of(r->buf.p + r->used, n);
	r->used += n;
	if (sha)
		sha256_update(sha, out->p, n);
	return ERR_NONE;
}

/* ERR_STATE: there is no journal. */
static enum err reader_open(struct journal_reader *r, const char *dir,
			    struct sha256 *sha, struct why *why)
{
	struct span head;
	struct reader in;
	enum err e;

	*r = (struct journal_reader){ .path = path_join(dir, JOURNAL_NAME) };
	r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 && errno == ENOENT)
		return why_set(why, ERR_STATE, "%s is missing", r->path);
	if (r->fd < 0)
		return why_errno(why, "cannot open %s", r->path);
	e = reader_take(r, &head, HEAD_BYTES, sha, why);
	if (e)
		return e;
	if (memcmp(head.p, magic, sizeof(magic)) != 0)
		return why_set(why, ERR_CORRUPT, "%s is no journal", r->path);
	in = reader_of(span_of(head.p + sizeof(magic), 40));
	r->number = read_u64(&in);
	read_copy(&in, r->tip.b, 32);
	return ERR_NONE;
}

static void reader_close(struct journal_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	bytes_clear(&r->buf);
	free(r->path);
}

struct change {
	struct span key, value;  /* borrowed until the next one */
	bool end, deletes;
};

/* The change's three parts must be together in the buffer: peek its sizes
 * first. */
static enum err reader_change(struct journal_reader *r, struct change *out,
			      struct sha256 *sha, struct why *why)
{
	struct span all;
	struct reader in;
	size_t key_n, value_n;
	uint32_t size;
	enum err e = reader_fill(r, 1, why);

	if (e)
		return e;
	key_n = r->buf.p[r->used];
	*out = (struct change){ .end = key_n == 0 };
	if (out->end)
		return reader_take(r, &all, 1, sha, why);
	e = reader_fill(r, 1 + key_n + 4, why);
	if (e)
		return e;
	in = reader_of(span_of(r->buf.p + r->used + 1 + key_n, 4));
	size = read_u32(&in);
	out->deletes = size == VALUE_DELETE;
	value_n = out->deletes ? 0 : size;
	if (key_n > COIN_KEY_MAX || value_n > VALUE_MAX)
		return why_set(why, ERR_CORRUPT, "%s is damaged", r->path);
	e = reader_take(r, &all, 1 + key_n + 4 + value_n, sha, why);
	if (e)
		return e;
	out->key = span_of(all.p + 1, key_n);
	out->value = span_of(all.p + 1 + key_n + 4, value_n);
	return ERR_NONE;
}

static enum err reader_verify(struct journal_reader *r, struct sha256 *sha,
			      struct why *why)
{
	struct change ch;
	struct span sum;
	uint8_t want[32];
	enum err e;

	do {
		e = reader_change(r, &ch, sha, why);
		if (e)
			return e;
	} while (!ch.end);
	sha256_final(sha, want);
	e = reader_take(r, &sum, 32, NULL, why);
	if (e)
		return e;
	if (memcmp(sum.p, want, 32) != 0)
		return why_set(why, ERR_CORRUPT, "%s is damaged", r->path);
	return ERR_NONE;
}

enum err journal_check(uint64_t *number, const char *dir, struct why *why)
{
	struct journal_reader r;
	struct sha256 sha;
	enum err e;

	*number = 0;
	sha256_init(&sha);
	e = reader_open(&r, dir, &sha, why);
	if (!e)
		e = reader_verify(&r, &sha, why);
	if (!e)
		*number = r.number;
	reader_close(&r);
	if (e == ERR_STATE)
		return ERR_NONE;
	if (e == ERR_CORRUPT)
		return journal_remove(dir, why);
	return e;
}

enum err journal_remove(const char *dir, struct why *why)
{
	char *path = path_join(dir, JOURNAL_NAME);
	enum err e = ERR_NONE;

	if (unlink(path) != 0 && errno != ENOENT)
		e = why_errno(why, "cannot remove %s", path);
	if (!e)
		e = dir_sync(dir, why);
	free(path);
	return e;
}

static enum err apply_changes(struct journal_reader *r, struct store *s,
			      struct store_batch *b, size_t step_bytes,
			      struct why *why)
{
	struct bytes number = { 0 };
	struct change ch;
	enum err e;

	write_u64(&number, r->number);
	store_batch_put(b, span_of(APPLYING_KEY, 1), bytes_span(&number));
	bytes_clear(&number);
	for (;;) {
		e = reader_change(r, &ch, NULL, why);
		if (e || ch.end)
			break;
		if (ch.deletes)
			store_batch_delete(b, ch.key);
		else
			store_batch_put(b, ch.key, ch.value);
		if (store_batch_bytes(b) < step_bytes)
			continue;
		e = store_write(s, b, why);
		if (e)
			return e;
		store_batch_clear(b);
	}
	if (e)
		return e;
	tip_record_put(b, &r->tip, r->number);
	store_batch_delete(b, span_of(APPLYING_KEY, 1));
	return store_write(s, b, why);
}

enum err journal_apply(struct store *s, size_t step_bytes, struct why *why)
{
	struct store_batch *b = store_batch_new();
	struct journal_reader r;
	enum err e = reader_open(&r, store_dir(s), NULL, why);

	if (!e)
		e = apply_changes(&r, s, b, step_bytes, why);
	reader_close(&r);
	store_batch_free(b);
	return e ? e : journal_remove(store_dir(s), why);
}
