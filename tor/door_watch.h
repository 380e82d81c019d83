/*
 * The descriptor of one onion service of ours, followed through tor's HS_DESC
 * events: reachable once every upload of a round has ended and at least one
 * was taken (after the first alone, clients may still ask a directory that
 * has nothing yet).  Takes lines, gives state: no socket, no clock.
 */
#ifndef CLOISTER_TOR_DOOR_WATCH_H
#define CLOISTER_TOR_DOOR_WATCH_H

#include "tor/link.h"

/* One round of uploads.  {0}: none. */
struct door_round {
	unsigned pending;          /* begun, not ended */
	unsigned good;
	int64_t at_ms;             /* of the last event of the round */
};

/** State and problem, if the door has an address.  True if that is new. */
bool door_set(struct link_door *d, enum door_state state,
	      const char *problem);
/** An event's text ("HS_DESC UPLOADED …"); true if *d changed. */
bool door_watch_event(struct link_door *d, struct door_round *r,
		      const char *text, int64_t now_ms);
/** From time to time: give up waiting for uploads that tor forgot. */
bool door_watch_tick(struct link_door *d, struct door_round *r,
		     int64_t now_ms);

#endif
