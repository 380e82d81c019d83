/*
 * The message types we know by name.
 */
#ifndef CLOISTER_P2P_MSG_TYPE_H
#define CLOISTER_P2P_MSG_TYPE_H

#include "base/base.h"

enum msg_type {
	MSG_UNKNOWN = 0,      /* counted as "*other*" */
	MSG_VERSION,
	MSG_VERACK,
	MSG_PING,
	MSG_PONG,
	MSG_WTXIDRELAY,
	MSG_SENDADDRV2,
	MSG_SENDHEADERS,
	MSG_SENDCMPCT,
	MSG_FEEFILTER,
	MSG_ADDR,
	MSG_ADDRV2,
	MSG_GETADDR,
	MSG_INV,
	MSG_GETDATA,
	MSG_NOTFOUND,
	MSG_GETBLOCKS,
	MSG_GETHEADERS,
	MSG_HEADERS,
	MSG_BLOCK,
	MSG_TX,
	MSG_MEMPOOL,
	MSG_TYPE_COUNT,
};

#define MSG_COMMAND_BYTES 12

/** "version", …; "*other*" for MSG_UNKNOWN. */
const char *msg_type_name(enum msg_type t);
/** From a header's 12 bytes (checked before); MSG_UNKNOWN if not ours. */
enum msg_type msg_type_get(const uint8_t command[static MSG_COMMAND_BYTES]);

#endif
