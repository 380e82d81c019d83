/*
 * LevelDB's log format: blocks of 32 KiB; in them pieces, each a masked
 * CRC-32C, a length, a type, and bytes; a record is one piece or several.  A
 * manifest's record is a list of fields, each after its tag, that say what
 * changed in the set of tables.
 */
#include "config.h"

#include "chainstate/store_manifest_priv.h"

#include "base/file.h"
#include "base/log.h"
#include "base/reader.h"
#include "chainstate/store_crc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)32768)
#define HEAD_BYTES ((size_t)7)
#define FILE_MAX_BYTES ((size_t)64 << 20)
/* A record that lists 30,000 tables, of 1 TB, is 3 MB. */
#define TORN_MAX_BYTES ((size_t)4 << 20)
#define NAME_MAX_BYTES 64

enum piece_type { PIECE_FULL = 1, PIECE_FIRST, PIECE_MIDDLE, PIECE_LAST };

enum field {
	FIELD_COMPARATOR = 1,
	FIELD_LOG = 2,
	FIELD_NEXT_FILE = 3,
	FIELD_LAST_SEQUENCE = 4,
	FIELD_COMPACT_POINTER = 5,
	FIELD_TABLE_GONE = 6,
	FIELD_TABLE_NEW = 7,
	FIELD_PREVIOUS_LOG = 9,
};

#define FIELDS_NEEDED (1u << FIELD_COMPARATOR | 1u << FIELD_LOG | \
		       1u << FIELD_NEXT_FILE | 1u << FIELD_LAST_SEQUENCE)

struct manifest_table {
	uint64_t level, number;
};

struct piece {
	uint8_t type;
	struct span bytes;
};

static uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t b = read_u8(r);

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	r->failed = true;
	return 0;
}

static void skip_string(struct reader *r)
{
	const uint64_t n = read_varint(r);

	if (n > reader_left(r))
		r->failed = true;
	else
		(void)read_span(r, (size_t)n);
}

static struct manifest_table *table_find(const struct manifest *m,
					 struct manifest_table t)
{
	for (size_t i = m->count; i-- > 0;)
		if (m->tables[i].number == t.number &&
		    m->tables[i].level == t.level)
			return &m->tables[i];
	return NULL;
}

static bool table_gone(struct manifest *m, struct reader *r)
{
	struct manifest_table t = { .level = read_varint(r) }, *at;

	t.number = read_varint(r);
	at = r->failed ? NULL : table_find(m, t);
	if (!at)
		return false;
	*at = m->tables[--m->count];
	return true;
}

static bool table_new(struct manifest *m, struct reader *r)
{
	struct manifest_table t = { .level = read_varint(r) };

	t.number = read_varint(r);
	(void)read_varint(r);        /* its size */
	skip_string(r);              /* first key */
	skip_string(r);              /* last key */
	if (r->failed)
		return false;
	if (m->count == m->room) {
		m->room = m->room ? 2 * m->room : 64;
		m->tables = xrealloc(m->tables,
				     m->room * sizeof(*m->tables));
	}
	m->tables[m->count++] = t;
	return true;
}

static bool field_read(struct manifest *m, uint64_t field, struct reader *r)
{
	switch (field) {
	case FIELD_COMPARATOR:
		skip_string(r);
		break;
	case FIELD_LOG:
		m->log = read_varint(r);
		break;
	case FIELD_PREVIOUS_LOG:
		m->previous_log = read_varint(r);
		break;
	case FIELD_NEXT_FILE:
	case FIELD_LAST_SEQUENCE:
		(void)read_varint(r);
		break;
	case FIELD_COMPACT_POINTER:
		(void)read_varint(r);
		skip_string(r);
		break;
	case FIELD_TABLE_GONE:
		return table_gone(m, r);
	case FIELD_TABLE_NEW:
		return table_new(m, r);
	default:
		return false;
	}
	m->seen |= 1u << field;
	return !r->failed;
}

static bool record_apply(struct manifest *m, struct span record)
{
	struct reader r = reader_of(record);

	while (reader_left(&r)) {
		const uint64_t field = read_varint(&r);

		if (r.failed || !field_read(m, field, &r))
			return false;
	}
	return true;
}

