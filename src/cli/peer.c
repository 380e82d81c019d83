/*
 * Commands about trusted peers.
 */
#include "config.h"

#include "cli/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/peer_backup.h"
#include "cli/peer_list.h"
#include "cli/qr.h"

#define WORDS_MAX 16

static const char usage[] =
	"Trusted peers: nodes of yours and of friends, joined by mutual TLS\n"
	"through private onion services.\n"
	"\n"
	"  peer invite NAME [ROLE...] [expires=24h]\n"
	"      Make an invite: one line to pass on by a way that you trust.\n"
	"  peer accept INVITE NAME [ROLE...]\n"
	"      Take one. NAME is what you call the other node.\n"
	"  peer list                    all of them, and this node's id\n"
	"  peer remove NAME             trust it no longer, at once; also\n"
	"                               withdraws an invite\n"
	"  peer rename NAME NEWNAME\n"
	"  peer rotate NAME             a new door and key for it\n"
	"  peer export FILE [passfile=FILE]\n"
	"      Back all of them up, encrypted.\n"
	"  peer import FILE [passfile=FILE]\n"
	"\n"
	"Roles are what the peer may do at this node: peer (if none is\n"
	"given), witness, rpc-read, rpc-admin, snapshot. Times are as in\n"
	"90m, 24h, 7d.\n";

struct json_object *peer_ask(const struct cli_config *c, int *status,
			     const char *method,
			     struct json_object *params TAKES)
{
	struct json_object *request = call_request(method, params, 1);
	struct json_object *answer = call_post(c, request);
	struct json_object *error = NULL, *result = NULL;

	json_object_put(request);
	*status = 1;
	if (!answer)
		return NULL;
	json_object_object_get_ex(answer, "error", &error);
	json_object_object_get_ex(answer, "result", &result);
	if (error || !result)
		*status = call_show(answer);
	else
		*status = 0;
	result = *status ? NULL : json_object_get(result);
	json_object_put(answer);
	return result;
}

static int fail(const char *text)
{
	fprintf(stderr, "error: %s\n", text);
	return 1;
}

static void add_text(struct json_object *params, const char *s)
{
	json_object_array_add(params, json_object_new_string(s));
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v ? json_object_get_string(v) : "";
}

static int64_t number_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v ? json_object_get_int64(v) : 0;
}

/* ---- words of a command ---- */

/* "24h" in seconds; 0 if it is no such thing. */
static int64_t read_span_of_time(const char *text)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
		      { 'd', 86400 } };
	char *end;
	long long v = strtoll(text, &end, 10);

	if (end == text || v <= 0 || v > 1000000 || strlen(end) != 1)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*end == units[i].unit)
			return v * units[i].s;
	return 0;
}

/* Roles, with commas between; "peer" if there is none. */
static char *join_roles(char *const *words, size_t n)
{
	char *out = xstrdup(n ? words[0] : "peer");

	for (size_t i = 1; i < n; i++) {
		char *longer = xasprintf("%s,%s", out, words[i]);

		free(out);
		out = longer;
	}
	return out;
}

/* ---- inviting and accepting ---- */

static void show_time(const char *before, int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;
	char text[40];

	if (!localtime_r(&at, &tm))
		return;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	printf("%s%s\n", before, text);
}

static void show_invite(struct json_object *result)
{
	const char *line = text_of(result, "invite");

	if (!isatty(STDOUT_FILENO)) {
		puts(line);
		return;
	}
	printf("Invite for %s. Pass this line on by a way that you trust; "
	       "whoever uses it\nfirst is trusted:\n\n%s\n\n",
	       text_of(result, "name"), line);
	if (qr_draw(stdout, line))
		putchar('\n');
	show_time("Good until    ", number_of(result, "expires"));
	printf("This node     %s\n", text_of(result, "id"));
	printf("in words      %s\n", text_of(result, "words"));
	puts("\nOn the other node:  cloister-cli peer accept INVITE NAME\n"
	     "Then look at `cloister-cli peer list` on both: each shows the "
	     "other's words.");
}

