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

struct snapshot {
	const char *path;
	int fd;
	struct bytes buf;
	struct reader in;        /* over buf */
	uint64_t at;             /* bytes of the file in or before buf */
	bool ended;
};

/* Have a whole record in the window, unless the file ends. */
static enum err window_fill(struct snapshot *s, struct why *why)
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

static enum err bad(const struct snapshot *s, struct why *why)
{
	return why_set(why, ERR_INPUT, "%s %s before byte %llu", s->path,
		       s->ended && reader_left(&s->in) == 0
			       ? "ends too early"
			       : "does not decode",
		       (unsigned long long)s->at);
}

static enum err head_read(struct snapshot *s, struct block_hash *base,
			  uint64_t *coins, const uint8_t magic[static 4],
			  struct why *why)
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
	*coins = read_u64(&s->in);
	if (s->in.failed || memcmp(name.p, SNAPSHOT_MAGIC,
				  SNAPSHOT_MAGIC_BYTES) != 0)
		return why_set(why, ERR_INPUT, "%s is no snapshot of coins",
			       s->path);
	if (version != SNAPSHOT_VERSION)
		return why_set(why, ERR_INPUT,
			       "%s is a snapshot of version %u; only %u is understood",
			       s->path, version, SNAPSHOT_VERSION);
	if (!span_eq(net, span_of(magic, 4)))
		return why_set(why, ERR_INPUT,
			       "%s is a snapshot of another chain", s->path);
	return ERR_NONE;
}

/* All coins of one transaction; *left goes down. */
static enum err group_read(struct snapshot *s, uint64_t *left,
			   coins_visit_fn *fn, void *arg, struct why *why)
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
	if (s->in.failed || n > *left || n == 0)
		return bad(s, why);
	*left -= n;
	for (; n > 0; n--) {
		e = window_fill(s, why);
		if (e)
			return e;
		index = read_compact(&s->in);
		o.n = (uint32_t)index;
		if (!coin_value_read(&coin, buf, &s->in))
			return bad(s, why);
		if (!fn(&o, &coin, arg))
			return why_set(why, ERR_STOPPED, "stopped");
	}
	return ERR_NONE;
}

enum err snapshot_visit(struct block_hash *base, uint64_t *size_bytes,
			const char *path, const uint8_t magic[static 4],
			coins_visit_fn *fn, void *arg, struct why *why)
{
	struct snapshot s = { .path = path };
	uint64_t left = 0;
	enum err e;

	s.in = reader_of(bytes_span(&s.buf));
	s.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s.fd < 0)
		return why_errno(why, "cannot open %s", path);
	e = head_read(&s, base, &left, magic, why);
	while (!e && left > 0)
		e = group_read(&s, &left, fn, arg, why);
	if (!e)
		e = window_fill(&s, why);
	if (!e && reader_left(&s.in))
		e = why_set(why, ERR_INPUT, "%s has bytes after its last coin",
			    path);
	*size_bytes = s.at;
	close(s.fd);
	bytes_clear(&s.buf);
	return e;
}
