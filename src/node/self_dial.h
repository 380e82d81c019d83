/*
 * Proof before the address is told to anybody: our own onion, dialled through
 * Tor as a stranger would.  Repeated now and then at random times; a door that
 * does not answer is reported, so that it can be repaired.  Loop thread.
 */
#ifndef CLOISTER_NODE_SELF_DIAL_H
#define CLOISTER_NODE_SELF_DIAL_H

#include "net/loop.h"
#include "net/transport.h"

enum self_dial_state {
	SELF_DIAL_NONE,       /* nothing to dial (not uploaded) */
	SELF_DIAL_CHECKING,   /* not known yet */
	SELF_DIAL_OK,         /* answered the last time */
	SELF_DIAL_FAILED,     /* did not, several times in a row */
};

struct self_dial_events {
	/** The answer changed, or was confirmed. */
	void (*checked)(void *ctx, bool alive);
	void *ctx;
};

struct self_dial;
struct self_dial *self_dial_new(struct loop *l, struct transport *tor,
				const struct self_dial_events *events);
void self_dial_free(struct self_dial *s);       /* NULL is fine */
/** The address can be dialled from now on; NULL: it cannot (any more). */
void self_dial_set(struct self_dial *s, const char *onion, uint16_t port);

enum self_dial_state self_dial_state(const struct self_dial *s);
const char *self_dial_state_name(enum self_dial_state s);
/** Of the last answer: when (clock_mono_ms, 0: never) and how long it took. */
int64_t self_dial_at_ms(const struct self_dial *s);
int64_t self_dial_took_ms(const struct self_dial *s);

#endif
