/*
 * Payloads of the messages: read, write, size.  Readers allocate nothing:
 * lists stay in the payload as validated spans of fixed stride and are read
 * item by item.  Limits are the reference node's.
 */
#ifndef CLOISTER_P2P_MESSAGES_H
#define CLOISTER_P2P_MESSAGES_H

#include "base/reader.h"
#include "base/writer.h"
#include "consensus/block.h"
#include "p2p/msg_type.h"

#define P2P_VERSION 70016
#define P2P_VERSION_MIN 31800

enum {
	SERVICE_NETWORK = 1 << 0,
	SERVICE_BLOOM = 1 << 2,
	SERVICE_WITNESS = 1 << 3,
	SERVICE_COMPACT_FILTERS = 1 << 6,
	SERVICE_NETWORK_LIMITED = 1 << 10,
	SERVICE_P2P_V2 = 1 << 11,
};

#define INV_MAX 50000
#define HEADERS_MAX 2000
#define LOCATOR_MAX 101
#define ADDR_MAX 1000
#define USER_AGENT_MAX 256
#define ADDRV2_BYTES_MAX 512

/* The address as a version message carries it: services, IPv6, port. */
struct net_addr {
	uint64_t services;
	uint8_t ip[16];
	uint16_t port;
};

struct msg_version {
	uint32_t version;
	uint64_t services;
	int64_t time_unix;
	struct net_addr recv, from;
	uint64_t nonce;
	struct span user_agent;      /* borrowed */
	int32_t start_height;
	bool has_relay, relay;       /* BIP37; absent means true */
};

struct msg_nonce {                   /* ping, pong */
	bool has_nonce;              /* old pings have none */
	uint64_t nonce;
};

#define INV_TX 1u
#define INV_BLOCK 2u
#define INV_CMPCT_BLOCK 4u
#define INV_WTX 5u
#define INV_WITNESS_FLAG 0x40000000u
#define INV_ITEM_BYTES 36

struct inv_item {
	uint32_t type;
	uint8_t hash[32];
};

struct msg_inv {                     /* inv, getdata, notfound */
	size_t n;
	struct span items;           /* INV_ITEM_BYTES each */
};

struct msg_locator {                 /* getheaders, getblocks */
	uint32_t version;
	size_t n;
	struct span hashes;          /* 32 bytes each */
	struct block_hash stop;
};

#define HEADERS_ITEM_BYTES 81        /* header and a zero */
struct msg_headers {
	size_t n;
	struct span items;
};

struct msg_addr {                    /* legacy: read, then ignored */
	size_t n;
	struct span items;           /* 30 bytes each */
};

/* BIP155 network ids. */
enum {
	NET_IPV4 = 1,
	NET_IPV6 = 2,
	NET_TORV2 = 3,
	NET_TORV3 = 4,
	NET_I2P = 5,
	NET_CJDNS = 6,
};

struct addrv2_item {
	uint32_t time;
	uint64_t services;
	uint8_t net;
	struct span addr;            /* borrowed */
	uint16_t port;
};

struct msg_addrv2 {
	size_t n;
	struct span items;           /* read with addrv2_item_read */
};

struct msg_sendcmpct {
	bool announce;
	uint64_t version;
};

struct msg {
	enum msg_type type;
	union {
		struct msg_version version;
		struct msg_nonce nonce;
		struct msg_inv inv;
		struct msg_locator locator;
		struct msg_headers headers;
		struct msg_addr addr;
		struct msg_addrv2 addrv2;
		struct msg_sendcmpct sendcmpct;
		uint64_t fee_filter;
		struct span raw;         /* block, tx, unknown: as it is */
	} u;
};

/**
 * Decode a payload.
 *
 * out      spans borrow from payload
 * used     may be NULL: how much of the payload was read (bytes after the
 *          fields are ignored, as the reference node does)
 * return   false if it is malformed or breaks a limit
 */
NODISCARD bool msg_read(struct msg *out, size_t *used, enum msg_type type,
			struct span payload);
/** Append the payload. */
void msg_write(struct bytes *b, const struct msg *m);
size_t msg_size(const struct msg *m);

struct inv_item inv_item_get(const struct msg_inv *m, size_t i);
void inv_item_write(struct bytes *items, const struct inv_item *item);
struct block_hash locator_get(const struct msg_locator *m, size_t i);
struct block_header headers_get(const struct msg_headers *m, size_t i);
void headers_item_write(struct bytes *items, const struct block_header *h);
NODISCARD bool addrv2_item_read(struct addrv2_item *out, struct reader *r);
void addrv2_item_write(struct bytes *items, const struct addrv2_item *item);

#endif
