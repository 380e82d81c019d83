/*
 * Trusted peers as a table for people.
 */
#include "config.h"

#include "cli/peer_list.h"

#include <stdio.h>
#include <time.h>

#include "cli/peer.h"

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *text(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return v ? json_object_get_string(v) : "";
}

/* "5 min ago", "in 3 days" */
static const char *ago(char out[static 40], int64_t t)
{
	int64_t s = (int64_t)time(NULL) - t;
	bool past = s >= 0;
	int64_t n = past ? s : -s;
	const char *unit = "s";

	if (!t) {
		snprintf(out, 40, "never");
		return out;
	}
	if (n >= 2 * 86400) {
		n /= 86400;
		unit = "days";
	} else if (n >= 2 * 3600) {
		n /= 3600;
		unit = "h";
	} else if (n >= 120) {
		n /= 60;
		unit = "min";
	}
	snprintf(out, 40, past ? "%lld %s ago" : "in %lld %s",
		 (long long)n, unit);
	return out;
}

static const char *size_text(char out[static 40], int64_t bytes)
{
	if (bytes >= 10 * 1000 * 1000)
		snprintf(out, 40, "%lld MB", (long long)bytes / 1000000);
	else if (bytes >= 10 * 1000)
		snprintf(out, 40, "%lld kB", (long long)bytes / 1000);
	else
		snprintf(out, 40, "%lld B", (long long)bytes);
	return out;
}

static void show_roles(struct json_object *roles)
{
	size_t n = json_object_is_type(roles, json_type_array)
		   ? json_object_array_length(roles) : 0;

	printf("  roles        ");
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? ", " : "", json_object_get_string(
				json_object_array_get_idx(roles, i)));
	putchar('\n');
}

static void show_connection(struct json_object *p)
{
	char a[40], b[40];

	if (!json_object_get_boolean(get(p, "connected"))) {
		printf("  last seen    %s\n", ago(a, json_object_get_int64(
				get(p, "last_seen"))));
		return;
	}
	printf("  connected    %s, ", json_object_get_boolean(
			get(p, "inbound")) ? "inbound" : "outbound");
	if (get(p, "pingtime"))
		printf("%.0f ms, ", 1000 * json_object_get_double(
				get(p, "pingtime")));
	printf("%s in, %s out\n",
	       size_text(a, json_object_get_int64(get(p, "bytesrecv"))),
	       size_text(b, json_object_get_int64(get(p, "bytessent"))));
}

static void show_peer(struct json_object *p)
{
	char when[40];

	printf("\n%s  (%s)\n", text(p, "name"), text(p, "state"));
	if (*text(p, "id"))
		printf("  id           %s\n  in words     %s\n",
		       text(p, "id"), text(p, "words"));
	show_roles(get(p, "roles"));
	if (get(p, "expires"))
		printf("  expires      %s\n", ago(when, json_object_get_int64(
				get(p, "expires"))));
	else
		show_connection(p);
	printf("  its door     %s%s\n", text(p, "door_state"),
	       json_object_get_boolean(get(p, "rotating"))
	       ? ", a new one waits" : "");
	if (get(p, "leaf_expires"))
		printf("  certificate  ends %s\n", ago(when,
				json_object_get_int64(
					get(p, "leaf_expires"))));
	if (get(p, "last_problem"))
		printf("  problem      %s (%s)\n", text(p, "last_problem"),
		       ago(when, json_object_get_int64(
				get(p, "last_problem_time"))));
}

int peer_list(const struct cli_config *c)
{
	int status;
	struct json_object *list = peer_ask(c, &status, "peerlist",
					    json_object_new_array());
	struct json_object *peers = list ? get(list, "peers") : NULL;
	size_t n = peers ? json_object_array_length(peers) : 0;

	if (!list)
		return status;
	printf("This node\n  id           %s\n  in words     %s\n",
	       text(list, "id"), text(list, "words"));
	for (size_t i = 0; i < n; i++)
		show_peer(json_object_array_get_idx(peers, i));
	if (!n)
		puts("\nNo trusted peers yet; `cloister-cli peer --help` "
		     "tells how to get some.");
	json_object_put(list);
	return 0;
}
