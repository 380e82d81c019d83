/*
 * Calling and showing.
 */
#include "config.h"

#include "cli/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define RPC_IN_WARMUP (-28)

struct json_object *call_request(const char *method,
				 struct json_object *params TAKES, int id)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "method", json_object_new_string(method));
	json_object_object_add(o, "params", params);
	json_object_object_add(o, "id", json_object_new_int(id));
	return o;
}

static struct json_object *error_of(struct json_object *answer)
{
	struct json_object *e = NULL;

	if (json_object_is_type(answer, json_type_array))
		answer = json_object_array_get_idx(answer, 0);
	json_object_object_get_ex(answer, "error", &e);
	return e;
}

static int error_code(struct json_object *error)
{
	struct json_object *code = NULL;

	if (json_object_is_type(error, json_type_object))
		json_object_object_get_ex(error, "code", &code);
	return json_object_get_int(code);
}

struct json_object *call_post(const struct cli_config *c,
			      struct json_object *request)
{
	bool wait = settings_bool(c->settings, "rpcwait");
	int64_t limit_ms = settings_int(c->settings, "rpcwaittimeout") * 1000;
	int64_t start_ms = clock_mono_ms();
	struct json_object *answer;
	struct why text = { 0 };

	for (;;) {
		enum post_result r = client_post(&answer, &text, c, request);
		bool early = r == POST_NO_CONNECTION ||
			     r == POST_NO_CREDENTIALS ||
			     (r == POST_OK && error_code(error_of(answer)) ==
						      RPC_IN_WARMUP);
		bool late = limit_ms &&
			    clock_mono_ms() - start_ms >= limit_ms;

		if (!early || !wait || late) {
			if (r == POST_OK)
				return answer;
			fprintf(stderr, "error: %s%s\n", early && wait ?
				"timeout on transient error: " : "",
				text.text);
			return NULL;
		}
		json_object_put(answer);
		usleep(250 * 1000);
	}
}

void call_print(struct json_object *result)
{
	if (!result)
		return;
	if (json_object_is_type(result, json_type_string))
		puts(json_object_get_string(result));
	else
		puts(json_object_to_json_string_ext(result,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			JSON_C_TO_STRING_NOSLASHESCAPE));
}

int call_show(struct json_object *answer)
{
	struct json_object *error = error_of(answer), *result = NULL;
	struct json_object *message = NULL;
	int code;

	if (!error) {
		if (!json_object_object_get_ex(answer, "result", &result)) {
			fprintf(stderr, "error: the answer has neither "
				"result nor error\n");
			return 1;
		}
		call_print(result);
		return 0;
	}
	code = error_code(error);
	json_object_object_get_ex(error, "message", &message);
	if (code)
		fprintf(stderr, "error code: %d\n", code);
	fprintf(stderr, "error message:\n%s\n", message ?
		json_object_get_string(message) :
		json_object_to_json_string(error));
	return code ? abs(code) : 1;
}
