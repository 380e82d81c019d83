/*
 * The hashes that make a Taproot output (BIP341).  Pure; any thread.
 */
#ifndef CLOISTER_CONSENSUS_TAPROOT_H
#define CLOISTER_CONSENSUS_TAPROOT_H

#include "base/bytes.h"

#define TAPROOT_LEAF_TAPSCRIPT 0xc0      /* BIP342 */

void taproot_leaf_hash(uint8_t out[static 32], uint8_t leaf_version,
		       struct span script);
/** The order of a and b does not matter; out may be one of them. */
void taproot_branch_hash(uint8_t out[static 32], const uint8_t a[static 32],
			 const uint8_t b[static 32]);
/** root: of the script tree, NULL if there is none; out may be root. */
void taproot_tweak(uint8_t out[static 32],
		   const uint8_t internal[static 32], const uint8_t *root);

#endif
