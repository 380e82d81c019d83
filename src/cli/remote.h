/*
 * The RPC of a trusted peer: HTTPS to its door through the Tor of the node
 * here, which also tells the way and lends its certificate.
 */
#ifndef CLOISTER_CLI_REMOTE_H
#define CLOISTER_CLI_REMOTE_H

#include "cli/client.h"

/** Ask the node here; NULL: it was said on standard error why not. */
struct remote *remote_new(const struct cli_config *c, const char *name);
void remote_free(struct remote *r);            /* NULL is fine */

/** As client_post(), to c->remote. */
enum post_result remote_post(struct json_object **out, struct why *text,
			     const struct cli_config *c,
			     struct json_object *request);

#endif
