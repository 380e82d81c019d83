/*
 * Private doors: onion services of our own that one peer each can find, made
 * and removed while tor runs, and the keys to the doors of others.  The node
 * wishes; this keeps tor in step with the wishes, one command at a time.
 * Warden only.
 *
 * A door has a key (keys/onion_NAME.key), for each of its virtual ports
 * a unix socket in run/ whose listening descriptor the node gets, and a client's public key without
 * which its descriptor cannot be read.
 */
#ifndef CLOISTER_TOR_DOORS_H
#define CLOISTER_TOR_DOORS_H

#include "tor/control.h"
#include "tor/link.h"

struct secret;
struct doors;

struct doors_options {
	const char *dir;                  /* chain data directory: absolute */
	const struct secret *passphrase;  /* of the keys; NULL or empty: none */
};

struct doors_events {
	/** A command for tor, secret in part; its reply goes to
	 * doors_reply(). */
	void (*ask)(void *arg, const char *command);
	void (*door)(void *arg, const struct link_door *d);
	/** For the node: name and port; fd stays the caller's. */
	void (*listener)(void *arg, const struct link_door_wish *w, int fd);
	void (*gone)(void *arg, const char *name);
};

/** The strings of o must live as long; *events is copied. */
struct doors *doors_new(const struct doors_options *o,
			const struct doors_events *events, void *arg);
void doors_free(struct doors *d);                  /* NULL is fine */

/** A node has started: it will tell its wishes anew. */
void doors_node_started(struct doors *d);
/** One of the node's five messages about doors. */
void doors_message(struct doors *d, const struct link_msg *m);

/** Tor takes commands; or it has ended, and what it had is gone. */
void doors_tor_up(struct doors *d, int64_t now_ms);
void doors_tor_down(struct doors *d);
/** A line of the reply to what was asked. */
void doors_reply(struct doors *d, const struct control_line *line);
/** An event's text (what follows "650 "). */
void doors_event(struct doors *d, const char *text, int64_t now_ms);
/** Every second or so. */
void doors_tick(struct doors *d, int64_t now_ms);

#endif
