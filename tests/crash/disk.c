/*
 * Inodes with durable bytes and pending writes; directories with durable
 * names and pending changes of names.
 */
#include "config.h"

#include "tests/crash/disk.h"

#include "base/bytes.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct inode;

struct name {
	char *text;
	struct inode *to;
};

/* to NULL: the name goes away.  A rename is one change of two names. */
struct change {
	struct name set, gone;
};

/* p NULL: the size becomes offset. */
struct piece {
	uint64_t offset, n;
	const uint8_t *p;
};

struct inode {
	struct inode *next_made, *parent;
	bool is_dir;
	struct bytes durable;
	struct piece *pieces;
	size_t piece_n, piece_cap;
	struct name *kept, *now;         /* durable and present names */
	size_t kept_n, now_n;
	struct change *changes;
	size_t change_n;
};

struct handle {
	uint64_t id;
	struct inode *to;
};

struct disk {
	bool strict;
	struct inode *made;              /* all, for disk_free */
	struct inode *root;
	struct handle *handles;
	size_t handle_n;
};

static struct inode *inode_new(struct disk *d, bool is_dir)
{
	struct inode *i = xcalloc(1, sizeof(*i));

	i->is_dir = is_dir;
	i->next_made = d->made;
	d->made = i;
	return i;
}

struct disk *disk_new(bool strict)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->strict = strict;
	d->root = inode_new(d, true);
	return d;
}

static void names_clear(struct name **list, size_t *n)
{
	while (*n)
		free((*list)[--*n].text);
	free(*list);
	*list = NULL;
}

static void changes_clear(struct inode *i)
{
	while (i->change_n) {
		struct change *c = &i->changes[--i->change_n];

		free(c->set.text);
		free(c->gone.text);
	}
	free(i->changes);
	i->changes = NULL;
}

void disk_free(struct disk *d)
{
	struct inode *i, *next;

	for (i = d->made; i; i = next) {
		next = i->next_made;
		bytes_clear(&i->durable);
		free(i->pieces);
		names_clear(&i->kept, &i->kept_n);
		names_clear(&i->now, &i->now_n);
		changes_clear(i);
		free(i);
	}
	free(d->handles);
	free(d);
}

/* ---- names -------------------------------------------------------------- */

static struct inode *name_find(const struct name *list, size_t n,
			       const char *text)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(list[k].text, text) == 0)
			return list[k].to;
	return NULL;
}

static void name_set(struct name **list, size_t *n, const char *text,
		     struct inode *to)
{
	size_t k = 0;

	while (k < *n && strcmp((*list)[k].text, text) != 0)
		k++;
	if (k < *n && to) {
		(*list)[k].to = to;
	} else if (k < *n) {
		free((*list)[k].text);
		(*list)[k] = (*list)[--*n];
	} else if (to) {
		*list = xrealloc(*list, (*n + 1) * sizeof(**list));
		(*list)[(*n)++] = (struct name){ xstrdup(text), to };
	}
}

static void change_make(struct name **list, size_t *n,
			const struct change *c)
{
	if (c->gone.text)
		name_set(list, n, c->gone.text, NULL);
	if (c->set.text)
		name_set(list, n, c->set.text, c->set.to);
}

/* Both texts may be NULL. */
static void dir_change(struct inode *dir, const char *set, struct inode *to,
		       const char *gone)
{
	struct change *c;

	dir->changes = xrealloc(dir->changes, (dir->change_n + 1) *
						      sizeof(*dir->changes));
	c = &dir->changes[dir->change_n++];
	*c = (struct change){ { set ? xstrdup(set) : NULL, to },
			      { gone ? xstrdup(gone) : NULL, NULL } };
	change_make(&dir->now, &dir->now_n, c);
}

/* The directory that path is in; *last: the name there, "" for the root. */
static struct inode *dir_of(struct disk *d, const char *path,
			    const char **last)
{
	struct inode *dir = d->root;
	const char *slash;

	while ((slash = strchr(path, '/')) != NULL) {
		char *part = xasprintf("%.*s", (int)(slash - path), path);

		dir = name_find(dir->now, dir->now_n, part);
		free(part);
		/* Directories are only made inside the root. */
		CHECK(dir && dir->is_dir);
		path = slash + 1;
	}
	*last = path;
	return dir;
}

/* ---- the log ------------------------------------------------------------ */

static struct inode *handle_get(struct disk *d, uint64_t id)
{
	for (size_t k = d->handle_n; k-- > 0;)
		if (d->handles[k].id == id)
			return d->handles[k].to;
	return NULL;
}

static void piece_add(struct inode *i, uint64_t offset, const uint8_t *p,
		      uint64_t n)
{
	if (i->piece_n == i->piece_cap) {
		i->piece_cap = i->piece_cap ? 2 * i->piece_cap : 16;
		i->pieces = xrealloc(i->pieces,
				     i->piece_cap * sizeof(*i->pieces));
	}
	i->pieces[i->piece_n++] = (struct piece){ offset, n, p };
}

