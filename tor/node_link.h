/*
 * The node's end of the link, on the loop thread.
 */
#ifndef CLOISTER_TOR_NODE_LINK_H
#define CLOISTER_TOR_NODE_LINK_H

#include "base/err.h"
#include "tor/link.h"

struct event_base;
struct node_link;

/* Any of them may be NULL.  A callback may free the link. */
struct node_link_events {
	void (*tor_state)(void *arg, const struct link_tor_state *s);
	void (*door)(void *arg, const struct link_door *d);  /* public */
	void (*private_door)(void *arg, const struct link_door *d);
	/* The signer's answer. */
	void (*is_signed)(void *arg, struct span answer);
	/* A listener of a private door; fd is the callee's. */
	void (*door_listener)(void *arg, const char *name,
			      enum door_port port, TAKES int fd);
	void (*stop)(void *arg);          /* the owner wants the node to end */
	/* fd: of the log's new file, to be copied; -1 without a file. */
	void (*log_reopen)(void *arg, int fd);
	/* The answer to node_link_socks_open; fd is the callee's, -1 unless
	 * s->result is SOCKS_OPEN_OK. */
	void (*socks)(void *arg, const struct link_socks *s, TAKES int fd);
	/* The warden is gone or talks nonsense: the node must end.  Called at
	 * most once; nothing else comes after it. */
	void (*lost)(void *arg);
};

/** Takes fd over.  *events is copied. */
struct node_link *node_link_new(struct event_base *base, int fd,
				const struct node_link_events *events,
				void *arg);
void node_link_free(struct node_link *l);

void node_link_ready(struct node_link *l);
/** Fresh circuits for new connections; tor allows one every ten seconds. */
void node_link_newnym(struct node_link *l);
/** What became of dialling our own onion through Tor. */
void node_link_door_checked(struct node_link *l, bool alive);
/** Ask for a connection to tor's SOCKS port: this process can make none. */
void node_link_socks_open(struct node_link *l, uint32_t id,
			  enum socks_kind kind);
/** End an inbound circuit, by the id of its PROXY line (socket port). */
void node_link_close_circuit(struct node_link *l, uint32_t circuit);

/**
 * Wishes: private doors and the keys to those of others.  After a start all
 * of them are to be told, then node_link_doors_told(): the warden drops what
 * was not among them.
 */
void node_link_door_add(struct node_link *l, const struct link_door_wish *w);
/** forget: its key too, so that nobody shall ever have it again. */
void node_link_door_remove(struct node_link *l, const char *name,
			   bool forget);
void node_link_client_auth_add(struct node_link *l,
			       const struct link_client_auth *a);
void node_link_client_auth_remove(struct node_link *l, const char *address);
void node_link_doors_told(struct node_link *l);
/** A request for the signer (tls/signer.h), which is not read here. */
void node_link_sign(struct node_link *l, struct span request);

/** Fetch the descriptor of an onion anew: the one tor has may be stale. */
void node_link_refresh(struct node_link *l, const char *onion);

/** The last state heard; TOR_STARTING before the first. */
const struct link_tor_state *node_link_tor_state(const struct node_link *l);
/** How tor is, check by check, as last heard. */
const struct health *node_link_health(const struct node_link *l);
/** The public door as last heard; state DOOR_NONE before. */
const struct link_door *node_link_public_door(const struct node_link *l);

#endif
