/*
 * Finding block files: a file is taken as it is, a directory for the
 * blkNNNNN.dat in it, or in its blocks/.
 */
#include "config.h"

#include "validation/import_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

void import_files_clear(struct import_files *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		free(f->list[i].path);
	free(f->list);
	memset(f, 0, sizeof *f);
}

static enum err add_file(struct import_files *f, const char *path,
			 unsigned long number, struct why *why)
{
	struct stat st;

	if (stat(path, &st))
		return why_errno(why, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return why_set(why, ERR_INPUT, "%s is not a file", path);
	f->list = xrealloc(f->list, (f->count + 1) * sizeof *f->list);
	f->list[f->count++] = (struct import_file){
		xstrdup(path), (uint64_t)st.st_size, number
	};
	return ERR_NONE;
}

/* "blk" and at least five digits, ".dat". */
static bool is_block_file(const char *name, unsigned long *number)
{
	size_t digits;

	if (strncmp(name, "blk", 3))
		return false;
	digits = strspn(name + 3, "0123456789");
	if (digits < 5 || digits > 9 || strcmp(name + 3 + digits, ".dat"))
		return false;
	*number = strtoul(name + 3, NULL, 10);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct import_file *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static enum err add_directory(struct import_files *f, const char *path,
			      struct why *why)
{
	DIR *d = opendir(path);
	struct dirent *ent;
	unsigned long number;
	enum err e = ERR_NONE;

	if (!d)
		return why_errno(why, "cannot open %s", path);
	while (!e && (ent = readdir(d))) {
		char *name;

		if (!is_block_file(ent->d_name, &number))
			continue;
		name = path_join(path, ent->d_name);
		e = add_file(f, name, number, why);
		free(name);
	}
	closedir(d);
	if (f->count)
		qsort(f->list, f->count, sizeof *f->list, by_number);
	return e;
}

enum err import_files_find(struct import_files *out, const char *path,
			   struct why *why)
{
	char *blocks = path_join(path, "blocks");
	struct stat st;
	enum err e;

	memset(out, 0, sizeof *out);
	if (stat(path, &st))
		e = why_set(why, ERR_INPUT, "%s: %s", path,
			    strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		e = add_file(out, path, 0, why);
	else
		e = add_directory(out, path, why);
	if (!e && !out->count && file_exists(blocks))
		e = add_directory(out, blocks, why);
	if (!e && !out->count)
		e = why_set(why, ERR_INPUT, "there is no blkNNNNN.dat in %s "
			    "nor in %s", path, blocks);
	if (e)
		import_files_clear(out);
	free(blocks);
	return e;
}
