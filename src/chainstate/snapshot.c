/*
 * Reading snapshot files, a window at a time.
 */
#include "config.h"

#include "chainstate/snapshot_priv.h"

#include "base/reader.h"
#include "chainstate/coin_record_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW_BYTES ((size_t)1 << 20)
/* More than any single coin or header takes. */
#define RECORD_MAX ((size_t)64 << 10)

struct snapshot_reader {
	char *path;
	int fd;
	uint64_t left;           /* coins */
	struct bytes buf;
	struct reader in;        /* over buf */
	uint64_t at;             /* bytes of the file in or before buf */
	bool ended;
};

/* Have a whole record in the window, unless the file ends. */
static enum err window_fill(struct snapshot_reader *s, struct why *why)
{
	if (reader_left(&s->in) >= RECORD_MAX || s->ended)
		return ERR_NONE;
	bytes_consume(&s->buf, s->buf.n - reader_left(&s->in));
	bytes_reserve(&s->buf, WINDOW_BYTES);
	while (s->buf.n < WINDOW_BYTES && !s->ended) {
		ssize_t got = pread(s->fd, s->buf.p + s->buf.n,
				    WINDOW_BYTES - s->buf.n, (off_t)s->at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return why_errno(why, "cannot read %s", s->path);
		s->ended = got == 0;
		s->buf.n += (size_t)got;
		s->at += (uint64_t)got;
	}
	s->in = reader_of(bytes_span(&s->buf));
	return ERR_NONE;
}

static enum err bad(const struct snapshot_reader *s, struct why *why)
{
	return why_set(why, ERR_INPUT, "%s %s before byte %llu", s->path,
		       s->ended && reader_left(&s->in) == 0
			       ? "ends too early"
			       : "does not decode",
		       (unsigned long long)s->at);
}

static enum err head_read(struct snapshot_reader *s, struct block_hash *base,
			  const uint8_t magic[static 4], struct why *why)
{
	struct span name, net;
	uint16_t version;
	enum err e = window_fill(s, why);

	if (e)
		return e;
	name = read_span(&s->in, SNAPSHOT_MAGIC_BYTES);
	version = read_u16(&s->in);
	net = read_span(&s->in, 4);
	read_copy(&s->in, base->b, 32);
	s->left = read_u64(&s->in);
	if (s->in.failed || memcmp(name.p, SNAPSHOT_MAGIC,
				  SNAPSHOT_MAGIC_BYTES) != 0)
		return why_set(why, ERR_INPUT, "Invalid UTXO set snapshot "
			       "magic bytes. Please check if this is indeed a "
			       "snapshot file or if you are using an outdated "
			       "snapshot format.");
	if (version != SNAPSHOT_VERSION)
		return why_set(why, ERR_INPUT, "Version of snapshot %u does "
			       "not match any of the supported versions.",
			       version);
	if (!span_eq(net, span_of(magic, 4)))
		return why_set(why, ERR_INPUT, "This snapshot was created for "
			       "another network than the one of this node.");
	return ERR_NONE;
}

enum err snapshot_reader_open(struct snapshot_reader **out, const char *path,
			      const uint8_t magic[static 4],
			      struct block_hash *base, struct why *why)
{
	struct snapshot_reader *s = xcalloc(1, sizeof(*s));
	enum err e;

	s->path = xstrdup(path);
	s->in = reader_of(bytes_span(&s->buf));
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		(void)why_errno(why, "Couldn't open file %s for reading",
				path);
		e = ERR_INPUT;
	} else {
		e = head_read(s, base, magic, why);
	}
	if (e) {
		snapshot_reader_close(s);
		s = NULL;
	}
	*out = s;
	return e;
}

void snapshot_reader_close(struct snapshot_reader *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	bytes_clear(&s->buf);
	free(s->path);
	free(s);
}

uint64_t snapshot_reader_left(const struct snapshot_reader *s)
{
	return s->left;
}

/* All coins of one transaction. */
static enum err group_read(struct snapshot_reader *s, coins_visit_fn *fn,
			   void *arg, struct why *why)
{
	uint8_t buf[SCRIPT_FORM_MAX];
	struct outpoint o;
	struct coin coin;
	uint64_t n, index;
	enum err e = window_fill(s, why);

	if (e)
		return e;
	read_copy(&s->in, o.txid.b, 32);
	n = read_compact(&s->in);
	if (s->in.failed || n > s->left || n == 0)
		return bad(s, why);
	for (; n > 0; n--) {
		e = window_fill(s, why);
		if (e)
			return e;
		index = read_compact(&s->in);
		o.n = (uint32_t)index;
		if (!coin_value_read(&coin, buf, &s->in) ||
		    index > UINT32_MAX)
			return bad(s, why);
		s->left--;
		if (!fn(&o, &coin, arg))
			return why_set(why, ERR_STOPPED, "stopped");
	}
	return ERR_NONE;
}

enum err snapshot_reader_step(struct snapshot_reader *s, bool *more,
			      size_t groups, coins_visit_fn *fn, void *arg,
			      struct why *why)
{
	enum err e = ERR_NONE;

	*more = true;
	for (; !e && s->left && groups > 0; groups--)
		e = group_read(s, fn, arg, why);
	if (e || s->left)
		return e;
	*more = false;
	e = window_fill(s, why);
	if (!e && reader_left(&s->in))
		e = why_set(why, ERR_INPUT, "%s has bytes after its last coin",
			    s->path);
	return e;
}

enum err snapshot_visit(struct block_hash *base, uint64_t *size_bytes,
			const char *path, const uint8_t magic[static 4],
			coins_visit_fn *fn, void *arg, struct why *why)
{
	struct snapshot_reader *s;
	bool more = true;
	enum err e = snapshot_reader_open(&s, path, magic, base, why);

	if (e)
		return e;
	while (!e && more)
		e = snapshot_reader_step(s, &more, SIZE_MAX, fn, arg, why);
	*size_bytes = s->at;
	snapshot_reader_close(s);
	return e;
}
