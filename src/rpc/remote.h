/*
 * RPC from and to trusted peers.  Loop thread only.
 */
#ifndef CLOISTER_RPC_REMOTE_H
#define CLOISTER_RPC_REMOTE_H

#include "rpc/rpc.h"

/* One trusted peer, or an invite: peerlist.  Times are unix, 0 for never. */
struct rpc_trusted {
	char name[40];
	char id[72];                   /* "clid1…"; empty for an invite */
	char words[72];                /* of the id, to compare aloud */
	const char *state;             /* "invited", "accepting", "trusted" */
	const char *roles[8];
	size_t role_count;
	bool connected, inbound;
	int64_t created, expires, enrolled, last_seen;
	int64_t ping_us;               /* < 0: none yet */
	uint64_t bytes_sent, bytes_recv;
	char door[72];                 /* our door for it, or empty */
	const char *door_state;        /* "reachable", … */
	bool rotating;                 /* a new door waits to be used */
	char their_door[72];
	int64_t leaf_expires;          /* of its certificate; 0: not seen */
	char problem[256];             /* the last one, or empty */
	int64_t problem_at;
};

/* How to call a trusted peer's RPC: peerrpcway.  Strings are new, and rpc
 * wipes and frees them if the answer is RPC_DONE. */
struct rpc_way {
	char door[80];                 /* "….onion" */
	uint16_t port;
	char id[72];                   /* "clid1…" that must be there */
	char *socks;                   /* path of tor's socket */
	char *certificate, *key;       /* ours, PEM; the key is secret */
};

/* ---- callers that somebody else has let in ---- */

/* What a caller may do; remote.c says which methods that is. */
enum rpc_right {
	RPC_NOTHING = 0,
	RPC_READ,                            /* look at chain and mempool */
	RPC_ADMIN,                           /* all but trusted peers */
	RPC_OWNER,                           /* all: password or cookie */
};

/** body: JSON, or one line of plain text; good during the call. */
typedef void rpc_answer_fn(int status, struct span body, void *arg);
/** Take the body of an HTTP request, one call or a batch of them.  The answer
 * may come before this returns. */
void rpc_take(struct rpc *r, struct span body, enum rpc_right right,
	      rpc_answer_fn *answer, void *arg);
/** Who waits for answers with this arg is gone. */
void rpc_forget(struct rpc *r, const void *arg);

#endif
