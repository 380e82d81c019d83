/*
 * Block and undo files.  Writers are kept open for the files in use; a
 * reader opens its file for itself, so that reads need no lock.
 */
#include "config.h"

#include "chainstate/block_store.h"

#include "base/file.h"
#include "base/reader.h"
#include "base/writer.h"
#include "chainstate/xor_key.h"
#include "crypto/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (128u << 20)
#define HEAD_BYTES 8
#define CHECKSUM_BYTES 32
#define WRITERS 4
#define COPY_BYTES ((size_t)64 << 10)
/* Blocks are at most 4 MB; undo data repeats what they spend. */
#define BLOCK_MAX_BYTES 4000000u
#define UNDO_MAX_BYTES FILE_MAX_BYTES

/* A file open for writing.  fd < 0: a free place. */
struct writer {
	int fd;
	int32_t file;
	bool undo, dirty;
	char *path;
};

struct block_store {
	char *dir;
	uint8_t magic[4];
	struct xor_key key;
	struct block_file_info *files;
	size_t count;
	uint32_t file_bytes;     /* a file is full at this size */
	struct writer writers[WRITERS];
	unsigned next_writer;    /* the place to take when none is free */
	bool dir_dirty;          /* a file was created */
};

static char *file_path(const struct block_store *s, bool undo, int32_t file)
{
	return xasprintf("%s/%s%05d.dat", s->dir, undo ? "rev" : "blk",
			 (int)file);
}

/* ---- opening ------------------------------------------------------------ */

static enum err file_check(const struct block_store *s, bool undo,
			   int32_t file, uint32_t want_bytes,
			   struct why *why)
{
	char *path = file_path(s, undo, file);
	enum err e = ERR_NONE;
	struct stat st;

	if (want_bytes == 0)
		goto out;
	if (stat(path, &st) != 0) {
		e = errno == ENOENT
			    ? why_set(why, ERR_CORRUPT,
				      "%s is missing, though the block index names it; restore it from a copy or start with -reindex",
				      path)
			    : why_errno(why, "cannot look at %s", path);
	} else if ((uint64_t)st.st_size < want_bytes) {
		e = why_set(why, ERR_CORRUPT,
			    "%s has %lld bytes, though the block index says %u; restore it from a copy or start with -reindex",
			    path, (long long)st.st_size, want_bytes);
	}
out:
	free(path);
	return e;
}

static enum err files_check(const struct block_store *s, struct why *why)
{
	enum err e = ERR_NONE;

	for (size_t i = 0; i < s->count && !e; i++) {
		e = file_check(s, false, (int32_t)i, s->files[i].size_bytes,
			       why);
		if (!e)
			e = file_check(s, true, (int32_t)i,
				       s->files[i].undo_bytes, why);
	}
	return e;
}

enum err block_store_open(struct block_store **out, const char *dir,
			  const uint8_t magic[static 4],
			  const struct block_file_info *files,
			  size_t file_count, struct why *why)
{
	struct block_store *s = xcalloc(1, sizeof(*s));
	enum err e;

	s->dir = xstrdup(dir);
	s->file_bytes = FILE_MAX_BYTES;
	memcpy(s->magic, magic, 4);
	for (size_t i = 0; i < WRITERS; i++)
		s->writers[i].fd = -1;
	if (file_count) {
		s->files = xmemdup(files, file_count * sizeof(*files));
		s->count = file_count;
	}
	e = dir_make(dir, 0700, why);
	if (!e)
		e = xor_key_load(&s->key, dir, why);
	if (!e)
		e = files_check(s, why);
	if (e) {
		block_store_close(s);
		s = NULL;
	}
	*out = s;
	return e;
}

void block_store_set_file_bytes(struct block_store *s, uint32_t bytes)
{
	s->file_bytes = bytes;
}

static void writer_close(struct writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	*w = (struct writer){ .fd = -1 };
}

void block_store_close(struct block_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < WRITERS; i++)
		writer_close(&s->writers[i]);
	free(s->files);
	free(s->dir);
	free(s);
}

/* ---- writing ------------------------------------------------------------ */

static enum err writer_sync(struct writer *w, struct why *why)
{
	if (w->fd < 0 || !w->dirty)
		return ERR_NONE;
	if (fdatasync(w->fd) != 0)
		return why_errno(why, "cannot sync %s", w->path);
	w->dirty = false;
	return ERR_NONE;
}

