/*
 * All keys of a directory, opened and written again.
 */
#include "config.h"

#include "keys/repass.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "keys/key_file.h"
#include "keys/passphrase.h"

#define SUFFIX ".key"
#define KEYS_MAX 1024

struct item {
	char *path;
	char kind[KEYBOX_KIND_MAX + 1];
	bool encrypted;
	bool done;               /* it has the new passphrase */
	struct key_file key;
};

struct items {
	struct item *v;
	size_t n;
};

static bool is_key_name(const char *name)
{
	size_t n = strlen(name), tail = sizeof SUFFIX - 1;

	return n > tail && strcmp(name + n - tail, SUFFIX) == 0;
}

static void items_clear(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		key_file_clear(&l->v[i].key);
	}
	free(l->v);
	*l = (struct items){ NULL, 0 };
}

static enum err add(struct items *l, const char *dir, const char *name,
		    struct why *why)
{
	struct item it = { .path = path_join(dir, name) };
	enum err e = key_file_look(it.kind, &it.encrypted, it.path, why);

	if (!e && l->n == KEYS_MAX)
		e = why_set(why, ERR_INPUT, "%s has more than %d keys", dir,
			    KEYS_MAX);
	if (e) {
		free(it.path);
		return e;
	}
	l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
	l->v[l->n++] = it;
	return ERR_NONE;
}

static enum err find(struct items *l, const char *dir, struct why *why)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	enum err e = ERR_NONE;

	if (!d)
		return why_errno(why, "cannot read %s", dir);
	while (!e && (errno = 0, entry = readdir(d)) != NULL)
		if (is_key_name(entry->d_name))
			e = add(l, dir, entry->d_name, why);
	if (!e && errno)
		e = why_errno(why, "cannot read %s", dir);
	closedir(d);
	return e;
}

enum err repass_count(unsigned *all, unsigned *encrypted, const char *dir,
		      struct why *why)
{
	struct items l = { NULL, 0 };
	enum err e = find(&l, dir, why);

	*all = (unsigned)l.n;
	*encrypted = 0;
	for (size_t i = 0; i < l.n; i++)
		*encrypted += l.v[i].encrypted;
	items_clear(&l);
	return e;
}

/* By the old one; or by the new one, where this was begun before. */
static enum err open_one(struct item *it, const struct secret *old,
			 const struct secret *new, struct why *why)
{
	struct why ignored;
	enum err e = key_file_read(&it->key, it->path, it->kind, old, why);

	it->done = !it->encrypted;
	if (!e || !passphrase_given(new))
		return e;
	key_file_clear(&it->key);
	it->done = !key_file_read(&it->key, it->path, it->kind, new,
				  &ignored);
	return it->done ? ERR_NONE : e;
}

enum err repass_all(unsigned *changed, const char *dir,
		    const struct secret *old, const struct secret *new,
		    struct why *why)
{
	struct items l = { NULL, 0 };
	enum err e = find(&l, dir, why);

	*changed = 0;
	for (size_t i = 0; !e && i < l.n; i++)
		e = open_one(&l.v[i], old, new, why);
	for (size_t i = 0; !e && i < l.n; i++) {
		const struct item *it = &l.v[i];

		if (it->done)
			continue;
		e = key_file_write(it->path, it->kind, &it->key, new, why);
		*changed += !e;
	}
	items_clear(&l);
	return e;
}
