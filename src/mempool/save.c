/*
 * Writing mempool.dat: a piece at a time, beside, then renamed over.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "mempool/dump.h"
#include "mempool/mempool_priv.h"

#define PIECE_BYTES ((size_t)1 << 20)

void dump_obfuscate(uint8_t *p, size_t n, uint64_t pos,
		    const uint8_t key[static DUMP_KEY_BYTES])
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= key[(pos + i) % DUMP_KEY_BYTES];
}

struct dump {
	int fd;
	const char *path;
	uint8_t key[DUMP_KEY_BYTES];
	struct bytes b;          /* not written yet */
	uint64_t pos;            /* of its first byte */
	struct why *why;
	enum err err;            /* sticks */
};

static void dump_write(struct dump *d)
{
	if (!d->err)
		d->err = file_pwrite(d->fd, d->b.p, d->b.n, d->pos, d->path,
				     d->why);
	d->pos += d->b.n;
	d->b.n = 0;
}

/* Everything from here on is obfuscated when it is written. */
static void dump_flush(struct dump *d, size_t least)
{
	if (d->b.n < least)
		return;
	dump_obfuscate(d->b.p, d->b.n, d->pos, d->key);
	dump_write(d);
}

/* All transactions, parents before children: chunk by chunk. */
static void dump_txs(struct dump *d, const struct mempool *m)
{
	const struct chunk *k;

	write_u64(&d->b, mempool_count(m));
	for (k = mempool_best_chunk(m); k; k = mempool_next_chunk(k)) {
		for (size_t i = 0; i < chunk_count(k); i++) {
			const struct mempool_entry *e = chunk_tx(k, i);

			write_span(&d->b, entry_tx(e)->raw);
			write_u64(&d->b, (uint64_t)e->time_unix);
			write_u64(&d->b, (uint64_t)e->delta_sat);
		}
		dump_flush(d, PIECE_BYTES);
	}
}

static void dump_deltas(struct dump *d, const struct mempool *m)
{
	const struct mempool_delta *x;
	size_t pos, n = 0;

	for (pos = 0; (x = map_next(&m->deltas, &pos));)
		n += !mempool_get(m, &x->txid);
	write_compact(&d->b, n);
	for (pos = 0; (x = map_next(&m->deltas, &pos));) {
		if (mempool_get(m, &x->txid))
			continue;
		bytes_append(&d->b, x->txid.b, sizeof x->txid.b);
		write_u64(&d->b, (uint64_t)x->delta_sat);
	}
}

static void dump_unbroadcast(struct dump *d, const struct mempool *m)
{
	const struct mempool_entry *e;
	size_t pos;

	write_compact(&d->b, m->unbroadcast);
	for (pos = 0; (e = mempool_next(m, &pos));)
		if (e->unbroadcast)
			bytes_append(&d->b, entry_tx(e)->txid.b, 32);
}

static void dump_all(struct dump *d, const struct mempool *m)
{
	write_u64(&d->b, DUMP_VERSION);
	random_bytes(d->key, sizeof d->key);
	write_var_span(&d->b, span_of(d->key, sizeof d->key));
	dump_write(d);
	dump_txs(d, m);
	dump_deltas(d, m);
	dump_unbroadcast(d, m);
	dump_flush(d, 0);
	if (!d->err && fsync(d->fd) != 0)
		d->err = why_errno(d->why, "cannot sync %s", d->path);
}

static enum err sync_parent(const char *path, struct why *why)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	enum err e;

	if (slash)
		*slash = '\0';
	e = dir_sync(slash ? dir : ".", why);
	free(dir);
	return e;
}

enum err mempool_save(const struct mempool *m, const char *path,
		      struct why *why)
{
	char *beside = xasprintf("%s.new", path);
	struct dump d = { .path = beside, .why = why };
	int64_t began = clock_mono_ms();

	d.fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (d.fd < 0) {
		d.err = why_errno(why, "cannot create %s", beside);
		goto out;
	}
	dump_all(&d, m);
	close(d.fd);
	if (!d.err && rename(beside, path) != 0)
		d.err = why_errno(why, "cannot rename %s", beside);
	if (d.err)
		unlink(beside);
	else
		d.err = sync_parent(path, why);
	log_debug(LOG_MEMPOOL, "wrote %zu transactions to %s in %lld ms",
		  mempool_count(m), path,
		  (long long)(clock_mono_ms() - began));
out:
	bytes_clear(&d.b);
	free(beside);
	return d.err;
}