/* The piece at `at`, if a whole good one is there. */
static bool piece_read(struct piece *out, struct span file, size_t at)
{
	const size_t left = BLOCK_BYTES - at % BLOCK_BYTES;
	struct reader r = reader_of(span_of(file.p + at, file.n - at));
	const uint32_t masked = read_u32(&r);
	const size_t n = read_u16(&r);
	uint32_t crc;

	out->type = read_u8(&r);
	if (r.failed || n > reader_left(&r) || HEAD_BYTES + n > left)
		return false;
	if (out->type < PIECE_FULL || out->type > PIECE_LAST)
		return false;
	out->bytes = span_of(r.p, n);
	crc = store_crc(0, (const char *)file.p + at + HEAD_BYTES - 1, n + 1);
	return masked == (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* Where the next piece is: no head is split between blocks. */
static size_t piece_at(size_t at)
{
	const size_t left = BLOCK_BYTES - at % BLOCK_BYTES;

	return left < HEAD_BYTES ? at + left : at;
}

/* Does a good record begin anywhere behind `at`? */
static bool any_behind(struct span file, size_t at)
{
	struct piece p;

	while (++at < file.n)
		if (piece_read(&p, file, at) &&
		    (p.type == PIECE_FULL || p.type == PIECE_FIRST))
			return true;
	return false;
}

/*
 * One record into out, from *at on, which moves behind it.  False at the
 * first piece that is not good, or not in its place; *at is there then.
 */
static bool record_read(struct bytes *out, size_t *at, struct span file)
{
	struct piece p;

	out->n = 0;
	for (bool first = true;; first = false) {
		*at = piece_at(*at);
		if (*at >= file.n || !piece_read(&p, file, *at))
			return false;
		if (first != (p.type == PIECE_FULL || p.type == PIECE_FIRST))
			return false;
		bytes_append(out, p.bytes.p, p.bytes.n);
		*at += HEAD_BYTES + p.bytes.n;
		if (p.type == PIECE_FULL || p.type == PIECE_LAST)
			return true;
	}
}

bool manifest_read(struct manifest *out, size_t *good, struct span file)
{
	struct bytes record = { 0 };
	bool sense = true;
	size_t at = 0;

	*out = (struct manifest){ 0 };
	*good = 0;
	while (sense && record_read(&record, &at, file)) {
		sense = record_apply(out, bytes_span(&record));
		*good = at;
	}
	bytes_clear(&record);
	return sense && (out->seen & FIELDS_NEEDED) == FIELDS_NEEDED &&
	       file.n - *good <= TORN_MAX_BYTES &&
	       !any_behind(file, piece_at(*good));
}

void manifest_clear(struct manifest *m)
{
	free(m->tables);
	*m = (struct manifest){ 0 };
}

static bool has(const char *dir, uint64_t number, const char *suffix)
{
	char *path = xasprintf("%s/%06" PRIu64 ".%s", dir, number, suffix);
	const bool there = file_exists(path);

	free(path);
	return there;
}

static bool files_there(const struct manifest *m, const char *dir)
{
	if (!has(dir, m->log, "log"))
		return false;
	if (m->previous_log && !has(dir, m->previous_log, "log"))
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (!has(dir, m->tables[i].number, "ldb") &&
		    !has(dir, m->tables[i].number, "sst"))
			return false;
	return true;
}

/* New path of the manifest that CURRENT names; NULL: it names none. */
static char *manifest_path(const char *dir)
{
	char *path = path_join(dir, "CURRENT"), *found = NULL;
	char name[NAME_MAX_BYTES + 1];
	struct bytes b = { 0 };
	struct why why;

	if (!file_read(&b, path, NAME_MAX_BYTES, &why) && b.n > 1 &&
	    b.p[b.n - 1] == '\n') {
		memcpy(name, b.p, b.n - 1);
		name[b.n - 1] = '\0';
		if (strncmp(name, "MANIFEST-", 9) == 0 && !strchr(name, '/'))
			found = path_join(dir, name);
	}
	bytes_clear(&b);
	free(path);
	return found;
}

static enum err cut(const char *path, size_t size, struct why *why)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	enum err e = ERR_NONE;

	if (fd < 0)
		return why_errno(why, "cannot open %s", path);
	if (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)
		e = why_errno(why, "cannot cut %s", path);
	close(fd);
	return e;
}

enum err store_manifest_mend(const char *dir, bool *mended, struct why *why)
{
	char *path = manifest_path(dir);
	struct bytes file = { 0 };
	struct manifest m = { 0 };
	enum err e = ERR_NONE;
	size_t good;

	*mended = path && !file_read(&file, path, FILE_MAX_BYTES, why) &&
		  manifest_read(&m, &good, bytes_span(&file)) &&
		  good < file.n && files_there(&m, dir);
	if (*mended)
		e = cut(path, good, why);
	if (*mended && !e)
		log_warn(LOG_STORE, "%s: the last record was not written to "
			 "its end and is dropped (%zu bytes); all it would "
			 "have replaced is there", path, file.n - good);
	manifest_clear(&m);
	bytes_clear(&file);
	free(path);
	return e;
}
