/*
 * Copies are called before-NAME, which LevelDB leaves alone.  A file
 * before-nothing says that there was no database.
 */
#include "config.h"

#include "chainstate/store_guard_priv.h"

#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX "before-"
#define NOTHING PREFIX "nothing"
#define FILE_MAX_BYTES ((size_t)1 << 30)

static bool ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

static bool is_copy(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static bool is_guarded(const char *name)
{
	return strncmp(name, "MANIFEST-", 9) == 0 || ends_with(name, ".log");
}

typedef enum err name_fn(const char *dir, const char *name, struct why *why);

/* fn for each name of the kind; names that come or go meanwhile may be left
 * out. */
static enum err each_name(const char *dir, bool (*kind)(const char *name),
			  name_fn *fn, struct why *why)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	enum err e = ERR_NONE;

	if (!d)
		return why_errno(why, "cannot open directory %s", dir);
	while (!e && (ent = readdir(d)) != NULL)
		if (kind(ent->d_name))
			e = fn(dir, ent->d_name, why);
	closedir(d);
	return e;
}

static enum err remove_name(const char *dir, const char *name,
			    struct why *why)
{
	char *path = path_join(dir, name);
	enum err e = ERR_NONE;

	if (unlink(path) != 0 && errno != ENOENT)
		e = why_errno(why, "cannot remove %s", path);
	free(path);
	return e;
}

static enum err copy(const char *dir, const char *name, struct why *why)
{
	char *from = path_join(dir, name);
	char *to = xasprintf("%s/" PREFIX "%s", dir, name);
	struct bytes b = { 0 };
	enum err e = file_read(&b, from, FILE_MAX_BYTES, why);

	if (!e)
		e = file_replace(to, bytes_span(&b), 0600, why);
	bytes_clear(&b);
	free(to);
	free(from);
	return e;
}

/* Both the copy and what it is of: the open was not begun, or was done. */
static enum err put_back(const char *dir, const char *name, struct why *why)
{
	char *from = path_join(dir, name);
	char *to = path_join(dir, name + strlen(PREFIX));
	enum err e = ERR_NONE;

	if (ends_with(name, ".new") || file_exists(to)) {
		e = remove_name(dir, name, why);
	} else if (rename(from, to) != 0) {
		e = why_errno(why, "cannot rename %s to %s", from, to);
	} else {
		log_info(LOG_STORE, "%s is put back: the last start was cut "
			 "short", to);
	}
	free(to);
	free(from);
	return e;
}

static bool has(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	bool there = file_exists(path);

	free(path);
	return there;
}

static enum err note_nothing(const char *dir, struct why *why)
{
	char *path = path_join(dir, NOTHING);
	enum err e = file_replace(path, span_of("", 0), 0600, why);

	free(path);
	return e;
}

enum err store_guard_begin(const char *dir, bool *wipe, struct why *why)
{
	enum err e;

	*wipe = has(dir, NOTHING);
	if (*wipe)
		return ERR_NONE;
	e = each_name(dir, is_copy, put_back, why);
	if (!e)
		e = dir_sync(dir, why);
	if (e)
		return e;
	if (!has(dir, "CURRENT"))
		return note_nothing(dir, why);
	return each_name(dir, is_guarded, copy, why);
}

enum err store_guard_wiped(const char *dir, struct why *why)
{
	enum err e = dir_sync(dir, why);

	if (!e)
		e = each_name(dir, is_copy, remove_name, why);
	return e ? e : dir_sync(dir, why);
}

enum err store_guard_end(const char *dir, struct why *why)
{
	enum err e = dir_sync(dir, why);

	return e ? e : each_name(dir, is_copy, remove_name, why);
}