static void apply_open(struct disk *d, const struct tap_record *r,
		       const char *path)
{
	const char *last;
	struct inode *dir = dir_of(d, path, &last), *i = d->root;

	if (*last)
		i = name_find(dir->now, dir->now_n, last);
	if (!i) {
		i = inode_new(d, r->offset & TAP_DIRECTORY);
		i->parent = dir;
		dir_change(dir, last, i, NULL);
	}
	if (r->offset & TAP_TRUNCATED)
		piece_add(i, 0, NULL, 0);
	d->handles = xrealloc(d->handles, (d->handle_n + 1) *
						  sizeof(*d->handles));
	d->handles[d->handle_n++] = (struct handle){ r->handle, i };
}

static void apply_rename(struct disk *d, const char *from, const char *to)
{
	const char *a, *b;
	struct inode *src = dir_of(d, from, &a), *dst = dir_of(d, to, &b);
	struct inode *i = name_find(src->now, src->now_n, a);

	CHECK(i && src == dst);
	dir_change(src, b, i, a);
}

static void bytes_resize(struct bytes *b, size_t n)
{
	if (n > b->n) {
		bytes_reserve(b, n - b->n);
		memset(b->p + b->n, 0, n - b->n);
	}
	b->n = n;
}

static void piece_write(struct bytes *b, const struct piece *p)
{
	if (!p->p) {
		bytes_resize(b, p->offset);
		return;
	}
	if (b->n < p->offset + p->n)
		bytes_resize(b, p->offset + p->n);
	memcpy(b->p + p->offset, p->p, p->n);
}

/* The first n changes of a directory are durable. */
static void names_sync(struct inode *dir, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		change_make(&dir->kept, &dir->kept_n, &dir->changes[k]);
		free(dir->changes[k].set.text);
		free(dir->changes[k].gone.text);
	}
	dir->change_n -= n;
	if (n)
		memmove(dir->changes, dir->changes + n,
			dir->change_n * sizeof(*dir->changes));
}

/* Up to the change that made this file. */
static void name_sync(struct inode *i)
{
	size_t k = i->parent->change_n;

	while (k && i->parent->changes[k - 1].set.to != i)
		k--;
	names_sync(i->parent, k);
}

static void apply_sync(const struct disk *d, struct inode *i)
{
	if (i->is_dir) {
		names_sync(i, i->change_n);
		return;
	}
	for (size_t k = 0; k < i->piece_n; k++)
		piece_write(&i->durable, &i->pieces[k]);
	i->piece_n = 0;
	if (!d->strict && i->parent)
		name_sync(i);
}

void disk_apply(struct disk *d, const struct tap_record *r,
		const uint8_t *data)
{
	char *path = NULL;
	const char *last;
	struct inode *dir, *i = NULL;

	if (r->op == TAP_OPEN || r->op >= TAP_RENAME) {
		path = xcalloc(1, r->n + 1);
		memcpy(path, data, r->n);
	} else {
		i = handle_get(d, r->handle);
		CHECK(i);
	}
	switch ((enum tap_op)r->op) {
	case TAP_OPEN:
		apply_open(d, r, path);
		break;
	case TAP_WRITE:
		piece_add(i, r->offset, data, r->n);
		break;
	case TAP_TRUNCATE:
		piece_add(i, r->offset, NULL, 0);
		break;
	case TAP_SYNC:
		apply_sync(d, i);
		break;
	case TAP_RENAME:
		apply_rename(d, path, path + strlen(path) + 1);
		break;
	case TAP_UNLINK:
	case TAP_RMDIR:
		dir = dir_of(d, path, &last);
		dir_change(dir, NULL, NULL, last);
		break;
	case TAP_MKDIR:
		dir = dir_of(d, path, &last);
		dir_change(dir, last, inode_new(d, true), NULL);
		break;
	case TAP_MAP_WRITE:
		fprintf(stderr, "%s is written through a mapping, which is "
			"not watched\n", path);
		abort();
	case TAP_MARK:
		break;
	}
	free(path);
}

/* ---- loading ------------------------------------------------------------ */

static void load_dir(struct disk *d, struct inode *dir, const char *path)
{
	DIR *list = opendir(path);
	struct dirent *ent;
	struct stat st;
	struct why why;

	CHECK(list);
	while ((ent = readdir(list)) != NULL) {
		char *full = path_join(path, ent->d_name);
		struct inode *i;

		if (strcmp(ent->d_name, ".") && strcmp(ent->d_name, "..")) {
			CHECK(stat(full, &st) == 0);
			i = inode_new(d, S_ISDIR(st.st_mode));
			dir_change(dir, ent->d_name, i, NULL);
			if (i->is_dir)
				load_dir(d, i, full);
			else
				CHECK(!file_read(&i->durable, full,
						 SIZE_MAX / 2, &why));
		}
		free(full);
	}
	closedir(list);
	names_sync(dir, dir->change_n);
}

void disk_load(struct disk *d, const char *dir)
{
	load_dir(d, d->root, dir);
}

