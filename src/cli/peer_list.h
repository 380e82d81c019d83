/*
 * `cloister-cli peer list`.
 */
#ifndef CLOISTER_CLI_PEER_LIST_H
#define CLOISTER_CLI_PEER_LIST_H

#include "cli/call.h"

int peer_list(const struct cli_config *c);

#endif
