/*
 * Addresses and descriptors as callers write and read them.  Pure.
 */
#ifndef CLOISTER_RPC_ADDRESS_TEXT_H
#define CLOISTER_RPC_ADDRESS_TEXT_H

#include "base/err.h"
#include "consensus/params.h"

#define RPC_ADDRESS_MAX 128

/** Append the script an address of this chain pays to. */
NODISCARD bool rpc_address_script(struct bytes *out,
				  const struct chain_params *p,
				  const char *address);
/** The address that stands for the script, if there is one. */
NODISCARD bool rpc_address_of(char out[static RPC_ADDRESS_MAX],
			      const struct chain_params *p,
			      struct span script);
/** Append the script of raw(HEX) or addr(ADDRESS), with or without
 * checksum; *why says what does not fit. */
NODISCARD bool rpc_descriptor_script(struct bytes *out,
				     const struct chain_params *p,
				     const char *text, struct why *why);
/** New string: text, '#' and its checksum (BIP380). */
char *rpc_descriptor_seal(const char *text);

#endif
