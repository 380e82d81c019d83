/*
 * What tor's events say, folded into the state that the node is told.  Takes
 * lines, gives state: no socket, no clock of its own.
 */
#ifndef CLOISTER_TOR_TOR_WATCH_H
#define CLOISTER_TOR_TOR_WATCH_H

#include "tor/door_watch.h"

/* What to ask GETINFO for, to see that nothing listens on TCP. */
#define TOR_WATCH_LISTENERS \
	"net/listeners/or net/listeners/dir net/listeners/socks " \
	"net/listeners/trans net/listeners/natd net/listeners/dns " \
	"net/listeners/control net/listeners/extor " \
	"net/listeners/httptunnel net/listeners/metrics"

/* Events that tor_watch_event() understands, for SETEVENTS. */
#define TOR_WATCH_EVENTS \
	"STATUS_CLIENT STATUS_GENERAL HS_DESC CIRC NETWORK_LIVENESS BW"

struct tor_watch {
	struct link_tor_state state;
	struct link_door door;
	struct door_round round;   /* of the door's uploads */
	int64_t progress_ms;       /* when bootstrap last moved */
	bool bootstrapped, network_down;
	bool directory_short;      /* too little known to build circuits */
	bool circuits_stale;       /* a circuit changed: count again */
	int64_t heard_ms;          /* something came from a relay */
	int64_t built_ms;          /* when a circuit was built last */
	unsigned circuits_failed;  /* since then */
	bool changed;              /* since the owner last cleared it */
};

/** No door, as long as tor_watch_door() has not been called. */
void tor_watch_init(struct tor_watch *w, enum tor_phase phase);
/** The public door has this address; or, address NULL, it cannot be opened,
 * with the reason. */
void tor_watch_door(struct tor_watch *w, const char *address, uint16_t port,
		    const char *problem);

/** Forget what the last tor process said; problem, version and address
 * stay. */
void tor_watch_restart(struct tor_watch *w, enum tor_phase phase,
		       const char *summary, int64_t now_ms);
/** Fall back to TOR_DOWN, with the problem (scrubbed here). */
void tor_watch_down(struct tor_watch *w, const char *problem);

/** An event's text (what follows "650 "). */
void tor_watch_event(struct tor_watch *w, const char *text, int64_t now_ms);
/** The value of GETINFO status/bootstrap-phase. */
void tor_watch_bootstrap(struct tor_watch *w, const char *text,
			 int64_t now_ms);
/** One line of GETINFO circuit-status: is it a circuit joined with a peer? */
bool tor_watch_circuit_joined(const char *line);
void tor_watch_circuits(struct tor_watch *w, uint32_t count);
/** Relays' certificates look out of date; our_time for people to compare. */
void tor_watch_doubt_clock(struct tor_watch *w, const char *our_time);
/** One line of the reply to GETINFO TOR_WATCH_LISTENERS: if it names a
 * listener that is no unix socket, that becomes the problem. */
void tor_watch_listeners(struct tor_watch *w, const char *line);
/** What of it the checks of tor's health are to know. */
void tor_watch_judge(const struct tor_watch *w, struct health *h,
		     int64_t now_ms);
/** From time to time: give up waiting for uploads that tor forgot. */
void tor_watch_tick(struct tor_watch *w, int64_t now_ms);

#endif
