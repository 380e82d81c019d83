/*
 * The notation of the reference node's vectors: scripts in words and flags
 * by name.
 */
#ifndef CLOISTER_TESTS_UNIT_SCRIPT_TEXT_H
#define CLOISTER_TESTS_UNIT_SCRIPT_TEXT_H

#include "base/bytes.h"

/** All flags there are. */
#define SCRIPT_ALL_FLAGS ((1u << 21) - 1)

/** Append the script that text says; false on a word not understood. */
NODISCARD bool script_parse(struct bytes *out, const char *text);
/** "P2SH,WITNESS"; "" and "NONE" are 0. */
NODISCARD bool script_flags_parse(uint32_t *out, const char *text);
/** Drop flags that mean nothing without others: WITNESS without P2SH. */
uint32_t script_flags_trim(uint32_t flags);
/** Add the flags that others need. */
uint32_t script_flags_fill(uint32_t flags);

#endif
