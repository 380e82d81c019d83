/*
 * What a trusted peer may do here.  Pure; any thread.
 */
#ifndef CLOISTER_TLS_ROLES_H
#define CLOISTER_TLS_ROLES_H

#include "base/base.h"

enum role {
	ROLE_PEER = 1,         /* blocks and transactions */
	ROLE_WITNESS = 2,      /* its best chain counts in the tip watch */
	ROLE_RPC_READ = 4,
	ROLE_RPC_ADMIN = 8,
	ROLE_SNAPSHOT = 16,
};
#define ROLE_ALL 31
#define ROLE_NAMES_SIZE 64     /* of all of them in one text */

/** "rpc-read"; false if there is no such role. */
NODISCARD bool role_parse(uint8_t *bit, const char *name);
/** The name of one bit; NULL if it is none. */
const char *role_name(uint8_t bit);
/** "peer, witness". */
void roles_text(char out[static ROLE_NAMES_SIZE], uint8_t roles);

#endif
