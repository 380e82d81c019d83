/*
 * `cloister-cli peer export` and `peer import`: the list of trusted peers in
 * an encrypted file.
 */
#ifndef CLOISTER_CLI_PEER_BACKUP_H
#define CLOISTER_CLI_PEER_BACKUP_H

#include "cli/call.h"

/* words: FILE, and perhaps passfile=FILE. */
int peer_export(const struct cli_config *c, char *const *words, size_t n);
int peer_import(const struct cli_config *c, char *const *words, size_t n);

#endif
