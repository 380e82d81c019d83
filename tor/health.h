/*
 * How tor is, check by check, and what to do about it: each check has a
 * ladder of repairs, the gentlest first, each with more patience than the one
 * before.  Takes states and times, gives repairs: no socket, no clock.
 */
#ifndef CLOISTER_TOR_HEALTH_H
#define CLOISTER_TOR_HEALTH_H

#include "base/reader.h"
#include "base/writer.h"

enum health_check {
	HEALTH_CONTROL,      /* tor runs, and answers on its control socket */
	HEALTH_NETWORK,      /* something is heard from the network */
	HEALTH_BOOTSTRAP,    /* 100 %, or at least moving */
	HEALTH_CIRCUITS,     /* they can be built */
	HEALTH_DESCRIPTOR,   /* of our onion: directories have it */
	HEALTH_ONION,        /* it answers when dialled through Tor */
	HEALTH_CHECK_COUNT,
};

enum health_state {
	HEALTH_UNKNOWN,
	HEALTH_GOOD,
	HEALTH_BAD,
	HEALTH_STATE_COUNT,
};

enum repair {
	REPAIR_NONE,
	REPAIR_CIRCUITS,     /* fresh ones from now on */
	REPAIR_RECONNECT,    /* all connections to relays anew */
	REPAIR_DOOR,         /* our onion service removed and added again */
	REPAIR_RELOAD,       /* SIGHUP */
	REPAIR_RESTART,      /* tor is started again */
	REPAIR_FORGET,       /* … without what it remembers */
	REPAIR_COUNT,
};

/* All times are clock_mono_ms(); 0: never. */
struct health_item {
	enum health_state state;
	int64_t since_ms;
	uint32_t repairs;         /* in all */
	enum repair last;         /* of them */
	int64_t repaired_ms;
	int64_t bad_ms;           /* how long it was bad the last time */
	/* not told to the node: */
	int64_t bad_since_ms;     /* 0: it is not */
	unsigned step;            /* on its ladder, since it was good */
};

struct health {
	struct health_item item[HEALTH_CHECK_COUNT];
	int64_t started_ms;       /* tor was */
	int64_t ready_ms;         /* it took so long to be ready */
	int64_t recovery_ms;      /* from the last trouble until all was good */
	int64_t trouble_ms;       /* not told: since when; 0: none */
};

/** tor is started: nothing is known, everything gets its time anew. */
void health_started(struct health *h, int64_t now_ms);
/** tor has ended: nothing that was good is so any more. */
void health_ended(struct health *h, int64_t now_ms);
void health_set(struct health *h, enum health_check c,
		enum health_state state, int64_t now_ms);
/** A repair that was not chosen by health_due(). */
void health_repaired(struct health *h, enum health_check c,
		     enum repair what, int64_t now_ms);
/** What to do now, and for which check: it counts as done. */
enum repair health_due(struct health *h, enum health_check *why,
		       int64_t now_ms);

/* On the link, without what is not told. */
void health_write(struct bytes *out, const struct health *h);
void health_read(struct health *h, struct reader *r);

const char *health_check_name(enum health_check c);   /* "descriptor" */
const char *health_state_name(enum health_state s);   /* "good" */
const char *repair_name(enum repair r);               /* "fresh circuits" */

#endif
