/*
 * Basic authorization against cookie, password and rpcauth lines.
 */
#include "config.h"

#include "rpc/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "crypto/hash.h"

#define COOKIE_USER "__cookie__"
#define HEADER_MAX 4096

struct login {
	char *user, *salt;
	uint8_t hmac[32];
};

struct auth {
	char *cookie_path;
	char *cookie;            /* "user:password" pairs in plain */
	char *plain;
	struct login *logins;
	size_t login_count;
};

/* Its page stays locked: others share it, and it is one page. */
static void keep_from_swap(const char *secret)
{
	(void)mlock(secret, strlen(secret));
}

static enum err write_cookie(struct auth *a, struct why *why)
{
	uint8_t key[32];
	char hex[65];
	enum err e;

	random_bytes(key, sizeof key);
	hex_encode(hex, key, sizeof key);
	a->cookie = xasprintf("%s:%s", COOKIE_USER, hex);
	keep_from_swap(a->cookie);
	e = file_replace(a->cookie_path,
			 span_of(a->cookie, strlen(a->cookie)), 0600, why);
	bytes_wipe(key, sizeof key);
	bytes_wipe(hex, sizeof hex);
	return e;
}

enum err auth_new(struct auth **out, const char *cookie_path,
		  const char *user, const char *password, struct why *why)
{
	struct auth *a = xcalloc(1, sizeof *a);
	enum err e = ERR_NONE;

	if (password && *password) {
		a->plain = xasprintf("%s:%s", user ? user : "", password);
		keep_from_swap(a->plain);
	}
	if (cookie_path) {
		a->cookie_path = xstrdup(cookie_path);
		e = write_cookie(a, why);
	}
	if (e) {
		free(a->cookie_path);
		a->cookie_path = NULL;
		auth_free(a);
		a = NULL;
	}
	*out = a;
	return e;
}

enum err auth_add_rpcauth(struct auth *a, const char *line, struct why *why)
{
	const char *colon = strchr(line, ':');
	const char *dollar = colon ? strchr(colon, '$') : NULL;
	struct login l = { 0 };

	if (!dollar || !hex_decode(l.hmac, sizeof l.hmac, dollar + 1))
		return why_set(why, ERR_INPUT, "-rpcauth=%.*s…: not of the "
			       "form USER:SALT$HASH with 64 hex digits",
			       (int)MIN_OF(strcspn(line, ":"), (size_t)64),
			       line);
	l.user = xmemdup(line, (size_t)(colon - line) + 1);
	l.user[colon - line] = 0;
	l.salt = xmemdup(colon + 1, (size_t)(dollar - colon));
	l.salt[dollar - colon - 1] = 0;
	a->logins = xrealloc(a->logins,
			     (a->login_count + 1) * sizeof *a->logins);
	a->logins[a->login_count++] = l;
	return ERR_NONE;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decode at most HEADER_MAX characters; out gets a NUL behind the text. */
static bool base64_decode(char out[static HEADER_MAX], size_t *out_n,
			  const char *s)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0, len = strcspn(s, "= \t\r\n");

	if (strspn(s + len, "= \t\r\n") != strlen(s + len) ||
	    len > HEADER_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		int v = base64_value(s[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have);
		}
	}
	out[n] = 0;
	*out_n = n;
	return true;
}

/* Equal in time that depends on the guess alone. */
static bool text_equal(const char *guess, size_t n, const char *secret)
{
	uint8_t a[32], b[32];
	bool same;

	sha256(a, guess, n);
	sha256(b, secret, strlen(secret));
	same = bytes_equal_ct(a, b, sizeof a);
	bytes_wipe(b, sizeof b);
	return same;
}

static bool login_check(const struct login *l, const char *pair, size_t n)
{
	const char *colon = memchr(pair, ':', n);
	uint8_t mac[32];
	bool user_ok, pass_ok;

	if (!colon)
		return false;
	user_ok = text_equal(pair, (size_t)(colon - pair), l->user);
	hmac_sha256(mac, span_of(l->salt, strlen(l->salt)),
		    span_of(colon + 1, n - (size_t)(colon + 1 - pair)));
	pass_ok = bytes_equal_ct(mac, l->hmac, sizeof mac);
	return user_ok & pass_ok;
}

bool auth_check(const struct auth *a, const char *header)
{
	char pair[HEADER_MAX];
	size_t n;
	bool ok = false;

	if (!header || strncasecmp(header, "Basic ", 6) != 0)
		return false;
	header += 6;
	header += strspn(header, " ");
	if (!base64_decode(pair, &n, header))
		return false;
	if (a->cookie)
		ok |= text_equal(pair, n, a->cookie);
	if (a->plain)
		ok |= text_equal(pair, n, a->plain);
	for (size_t i = 0; i < a->login_count; i++)
		ok |= login_check(&a->logins[i], pair, n);
	bytes_wipe(pair, sizeof pair);
	return ok;
}

void auth_remove_cookie(struct auth *a)
{
	if (a->cookie_path)
		unlink(a->cookie_path);
	free(a->cookie_path);
	a->cookie_path = NULL;
}

static void secret_free(char *s)
{
	if (s)
		bytes_wipe(s, strlen(s));
	free(s);
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	auth_remove_cookie(a);
	secret_free(a->cookie);
	secret_free(a->plain);
	for (size_t i = 0; i < a->login_count; i++) {
		free(a->logins[i].user);
		free(a->logins[i].salt);
	}
	free(a->logins);
	free(a);
}
