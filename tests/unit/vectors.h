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
/** The same through `xz -dc`. */
NODISCARD bool vector_read_xz(struct bytes *out, const char *name);
/** Parsed; json_object_put() it.  NULL, with a message, if absent. */
struct json_object *vector_json(const char *name);

/** The test's summary: "file: 12 cases, 12 passed". */
void vector_report(const char *name, unsigned cases, unsigned passed);

#endif
