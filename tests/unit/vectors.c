/*
 * Third-party test data.  The folder is $CLOISTER_VECTORS, else
 * ../shared/vectors beside the source tree.
 */
#include "config.h"

#include "tests/unit/vectors.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_VECTOR_BYTES (256u << 20)

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
		printf("absent: %s\n", path);
	else
		fclose(f);
	free(path);
	return ok;
}

bool vector_read_xz(struct bytes *out, const char *name)
{
	char *path = vector_path(name), *command;
	bool ok = false;
	FILE *f;

	if (access(path, R_OK) != 0) {
		printf("absent: %s\n", path);
		free(path);
		return false;
	}
	command = xasprintf("xz -dc '%s'", path);
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
	printf("%s: %u cases, %u passed\n", name, cases, passed);
}
