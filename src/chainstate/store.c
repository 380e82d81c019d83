/*
 * LevelDB behind our own errors.  Options follow the reference node's
 * measured choices: no compression, bloom filters of 10 bits, files of 32
 * MiB, all checksums verified.
 */
#include "config.h"

#include "chainstate/store.h"

#include "base/file.h"
#include "base/log.h"
#include "chainstate/store_crc.h"
#include "chainstate/store_guard_priv.h"
#include "chainstate/store_manifest_priv.h"

#include <dirent.h>
#include <leveldb/c.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MARK_BYTES 9

struct store {
	char *dir;
	leveldb_t *db;
	leveldb_options_t *options;
	leveldb_cache_t *cache;
	leveldb_filterpolicy_t *bloom;
	leveldb_readoptions_t *read, *scan;
	leveldb_writeoptions_t *write, *loose;
	const char *remedy;
	uint64_t seq;            /* of the last batch written */
};

#ifdef HAVE_LEVELDB_INSIDE
/* A static method of LevelDB's, which its C interface leaves out.  Allowed
 * only before anything else is asked of LevelDB. */
void leveldb_mmap_limit(int files) __asm__(
	"_ZN7leveldb18EnvPosixTestHelper20SetReadOnlyMMapLimitEi");

__attribute__((constructor)) static void leveldb_prepare(void)
{
	leveldb_mmap_limit(0);
	CHECK(store_crc(0, "123456789", 9) == 0xe3069283u);
}

/*
 * LevelDB counts the reads that pass by a table without finding their key,
 * and rewrites the table after a hundred or so.  Bloom filters make such
 * reads cheap, and coins are asked for once: the linker puts this in the
 * place of the counting.
 */
bool store_count_no_reads(void *version, const void *stats) __asm__(
	"__wrap__ZN7leveldb7Version11UpdateStatsERKNS0_8GetStatsE");

bool store_count_no_reads(void *version, const void *stats)
{
	(void)version;
	(void)stats;
	return false;
}
#endif

struct store_batch {
	leveldb_writebatch_t *wb;
	size_t size_bytes;
};

struct store_iter {
	struct store *s;
	leveldb_iterator_t *it;
	struct bytes prefix;
	bool started;
};

/* What LevelDB's sentence means, and what the owner can do about it. */
static enum err classify(const char *text, const char **advice,
			 const char *remedy)
{
	if (strstr(text, "LOCK") || strstr(text, "already held")) {
		*advice = "another process has this directory open; stop it first";
		return ERR_STATE;
	}
	if (strstr(text, "No space left") || strstr(text, "quota exceeded")) {
		*advice = "free some space on this disk and start again";
		return ERR_SPACE;
	}
	/* A table that is missing, or shorter than it was written. */
	if (strncmp(text, "Corruption", 10) == 0 ||
	    strstr(text, "No such file or directory") ||
	    strstr(text, ".ldb: Invalid argument")) {
		*advice = remedy;
		return ERR_CORRUPT;
	}
	if (strstr(text, "Cannot allocate memory")) {
		*advice = "the system is out of memory";
		return ERR_MEMORY;
	}
	*advice = "check the disk and the directory's permissions";
	return ERR_IO;
}

/* Turn LevelDB's error (freed here) into ours. */
static enum err trouble(const struct store *s, const char *doing,
			char *text TAKES, struct why *why)
{
	const char *advice;
	enum err e = classify(text, &advice, s->remedy);

	why_set(why, e, "cannot %s the database in %s: %.160s; %s%s", doing,
		s->dir, text, e == ERR_CORRUPT ? "it is damaged: check the "
						 "disk, then " : "", advice);
	leveldb_free(text);
	return e;
}

static void options_make(struct store *s, const struct store_options *opt)
{
	s->options = leveldb_options_create();
	s->cache = leveldb_cache_create_lru(opt->block_cache_bytes);
	s->bloom = leveldb_filterpolicy_create_bloom(10);
	leveldb_options_set_create_if_missing(s->options, 1);
	leveldb_options_set_compression(s->options, leveldb_no_compression);
	leveldb_options_set_filter_policy(s->options, s->bloom);
	leveldb_options_set_cache(s->options, s->cache);
	leveldb_options_set_max_file_size(s->options, 32u << 20);
	leveldb_options_set_write_buffer_size(s->options,
					      opt->write_buffer_bytes);
	leveldb_options_set_paranoid_checks(s->options, 1);

	s->read = leveldb_readoptions_create();
	leveldb_readoptions_set_verify_checksums(s->read, 1);
	s->scan = leveldb_readoptions_create();
	leveldb_readoptions_set_verify_checksums(s->scan, 1);
	leveldb_readoptions_set_fill_cache(s->scan, 0);
	s->write = leveldb_writeoptions_create();
	leveldb_writeoptions_set_sync(s->write, 1);
	s->loose = leveldb_writeoptions_create();
}

