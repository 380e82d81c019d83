/*
 * Writing snapshot files: a group of coins per transaction, in the order of
 * the reference node's database keys.
 */
#include "config.h"

#include "chainstate/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/writer.h"
#include "chainstate/snapshot_priv.h"
#include "chainstate/undo.h"

#define BUFFER_BYTES ((size_t)1 << 20)
#define COUNT_OFFSET 43          /* in the file's head */

/* One coin of the group, encoded. */
struct item {
	uint8_t key[VARINT_MAX];
	size_t key_n;
	struct span bytes;
	size_t at;               /* in the group's buffer, while it grows */
};

struct snapshot_writer {
	char *path, *temp;
	int fd;
	uint64_t at;             /* bytes written */
	uint64_t coins;
	struct bytes out;        /* not yet written */
	struct txid txid;        /* of the group */
	struct item *items;
	size_t n, cap;
	struct bytes group;      /* the items' bytes */
	bool ended;
};

static enum err push_out(struct snapshot_writer *w, struct why *why)
{
	enum err e = file_pwrite(w->fd, w->out.p, w->out.n, w->at, w->temp,
				 why);

	w->at += w->out.n;
	w->out.n = 0;
	return e;
}

enum err snapshot_writer_open(struct snapshot_writer **out, const char *path,
			      const uint8_t magic[static 4],
			      const struct block_hash *base, struct why *why)
{
	struct snapshot_writer *w;

	if (file_exists(path))
		return why_set(why, ERR_INPUT, "%s already exists. If you are "
			       "sure this is what you want, move it out of "
			       "the way first.", path);
	w = xcalloc(1, sizeof(*w));
	w->path = xstrdup(path);
	w->temp = xasprintf("%s.incomplete", path);
	w->fd = open(w->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		(void)why_errno(why, "Couldn't open file %s for writing",
				w->temp);
		snapshot_writer_free(w);
		return ERR_INPUT;
	}
	bytes_append(&w->out, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_BYTES);
	write_u16(&w->out, SNAPSHOT_VERSION);
	bytes_append(&w->out, magic, 4);
	bytes_append(&w->out, base->b, 32);
	write_u64(&w->out, 0);           /* the count comes last */
	*out = w;
	return ERR_NONE;
}

/* The reference node's keys are not in the order of numbers from 16,512 on. */
static int by_key(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int d = memcmp(a->key, b->key, MIN_OF(a->key_n, b->key_n));

	return d ? d : (a->key_n > b->key_n) - (a->key_n < b->key_n);
}

static enum err end_group(struct snapshot_writer *w, struct why *why)
{
	enum err e = ERR_NONE;

	if (!w->n)
		return ERR_NONE;
	for (size_t i = 0; i < w->n; i++) {
		size_t end = i + 1 < w->n ? w->items[i + 1].at : w->group.n;

		w->items[i].bytes = span_of(w->group.p + w->items[i].at,
					    end - w->items[i].at);
	}
	qsort(w->items, w->n, sizeof(*w->items), by_key);
	bytes_append(&w->out, w->txid.b, 32);
	write_compact(&w->out, w->n);
	for (size_t i = 0; i < w->n && !e; i++) {
		write_span(&w->out, w->items[i].bytes);
		if (w->out.n >= BUFFER_BYTES)
			e = push_out(w, why);
	}
	w->coins += w->n;
	w->n = 0;
	w->group.n = 0;
	return e;
}

enum err snapshot_writer_add(struct snapshot_writer *w,
			     const struct outpoint *o,
			     const struct coin *coin, struct why *why)
{
	struct item *it;
	enum err e = ERR_NONE;

	if (w->n && !txid_eq(&w->txid, &o->txid))
		e = end_group(w, why);
	if (e)
		return e;
	w->txid = o->txid;
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->items = xrealloc(w->items, w->cap * sizeof(*w->items));
	}
	it = &w->items[w->n++];
	it->key_n = varint_encode(it->key, o->n);
	it->at = w->group.n;
	write_compact(&w->group, o->n);
	coin_value_write(&w->group, coin);
	return ERR_NONE;
}

static enum err write_count(struct snapshot_writer *w, struct why *why)
{
	struct bytes count = { 0 };
	enum err e;

	write_u64(&count, w->coins);
	e = file_pwrite(w->fd, count.p, count.n, COUNT_OFFSET, w->temp, why);
	bytes_clear(&count);
	return e;
}

static enum err sync_parent(const struct snapshot_writer *w, struct why *why)
{
	const char *slash = strrchr(w->path, '/');
	char *dir = slash ? xasprintf("%.*s", (int)(slash - w->path) + 1,
				      w->path) : xstrdup(".");
	enum err e = dir_sync(dir, why);

	free(dir);
	return e;
}

enum err snapshot_writer_end(struct snapshot_writer *w, struct why *why)
{
	enum err e = end_group(w, why);

	if (!e)
		e = push_out(w, why);
	if (!e)
		e = write_count(w, why);
	if (!e && fsync(w->fd))
		e = why_errno(why, "cannot sync %s", w->temp);
	if (!e && rename(w->temp, w->path))
		e = why_errno(why, "cannot rename %s", w->temp);
	w->ended = !e;
	return e ? e : sync_parent(w, why);
}

void snapshot_writer_free(struct snapshot_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0) {
		close(w->fd);
		if (!w->ended)
			(void)unlink(w->temp);
	}
	bytes_clear(&w->out);
	bytes_clear(&w->group);
	free(w->items);
	free(w->path);
	free(w->temp);
	free(w);
}
