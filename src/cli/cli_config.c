/*
 * Finding the node.
 */
#include "config.h"

#include "cli/cli_config.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#define CONF_FILE_MAX (1024 * 1024)
#define COOKIE_MAX 4096

static const struct chain_place {
	const char *name, *flag, *dir;
	uint16_t rpc_port;
} places[] = {
	{ "main", NULL, "", 8332 },
	{ "test", "testnet", "testnet3", 18332 },
	{ "testnet4", "testnet4", "testnet4", 48332 },
	{ "signet", "signet", "signet", 38332 },
	{ "regtest", "regtest", "regtest", 18443 },
};

static const struct chain_place *place_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strcmp(places[i].name, name) == 0)
			return &places[i];
	return NULL;
}

/* An absolute path: ~ and relative ones resolved. */
static char *absolute(const char *path)
{
	const char *home = getenv("HOME");
	struct passwd *pw;
	char *cwd, *out;

	if (path[0] == '/')
		return xstrdup(path);
	if (path[0] == '~' && (path[1] == '/' || path[1] == 0)) {
		if (!home || !*home) {
			pw = getpwuid(getuid());
			home = pw ? pw->pw_dir : "/";
		}
		return xasprintf("%s%s", home, path + 1);
	}
	cwd = getcwd(NULL, 0);
	out = xasprintf("%s/%s", cwd ? cwd : "", path);
	free(cwd);
	return out;
}

static char *below(const char *dir, const char *path)
{
	return path[0] == '/' ? xstrdup(path) : path_join(dir, path);
}

/* ---- the chain ---- */

static enum err choose_chain(const struct chain_place **out,
			     const struct settings *s, struct why *why)
{
	const char *chain = NULL;

	if (settings_has(s, "chain"))
		chain = settings_text(s, "chain");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i].flag || !settings_bool(s, places[i].flag))
			continue;
		if (chain && strcmp(chain, places[i].name) != 0)
			return why_set(why, ERR_INPUT, "two chains are asked "
				       "for, %s and %s; choose one", chain,
				       places[i].name);
		chain = places[i].name;
	}
	*out = place_of(chain ? chain : "main");
	if (!*out)
		return why_set(why, ERR_INPUT, "unknown chain \"%s\"; known "
			       "are main, test, testnet4, signet, regtest",
			       chain);
	return ERR_NONE;
}

static bool chain_is_given(const struct settings *s)
{
	bool given = settings_has(s, "chain");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		given |= places[i].flag && settings_has(s, places[i].flag);
	return given;
}

static enum err read_conf(struct settings *s, const char *path,
			  struct why *why)
{
	const struct chain_place *place;
	struct bytes text = { 0 };
	char file_chain[16];
	enum err e = file_read(&text, path, CONF_FILE_MAX, why);

	if (e)
		goto out;
	bytes_append(&text, "", 1);
	e = settings_file_chain(file_chain, (char *)text.p, path, why);
	if (e)
		goto out;
	if (file_chain[0] && !chain_is_given(s))
		settings_force(s, "chain", file_chain);
	e = choose_chain(&place, s, why);
	if (!e)
		e = settings_parse_file(s, (char *)text.p, path, place->name,
					why);
out:
	bytes_clear(&text);
	return e;
}

/* ---- the address ---- */

/* Loopback literals only; the one name is our own. */
static bool host_ok(char **out, const char *host)
{
	struct in_addr a4;
	struct in6_addr a6;

	if (strcmp(host, "localhost") == 0) {
		*out = xstrdup("127.0.0.1");
		return true;
	}
	if (inet_pton(AF_INET, host, &a4) == 1 &&
	    ntohl(a4.s_addr) >> 24 == 127) {
		*out = xstrdup(host);
		return true;
	}
	if (inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6)) {
		*out = xstrdup("[::1]");
		return true;
	}
	return false;
}