static void mark_key(uint8_t out[static MARK_BYTES], uint64_t seq)
{
	out[0] = STORE_RESERVED;
	for (int i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(seq >> (56 - 8 * i));
}

/*
 * Batch n puts mark n and deletes mark n - 1.  If batch n was lost and n + 1
 * was not, marks n - 1 and n + 1 are both there.
 */
static enum err marks_check(struct store *s, struct why *why)
{
	uint8_t reserved = STORE_RESERVED;
	struct store_iter *it = store_iter_new(s, span_of(&reserved, 1));
	struct span key, value;
	unsigned count = 0;
	enum err e;

	while (store_iter_next(it, &key, &value)) {
		s->seq = 0;
		for (size_t i = 1; i < key.n; i++)
			s->seq = s->seq << 8 | key.p[i];
		count++;
	}
	e = store_iter_end(it, why);
	if (e)
		return e;
	if (count > 1)
		return why_set(why, ERR_CORRUPT,
			       "the database in %s has lost writes made before batch %llu; check the disk, then %s",
			       s->dir, (unsigned long long)s->seq, s->remedy);
	return ERR_NONE;
}

/* LevelDB's complaint, or NULL. */
static char *open_once(struct store *s)
{
	char *text = NULL;

	s->db = leveldb_open(s->options, s->dir, &text);
	if (text)
		s->db = NULL;
	return text;
}

/*
 * After a power loss the last, unfinished record of LevelDB's log may be
 * torn in a way its strict mode refuses.  Open leniently once, which drops
 * that record and writes a new log; the marks then show whether anything
 * else was lost.  If not, open strictly, under a guard of its own: that open
 * deletes what the first one made.
 */
static enum err open_lenient(struct store *s, char **text, struct why *why)
{
	bool in_pieces;
	enum err e;

	leveldb_options_set_paranoid_checks(s->options, 0);
	*text = open_once(s);
	leveldb_options_set_paranoid_checks(s->options, 1);
	if (*text)
		return ERR_NONE;
	e = marks_check(s, why);
	if (e)
		return e;
	leveldb_close(s->db);
	s->db = NULL;
	e = store_guard_end(s->dir, why);
	if (!e)
		e = store_guard_begin(s->dir, &in_pieces, why);
	if (!e)
		*text = open_once(s);
	return e;
}

static bool is_torn(const char *text)
{
	return strncmp(text, "Corruption", 10) == 0 &&
	       !strstr(text, "missing files");
}

/* Open strictly; *text is LevelDB's complaint, or NULL. */
static enum err open_mended(struct store *s, char **text, struct why *why)
{
	bool mended;
	enum err e;

	*text = open_once(s);
	if (!*text || !is_torn(*text))
		return ERR_NONE;
	e = store_manifest_mend(s->dir, &mended, why);
	if (!e && !mended)
		return ERR_NONE;
	leveldb_free(*text);
	*text = e ? NULL : open_once(s);
	return e;
}

static enum err db_open(struct store *s, struct why *why)
{
	char *text, *again;
	enum err e = open_mended(s, &text, why);

	if (e)
		return e;
	if (!text)
		return marks_check(s, why);
	if (!is_torn(text))
		return trouble(s, "open", text, why);
	e = open_lenient(s, &again, why);
	if (e) {
		leveldb_free(text);
		return e;
	}
	if (again) {
		leveldb_free(again);
		return trouble(s, "open", text, why);
	}
	log_warn(LOG_STORE, "%s was not closed cleanly (%s): dropped an unfinished write",
		 s->dir, text);
	leveldb_free(text);
	return marks_check(s, why);
}

/* It may take the directory along. */
static enum err db_delete(struct store *s, struct why *why)
{
	char *text = NULL;
	enum err e;

	leveldb_destroy_db(s->options, s->dir, &text);
	if (text)
		return trouble(s, "delete", text, why);
	e = dir_make(s->dir, 0700, why);
	return e ? e : store_guard_wiped(s->dir, why);
}

static enum err db_open_guarded(struct store *s, bool wipe, struct why *why)
{
	bool in_pieces = wipe;
	enum err e = ERR_NONE;

	if (!wipe)
		e = store_guard_begin(s->dir, &in_pieces, why);
	if (!e && in_pieces)
		e = db_delete(s, why);
	if (!e && in_pieces)
		e = store_guard_begin(s->dir, &in_pieces, why);
	if (!e)
		e = db_open(s, why);
	return e ? e : store_guard_end(s->dir, why);
}

enum err store_open(struct store **out, const char *dir,
		    const struct store_options *opt, struct why *why)
{
	struct store *s = xcalloc(1, sizeof(*s));
	enum err e;

	s->dir = xstrdup(dir);
	s->remedy = opt->remedy ? opt->remedy
				: "restore the directory from a copy";
	options_make(s, opt);
	e = dir_make(dir, 0700, why);
	if (!e)
		e = db_open_guarded(s, opt->wipe, why);
	if (e) {
		store_close(s);
		s = NULL;
	}
	*out = s;
	return e;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db)
		leveldb_close(s->db);
	leveldb_options_destroy(s->options);
	leveldb_readoptions_destroy(s->read);
	leveldb_readoptions_destroy(s->scan);
	leveldb_writeoptions_destroy(s->write);
	leveldb_writeoptions_destroy(s->loose);
	leveldb_cache_destroy(s->cache);
	leveldb_filterpolicy_destroy(s->bloom);
	free(s->dir);
	free(s);
}

