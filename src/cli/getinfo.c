/*
 * Several questions in one batch, and their answers for a person.
 */
#include "config.h"

#include "cli/getinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS 30

enum question { Q_CHAIN, Q_NETWORK, Q_TOR, Q_UPTIME, Q_COUNT };

static const char *const methods[Q_COUNT] = {
	[Q_CHAIN] = "getblockchaininfo",
	[Q_NETWORK] = "getnetworkinfo",
	[Q_TOR] = "gettorinfo",
	[Q_UPTIME] = "uptime",
};

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return v ? json_object_get_string(v) : "";
}

static int64_t int_of(struct json_object *o, const char *key)
{
	return json_object_get_int64(get(o, key));
}

static bool utf8_terminal(void)
{
	const char *names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

static void print_progress(double progress)
{
	bool utf8 = utf8_terminal();
	int done = (int)(progress * BAR_CELLS + 0.5);

	printf("Verification progress: ");
	if (isatty(STDOUT_FILENO) && progress < 0.99999) {
		for (int i = 0; i < BAR_CELLS; i++)
			fputs(utf8 ? i < done ? "█" : "░" :
			      i < done ? "#" : ".", stdout);
		putchar(' ');
	}
	printf("%.4f%%\n", progress * 100);
}

static void print_chain(struct json_object *o)
{
	printf("Chain: %s\n", text_of(o, "chain"));
	printf("Blocks: %s\n", text_of(o, "blocks"));
	printf("Headers: %s\n", text_of(o, "headers"));
	print_progress(json_object_get_double(get(o,
						  "verificationprogress")));
	printf("Difficulty: %s\n", text_of(o, "difficulty"));
	if (json_object_get_boolean(get(o, "initialblockdownload")))
		printf("State: initial download\n");
	putchar('\n');
}

static void print_network(struct json_object *o)
{
	printf("Network: in %s, out %s, total %s%s\n",
	       text_of(o, "connections_in"), text_of(o, "connections_out"),
	       text_of(o, "connections"),
	       json_object_get_boolean(get(o, "networkactive")) ?
	       "" : " (switched off)");
	printf("Version: %s %s\n", text_of(o, "version"),
	       text_of(o, "subversion"));
	printf("Time offset (s): %s\n", text_of(o, "timeoffset"));
}

/* gettorinfo's word for the descriptor, in a sentence. */
static const char *door_text(const char *descriptor)
{
	static const char *const texts[][2] = {
		{ "none", "not published yet" },
		{ "publishing", "being published" },
		{ "failed", "not published: no directory took it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(descriptor, texts[i][0]) == 0)
			return texts[i][1];
	return descriptor;
}

static void print_tor(struct json_object *o)
{
	const char *onion = text_of(o, "onion");

	if (!json_object_get_boolean(get(o, "wanted"))) {
		printf("Tor: not used\n");
		return;
	}
	printf("Tor: %s, %s%%", text_of(o, "phase"),
	       text_of(o, "bootstrap_percent"));
	if (int_of(o, "bootstrap_percent") < 100)
		printf(" (%s)", text_of(o, "bootstrap_summary"));
	if (*text_of(o, "version"))
		printf(", version %s", text_of(o, "version"));
	putchar('\n');
	if (*onion)
		printf("Onion address: %s:%s (%s)\n", onion,
		       text_of(o, "port"), door_text(text_of(o, "descriptor")));
	if (*text_of(o, "last_problem"))
		printf("Last problem of Tor: %s\n",
		       text_of(o, "last_problem"));
}

static void print_warnings(struct json_object *o)
{
	struct json_object *list = get(o, "warnings");
	size_t n = json_object_is_type(list, json_type_array) ?
		   json_object_array_length(list) : 0;

	printf("\nWarnings:%s\n", n ? "" : " (none)");
	for (size_t i = 0; i < n; i++)
		printf("  %s\n", json_object_get_string(
			json_object_array_get_idx(list, i)));
}

static void print_uptime(struct json_object *o)
{
	int64_t s = json_object_get_int64(o);

	printf("Uptime: %lld d %02lld:%02lld:%02lld\n",
	       (long long)(s / 86400), (long long)(s / 3600 % 24),
	       (long long)(s / 60 % 60), (long long)(s % 60));
}

/* Answers in the order of the questions; an essential error ends it. */
static int show(struct json_object *answer)
{
	struct json_object *result[Q_COUNT] = { NULL };

	if (!json_object_is_type(answer, json_type_array))
		return call_show(answer);
	for (size_t i = 0; i < Q_COUNT; i++) {
		struct json_object *a = json_object_array_get_idx(answer, i);

		if (get(a, "error") && i != Q_TOR)
			return call_show(a);
		result[i] = get(a, "result");
	}
	print_chain(result[Q_CHAIN]);
	print_network(result[Q_NETWORK]);
	print_tor(result[Q_TOR]);
	print_uptime(result[Q_UPTIME]);
	print_warnings(result[Q_NETWORK]);
	return 0;
}

int getinfo(const struct cli_config *c)
{
	struct json_object *batch = json_object_new_array(), *answer;
	int status = 1;

	for (int i = 0; i < Q_COUNT; i++)
		json_object_array_add(batch, call_request(methods[i],
			json_object_new_array(), i));
	answer = call_post(c, batch);
	if (answer)
		status = show(answer);
	json_object_put(answer);
	json_object_put(batch);
	return status;
}