static enum err writer_get(struct block_store *s, struct writer **out,
			   bool undo, int32_t file, struct why *why)
{
	struct writer *w;
	bool existed;
	enum err e;

	for (size_t i = 0; i < WRITERS; i++) {
		*out = w = &s->writers[i];
		if (w->fd >= 0 && w->file == file && w->undo == undo)
			return ERR_NONE;
	}
	w = &s->writers[s->next_writer++ % WRITERS];
	e = writer_sync(w, why);
	if (e)
		return e;
	writer_close(w);
	w->path = file_path(s, undo, file);
	existed = file_exists(w->path);
	w->fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		e = why_errno(why, "cannot open %s for writing", w->path);
		writer_close(w);
		return e;
	}
	w->file = file;
	w->undo = undo;
	s->dir_dirty |= !existed;
	*out = w;
	return ERR_NONE;
}

static enum err write_turned(const struct block_store *s, struct writer *w,
			     struct span data, uint64_t offset,
			     struct why *why)
{
	uint8_t *buf;
	enum err e = ERR_NONE;

	if (!s->key.set)
		return file_pwrite(w->fd, data.p, data.n, offset, w->path,
				   why);
	buf = xmalloc(COPY_BYTES);
	for (size_t at = 0; at < data.n && !e; at += COPY_BYTES) {
		size_t n = MIN_OF(COPY_BYTES, data.n - at);

		memcpy(buf, data.p + at, n);
		xor_key_apply(&s->key, buf, n, offset + at);
		e = file_pwrite(w->fd, buf, n, offset + at, w->path, why);
	}
	free(buf);
	return e;
}

/* Magic, length, payload, tail at offset; *w is marked dirty. */
static enum err record_write(struct block_store *s, struct writer *w,
			     struct span payload, struct span tail,
			     uint64_t offset, struct why *why)
{
	struct bytes head = { 0 };
	enum err e;

	bytes_append(&head, s->magic, 4);
	write_u32(&head, (uint32_t)payload.n);
	w->dirty = true;
	e = write_turned(s, w, bytes_span(&head), offset, why);
	offset += HEAD_BYTES;
	if (!e)
		e = write_turned(s, w, payload, offset, why);
	if (!e && tail.n)
		e = write_turned(s, w, tail, offset + payload.n, why);
	bytes_clear(&head);
	return e;
}

static void file_add(struct block_store *s)
{
	s->files = xrealloc(s->files, (s->count + 1) * sizeof(*s->files));
	s->files[s->count++] = (struct block_file_info){ 0 };
}

static void info_update(struct block_file_info *f, size_t n, int height,
			uint32_t time)
{
	const uint32_t h = (uint32_t)height;

	if (f->blocks == 0 || h < f->height_first)
		f->height_first = h;
	if (f->blocks == 0 || time < f->time_first)
		f->time_first = time;
	if (h > f->height_last)
		f->height_last = h;
	if (time > f->time_last)
		f->time_last = time;
	f->blocks++;
	f->size_bytes += (uint32_t)n;
}

enum err block_store_append(struct block_store *s, struct disk_pos *pos,
			    struct span raw, int height, uint32_t time,
			    struct why *why)
{
	const size_t n = HEAD_BYTES + raw.n;
	struct block_file_info *f;
	struct writer *w;
	enum err e;

	CHECK(raw.n <= BLOCK_MAX_BYTES && height >= 0);
	if (s->count == 0 ||
	    (s->files[s->count - 1].size_bytes &&
	     s->files[s->count - 1].size_bytes + n >= s->file_bytes))
		file_add(s);
	f = &s->files[s->count - 1];
	e = writer_get(s, &w, false, (int32_t)s->count - 1, why);
	if (!e)
		e = record_write(s, w, raw, span_of(NULL, 0), f->size_bytes,
				 why);
	if (e)
		return e;
	pos->file = (int32_t)s->count - 1;
	pos->offset = f->size_bytes + HEAD_BYTES;
	info_update(f, n, height, time);
	return ERR_NONE;
}

enum err block_store_rewrite(struct block_store *s, struct disk_pos pos,
			     struct span raw, struct why *why)
{
	struct writer *w;
	enum err e;

	CHECK(pos.file >= 0 && pos.offset >= HEAD_BYTES);
	e = writer_get(s, &w, false, pos.file, why);
	return e ? e : record_write(s, w, raw, span_of(NULL, 0),
				    pos.offset - HEAD_BYTES, why);
}

static void undo_checksum(uint8_t out[static CHECKSUM_BYTES],
			  struct span undo, const struct block_hash *prev)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, prev->b, 32);
	sha256_update(&h, undo.p, undo.n);
	sha256d_final(&h, out);
}