/* HOST, HOST:PORT, [HOST]:PORT. */
static enum err read_connect(struct cli_config *c, const char *text,
			     struct why *why)
{
	char *copy = xstrdup(text), *host = copy;
	char *colon = strrchr(copy, ':');
	char *end;
	unsigned long port;
	bool ok = true;

	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		ok = end && (end[1] == 0 || end[1] == ':');
		if (ok)
			*end = 0;
		colon = ok && end[1] ? end + 1 : NULL;
	} else if (colon && strchr(copy, ':') != colon) {
		colon = NULL;            /* a bare IPv6 address */
	}
	if (ok && colon) {
		*colon = 0;
		port = strtoul(colon + 1, &end, 10);
		ok = colon[1] >= '0' && colon[1] <= '9' && !*end && port &&
		     port <= UINT16_MAX;
		if (ok && !settings_has(c->settings, "rpcport"))
			c->port = (uint16_t)port;
	}
	ok = ok && host_ok(&c->host, host);
	free(copy);
	if (!ok)
		return why_set(why, ERR_INPUT, "-rpcconnect=%s: only loopback "
			       "addresses (127.0.0.1, ::1, localhost) are "
			       "spoken to", text);
	return ERR_NONE;
}

/* The socket asked for, or the node's own if nothing speaks against it. */
static enum err choose_socket(struct cli_config *c, struct why *why)
{
	const struct settings *s = c->settings;
	struct sockaddr_un sun;

	if (settings_has(s, "rpcunix")) {
		c->unix_path = absolute(settings_text(s, "rpcunix"));
		if (strlen(c->unix_path) >= sizeof sun.sun_path)
			return why_set(why, ERR_INPUT, "-rpcunix=%s: longer "
				       "than a socket's path may be (%zu "
				       "bytes)", c->unix_path,
				       sizeof sun.sun_path - 1);
		return ERR_NONE;
	}
	if (settings_has(s, "rpcconnect") || settings_has(s, "rpcport"))
		return ERR_NONE;
	c->unix_path = path_join(c->chain_dir, "run/rpc.sock");
	c->unix_if_there = true;
	if (strlen(c->unix_path) >= sizeof sun.sun_path) {
		free(c->unix_path);
		c->unix_path = NULL;
	}
	return ERR_NONE;
}

static char *copy_text(const struct settings *s, const char *name)
{
	const char *text = settings_text(s, name);

	return text && *text ? xstrdup(text) : NULL;
}

enum err cli_config_make(struct cli_config *c, struct settings *s,
			 struct why *why)
{
	const struct chain_place *place;
	char *dir = absolute(settings_text(s, "datadir"));
	enum err e = ERR_NONE;

	*c = (struct cli_config){ .settings = s };
	c->conf_path = below(dir, settings_text(s, "conf"));
	if (file_exists(c->conf_path))
		e = read_conf(s, c->conf_path, why);
	else if (settings_has(s, "conf"))
		e = why_set(why, ERR_INPUT, "the config file %s does not "
			    "exist", c->conf_path);
	if (!e)
		e = choose_chain(&place, s, why);
	if (e)
		goto out;
	c->chain = place->name;
	c->chain_dir = *place->dir ? path_join(dir, place->dir) :
				     xstrdup(dir);
	c->cookie_path = below(c->chain_dir,
			       settings_text(s, "rpccookiefile"));
	c->port = settings_has(s, "rpcport") ?
		  (uint16_t)settings_int(s, "rpcport") : place->rpc_port;
	c->user = copy_text(s, "rpcuser");
	c->password = copy_text(s, "rpcpassword");
	e = read_connect(c, settings_text(s, "rpcconnect"), why);
	if (!e)
		e = choose_socket(c, why);
out:
	free(dir);
	return e;
}

void cli_config_clear(struct cli_config *c)
{
	free(c->conf_path);
	free(c->chain_dir);
	free(c->cookie_path);
	free(c->unix_path);
	free(c->host);
	free(c->user);
	if (c->password)
		bytes_wipe(c->password, strlen(c->password));
	free(c->password);
	*c = (struct cli_config){ 0 };
}

char *cli_credentials(const struct cli_config *c)
{
	struct bytes text = { 0 };
	struct why why;

	if (c->password)
		return xasprintf("%s:%s", c->user ? c->user : "",
				 c->password);
	if (file_read(&text, c->cookie_path, COOKIE_MAX, &why)) {
		bytes_clear(&text);
		return NULL;
	}
	while (text.n && (text.p[text.n - 1] == '\n' ||
			  text.p[text.n - 1] == '\r'))
		text.n--;
	bytes_append(&text, "", 1);
	return (char *)text.p;
}

const char *cli_socket(const struct cli_config *c)
{
	if (c->unix_if_there && c->unix_path && !file_exists(c->unix_path))
		return NULL;
	return c->unix_path;
}

char *cli_where(const struct cli_config *c)
{
	const char *path = cli_socket(c);

	return path ? xstrdup(path) : xasprintf("%s:%u", c->host, c->port);
}
