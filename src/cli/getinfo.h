/*
 * -getinfo: the state of the node on one screen.
 */
#ifndef CLOISTER_CLI_GETINFO_H
#define CLOISTER_CLI_GETINFO_H

#include "cli/call.h"

/** The exit status. */
int getinfo(const struct cli_config *c);

#endif