enum err store_get(struct store *s, struct bytes *out, bool *found,
		   struct span key, struct why *why)
{
	char *text = NULL;
	size_t n = 0;
	char *value = leveldb_get(s->db, s->read, (const char *)key.p, key.n,
				  &n, &text);

	*found = false;
	out->n = 0;
	if (text)
		return trouble(s, "read", text, why);
	if (!value)
		return ERR_NONE;
	bytes_append(out, value, n);
	leveldb_free(value);
	*found = true;
	return ERR_NONE;
}

struct store_batch *store_batch_new(void)
{
	struct store_batch *b = xcalloc(1, sizeof(*b));

	b->wb = leveldb_writebatch_create();
	return b;
}

void store_batch_free(struct store_batch *b)
{
	if (!b)
		return;
	leveldb_writebatch_destroy(b->wb);
	free(b);
}

void store_batch_clear(struct store_batch *b)
{
	leveldb_writebatch_clear(b->wb);
	b->size_bytes = 0;
}

void store_batch_put(struct store_batch *b, struct span key,
		     struct span value)
{
	leveldb_writebatch_put(b->wb, (const char *)key.p, key.n,
			       (const char *)value.p, value.n);
	b->size_bytes += key.n + value.n + 8;
}

void store_batch_delete(struct store_batch *b, struct span key)
{
	leveldb_writebatch_delete(b->wb, (const char *)key.p, key.n);
	b->size_bytes += key.n + 4;
}

size_t store_batch_bytes(const struct store_batch *b)
{
	return b->size_bytes;
}

enum err store_write(struct store *s, struct store_batch *b, struct why *why)
{
	uint8_t mark[MARK_BYTES];
	char *text = NULL;

	mark_key(mark, s->seq);
	store_batch_delete(b, span_of(mark, MARK_BYTES));
	mark_key(mark, s->seq + 1);
	store_batch_put(b, span_of(mark, MARK_BYTES), span_of("", 0));
	leveldb_write(s->db, s->write, b->wb, &text);
	if (text)
		return trouble(s, "write to", text, why);
	s->seq++;
	/* LevelDB syncs its log's content; the name is ours to sync. */
	return dir_sync(s->dir, why);
}

/* No mark: these batches may be lost. */
enum err store_write_loose(struct store *s, struct store_batch *b,
			   struct why *why)
{
	char *text = NULL;

	leveldb_write(s->db, s->loose, b->wb, &text);
	return text ? trouble(s, "write to", text, why) : ERR_NONE;
}

/* A range without keys: what is in memory becomes a table, synced, and
 * nothing is compacted.  Trouble shows in the next write. */
enum err store_settle(struct store *s, struct why *why)
{
	static const char none[] = "\xff";

	leveldb_compact_range(s->db, none, 1, none, 1);
	return dir_sync(s->dir, why);
}

struct store_iter *store_iter_new(struct store *s, struct span prefix)
{
	struct store_iter *it = xcalloc(1, sizeof(*it));

	it->s = s;
	it->it = leveldb_create_iterator(s->db, s->scan);
	bytes_append(&it->prefix, prefix.p, prefix.n);
	return it;
}

bool store_iter_next(struct store_iter *it, struct span *key,
		     struct span *value)
{
	const struct span prefix = bytes_span(&it->prefix);

	if (!it->started)
		leveldb_iter_seek(it->it, (const char *)prefix.p, prefix.n);
	else if (leveldb_iter_valid(it->it))
		leveldb_iter_next(it->it);
	it->started = true;
	if (!leveldb_iter_valid(it->it))
		return false;
	key->p = (const uint8_t *)leveldb_iter_key(it->it, &key->n);
	value->p = (const uint8_t *)leveldb_iter_value(it->it, &value->n);
	return key->n >= prefix.n && memcmp(key->p, prefix.p, prefix.n) == 0;
}

enum err store_iter_end(struct store_iter *it, struct why *why)
{
	char *text = NULL;
	enum err e = ERR_NONE;

	leveldb_iter_get_error(it->it, &text);
	if (text)
		e = trouble(it->s, "read", text, why);
	leveldb_iter_destroy(it->it);
	bytes_clear(&it->prefix);
	free(it);
	return e;
}

uint64_t store_disk_bytes(const struct store *s)
{
	DIR *d = opendir(s->dir);
	struct dirent *ent;
	struct stat st;
	uint64_t sum = 0;

	if (!d)
		return 0;
	while ((ent = readdir(d)) != NULL)
		if (fstatat(dirfd(d), ent->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	closedir(d);
	return sum;
}

const char *store_dir(const struct store *s)
{
	return s->dir;
}
