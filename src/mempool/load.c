/*
 * Reading mempool.dat, a few transactions at a time: each goes the way of
 * one that comes from a peer, so a file can do no harm that a peer could
 * not.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "mempool/dump.h"
#include "mempool/mempool_priv.h"

/* At least so much lies ready when a transaction is read: no valid one is
 * longer. */
#define WINDOW_BYTES ((size_t)MAX_BLOCK_WEIGHT_WU + 64)
#define PIECE_BYTES ((size_t)1 << 20)
#define STEP_TXS 32

enum part { PART_TXS, PART_DELTAS, PART_UNBROADCAST, PART_END };

struct mempool_load {
	struct mempool *m;
	char *path;
	int fd;
	struct mempool_load_options opt;
	struct mempool_load_counts counts;
	uint8_t key[DUMP_KEY_BYTES];
	struct bytes b;          /* read, in clear */
	size_t at;               /* in b: not used yet */
	uint64_t pos, size;      /* of the next byte to read; of the file */
	enum part part;
	uint64_t left;           /* entries of this part */
	bool begun;              /* `left` is known */
};

/* Have a window's worth ready, or all there is; rarely, and then more. */
static enum err fill(struct mempool_load *l, struct why *why)
{
	if (l->b.n - l->at >= WINDOW_BYTES || l->pos == l->size)
		return ERR_NONE;
	bytes_consume(&l->b, l->at);
	l->at = 0;
	while (l->b.n < 2 * WINDOW_BYTES && l->pos < l->size) {
		size_t n = (size_t)MIN_OF((uint64_t)PIECE_BYTES,
					  l->size - l->pos);
		enum err e;

		bytes_reserve(&l->b, n);
		e = file_pread(l->fd, l->b.p + l->b.n, n, l->pos, l->path,
			       why);
		if (e)
			return e;
		dump_obfuscate(l->b.p + l->b.n, n, l->pos, l->key);
		l->b.n += n;
		l->pos += n;
	}
	return ERR_NONE;
}

static enum err read_head(struct mempool_load *l, struct why *why)
{
	uint8_t head[17];
	struct reader r;
	struct span key;
	uint64_t version;
	size_t n = (size_t)MIN_OF((uint64_t)sizeof head, l->size);
	enum err e = file_pread(l->fd, head, n, 0, l->path, why);

	if (e)
		return e;
	r = reader_of(span_of(head, n));
	version = read_u64(&r);
	l->pos = 8;
	if (!r.failed && version == DUMP_VERSION) {
		key = read_var_span(&r);
		if (!r.failed && key.n == DUMP_KEY_BYTES)
			memcpy(l->key, key.p, key.n);
		else
			r.failed = true;
		l->pos = sizeof head;
	} else if (!r.failed && version != DUMP_VERSION_PLAIN) {
		return why_set(why, ERR_INPUT, "%s is of version %llu, "
			       "written by a newer program or no mempool "
			       "file: this program knows versions 1 and 2",
			       l->path, (unsigned long long)version);
	}
	if (r.failed)
		return why_set(why, ERR_INPUT, "%s ends in its head: it was "
			       "cut short", l->path);
	return ERR_NONE;
}

enum err mempool_load_open(struct mempool_load **out, struct mempool *m,
			   const char *path,
			   const struct mempool_load_options *opt,
			   struct why *why)
{
	struct mempool_load *l;
	struct stat st;
	enum err e = ERR_NONE;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return errno == ENOENT ? ERR_NONE :
		       why_errno(why, "cannot open %s", path);
	l = xcalloc(1, sizeof *l);
	l->m = m;
	l->path = xstrdup(path);
	l->fd = fd;
	l->opt = *opt;
	if (fstat(fd, &st) != 0)
		e = why_errno(why, "cannot look at %s", path);
	else
		l->size = (uint64_t)st.st_size;
	if (!e)
		e = read_head(l, why);
	if (e)
		mempool_load_free(l);
	else
		*out = l;
	return e;
}

/* ---- its parts ---- */

