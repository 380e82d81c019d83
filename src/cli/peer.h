/*
 * `cloister-cli peer …`: trusted peers, for people.  Every command is one RPC
 * method (peerinvite, peeraccept, …) and its answer in words.
 */
#ifndef CLOISTER_CLI_PEER_H
#define CLOISTER_CLI_PEER_H

#include "cli/call.h"

/** words: what stands behind "peer".  The exit status. */
int peer_command(const struct cli_config *c, char *const *words, size_t n);

/* For the commands in files of their own: call a method; its result (to be
 * put), or NULL with *status set after the error was shown. */
struct json_object *peer_ask(const struct cli_config *c, int *status,
			     const char *method,
			     struct json_object *params TAKES);

#endif