/* ---- laying out --------------------------------------------------------- */

struct layout {
	const struct cut *cut;
	struct prng rng;
};

static bool chance(struct layout *l, unsigned percent)
{
	return prng_below(&l->rng, 100) < percent;
}

/* The sectors of one write that survive. */
static void write_sectors(struct layout *l, struct bytes *b,
			  const struct piece *p, unsigned percent)
{
	const uint64_t sector = chance(l, 50) ? 512 : 4096;
	uint64_t at = p->offset, end = p->offset + p->n;

	while (at < end) {
		uint64_t next = MIN_OF((at / sector + 1) * sector, end);
		struct piece part = { at, next - at,
				      p->p + (at - p->offset) };

		if (chance(l, percent)) {
			piece_write(b, &part);
		} else if (l->cut->data == DATA_GARBAGE && chance(l, 50) &&
			   at < b->n) {
			uint64_t n = MIN_OF(next, (uint64_t)b->n) - at;

			for (uint64_t k = 0; k < n; k++)
				b->p[at + k] = (uint8_t)prng_u64(&l->rng);
		}
		at = next;
	}
}

static void content_any(struct layout *l, struct bytes *b,
			const struct inode *i, size_t full)
{
	static const unsigned percents[] = { 3, 30, 50, 90, 99 };
	unsigned percent = percents[prng_below(&l->rng, 5)];

	if (chance(l, 50) && full > b->n)
		bytes_resize(b, full);
	for (size_t k = 0; k < i->piece_n; k++) {
		if (i->pieces[k].p)
			write_sectors(l, b, &i->pieces[k], percent);
		else if (chance(l, percent))
			bytes_resize(b, i->pieces[k].offset);
	}
}

static void content_ordered(struct layout *l, struct bytes *b,
			    const struct inode *i)
{
	size_t whole = i->piece_n ? prng_below(&l->rng, i->piece_n + 1) : 0;
	struct piece last;

	for (size_t k = 0; k < whole; k++)
		piece_write(b, &i->pieces[k]);
	if (whole == i->piece_n || !i->pieces[whole].p)
		return;
	last = i->pieces[whole];
	last.n = prng_below(&l->rng, last.n + 1);
	if (chance(l, 70))
		last.n -= MIN_OF((last.offset + last.n) % 512, last.n);
	if (last.n)
		piece_write(b, &last);
}

static void content(struct layout *l, struct bytes *b, const struct inode *i)
{
	struct bytes all = { 0 };
	size_t full;

	bytes_append(&all, i->durable.p, i->durable.n);
	bytes_append(b, i->durable.p, i->durable.n);
	for (size_t k = 0; k < i->piece_n; k++)
		piece_write(&all, &i->pieces[k]);
	full = all.n;
	switch (l->cut->data) {
	case DATA_ALL:
		bytes_clear(b);
		*b = all;
		return;
	case DATA_SIZE:
		bytes_resize(b, MAX_OF(full, b->n));
		break;
	case DATA_ORDERED:
		content_ordered(l, b, i);
		break;
	case DATA_ANY:
	case DATA_GARBAGE:
		content_any(l, b, i, full);
		break;
	case DATA_NONE:
	case DATA_KINDS:
		break;
	}
	bytes_clear(&all);
}

static void file_make(struct layout *l, const char *path,
		      const struct inode *i)
{
	struct bytes b = { 0 };
	struct why why;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	content(l, &b, i);
	if (file_pwrite(fd, b.p, b.n, 0, path, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(2);
	}
	close(fd);
	bytes_clear(&b);
}

/* How many of the pending changes, or which, survive. */
static void names_choose(struct layout *l, struct name **list, size_t *n,
			 const struct inode *dir)
{
	size_t first = 0;

	for (size_t k = 0; k < dir->kept_n; k++)
		name_set(list, n, dir->kept[k].text, dir->kept[k].to);
	if (l->cut->names == NAMES_ALL)
		first = dir->change_n;
	else if (l->cut->names == NAMES_ORDERED)
		first = prng_below(&l->rng, dir->change_n + 1);
	for (size_t k = 0; k < dir->change_n; k++)
		if (k < first || (l->cut->names == NAMES_ANY && chance(l, 50)))
			change_make(list, n, &dir->changes[k]);
}

static void dir_lay_out(struct layout *l, const char *path,
			const struct inode *dir)
{
	struct name *list = NULL;
	size_t n = 0;

	CHECK(mkdir(path, 0700) == 0);
	names_choose(l, &list, &n, dir);
	for (size_t k = 0; k < n; k++) {
		char *full = path_join(path, list[k].text);

		if (list[k].to->is_dir)
			dir_lay_out(l, full, list[k].to);
		else
			file_make(l, full, list[k].to);
		free(full);
	}
	names_clear(&list, &n);
}

void disk_lay_out(const struct disk *d, const char *dir,
		  const struct cut *cut)
{
	struct layout l = { .cut = cut };

	prng_seed(&l.rng, cut->seed);
	dir_lay_out(&l, dir, d->root);
}
