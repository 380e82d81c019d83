/*
 * Trusted peers in the node: who they are (tls/trust_store.h), our doors for
 * them, the way to theirs, enrolment.  Composes tls/, tor/ and the engine's
 * connections; none of those knows of trust.  Loop thread only.
 *
 * The engine knows a trusted peer's door by a host of its own, "NAME.trusted":
 * so a door's address is in no address book and in no gossip.
 */
#ifndef CLOISTER_NODE_TRUST_H
#define CLOISTER_NODE_TRUST_H

#include "base/clock.h"
#include "net/loop.h"
#include "net/transport.h"
#include "p2p/ports.h"
#include "tls/invite.h"
#include "tls/tls_stream.h"
#include "tor/node_link.h"

struct peers;
struct rpc;
struct trust;

struct trust_options {
	struct loop *loop;
	const struct clock *clock;
	const char *path;              /* the store's file */
	uint32_t chain;                /* message start */
	struct transport *tor;         /* NULL: doors do not work; borrowed */
	struct tls_node *tls;          /* borrowed */
	struct pins *pins;             /* borrowed */
	struct node_link *link;        /* borrowed */
	struct rpc *rpc;               /* NULL: none; borrowed */
};

/** Reads the store: trouble with it is told by trust_warning(). */
struct trust *trust_new(const struct trust_options *o);
/** Before the engine's connections end: nobody comes or goes any more. */
void trust_stop(struct trust *t);              /* NULL is fine */
void trust_free(struct trust *t);              /* NULL is fine */
/** Tell the warden our wishes, and let peers in and out from now on. */
void trust_start(struct trust *t, struct peers *peers);
/** The i-th thing that an owner should know now; NULL: no more.  Good until
 * the next call of anything here. */
const char *trust_warning(const struct trust *t, size_t i);

/* ---- from the warden ---- */

void trust_door(struct trust *t, const struct link_door *d);
void trust_door_listener(struct trust *t, const char *name,
			 enum door_port port, TAKES int fd);
void trust_tor_ready(struct trust *t, bool ready);

/* ---- the owner's commands ---- */

/** Make a door and an invite for it.  Its text is there a moment later. */
NODISCARD enum err trust_invite(struct trust *t, const char *name,
				uint8_t roles, int64_t lives_s,
				struct why *why);
/** False: not yet.  Once only: the token is not kept. */
NODISCARD bool trust_invite_text(struct trust *t, const char *name,
				 char out[static INVITE_TEXT_SIZE]);
/** Take an invite; what becomes of it is seen in the list. */
NODISCARD enum err trust_accept(struct trust *t, const char *text,
				const char *name, uint8_t roles,
				struct why *why);
/** End every connection, shut the door, forget: at once. */
NODISCARD enum err trust_forget(struct trust *t, const char *name,
				struct why *why);
NODISCARD enum err trust_rename(struct trust *t, const char *name,
				const char *to, struct why *why);
/** A new door and key, the old one for as long as the new one is unused. */
NODISCARD enum err trust_rotate(struct trust *t, const char *name,
				struct why *why);
/** The store's bytes; secret. */
void trust_export(const struct trust *t, struct bytes *out);
/** Add what is not there yet; *added says how many. */
NODISCARD enum err trust_import(struct trust *t, struct span file,
				unsigned *added, struct why *why);

/* ---- for lists ---- */

struct trust_view {
	const struct trust_peer *peer;
	const struct link_door *door;  /* our door as last heard; never NULL */
	bool rotating;
	const peer_id *conns;          /* of the engine */
	size_t conns_n;
	const char *problem;           /* the last one, or "" */
	int64_t problem_at;            /* unix */
	int64_t leaf_until;            /* unix: of its leaf; 0: not seen */
};
/** False: there is no i-th. */
bool trust_view(const struct trust *t, size_t i, struct trust_view *out);
/** Why the last invite of this name that we took came to nothing; or NULL. */
const char *trust_refusal(const struct trust *t, const char *name);

/* ---- for the engine's connections (peers.c) ---- */

/** The onion and port behind "NAME.trusted"; NULL if it is none. */
const char *trust_way(struct trust *t, const char *host);
/** Handshake on a stream to that door; NULL (fd closed) if nobody is meant
 * any more. */
struct tls_stream *trust_connect(struct trust *t, const char *host,
				 TAKES int fd, tls_done_fn *done, void *arg);
/** Its bits of enum role (tls/roles.h); 0: nobody's. */
uint8_t trust_roles(const struct trust *t, const struct node_id *id);
/** May this one stay beside what there is?  May end others. */
bool trust_admit(struct trust *t, const struct tls_result *r, bool outbound);
void trust_connected(struct trust *t, const struct node_id *id, peer_id peer,
		     bool outbound);
void trust_disconnected(struct trust *t, peer_id peer);
/** The dial of "NAME.trusted" is over without a connection. */
void trust_dial_failed(struct trust *t, const char *host, const char *why);

#endif