static int invite(const struct cli_config *c, char *const *words, size_t n)
{
	struct json_object *params, *result;
	int64_t lives = 24 * 3600;
	char *roles;
	int status;

	if (n && strncmp(words[n - 1], "expires=", 8) == 0) {
		lives = read_span_of_time(words[--n] + 8);
		if (!lives)
			return fail("expires= takes a time such as 90m, 24h "
				    "or 7d");
	}
	if (!n)
		return fail("peer invite needs a name for the peer; see "
			    "`cloister-cli peer --help`");
	roles = join_roles(words + 1, n - 1);
	params = json_object_new_array();
	add_text(params, words[0]);
	add_text(params, roles);
	json_object_array_add(params, json_object_new_int64(lives));
	result = peer_ask(c, &status, "peerinvite", params);
	if (result)
		show_invite(result);
	json_object_put(result);
	free(roles);
	return status;
}

static int accept_invite(const struct cli_config *c, char *const *words,
			 size_t n)
{
	struct json_object *params, *result;
	char *roles;
	int status;

	if (n < 2)
		return fail("peer accept needs the invite and a name for the "
			    "peer; see `cloister-cli peer --help`");
	roles = join_roles(words + 2, n - 2);
	params = json_object_new_array();
	add_text(params, words[0]);
	add_text(params, words[1]);
	add_text(params, roles);
	if (isatty(STDOUT_FILENO))
		puts("Knocking at the other node's door; this may take a "
		     "minute or two...");
	result = peer_ask(c, &status, "peeraccept", params);
	free(roles);
	if (!result)
		return status;
	if (strcmp(text_of(result, "state"), "trusted") == 0)
		printf("%s is trusted now.\n", words[1]);
	else
		printf("%s could not be reached yet%s%s. This node goes on "
		       "trying until the invite\nexpires; see `cloister-cli "
		       "peer list`.\n", words[1],
		       *text_of(result, "last_problem") ? ": " : "",
		       text_of(result, "last_problem"));
	printf("Its id     %s\nin words   %s\n", text_of(result, "id"),
	       text_of(result, "words"));
	json_object_put(result);
	return 0;
}

/* ---- the others ---- */

/* A method that takes the words as they are. */
static int plain(const struct cli_config *c, const char *method,
		 char *const *words, size_t n, const char *done)
{
	struct json_object *params = json_object_new_array(), *result;
	int status;

	for (size_t i = 0; i < n; i++)
		add_text(params, words[i]);
	result = peer_ask(c, &status, method, params);
	if (result)
		printf(done, words[0]);
	json_object_put(result);
	return status;
}

int peer_command(const struct cli_config *c, char *const *words, size_t n)
{
	const char *what = n ? words[0] : "--help";

	if (strcmp(what, "--help") == 0 || strcmp(what, "-help") == 0 ||
	    strcmp(what, "help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(what, "invite") == 0)
		return invite(c, words + 1, n - 1);
	if (strcmp(what, "accept") == 0)
		return accept_invite(c, words + 1, n - 1);
	if (strcmp(what, "list") == 0 && n == 1)
		return peer_list(c);
	if (strcmp(what, "remove") == 0 && n == 2)
		return plain(c, "peerremove", words + 1, 1,
			     "%s is not trusted any more.\n");
	if (strcmp(what, "rename") == 0 && n == 3)
		return plain(c, "peerrename", words + 1, 2,
			     "%s has its new name.\n");
	if (strcmp(what, "rotate") == 0 && n == 2)
		return plain(c, "peerrotate", words + 1, 1,
			     "%s gets a new door; the old one goes when the "
			     "new one has worked.\n");
	if (strcmp(what, "export") == 0 && n >= 2)
		return peer_export(c, words + 1, n - 1);
	if (strcmp(what, "import") == 0 && n >= 2)
		return peer_import(c, words + 1, n - 1);
	fprintf(stderr, "error: `peer %s` is not understood like this; see "
		"`cloister-cli peer --help`\n", what);
	return 1;
}
