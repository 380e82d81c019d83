/*
 * Finding the node.
 */
#include "config.h"

#include "cli/cli_config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/file.h"
#include "conf/chain_choice.h"
#include "conf/conf_file.h"

#define COOKIE_MAX 4096

static const struct chain_place {
	const char *name, *dir;
	uint16_t rpc_port;
} places[CHAIN_CHOICES] = {
	{ "main", "", 8332 },
	{ "test", "testnet3", 18332 },
	{ "testnet4", "testnet4", 48332 },
	{ "signet", "signet", 38332 },
	{ "regtest", "regtest", 18443 },
};

static enum err choose_place(const struct chain_place **out,
			     const struct settings *s, struct why *why)
{
	const char *name;
	enum err e = chain_choice_make(&name, s, why);
	size_t i = 0;

	if (e)
		return e;
	while (strcmp(places[i].name, name) != 0)
		CHECK(++i < ARRAY_SIZE(places));
	*out = &places[i];
	return ERR_NONE;
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
		c->unix_path = conf_path_absolute(settings_text(s, "rpcunix"));
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
	char *dir;
	enum err e;

	*c = (struct cli_config){ .settings = s };
	e = conf_file_load(&dir, &c->conf_path, s, why);
	if (!e)
		e = choose_place(&place, s, why);
	if (e)
		goto out;
	c->chain = place->name;
	c->chain_dir = *place->dir ? path_join(dir, place->dir) :
				     xstrdup(dir);
	c->cookie_path = conf_path_below(c->chain_dir,
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
