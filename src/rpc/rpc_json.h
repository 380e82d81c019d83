/*
 * Short ways to build JSON answers.  Keys are string literals (json-c keeps
 * the pointer).  A json_object belongs to one thread at a time: json-c's
 * reference counts are not atomic, so an answer is handed over whole.
 */
#ifndef CLOISTER_RPC_RPC_JSON_H
#define CLOISTER_RPC_RPC_JSON_H

#include <json-c/json.h>

#include "base/bytes.h"

#define JSON_NEW_KEY \
	(JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT)

/** value TAKES.  key: a literal, not in o yet. */
void json_add(struct json_object *o, const char *key,
	      struct json_object *value);
void json_add_str(struct json_object *o, const char *key, const char *s);
void json_add_int(struct json_object *o, const char *key, int64_t v);
void json_add_u64(struct json_object *o, const char *key, uint64_t v);
void json_add_bool(struct json_object *o, const char *key, bool v);
void json_add_double(struct json_object *o, const char *key, double v);
/** Satoshi, shown with exactly eight decimals. */
void json_add_amount(struct json_object *o, const char *key, int64_t sat);
void json_add_hex(struct json_object *o, const char *key, struct span s);
/** 32 bytes in wire order, shown reversed. */
void json_add_hash(struct json_object *o, const char *key,
		   const uint8_t h[static 32]);

struct json_object *json_amount(int64_t sat);
/** As the reference node prints doubles: 16 significant digits. */
struct json_object *json_double(double v);
struct json_object *json_hex(struct span s);
struct json_object *json_hash(const uint8_t h[static 32]);

/** "null", "bool", "object", "array", "string", "number". */
const char *json_type_word(const struct json_object *o);
/**
 * Parse a whole text strictly; NULL if it is not JSON, nests deeper than 64
 * or has something behind it.  *ok tells JSON's null from a failure.
 */
struct json_object *json_parse(struct span text, bool *ok);
/** One line, no spaces; lives as long as o is not changed. */
struct span json_text(struct json_object *o);

#endif
