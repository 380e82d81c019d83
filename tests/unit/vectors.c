/*
 * Third-party test data.  The folder is $CLOISTER_VECTORS, else
 * ../shared/vectors beside the source tree.
 */
#include "config.h"

#include "tests/unit/vectors.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_VECTOR_BYTES (256u << 20)

/* The table of this program's reports, until it ends. */
static struct row {
	char *name;
	unsigned cases, passed;
	bool absent;
} *rows;
static size_t row_count;

static void print_table(void)
{
	const struct row *r = rows;

	for (; r < rows + row_count; r++) {
		if (r->absent)
			printf("vectors: %s absent\n", r->name);
		else
			printf("vectors: %s cases %u passed %u\n", r->name,
			       r->cases, r->passed);
		free(r->name);
	}
	free(rows);
}

static struct row *add_row(const char *name)
{
	struct row *r;

	if (row_count == 0)
		atexit(print_table);
	rows = xrealloc(rows, (row_count + 1) * sizeof *rows);
	r = &rows[row_count++];
	*r = (struct row){ .name = xstrdup(name) };
	return r;
}

static void report_absent(const char *name, const char *path)
{
	printf("absent: %s\n", path);
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].absent && strcmp(rows[i].name, name) == 0)
			return;
	add_row(name)->absent = true;
}

char *vector_path(const char *name)
{
	const char *dir = getenv("CLOISTER_VECTORS");
	const char *srcdir = getenv("srcdir");

	if (dir && *dir)
		return xasprintf("%s/%s", dir, name);
	return xasprintf("%s/../shared/vectors/%s", srcdir ? srcdir : ".",
			 name);
}

static bool read_all(struct bytes *out, FILE *f)
{
	uint8_t part[65536];
	size_t n;

	while ((n = fread(part, 1, sizeof part, f)) > 0 &&
	       out->n < MAX_VECTOR_BYTES)
		bytes_append(out, part, n);
	return !ferror(f) && feof(f);
}

bool vector_read(struct bytes *out, const char *name)
{
	char *path = vector_path(name);
	FILE *f = fopen(path, "rb");
	bool ok = f && read_all(out, f);

	if (!f)
		report_absent(name, path);
	else
		fclose(f);
	free(path);
	return ok;
}

bool vector_read_packed(struct bytes *out, const char *name)
{
	char *path = vector_path(name), *command;
	const char *suffix = strrchr(name, '.');
	bool ok = false;
	FILE *f;

	if (access(path, R_OK) != 0) {
		report_absent(name, path);
		free(path);
		return false;
	}
	command = xasprintf("%s -dc '%s'",
			    suffix && strcmp(suffix, ".bz2") == 0 ? "bzip2"
								  : "xz",
			    path);
	f = popen(command, "r");
	if (f) {
		ok = read_all(out, f);
		ok = pclose(f) == 0 && ok;
	}
	if (!ok)
		printf("cannot read: %s\n", command);
	free(command);
	free(path);
	return ok;
}

struct json_object *vector_json(const char *name)
{
	struct bytes b = { 0 };
	struct json_object *j = NULL;

	if (vector_read(&b, name)) {
		bytes_append(&b, "", 1);
		j = json_tokener_parse((const char *)b.p);
		if (!j)
			printf("not JSON: %s\n", name);
	}
	bytes_clear(&b);
	return j;
}

void vector_report(const char *name, unsigned cases, unsigned passed)
{
	struct row *r = add_row(name);

	r->cases = cases;
	r->passed = passed;
}
