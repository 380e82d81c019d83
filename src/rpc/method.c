/*
 * The method table as a whole: finding a method, its help, and putting a
 * request's parameters in order.
 */
#include "config.h"

#include "rpc/rpc_priv.h"

#include <stdio.h>
#include <stdlib.h>

size_t rpc_method_groups(struct rpc_methods *out, size_t max)
{
	struct rpc_methods all[] = {
		rpc_methods_addr(),
		rpc_methods_chain(), rpc_methods_block(),
		rpc_methods_coins(), rpc_methods_control(),
		rpc_methods_index(),
		rpc_methods_mempool(), rpc_methods_mempool_file(),
		rpc_methods_mining(), rpc_methods_net(), rpc_methods_send(),
		rpc_methods_descriptor(), rpc_methods_fees(),
		rpc_methods_template(),
		rpc_methods_rawtx(),
		rpc_methods_sign(),
		rpc_methods_snapshot(), rpc_methods_storage(),
		rpc_methods_trust(),
		rpc_methods_tx(), rpc_methods_wait(),
	};

	CHECK(max >= ARRAY_SIZE(all));
	memcpy(out, all, sizeof all);
	return ARRAY_SIZE(all);
}

const struct rpc_method *rpc_method_get(const char *name)
{
	struct rpc_methods g[RPC_GROUPS_MAX];
	size_t n = rpc_method_groups(g, ARRAY_SIZE(g));

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < g[i].n; j++)
			if (strcmp(g[i].m[j].name, name) == 0)
				return &g[i].m[j];
	return NULL;
}

size_t rpc_method_arg_count(const struct rpc_method *m)
{
	size_t n = 0;

	while (n < RPC_ARGS_MAX && m->args[n].names)
		n++;
	return n;
}

/* Length of the first of names ("verbosity|verbose"). */
static int first_name(const char *names)
{
	return (int)strcspn(names, "|");
}

static bool names_have(const char *names, const char *key)
{
	size_t n = strlen(key);

	while (*names) {
		size_t len = strcspn(names, "|");

		if (len == n && memcmp(names, key, n) == 0)
			return true;
		names += len + (names[len] == '|');
	}
	return false;
}

static const char *type_word(enum rpc_type t)
{
	switch (t) {
	case RPC_STR:
		return "string";
	case RPC_NUM:
		return "number";
	case RPC_BOOL:
		return "bool";
	case RPC_ARR:
		return "array";
	case RPC_OBJ:
		return "object";
	case RPC_ANY:
		return "any";
	}
	return "any";
}

char *rpc_method_usage(const struct rpc_method *m)
{
	struct bytes b = { 0 };
	bool optional = false;

	bytes_append(&b, m->name, strlen(m->name));
	for (size_t i = 0; i < rpc_method_arg_count(m); i++) {
		const struct rpc_arg *a = &m->args[i];
		char part[128];
		const char *open = "", *shut = "";

		if (a->type == RPC_STR)
			open = shut = "\"";
		else if (a->type == RPC_ARR)
			open = "[", shut = ",...]";
		else if (a->type == RPC_OBJ)
			open = "{", shut = ",...}";
		if (!a->required && !optional) {
			bytes_append(&b, " (", 2);
			optional = true;
		}
		snprintf(part, sizeof part, " %s%.*s%s", open,
			 first_name(a->names), a->names, shut);
		bytes_append(&b, part, strlen(part));
	}
	if (optional)
		bytes_append(&b, " )", 2);
	bytes_append(&b, "", 1);
	return (char *)b.p;
}

char *rpc_method_help(const struct rpc_method *m)
{
	struct bytes b = { 0 };
	char *usage = rpc_method_usage(m);
	char *text = xasprintf("%s\n\n%s\n", usage, m->help);
	size_t n = rpc_method_arg_count(m);

	bytes_append(&b, text, strlen(text));
	free(text);
	free(usage);
	for (size_t i = 0; i < n; i++) {
		const struct rpc_arg *a = &m->args[i];

		text = xasprintf("%s%zu. %.*s (%s, %s)    %s\n",
				 i ? "" : "\nArguments:\n", i + 1,
				 first_name(a->names), a->names,
				 type_word(a->type),
				 a->required ? "required" : "optional",
				 a->help ? a->help : "");
		bytes_append(&b, text, strlen(text));
		free(text);
	}
	bytes_append(&b, "", 1);
	return (char *)b.p;
}

/* ---- parameters ---- */

