/*
 * Scripts in words.  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_SCRIPT_TEXT_H
#define CLOISTER_ADDRESS_SCRIPT_TEXT_H

#include "base/bytes.h"

/**
 * A script as the reference node's "asm": opcodes by name, pushes of up to
 * four bytes as numbers, longer ones in hex, "[error]" for a push that runs
 * past the end.
 *
 * sighash  show what looks like a signature with its hash type in words
 *          ("…[ALL]"), as for scriptSigs
 * return   new string, free() it
 */
char *script_text_new(struct span script, bool sighash);
/** The words for a signature's hash type: "ALL|ANYONECANPAY"; NULL if it
 * is not defined. */
const char *sighash_type_text(uint8_t type);

#endif
