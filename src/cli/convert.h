/*
 * From words on the command line to JSON parameters: which parameters of
 * which method are JSON and not strings.
 */
#ifndef CLOISTER_CLI_CONVERT_H
#define CLOISTER_CLI_CONVERT_H

#include <json-c/json.h>

#include "base/err.h"

/** Array of n positional parameters; NULL: why says which is not JSON. */
struct json_object *convert_positional(const char *method,
				       char *const *words, size_t n,
				       struct why *why);
/** Object from name=value words; bare ones go into "args" in order. */
struct json_object *convert_named(const char *method, char *const *words,
				  size_t n, struct why *why);

#endif