enum err block_store_append_undo(struct block_store *s, struct disk_pos *pos,
				 int32_t file, struct span undo,
				 const struct block_hash *prev,
				 struct why *why)
{
	uint8_t sum[CHECKSUM_BYTES];
	struct block_file_info *f;
	struct writer *w;
	enum err e;

	CHECK(file >= 0 && (size_t)file < s->count);
	CHECK(undo.n <= UNDO_MAX_BYTES);
	f = &s->files[file];
	undo_checksum(sum, undo, prev);
	e = writer_get(s, &w, true, file, why);
	if (!e)
		e = record_write(s, w, undo, span_of(sum, sizeof(sum)),
				 f->undo_bytes, why);
	if (e)
		return e;
	pos->file = file;
	pos->offset = f->undo_bytes + HEAD_BYTES;
	f->undo_bytes += (uint32_t)(HEAD_BYTES + undo.n + CHECKSUM_BYTES);
	return ERR_NONE;
}

enum err block_store_sync(struct block_store *s, struct why *why)
{
	enum err e = ERR_NONE;

	for (size_t i = 0; i < WRITERS && !e; i++)
		e = writer_sync(&s->writers[i], why);
	if (!e && s->dir_dirty) {
		e = dir_sync(s->dir, why);
		s->dir_dirty = e != ERR_NONE;
	}
	return e;
}

/* ---- pruning ------------------------------------------------------------ */

void block_store_forget(struct block_store *s, size_t i)
{
	CHECK(i + 1 < s->count);
	s->files[i] = (struct block_file_info){ 0 };
}

static enum err remove_file(struct block_store *s, bool undo, int32_t file,
			    struct why *why)
{
	char *path = file_path(s, undo, file);
	enum err e = ERR_NONE;

	for (size_t i = 0; i < WRITERS; i++)
		if (s->writers[i].fd >= 0 && s->writers[i].file == file &&
		    s->writers[i].undo == undo)
			writer_close(&s->writers[i]);
	if (unlink(path) == 0)
		s->dir_dirty = true;
	else if (errno != ENOENT)
		e = why_errno(why, "cannot remove %s", path);
	free(path);
	return e;
}

enum err block_store_unlink(struct block_store *s, size_t i, struct why *why)
{
	enum err e;

	CHECK(i + 1 < s->count && s->files[i].size_bytes == 0);
	e = remove_file(s, true, (int32_t)i, why);
	return e ? e : remove_file(s, false, (int32_t)i, why);
}

/* ---- rebuilding the index ----------------------------------------------- */

/* Length of a block file; -1: there is none. */
static int64_t file_length(const struct block_store *s, int32_t file)
{
	char *path = file_path(s, false, file);
	struct stat st;
	int64_t n = stat(path, &st) == 0 && S_ISREG(st.st_mode)
			    ? (int64_t)st.st_size : -1;

	free(path);
	return n;
}

/* The number after the last file's. */
static enum err files_end(const struct block_store *s, int32_t *end,
			  struct why *why)
{
	DIR *d = opendir(s->dir);
	struct dirent *ent;
	int32_t number;
	char tail;

	*end = 0;
	if (!d)
		return why_errno(why, "cannot open %s", s->dir);
	while ((ent = readdir(d)) != NULL)
		if (sscanf(ent->d_name, "blk%5d.da%c", &number, &tail) == 2 &&
		    tail == 't' && number >= *end)
			*end = number + 1;
	closedir(d);
	return ERR_NONE;
}

enum err block_store_adopt(struct block_store *s, bool drop_loose,
			   struct why *why)
{
	int32_t end;
	bool gap = false;
	enum err e = files_end(s, &end, why);

	for (int32_t i = 0; i < end && !e; i++) {
		int64_t n = file_length(s, i);

		gap |= n < 0;
		if (drop_loose)
			e = remove_file(s, true, i, why);
		if (gap && drop_loose && !e)
			e = remove_file(s, false, i, why);
		if (e || (gap && drop_loose))
			continue;
		while (s->count <= (size_t)i)
			file_add(s);
		if (n > (int64_t)s->files[i].size_bytes)
			s->files[i].size_bytes =
				(uint32_t)MIN_OF(n, (int64_t)UINT32_MAX);
	}
	return e ? e : block_store_sync(s, why);
}

void block_store_claim(struct block_store *s, struct disk_pos pos, size_t n,
		       int height, uint32_t time)
{
	CHECK(pos.file >= 0 && (size_t)pos.file < s->count &&
	      pos.offset + n <= s->files[pos.file].size_bytes);
	info_update(&s->files[pos.file], 0, height, time);
}

