/*
 * One POST to the node: plain HTTP to a loopback address or a unix socket, no
 * proxy, no redirect, no name resolution.  With -remote: remote.h.
 */
#ifndef CLOISTER_CLI_CLIENT_H
#define CLOISTER_CLI_CLIENT_H

#include <json-c/json.h>

#include "cli/cli_config.h"

enum post_result {
	POST_OK,             /* *out holds the parsed answer */
	POST_NO_CONNECTION,  /* worth another try: not running (yet) */
	POST_NO_CREDENTIALS, /* the same: no cookie (yet) */
	POST_REFUSED,        /* wrong password, queue full, not JSON, … */
};

/** text: what to tell the user, unless POST_OK. */
enum post_result client_post(struct json_object **out, struct why *text,
			     const struct cli_config *c,
			     struct json_object *request);
/** Libcurl's way to add to struct bytes. */
size_t client_on_data(char *p, size_t size, size_t n, void *arg);
/** NULL: no JSON. */
struct json_object *client_parse(const struct bytes *answer);

#endif