static int arg_index(const struct rpc_method *m, const char *key)
{
	for (size_t i = 0; i < rpc_method_arg_count(m); i++)
		if (names_have(m->args[i].names, key))
			return (int)i;
	return -1;
}

static bool bind_one(struct rpc_call *call, bool named[RPC_ARGS_MAX],
		     const char *key, struct json_object *value)
{
	int i = arg_index(call->method, key);

	if (i < 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Unknown named parameter %s", key);
		return false;
	}
	if (named[i]) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Parameter %s specified multiple times", key);
		return false;
	}
	if ((size_t)i < json_object_array_length(call->args) &&
	    json_object_array_get_idx(call->args, (size_t)i)) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Parameter %s specified twice both as positional "
			 "and named argument", key);
		return false;
	}
	named[i] = true;
	json_object_array_put_idx(call->args, (size_t)i,
				  json_object_get(value));
	return true;
}

static void bind_array(struct rpc_call *call, struct json_object *params)
{
	for (size_t i = 0; i < json_object_array_length(params); i++)
		json_object_array_add(call->args, json_object_get(
			json_object_array_get_idx(params, i)));
}

/* Named parameters; `args` may hold the first ones by position. */
static bool bind_object(struct rpc_call *call, struct json_object *params)
{
	bool named[RPC_ARGS_MAX] = { false };
	struct json_object *args = NULL;
	bool own_args = arg_index(call->method, "args") >= 0;

	if (!own_args && json_object_object_get_ex(params, "args", &args) &&
	    json_object_is_type(args, json_type_array))
		bind_array(call, args);
	else
		args = NULL;
	json_object_object_foreach(params, key, value) {
		if (args && strcmp(key, "args") == 0)
			continue;
		if (!bind_one(call, named, key, value))
			return false;
	}
	return true;
}

static bool type_fits(enum rpc_type want, const struct json_object *o)
{
	switch (want) {
	case RPC_STR:
		return json_object_is_type(o, json_type_string);
	case RPC_NUM:
		return json_object_is_type(o, json_type_int) ||
		       json_object_is_type(o, json_type_double);
	case RPC_BOOL:
		return json_object_is_type(o, json_type_boolean);
	case RPC_ARR:
		return json_object_is_type(o, json_type_array);
	case RPC_OBJ:
		return json_object_is_type(o, json_type_object);
	case RPC_ANY:
		return true;
	}
	return true;
}

static bool check_types(struct rpc_call *call)
{
	struct json_object *bad = json_object_new_object();
	char key[96], text[96];
	bool ok;

	for (size_t i = 0; i < rpc_method_arg_count(call->method); i++) {
		const struct rpc_arg *a = &call->method->args[i];
		struct json_object *o = rpc_arg(call, i);

		if ((!o && !a->required) || type_fits(a->type, o))
			continue;
		snprintf(key, sizeof key, "Position %zu (%.*s)", i + 1,
			 first_name(a->names), a->names);
		snprintf(text, sizeof text, "JSON value of type %s is not "
			 "of expected type %s", json_type_word(o),
			 type_word(a->type));
		json_object_object_add(bad, key,
				       json_object_new_string(text));
	}
	ok = json_object_object_length(bad) == 0;
	if (!ok)
		rpc_fail(call, RPC_TYPE_ERROR, "Wrong type passed:\n%s",
			 json_object_to_json_string_ext(bad,
				JSON_C_TO_STRING_PRETTY |
				JSON_C_TO_STRING_SPACED |
				JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(bad);
	return ok;
}

bool rpc_call_bind(struct rpc_call *call, struct json_object *params)
{
	size_t max = rpc_method_arg_count(call->method), required = 0, n;

	CHECK(!call->args);
	call->args = json_object_new_array();
	if (json_object_is_type(params, json_type_array))
		bind_array(call, params);
	else if (params && !bind_object(call, params))
		return false;
	for (size_t i = 0; i < max; i++)
		if (call->method->args[i].required)
			required = i + 1;
	n = json_object_array_length(call->args);
	if (n < required || n > max) {
		rpc_fail_help(call);
		return false;
	}
	return check_types(call);
}

void rpc_call_clear(struct rpc_call *call)
{
	json_object_put(call->args);
	json_object_put(call->warnings);
	json_object_put(call->result);
	rpc_error_clear(&call->error);
	if (call->state)
		call->state_free(call->state);
	*call = (struct rpc_call){ 0 };
}
