/*
 * Onion addresses, version 3 (rend-spec-v3, section 6): base32 of a public
 * key, a checksum and the version.  Pure; any thread.
 */
#ifndef CLOISTER_TOR_ONION_ADDRESS_H
#define CLOISTER_TOR_ONION_ADDRESS_H

#include "base/base.h"

#define ONION_KEY_SIZE 32
#define ONION_ADDRESS_LEN 62      /* with ".onion" */

/** Read "<56 digits>.onion", either case; false if anything is wrong. */
NODISCARD bool onion_address_read(uint8_t key[static ONION_KEY_SIZE],
				  const char *text);
/** Write the address of a key in lower case, with ".onion" and a NUL. */
void onion_address_write(char out[static ONION_ADDRESS_LEN + 1],
			 const uint8_t key[static ONION_KEY_SIZE]);
bool onion_address_ok(const char *text);

#endif
