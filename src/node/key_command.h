/*
 * -backupkeys, -restorekeys, -showonion, -showidentity: what cloisterd does
 * with its keys without starting a node, tor or the network.
 */
#ifndef CLOISTER_NODE_KEY_COMMAND_H
#define CLOISTER_NODE_KEY_COMMAND_H

#include "node/node_config.h"

/** Do what cfg->keys.command says, with text on standard output; return the
 * process's exit status. */
int key_command_run(const struct config *cfg);

#endif
