/*
 * One call and what becomes of it.
 */
#ifndef CLOISTER_CLI_CALL_H
#define CLOISTER_CLI_CALL_H

#include "cli/client.h"

/**
 * Post the request (one or a batch), with -rpcwait until the node answers.
 * NULL: it was said on standard error why not.
 */
struct json_object *call_post(const struct cli_config *c,
			      struct json_object *request);
/** {method, params TAKES, id} */
struct json_object *call_request(const char *method,
				 struct json_object *params TAKES, int id);
/** Print the result of an answer, or its error; the exit status. */
int call_show(struct json_object *answer);
/** Print one result: strings raw, null not at all, the rest as JSON. */
void call_print(struct json_object *result);

#endif
