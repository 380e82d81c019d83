/*
 * What can be told about one peer: the fields of getpeerinfo.
 */
#ifndef CLOISTER_P2P_PEER_INFO_H
#define CLOISTER_P2P_PEER_INFO_H

#include "p2p/msg_type.h"
#include "p2p/ports.h"

struct peer_info {
	peer_id id;
	const char *addr, *addr_bind, *network, *transport;
	enum conn_type type;
	unsigned perms;                /* PEER_PERM_… */
	bool handshaken;               /* version and verack are through */
	uint32_t version;
	uint64_t services;
	const char *subver;            /* printable ASCII only */
	bool relay_txs;                /* the peer wants transactions */
	bool prefers_headers, wants_addrv2;
	int start_height;
	int64_t time_offset_s;
	uint64_t fee_filter_sat_kvb;
	uint64_t bip152_version;       /* 0: no sendcmpct seen */
	bool bip152_to, bip152_from;

	int64_t conn_time, last_send, last_recv, last_block; /* unix or 0 */
	int64_t ping_ms, min_ping_ms;  /* -1: none yet */
	int64_t ping_wait_ms;          /* -1: none is out */

	int presync_height;            /* -1: not pre-synchronising */
	int synced_headers;            /* best known header, -1: none */
	int synced_blocks;             /* last block in common, -1: none */
	const int *inflight;           /* heights, lowest first */
	size_t inflight_n;

	bool addr_relay;
	uint64_t addr_processed, addr_rate_limited;

	uint64_t bytes_sent, bytes_received;
	/* By message type; MSG_UNKNOWN is "*other*". */
	uint64_t sent_by_type[MSG_TYPE_COUNT];
	uint64_t received_by_type[MSG_TYPE_COUNT];
};

#endif
