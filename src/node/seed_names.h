/*
 * Names of machines that know many nodes, for the very first contact.  They
 * are given to Tor as names and to nobody else; an exit looks them up.
 */
#ifndef CLOISTER_NODE_SEED_NAMES_H
#define CLOISTER_NODE_SEED_NAMES_H

#include "consensus/params.h"

/** NULL at the end; NULL alone for chains that have none. */
const char *const *seed_names(enum chain_id chain);

#endif
