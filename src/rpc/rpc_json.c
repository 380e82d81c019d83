/*
 * Building and parsing JSON with json-c.
 */
#include "config.h"

#include "rpc/rpc_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/amount.h"
#include "consensus/ids.h"

#define JSON_DEPTH_MAX 64

void json_add(struct json_object *o, const char *key,
	      struct json_object *value)
{
	CHECK(json_object_object_add_ex(o, key, value, JSON_NEW_KEY) == 0);
}

void json_add_str(struct json_object *o, const char *key, const char *s)
{
	json_add(o, key, json_object_new_string(s));
}

void json_add_int(struct json_object *o, const char *key, int64_t v)
{
	json_add(o, key, json_object_new_int64(v));
}

void json_add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_add(o, key, json_object_new_uint64(v));
}

void json_add_bool(struct json_object *o, const char *key, bool v)
{
	json_add(o, key, json_object_new_boolean(v));
}

void json_add_double(struct json_object *o, const char *key, double v)
{
	json_add(o, key, json_double(v));
}

void json_add_amount(struct json_object *o, const char *key, int64_t sat)
{
	json_add(o, key, json_amount(sat));
}

void json_add_hex(struct json_object *o, const char *key, struct span s)
{
	json_add(o, key, json_hex(s));
}

void json_add_hash(struct json_object *o, const char *key,
		   const uint8_t h[static 32])
{
	json_add(o, key, json_hash(h));
}

struct json_object *json_amount(int64_t sat)
{
	char text[32];

	amount_format(text, sat);
	return json_object_new_double_s((double)sat / (double)COIN_SAT, text);
}

struct json_object *json_double(double v)
{
	char text[40];

	snprintf(text, sizeof text, "%.16g", v);
	return json_object_new_double_s(v, text);
}

struct json_object *json_hex(struct span s)
{
	char *text = hex_new(s);
	struct json_object *o = json_object_new_string_len(text,
							   (int)(2 * s.n));

	free(text);
	return o;
}

struct json_object *json_hash(const uint8_t h[static 32])
{
	char text[65];

	hash_to_rpc_hex(text, h);
	return json_object_new_string_len(text, 64);
}

const char *json_type_word(const struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "bool";
	case json_type_double:
	case json_type_int:
		return "number";
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	}
	return "null";
}

struct json_object *json_parse(struct span text, bool *ok)
{
	struct json_tokener *tok;
	struct json_object *o;

	*ok = false;
	while (text.n && isspace(text.p[text.n - 1]))
		text.n--;
	if (text.n == 0 || text.n > INT32_MAX)
		return NULL;
	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	CHECK(tok);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, (const char *)text.p, (int)text.n);
	/* A bare number is complete only when something follows it. */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);
	*ok = json_tokener_get_error(tok) == json_tokener_success;
	json_tokener_free(tok);
	if (!*ok) {
		json_object_put(o);
		o = NULL;
	}
	return o;
}

struct span json_text(struct json_object *o)
{
	size_t n;
	const char *s = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&n);

	CHECK(s);
	return span_of(s, n);
}
