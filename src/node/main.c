/*
 * cloisterd.
 *
 *~ The tour of the whole program starts here.  One executable is two
 * processes.  The first is the warden: it reads the options, locks the data
 * directory, opens the RPC listeners (launch.c), and then starts and watches
 * tor and the node (tor/warden.c).  The second is the node, the same program
 * executed again with CLOISTER_FDS in its environment: it inherits a link to
 * the warden and the listeners, and opens no network socket of its own.  Next
 * stop: launch.c for the one, node.c for the other.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "node/bus_error.h"
#include "node/key_command.h"
#include "node/launch.h"
#include "node/node.h"

static const char usage[] =
	"Usage: cloisterd [options]\n"
	"\n"
	"A Bitcoin full node whose process has no network: every byte to or "
	"from a\npeer passes through a Tor process that it manages.\n";

static int fail(const struct why *why)
{
	fprintf(stderr, "Error: %s\n", why->text);
	return 1;
}

static int print_help(void)
{
	char *help = option_help(OPTION_NODE, usage);

	fputs(help, stdout);
	free(help);
	return 0;
}

static int print_version(void)
{
	printf("Cloister version %s\n"
	       "SHA-256: %s\n"
	       "Licence: MIT. There is no warranty.\n",
	       PACKAGE_VERSION, sha256_impl());
	return 0;
}

static int run_node(struct settings *s, struct config *cfg)
{
	uint8_t digest[32];
	struct why why;
	int status;

	if (launch_inherited_settings(s, &why) || config_make(cfg, s, &why) ||
	    launch_open_log(cfg, &why))
		return fail(&why);
	/* Here, before the walls, OpenSSL reads its configuration. */
	sha3_256(digest, "", 0);
	if (!sha256_self_test()) {
		(void)why_set(&why, ERR_STATE, "SHA-256 gives wrong results "
			      "on this processor (%s)", sha256_impl());
		return fail(&why);
	}
	bus_error_watch();
	status = node_run(cfg);
	log_close();
	return status;
}

static int run_warden(struct settings *s, struct config *cfg, int argc,
		      char **argv)
{
	struct why why;

	if (config_read_settings(s, argc, argv, &why))
		return fail(&why);
	if (settings_bool(s, "help"))
		return print_help();
	if (settings_bool(s, "version"))
		return print_version();
	if (config_make(cfg, s, &why))
		return fail(&why);
	if (cfg->user && walls_become_user(cfg->user, &why))
		return fail(&why);
	if (cfg->keys.command != KEY_COMMAND_NONE)
		return key_command_run(cfg);
	return launch(s, cfg);
}

int main(int argc, char **argv)
{
	struct settings *s = settings_new(OPTION_NODE);
	struct config cfg;
	int status;

	memset(&cfg, 0, sizeof cfg);
	signal(SIGPIPE, SIG_IGN);
	if (getenv("CLOISTER_FDS"))
		status = run_node(s, &cfg);
	else
		status = run_warden(s, &cfg, argc, argv);
	config_clear(&cfg);
	settings_free(s);
	return status;
}
