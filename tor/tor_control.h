/*
 * The conversation with tor over its owning controller socket: commands with
 * their replies in order, and events.  Warden only.
 */
#ifndef CLOISTER_TOR_TOR_CONTROL_H
#define CLOISTER_TOR_TOR_CONTROL_H

#include "tor/control.h"

struct event_base;
struct tor_control;

struct tor_control_events {
	/** A line of an event; `last` ends the event. */
	void (*event)(void *arg, const struct control_line *line);
	/** The conversation is over: tor closed it (reason NULL), does not
	 * answer, or talks nonsense.  Called once; tor_control_free() is left
	 * to the owner, and must not be called from here. */
	void (*lost)(void *arg, const char *reason);
};

/** A line of the reply to a command; `last` ends it.  Must not free. */
typedef void tor_reply_fn(void *arg, const struct control_line *line);

/** Takes fd over. */
struct tor_control *tor_control_new(struct event_base *base, int fd,
				    const struct tor_control_events *events,
				    void *arg);
void tor_control_free(struct tor_control *c);       /* NULL is fine */

/** Send one command (without line end); reply may be NULL.  Dropped after
 * the conversation is lost. */
void tor_control_send(struct tor_control *c, const char *command,
		      tor_reply_fn *reply);
/** Commands whose replies are awaited. */
size_t tor_control_pending(const struct tor_control *c);

#endif
