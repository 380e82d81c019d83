/*
 * Third-party test data: where it is, and how tests read it.  Absent data
 * makes a test skip, saying so.
 */
#ifndef CLOISTER_TESTS_UNIT_VECTORS_H
#define CLOISTER_TESTS_UNIT_VECTORS_H

#include "base/bytes.h"

struct json_object;

/** Path of a vector file; free() it. */
char *vector_path(const char *name);
/** Append the file to out; false, with a message, if it is absent. */
NODISCARD bool vector_read(struct bytes *out, const char *name);
/** The same through `xz -dc`, or `bzip2 -dc` if the name ends in .bz2. */
NODISCARD bool vector_read_packed(struct bytes *out, const char *name);
/** Parsed; json_object_put() it.  NULL, with a message, if absent. */
struct json_object *vector_json(const char *name);

/**
 * What a file's runner found.  When the program ends, all reports are
 * printed as one table, a line `vectors: FILE cases N passed N` for each;
 * files that were absent are in it too.
 */
void vector_report(const char *name, unsigned cases, unsigned passed);

#endif
