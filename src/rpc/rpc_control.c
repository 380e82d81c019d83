/*
 * Methods about the process itself.
 */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "rpc/rpc_priv.h"

/* ---- help ---- */

struct line {
	const struct rpc_method *m;
};

static int line_order(const void *a, const void *b)
{
	const struct rpc_method *x = ((const struct line *)a)->m;
	const struct rpc_method *y = ((const struct line *)b)->m;
	int c = strcmp(x->category, y->category);

	return c ? c : strcmp(x->name, y->name);
}

static char *help_all(void)
{
	struct rpc_methods g[RPC_GROUPS_MAX];
	size_t groups = rpc_method_groups(g, ARRAY_SIZE(g)), n = 0;
	struct line lines[256];
	struct bytes b = { 0 };

	for (size_t i = 0; i < groups; i++)
		for (size_t j = 0; j < g[i].n; j++)
			if (!(g[i].m[j].flags & RPC_HIDDEN)) {
				CHECK(n < ARRAY_SIZE(lines));
				lines[n++].m = &g[i].m[j];
			}
	qsort(lines, n, sizeof *lines, line_order);
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || strcmp(lines[i].m->category,
					      lines[i - 1].m->category);
		char *usage = rpc_method_usage(lines[i].m);
		char *text = first ?
			xasprintf("%s== %s ==\n%s\n", i ? "\n" : "",
				  lines[i].m->category, usage) :
			xasprintf("%s\n", usage);

		bytes_append(&b, text, strlen(text));
		free(text);
		free(usage);
	}
	if (b.n)
		b.p[b.n - 1] = 0;
	return (char *)b.p;
}

static void help(struct rpc_call *call)
{
	const char *name = NULL;
	const struct rpc_method *m;
	char *text;

	if (!rpc_arg_str(call, 0, &name))
		return;
	m = name ? rpc_method_get(name) : NULL;
	if (!name)
		text = help_all();
	else if (m)
		text = rpc_method_help(m);
	else
		text = xasprintf("help: unknown command: %s\n", name);
	call->result = json_object_new_string(text);
	free(text);
}

/* ---- the process ---- */

static void stop(struct rpc_call *call)
{
	if (!call->ports->stop) {
		rpc_fail(call, RPC_MISC_ERROR, "stop is not available");
		return;
	}
	call->wants_stop = true;
	call->result = json_object_new_string("Cloister stopping");
}

static void uptime(struct rpc_call *call)
{
	call->result = json_object_new_int64(rpc_uptime_s(call->rpc));
}

static void getrpcinfo(struct rpc_call *call)
{
	call->result = json_object_new_object();
	json_add(call->result, "active_commands",
		 rpc_active_calls(call->rpc));
	json_add_str(call->result, "logpath", rpc_log_path(call->rpc));
}

static void echo(struct rpc_call *call)
{
	call->result = json_object_get(call->args);
}

/* Number of the category named in [p, p+n); -1: none. */
static int category_of(const char *name)
{
	const char *all = log_cat_names();
	size_t n = strlen(name);

	for (int i = 0; *all; i++) {
		size_t len = strcspn(all, ", ");

		if (len == n && memcmp(all, name, n) == 0)
			return i;
		all += len;
		all += strspn(all, ", ");
	}
	return -1;
}

/* Switch one category, or all of them. */
static bool log_switch(struct rpc_call *call, struct json_object *item,
		       bool on)
{
	const char *name = json_object_is_type(item, json_type_string) ?
			   json_object_get_string(item) : "";
	bool all = strcmp(name, "all") == 0 || strcmp(name, "1") == 0;
	int cat = category_of(name);

	if (!all && cat < 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "unknown logging category %s", name);
		return false;
	}
	for (int i = 0; i < LOG_CAT_COUNT; i++)
		if (all || i == cat)
			log_set_level((enum log_cat)i, on ? LOG_LEVEL_DEBUG :
						       LOG_LEVEL_INFO);
	return true;
}

static void logging(struct rpc_call *call)
{
	const char *name = log_cat_names();

	for (size_t i = 0; i < 2; i++) {
		struct json_object *list = rpc_arg(call, i);
		size_t n = list ? json_object_array_length(list) : 0;

		for (size_t j = 0; j < n; j++)
			if (!log_switch(call,
					json_object_array_get_idx(list, j),
					i == 0))
				return;
	}
	call->result = json_object_new_object();
	for (int i = 0; i < LOG_CAT_COUNT && *name; i++) {
		size_t len = strcspn(name, ", ");
		char key[32] = "";

		memcpy(key, name, MIN_OF(len, sizeof key - 1));
		json_object_object_add(call->result, key,
			json_object_new_boolean(
				log_wants((enum log_cat)i,
					  LOG_LEVEL_DEBUG)));
		name += len;
		name += strspn(name, ", ");
	}
}

