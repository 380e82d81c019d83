/*
 * cloister-cli: a thin client of the node's RPC, used like bitcoin-cli.
 */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/convert.h"
#include "cli/getinfo.h"
#include "cli/peer.h"
#include "cli/remote.h"

static const char usage[] =
	"Usage: cloister-cli [options] METHOD [parameters]\n"
	"       cloister-cli [options] -named METHOD [name=value...]\n"
	"       cloister-cli [options] -getinfo\n"
	"       cloister-cli [options] help [METHOD]\n"
	"       cloister-cli [options] peer --help\n"
	"\n"
	"Sends a command to cloisterd on this machine and shows the "
	"answer.\nThe exit status is 0, the number of the RPC error, or 1 "
	"if there was\nno answer.\n";

struct words {
	char **v;
	size_t n;
};

static void words_add(struct words *w, const char *s)
{
	w->v = xrealloc(w->v, (w->n + 1) * sizeof *w->v);
	w->v[w->n++] = xstrdup(s);
}

static void words_clear(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){ 0 };
}

static int fail(const struct why *why)
{
	fprintf(stderr, "error: %s\n", why->text);
	return 1;
}

/* One line of standard input without its end; false at the end. */
static bool read_line(char **line, size_t *cap)
{
	ssize_t n = getline(line, cap, stdin);

	if (n < 0)
		return false;
	if (n && (*line)[n - 1] == '\n')
		(*line)[n - 1] = 0;
	return true;
}

/* -stdinrpcpass takes the first line, -stdin the rest. */
static bool read_stdin(struct cli_config *c, struct words *w, struct why *why)
{
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;

	if (settings_bool(c->settings, "stdinrpcpass")) {
		ok = read_line(&line, &cap);
		if (ok) {
			free(c->password);
			c->password = xstrdup(line);
			bytes_wipe(line, strlen(line));
		} else {
			why_set(why, ERR_INPUT, "-stdinrpcpass specified but "
				"failed to read from standard input");
		}
	}
	if (ok && settings_bool(c->settings, "stdin"))
		while (read_line(&line, &cap))
			words_add(w, line);
	free(line);
	return ok;
}

static int run_method(const struct cli_config *c, const struct words *w)
{
	struct why why = { 0 };
	struct json_object *params, *request, *answer;
	const char *method;
	int status = 1;

	if (!w->n) {
		why_set(&why, ERR_INPUT,
			"too few parameters (need at least command)");
		return fail(&why);
	}
	method = w->v[0];
	params = settings_bool(c->settings, "named") ?
		 convert_named(method, w->v + 1, w->n - 1, &why) :
		 convert_positional(method, w->v + 1, w->n - 1, &why);
	if (!params)
		return fail(&why);
	request = call_request(method, params, 1);
	answer = call_post(c, request);
	if (answer)
		status = call_show(answer);
	json_object_put(answer);
	json_object_put(request);
	return status;
}

/* What is to be called: the node here, or another through it. */
static int run_command(struct cli_config *c, struct words *w)
{
	const char *name = settings_text(c->settings, "remote");
	struct remote *remote = NULL;
	int status = 1;

	if (name && *name) {
		remote = remote_new(c, name);
		if (!remote)
			return 1;
	}
	c->remote = remote;
	if (settings_bool(c->settings, "getinfo"))
		status = getinfo(c);
	else if (w->n && strcmp(w->v[0], "peer") == 0)
		status = peer_command(c, w->v + 1, w->n - 1);
	else
		status = run_method(c, w);
	c->remote = NULL;
	remote_free(remote);
	return status;
}

static int run(struct settings *s, struct words *w)
{
	struct cli_config c;
	struct why why;
	int status;

	if (cli_config_make(&c, s, &why) || !read_stdin(&c, w, &why))
		status = fail(&why);
	else
		status = run_command(&c, w);
	cli_config_clear(&c);
	return status;
}

static int print_help(void)
{
	char *help = option_help(OPTION_CLI, usage);

	fputs(help, stdout);
	free(help);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings *s = settings_new(OPTION_CLI);
	struct words w = { 0 };
	struct why why;
	int used, status;

	if (argc < 2) {
		fputs(usage, stderr);
		status = 1;
	} else if (settings_parse_args(s, &used, argc, argv, &why)) {
		status = fail(&why);
	} else if (settings_bool(s, "help")) {
		status = print_help();
	} else if (settings_bool(s, "version")) {
		printf("Cloister RPC client version %s\n", PACKAGE_VERSION);
		status = 0;
	} else {
		for (int i = used; i < argc; i++)
			words_add(&w, argv[i]);
		curl_global_init(CURL_GLOBAL_NOTHING);
		status = run(s, &w);
		curl_global_cleanup();
	}
	words_clear(&w);
	settings_free(s);
	return status;
}
