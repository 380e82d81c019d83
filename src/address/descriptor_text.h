/*
 * The text around output descriptors: the checksum (BIP380), and the
 * descriptor that says what a script shows by itself.  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_DESCRIPTOR_TEXT_H
#define CLOISTER_ADDRESS_DESCRIPTOR_TEXT_H

#include "base/err.h"
#include "consensus/params.h"

#define DESCRIPTOR_CHECKSUM_CHARS 8

/** False if the text holds a character that descriptors cannot have. */
NODISCARD bool descriptor_checksum(char out[static DESCRIPTOR_CHECKSUM_CHARS +
						   1],
				   const char *text, size_t n);
/** New string: text, '#', checksum.  text has descriptors' characters. */
char *descriptor_seal(const char *text);

/**
 * What the script says by itself, with checksum, as the reference node's
 * "desc": pk(), multi(), rawtr(), addr() or raw().
 *
 * return   new string, free() it
 */
char *descriptor_of_script(const struct chain_params *p, struct span script);

/**
 * Check the checksum behind '#', if there is one or one is needed.
 *
 * n        length of what stands before it
 * why      on failure: what is wrong with it
 */
NODISCARD bool descriptor_seal_check(size_t *n, const char *text, bool needed,
				     struct why *why);

#endif
