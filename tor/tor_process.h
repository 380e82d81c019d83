/*
 * A tor that is ours: started, watched, started again when it ends, whatever
 * the reason.  Warden only.
 *
 * Each start: `tor --version`, then tor with our torrc and its owning
 * controller socket, events subscribed, then the network enabled.
 */
#ifndef CLOISTER_TOR_TOR_PROCESS_H
#define CLOISTER_TOR_TOR_PROCESS_H

#include <sys/types.h>

#include "base/err.h"
#include "tor/control.h"
#include "tor/tor_watch.h"

struct event_base;
struct secret;
struct spawner;
struct tor_process;

struct tor_process_options {
	const char *dir;          /* chain data directory */
	const char *program;
	const char *extra_path;   /* owner's torrc lines, or NULL */
	const char *socks_path;   /* absolute */
	const char *seeds_path;   /* SOCKS port for seeds' names, or NULL */
	struct spawner *spawner;
	bool any_version;
	bool public_onion;
	const char *public_path;  /* absolute; where the onion leads */
	uint16_t public_port;
	uint16_t p2p_port;
	const struct secret *passphrase;  /* of the onion's key; may be NULL */
	const char *onion_ram;    /* filled in by tor_process_new() */
};

struct tor_process_events {
	/** Something of tor_process_watch() changed. */
	void (*changed)(void *arg);
	/** After tor_process_stop(): nothing runs any more. */
	void (*stopped)(void *arg);
	/** Tor takes commands from now on; or no longer, and what it was
	 * told is gone. */
	void (*up)(void *arg);
	void (*down)(void *arg);
	/** The text of an event of TOR_WATCH_EVENTS. */
	void (*event)(void *arg, const char *text);
	/** A line of the reply to tor_process_ask(). */
	void (*reply)(void *arg, const struct control_line *line);
	/** Every second while tor runs. */
	void (*tick)(void *arg);
};

/** The strings of o must live as long as the process; *events is copied. */
struct tor_process *tor_process_new(struct event_base *base,
				    const struct tor_process_options *o,
				    const struct tor_process_events *events,
				    void *arg);
/** Kills what still runs. */
void tor_process_free(struct tor_process *t);       /* NULL is fine */

void tor_process_start(struct tor_process *t);
/** End it in an orderly way, then by force; stopped() is called from the
 * loop or from here. */
void tor_process_stop(struct tor_process *t);
/** A child ended: true if it was ours. */
bool tor_process_reaped(struct tor_process *t, pid_t pid, int status);

/** Between up() and down(): one command. */
void tor_process_ask(struct tor_process *t, const char *command);
void tor_process_newnym(struct tor_process *t);
void tor_process_close_circuit(struct tor_process *t, uint32_t circuit);
/** What the node found when it dialled our own onion. */
void tor_process_door_checked(struct tor_process *t, bool alive);
/** Fetch the descriptor of an onion ("….onion", checked) anew. */
void tor_process_refresh(struct tor_process *t, const char *onion);
/** How it is, check by check. */
const struct health *tor_process_health(const struct tor_process *t);
const struct tor_watch *tor_process_watch(const struct tor_process *t);

#endif
