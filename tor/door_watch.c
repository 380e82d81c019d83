/*
 * HS_DESC events of one door.
 */
#include "config.h"

#include "tor/door_watch.h"

#include "tor/control.h"

#include <stdio.h>
#include <string.h>

#define UPLOADS_MAX 1000000
/* An upload whose connection breaks leaves no event. */
#define UPLOAD_WAIT_MS 15000

bool door_set(struct link_door *d, enum door_state state, const char *problem)
{
	if (!d->address[0])
		return false;
	if (d->state == state && strcmp(d->problem, problem) == 0)
		return false;
	d->state = state;
	link_text_set(d->problem, sizeof d->problem, problem);
	return true;
}

static bool is_ours(const struct link_door *d, const char *name)
{
	size_t n = strlen(name);

	return n > 0 && strncmp(d->address, name, n) == 0 &&
	       strcmp(d->address + n, ".onion") == 0;
}

static bool upload_begun(struct link_door *d, struct door_round *r)
{
	if (r->pending == 0)
		r->good = 0;
	if (r->pending < UPLOADS_MAX)
		r->pending++;
	return d->state != DOOR_REACHABLE &&
	       door_set(d, DOOR_PUBLISHING, "");
}

static bool round_ended(struct link_door *d, struct door_round *r,
			const char *reason)
{
	char line[LINK_TEXT_MAX + 1];

	r->pending = 0;
	if (r->good)
		return door_set(d, DOOR_REACHABLE, "");
	snprintf(line, sizeof line, "no directory took the descriptor (%s); "
		 "tor tries again", reason);
	return door_set(d, DOOR_FAILED, line);
}

static bool upload_ended(struct link_door *d, struct door_round *r,
			 const char *text, bool good)
{
	char reason[40];
	bool changed = good;

	if (good) {
		r->good++;
		d->uploads++;
	}
	if (r->pending)
		r->pending--;
	control_keyword(reason, sizeof reason, text, "REASON");
	if (r->pending == 0)
		changed |= round_ended(d, r, reason[0] ? reason
						       : "no reason given");
	return changed;
}

bool door_watch_event(struct link_door *d, struct door_round *r,
		      const char *text, int64_t now_ms)
{
	char action[16], name[LINK_ADDRESS_MAX + 1];

	if (!control_word(action, sizeof action, text, 1) ||
	    !control_word(name, sizeof name, text, 2) || !is_ours(d, name))
		return false;
	r->at_ms = now_ms;
	if (strcmp(action, "UPLOAD") == 0)
		return upload_begun(d, r);
	if (strcmp(action, "UPLOADED") == 0)
		return upload_ended(d, r, text, true);
	if (strcmp(action, "FAILED") == 0 && r->pending)
		return upload_ended(d, r, text, false);
	return false;
}

bool door_watch_tick(struct link_door *d, struct door_round *r,
		     int64_t now_ms)
{
	return r->pending && now_ms - r->at_ms >= UPLOAD_WAIT_MS &&
	       round_ended(d, r, "no answer");
}
