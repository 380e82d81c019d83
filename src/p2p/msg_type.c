/*
 * Names of the message types.
 */
#include "config.h"

#include "p2p/msg_type.h"

#include <string.h>

static const char *const names[MSG_TYPE_COUNT] = {
	[MSG_UNKNOWN] = "*other*",
	[MSG_VERSION] = "version",
	[MSG_VERACK] = "verack",
	[MSG_PING] = "ping",
	[MSG_PONG] = "pong",
	[MSG_WTXIDRELAY] = "wtxidrelay",
	[MSG_SENDADDRV2] = "sendaddrv2",
	[MSG_SENDHEADERS] = "sendheaders",
	[MSG_SENDCMPCT] = "sendcmpct",
	[MSG_FEEFILTER] = "feefilter",
	[MSG_ADDR] = "addr",
	[MSG_ADDRV2] = "addrv2",
	[MSG_GETADDR] = "getaddr",
	[MSG_INV] = "inv",
	[MSG_GETDATA] = "getdata",
	[MSG_NOTFOUND] = "notfound",
	[MSG_GETBLOCKS] = "getblocks",
	[MSG_GETHEADERS] = "getheaders",
	[MSG_HEADERS] = "headers",
	[MSG_BLOCK] = "block",
	[MSG_TX] = "tx",
	[MSG_MEMPOOL] = "mempool",
};

const char *msg_type_name(enum msg_type t)
{
	return names[t];
}

enum msg_type msg_type_get(const uint8_t command[static MSG_COMMAND_BYTES])
{
	char text[MSG_COMMAND_BYTES + 1] = { 0 };
	int t;

	memcpy(text, command, MSG_COMMAND_BYTES);
	for (t = MSG_UNKNOWN + 1; t < MSG_TYPE_COUNT; t++)
		if (strcmp(text, names[t]) == 0)
			return (enum msg_type)t;
	return MSG_UNKNOWN;
}
