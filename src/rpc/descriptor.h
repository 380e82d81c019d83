/*
 * Output descriptors as callers write and read them (BIP380).  Pure.
 */
#ifndef CLOISTER_RPC_DESCRIPTOR_H
#define CLOISTER_RPC_DESCRIPTOR_H

#include "base/err.h"
#include "consensus/params.h"

/** Append the script of raw(HEX) or addr(ADDRESS), with or without
 * checksum; *why says what does not fit. */
NODISCARD bool descriptor_script(struct bytes *out,
				 const struct chain_params *p,
				 const char *text, struct why *why);
/** New string: text, '#' and its checksum (BIP380). */
char *descriptor_seal(const char *text);

#endif