static enum err take_tx(struct mempool_load *l, struct shared_tx *tx,
			int64_t time_unix, int64_t delta, struct why *why)
{
	struct mempool *m = l->m;
	int64_t now = pool_now(m);
	struct accept_options opt = { 0 };
	struct accept_result result;
	enum err e;

	/* A time to come would put its end off. */
	if (l->opt.use_current_time || time_unix > now)
		time_unix = now;
	opt.time_unix = time_unix;
	if (delta && !l->opt.ignore_deltas)
		mempool_prioritise(m, &tx->tx.txid, delta);
	if (time_unix <= now - m->opt.policy.expiry_s) {
		l->counts.expired++;
		return ERR_NONE;
	}
	e = mempool_accept(m, &result, NULL, tx, &opt, why);
	if (e)
		return e;
	if (result.status == ACCEPT_OK)
		l->counts.accepted++;
	else if (result.status == ACCEPT_IN_POOL)
		l->counts.known++;
	else
		l->counts.failed++;
	return ERR_NONE;
}

static enum err read_tx(struct mempool_load *l, struct reader *r,
			struct why *why)
{
	struct arena a = { 0 };
	struct shared_tx *shared = NULL;
	struct tx tx;
	int64_t time_unix, delta;
	enum err e = ERR_NONE;

	if (tx_read(&tx, r, &a, true))
		shared = shared_tx_copy(&tx);
	arena_clear(&a);
	time_unix = (int64_t)read_u64(r);
	delta = (int64_t)read_u64(r);
	if (shared && !r->failed)
		e = take_tx(l, shared, time_unix, delta, why);
	shared_tx_unref(shared);
	return e;
}

static void read_delta(struct mempool_load *l, struct reader *r)
{
	struct txid id;
	int64_t delta;

	read_copy(r, id.b, sizeof id.b);
	delta = (int64_t)read_u64(r);
	if (!r->failed && !l->opt.ignore_deltas)
		mempool_prioritise(l->m, &id, delta);
}

static void read_unbroadcast(struct mempool_load *l, struct reader *r)
{
	struct pool_entry *p;
	struct txid id;

	read_copy(r, id.b, sizeof id.b);
	if (r->failed || l->opt.ignore_unbroadcast)
		return;
	p = map_get(&l->m->by_txid, &id);
	if (p && !p->e.unbroadcast) {
		p->e.unbroadcast = true;
		l->m->unbroadcast++;
	}
}

/* One entry of the part at hand, or how many there are. */
static enum err read_next(struct mempool_load *l, struct reader *r,
			  struct why *why)
{
	enum err e = ERR_NONE;

	if (!l->begun) {
		l->left = l->part == PART_TXS ? read_u64(r)
					      : read_compact(r);
		l->begun = true;
	} else if (!l->left) {
		l->part++;
		l->begun = false;
	} else {
		l->left--;
		if (l->part == PART_TXS)
			e = read_tx(l, r, why);
		else if (l->part == PART_DELTAS)
			read_delta(l, r);
		else
			read_unbroadcast(l, r);
	}
	return e;
}

enum err mempool_load_step(struct mempool_load *l, bool *more,
			   struct why *why)
{
	struct reader r;
	enum err e = ERR_NONE;

	for (int i = 0; !e && i < STEP_TXS && l->part != PART_END; i++) {
		e = fill(l, why);
		if (e)
			return e;
		r = reader_of(span_of(l->b.p + l->at, l->b.n - l->at));
		e = read_next(l, &r, why);
		if (!e && r.failed)
			e = why_set(why, ERR_INPUT, "%s ends or makes no "
				    "sense after %zu transactions", l->path,
				    l->counts.accepted + l->counts.failed +
				    l->counts.expired + l->counts.known);
		if (!e)
			l->at = (size_t)(r.p - l->b.p);
	}
	*more = !e && l->part != PART_END;
	return e;
}

const struct mempool_load_counts *
mempool_load_counts(const struct mempool_load *l)
{
	return &l->counts;
}

void mempool_load_free(struct mempool_load *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l->path);
	bytes_clear(&l->b);
	free(l);
}
