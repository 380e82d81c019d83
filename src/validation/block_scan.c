/*
 * The scanner: a window of the file in memory, moved along it.
 */
#include "config.h"

#include "validation/block_scan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"
#include "chainstate/xor_key.h"

#define WINDOW_BYTES ((size_t)4500 << 10)
#define HEAD_BYTES 8

struct block_scan {
	int fd;
	char *path;
	uint8_t magic[4];
	struct xor_key key;
	uint64_t size, pos, garbage;
	uint8_t *window;
	uint64_t window_pos;
	size_t window_n;
};

/* Borrow the file's bytes from pos: at least n of them, which must exist. */
static enum err window_at(struct block_scan *s, struct span *out,
			  uint64_t pos, size_t n, struct why *why)
{
	enum err e;
	size_t want;

	CHECK(n <= WINDOW_BYTES && pos + n <= s->size);
	if (pos < s->window_pos ||
	    pos + n > s->window_pos + s->window_n) {
		want = (size_t)MIN_OF((uint64_t)WINDOW_BYTES, s->size - pos);
		s->window_n = 0;
		e = file_pread(s->fd, s->window, want, pos, s->path, why);
		if (e)
			return e;
		xor_key_apply(&s->key, s->window, want, pos);
		s->window_pos = pos;
		s->window_n = want;
	}
	*out = span_of(s->window + (pos - s->window_pos),
		       (size_t)(s->window_pos + s->window_n - pos));
	return ERR_NONE;
}

static enum err find_key(struct block_scan *s, struct why *why)
{
	char *slash = strrchr(s->path, '/'), *dir;
	struct span head;
	enum err e;

	if (s->size >= HEAD_BYTES) {
		e = window_at(s, &head, 0, HEAD_BYTES, why);
		if (e || memcmp(head.p, s->magic, sizeof s->magic) == 0)
			return e;
	}
	/* The directory with its slash: "/" stays what it is. */
	dir = slash ? xasprintf("%.*s", (int)(slash - s->path) + 1, s->path)
		    : xstrdup(".");
	e = xor_key_load(&s->key, dir, why);
	s->window_n = 0;
	free(dir);
	return e;
}

enum err block_scan_open(struct block_scan **out, const char *path,
			 const uint8_t magic[static 4], struct why *why)
{
	struct block_scan *s = xcalloc(1, sizeof *s);
	struct stat st;
	enum err e = ERR_NONE;

	s->path = xstrdup(path);
	memcpy(s->magic, magic, sizeof s->magic);
	s->window = xmalloc(WINDOW_BYTES);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st))
		e = why_errno(why, "cannot open %s", path);
	else if (!S_ISREG(st.st_mode))
		e = why_set(why, ERR_INPUT, "%s is not a file", path);
	else
		s->size = (uint64_t)st.st_size;
	if (!e)
		e = find_key(s, why);
	if (e) {
		block_scan_close(s);
		return e;
	}
	*out = s;
	return ERR_NONE;
}

void block_scan_close(struct block_scan *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->window);
	free(s->path);
	free(s);
}

static void skip(struct block_scan *s, uint64_t n)
{
	s->pos += n;
	s->garbage += n;
}

/* Does a record begin at pos, where the magic stands? */
static bool is_record(const struct block_scan *s, struct span at,
		      struct scan_record *rec)
{
	struct reader r = reader_of(at);

	read_span(&r, sizeof s->magic);
	rec->pos = s->pos;
	rec->garbage = s->garbage;
	rec->size_bytes = read_u32(&r);
	return rec->size_bytes >= SCAN_BLOCK_MIN &&
	       rec->size_bytes <= SCAN_BLOCK_MAX &&
	       s->size - s->pos - HEAD_BYTES >= rec->size_bytes;
}

enum err block_scan_next(struct block_scan *s, bool *found,
			 struct scan_record *rec, struct why *why)
{
	struct span at;
	const uint8_t *hit;
	enum err e;

	*found = false;
	while (s->size - s->pos >= HEAD_BYTES) {
		e = window_at(s, &at, s->pos, HEAD_BYTES, why);
		if (e)
			return e;
		hit = memchr(at.p, s->magic[0], at.n - HEAD_BYTES + 1);
		if (!hit) {
			skip(s, at.n - HEAD_BYTES + 1);
			continue;
		}
		skip(s, (uint64_t)(hit - at.p));
		at = span_of(hit, HEAD_BYTES);
		if (memcmp(hit, s->magic, sizeof s->magic) ||
		    !is_record(s, at, rec)) {
			skip(s, 1);
			continue;
		}
		s->pos += HEAD_BYTES + rec->size_bytes;
		*found = true;
		return ERR_NONE;
	}
	skip(s, s->size - s->pos);
	return ERR_NONE;
}

enum err block_scan_read(struct block_scan *s, struct bytes *out,
			 struct scan_record rec, struct why *why)
{
	struct span at;
	enum err e = window_at(s, &at, rec.pos + HEAD_BYTES, rec.size_bytes,
			       why);

	if (!e)
		bytes_append(out, at.p, rec.size_bytes);
	return e;
}

enum err block_scan_fits(struct block_scan *s, bool *fits,
			 struct scan_record rec, struct why *why)
{
	uint64_t end = rec.pos + HEAD_BYTES + rec.size_bytes;
	struct span at;
	enum err e;

	*fits = end == s->size;
	if (s->size - end < sizeof s->magic)
		return ERR_NONE;
	e = window_at(s, &at, end, sizeof s->magic, why);
	if (!e)
		*fits = memcmp(at.p, s->magic, sizeof s->magic) == 0;
	return e;
}

void block_scan_reject(struct block_scan *s, struct scan_record rec)
{
	s->pos = rec.pos;
	s->garbage = rec.garbage;
	skip(s, 1);
}

uint64_t block_scan_size(const struct block_scan *s)
{
	return s->size;
}

uint64_t block_scan_pos(const struct block_scan *s)
{
	return s->pos;
}

uint64_t block_scan_garbage(const struct block_scan *s)
{
	return s->garbage;
}
