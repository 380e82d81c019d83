/*
 * Any text as an Authorization header or an -rpcauth line: nobody is let in
 * who does not say the password.
 */
#include "config.h"

#include <stdlib.h>
#include <strings.h>

#include "rpc/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* "user:pass" and "user:\xff…" in base 64, the only ways in. */
#define PAIR_B64 "dXNlcjpwYXNz"

static bool may_enter(const char *header)
{
	return strncasecmp(header, "Basic", 5) == 0 &&
	       strstr(header, PAIR_B64) != NULL;
}

static void check_header(struct auth *a, const char *text)
{
	char *basic = xasprintf("Basic %s", text);

	CHECK(!auth_check(a, text) || may_enter(text));
	CHECK(!auth_check(a, basic) || may_enter(basic));
	free(basic);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = xasprintf("%.*s", (int)n, (const char *)data);
	struct why why = { 0 };
	struct auth *a;

	CHECK(!auth_new(&a, NULL, "user", "pass", &why));
	CHECK(auth_check(a, "Basic " PAIR_B64));
	CHECK(!auth_check(a, NULL));
	check_header(a, text);
	if (auth_add_rpcauth(a, text, &why))
		CHECK(why.err == ERR_INPUT && why.text[0]);
	else
		/* A way in more, for whoever knows its password. */
		check_header(a, "dXNlcjo=");
	CHECK(auth_check(a, "Basic " PAIR_B64));
	auth_free(a);
	free(text);
	return 0;
}
