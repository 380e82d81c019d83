/*
 * Who may call: the cookie, -rpcuser with -rpcpassword, and -rpcauth lines
 * (user:salt$hmac, the hmac being HMAC-SHA256 of the password under the
 * salt's text).  All comparisons take the same time for any wrong guess of
 * the same length.
 */
#ifndef CLOISTER_RPC_AUTH_H
#define CLOISTER_RPC_AUTH_H

#include "base/bytes.h"
#include "base/err.h"

struct auth;
/**
 * cookie_path   written (mode 0600, atomically) unless NULL
 * user          with password: one more way in, unless NULL or ""
 * rpcauth       n lines
 */
NODISCARD enum err auth_new(struct auth **out, const char *cookie_path,
			    const char *user, const char *password,
			    struct why *why);
/** ERR_INPUT, naming the line without its hash, if it is malformed. */
NODISCARD enum err auth_add_rpcauth(struct auth *a, const char *line,
				    struct why *why);
/** Of an Authorization header's value; NULL (no header) is refused. */
NODISCARD bool auth_check(const struct auth *a, const char *header);
void auth_remove_cookie(struct auth *a);
void auth_free(struct auth *a);

#endif
