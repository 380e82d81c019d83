/*
 * Where the node is and how to be let in: from command line and config file.
 */
#ifndef CLOISTER_CLI_CLI_CONFIG_H
#define CLOISTER_CLI_CLI_CONFIG_H

#include "conf/settings.h"

struct remote;

struct cli_config {
	const struct settings *settings; /* borrowed */
	const char *chain;               /* "main", "regtest", … */
	char *conf_path;                 /* read if it exists */
	char *chain_dir;
	char *cookie_path;
	char *unix_path;                 /* asked for, or the node's own */
	bool unix_if_there;              /* the latter: TCP while absent */
	char *host;                      /* "127.0.0.1", "[::1]" */
	uint16_t port;
	const struct remote *remote;     /* NULL: the node here; borrowed */
	char *user, *password;           /* NULL: the cookie */
};

/** Reads the config file into s too.  ERR_INPUT for anything that is not
 * loopback. */
NODISCARD enum err cli_config_make(struct cli_config *c, struct settings *s,
				   struct why *why);
void cli_config_clear(struct cli_config *c);
/** "user:password" of the password or the cookie: new string, or NULL when
 * neither is there. */
char *cli_credentials(const struct cli_config *c);
/** The unix socket to use at this moment; NULL: TCP. */
const char *cli_socket(const struct cli_config *c);
/** "127.0.0.1:18443" or the socket's path, for messages: new string. */
char *cli_where(const struct cli_config *c);

#endif