static struct json_object *walls_process(const struct rpc_walls_process *p)
{
	struct json_object *o = json_object_new_object();

	json_add_bool(o, "network_namespace", p->network_namespace);
	json_add_bool(o, "seccomp", p->seccomp);
	json_add_int(o, "landlock", p->landlock_abi);
	json_add_bool(o, "no_new_privileges", p->no_new_privileges);
	json_add_bool(o, "no_capabilities", p->no_capabilities);
	json_add_bool(o, "core_dumps_off", p->core_dumps_off);
	return o;
}

static void getwalls(struct rpc_call *call)
{
	struct json_object *list = json_object_new_array();
	struct rpc_walls w;

	if (!call->ports->walls) {
		rpc_fail(call, RPC_METHOD_NOT_FOUND, "There are no walls");
		json_object_put(list);
		return;
	}
	call->ports->walls(call->ports->ctx, &w);
	call->result = json_object_new_object();
	json_add_str(call->result, "mode", w.mode);
	json_add_int(call->result, "uid", w.uid);
	if (w.sanitizer)
		json_add_bool(call->result, "sanitizer_build", true);
	for (size_t i = 0; i < ARRAY_SIZE(w.process); i++)
		json_object_object_add(call->result, w.process[i].name,
				       walls_process(&w.process[i]));
	for (size_t i = 0; i < w.missing_count; i++) {
		struct json_object *o = json_object_new_object();

		json_add_str(o, "wall", w.missing[i].wall);
		json_add_str(o, "why", w.missing[i].why);
		json_object_array_add(list, o);
	}
	json_object_object_add(call->result, "missing", list);
}

#define MOCK_TIME_MAX INT64_C(9223372036)

static void setmocktime(struct rpc_call *call)
{
	int64_t t = 0;

	if (!rpc_arg_i64(call, 0, &t))
		return;
	if (t < 0 || t > MOCK_TIME_MAX) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Mocktime must be in "
			 "the range [0, %lld], not %lld.",
			 (long long)MOCK_TIME_MAX, (long long)t);
		return;
	}
	clock_set_mock(rpc_clock(call->rpc), t);
	if (call->ports->mock_time)
		call->ports->mock_time(call->ports->ctx, t);
}

#define ECHO_ARGS \
	{ { "arg0", RPC_ANY, false, "" }, { "arg1", RPC_ANY, false, "" }, \
	  { "arg2", RPC_ANY, false, "" }, { "arg3", RPC_ANY, false, "" }, \
	  { "arg4", RPC_ANY, false, "" }, { "arg5", RPC_ANY, false, "" }, \
	  { "arg6", RPC_ANY, false, "" }, { "arg7", RPC_ANY, false, "" }, \
	  { "arg8", RPC_ANY, false, "" }, { "arg9", RPC_ANY, false, "" } }

static const struct rpc_method methods[] = {
	{ .name = "help", .category = "Control", .flags = RPC_EARLY,
	  .run = help,
	  .help = "List all commands, or say what one of them does.",
	  .args = { { "command", RPC_STR, false, "The command" } } },
	{ .name = "stop", .category = "Control", .flags = RPC_EARLY,
	  .run = stop, .help = "Stop the node." },
	{ .name = "uptime", .category = "Control", .run = uptime,
	  .help = "Seconds since the node was started." },
	{ .name = "getrpcinfo", .category = "Control", .run = getrpcinfo,
	  .help = "Calls under way, with their age in microseconds, and "
		  "where the log is." },
	{ .name = "getwalls", .category = "Control", .flags = RPC_EARLY,
	  .run = getwalls,
	  .help = "What the kernel keeps up around the node, the warden and "
		  "tor, and\nwhat is missing and why." },
	{ .name = "logging", .category = "Control", .run = logging,
	  .help = "Switch debug messages of categories on or off, and say "
		  "which are on.\nWithout arguments it changes nothing.",
	  .args = { { "include", RPC_ARR, false,
		      "Categories to switch on; \"all\" for every one" },
		    { "exclude", RPC_ARR, false,
		      "Categories to switch off, after include" } } },
	{ .name = "setmocktime", .category = "Control",
	  .flags = RPC_HIDDEN | RPC_REGTEST, .run = setmocktime,
	  .help = "Hold the node's time still (regtest only).",
	  .args = { { "timestamp", RPC_NUM, true,
		      "Unix time; 0 goes back to the system's" } } },
	{ .name = "echo", .category = "Control", .flags = RPC_HIDDEN,
	  .run = echo, .help = "Give the arguments back, for tests.",
	  .args = ECHO_ARGS },
	{ .name = "echojson", .category = "Control", .flags = RPC_HIDDEN,
	  .run = echo, .help = "Give the arguments back, for tests.",
	  .args = ECHO_ARGS },
};

struct rpc_methods rpc_methods_control(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