/* ---- reading ------------------------------------------------------------ */

struct record_kind {
	const char *name;
	uint32_t max_bytes;
	size_t tail_bytes;
	bool undo;
};

static const struct record_kind block_kind = {
	"block", BLOCK_MAX_BYTES, 0, false,
};
static const struct record_kind undo_kind = {
	"undo data", UNDO_MAX_BYTES, CHECKSUM_BYTES, true,
};

static enum err read_turned(const struct block_store *s, int fd,
			    struct bytes *out, size_t n, uint64_t offset,
			    const char *path, struct why *why)
{
	enum err e;

	bytes_reserve(out, n);
	e = file_pread(fd, out->p + out->n, n, offset, path, why);
	if (e)
		return e;
	xor_key_apply(&s->key, out->p + out->n, n, offset);
	out->n += n;
	return ERR_NONE;
}

static enum err head_check(const struct block_store *s,
			   const struct record_kind *kind, size_t *n,
			   struct span head, struct disk_pos pos,
			   const char *path, struct why *why)
{
	struct reader r = reader_of(head);
	const struct span magic = read_span(&r, 4);
	const uint32_t len = read_u32(&r);

	if (!span_eq(magic, span_of(s->magic, 4)))
		return why_set(why, ERR_CORRUPT,
			       "%s: no %s of this chain begins at byte %u; the file is damaged or belongs to another chain",
			       path, kind->name, pos.offset - HEAD_BYTES);
	if (len > kind->max_bytes)
		return why_set(why, ERR_CORRUPT,
			       "%s: the %s at byte %u claims %u bytes; the file is damaged",
			       path, kind->name, pos.offset, len);
	*n = len;
	return ERR_NONE;
}

/* Append payload and tail to out; on trouble out is as before. */
static enum err record_read(const struct block_store *s,
			    const struct record_kind *kind,
			    struct bytes *out, struct disk_pos pos,
			    struct why *why)
{
	struct bytes head = { 0 };
	const size_t before = out->n;
	char *path;
	size_t n = 0;
	enum err e;
	int fd;

	CHECK(pos.file >= 0);
	path = file_path(s, kind->undo, pos.file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		e = errno == ENOENT
			    ? why_set(why, ERR_CORRUPT, "%s is missing", path)
			    : why_errno(why, "cannot open %s", path);
		goto out;
	}
	if (pos.offset < HEAD_BYTES) {
		e = why_set(why, ERR_CORRUPT,
			    "the block index names byte %u of %s, where no record can be",
			    pos.offset, path);
		goto out;
	}
	e = read_turned(s, fd, &head, HEAD_BYTES, pos.offset - HEAD_BYTES,
			path, why);
	if (!e)
		e = head_check(s, kind, &n, bytes_span(&head), pos, path, why);
	if (!e)
		e = read_turned(s, fd, out, n + kind->tail_bytes, pos.offset,
				path, why);
out:
	if (e)
		out->n = before;
	if (fd >= 0)
		close(fd);
	bytes_clear(&head);
	free(path);
	return e;
}

enum err block_store_read(struct block_store *s, struct bytes *out,
			  struct disk_pos pos, struct why *why)
{
	return record_read(s, &block_kind, out, pos, why);
}

enum err block_store_read_undo(struct block_store *s, struct bytes *out,
			       struct disk_pos pos,
			       const struct block_hash *prev, struct why *why)
{
	const size_t before = out->n;
	uint8_t sum[CHECKSUM_BYTES];
	enum err e = record_read(s, &undo_kind, out, pos, why);

	if (e)
		return e;
	out->n -= CHECKSUM_BYTES;
	undo_checksum(sum, span_of(out->p + before, out->n - before), prev);
	if (memcmp(sum, out->p + out->n, CHECKSUM_BYTES) != 0) {
		char *path = file_path(s, true, pos.file);

		out->n = before;
		e = why_set(why, ERR_CORRUPT,
			    "%s: the undo data at byte %u has a wrong checksum; the file is damaged: check the disk, then start with -reindex-chainstate",
			    path, pos.offset);
		free(path);
	}
	return e;
}

/* ---- the files ---------------------------------------------------------- */

size_t block_store_file_count(const struct block_store *s)
{
	return s->count;
}

const struct block_file_info *block_store_file(const struct block_store *s,
					       size_t i)
{
	CHECK(i < s->count);
	return &s->files[i];
}

uint64_t block_store_disk_bytes(const struct block_store *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += (uint64_t)s->files[i].size_bytes +
		       s->files[i].undo_bytes;
	return sum;
}
