/*
 * One dial at a time; a short pause after a failure, a long random one after
 * an answer.
 */
#include "config.h"

#include "node/self_dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#define TIMEOUT_MS 30000
#define RETRY_MS 3000            /* after the first failure, then doubled */
#define RETRY_MAX_MS (60 * 1000)
#define AGAIN_MS (20 * 60 * 1000)   /* and up to as much more, at random */
#define FAILURES 3               /* in a row, before it counts as dead */

struct self_dial {
	struct transport *tor;
	struct self_dial_events events;
	struct timer *timer;
	struct dial *dial;
	char onion[64];
	uint16_t port;
	enum self_dial_state state;
	unsigned failures;       /* in a row */
	int64_t begun_ms, at_ms, took_ms;
};

static void again_in(struct self_dial *s, int64_t ms)
{
	timer_set(s->timer, ms + (int64_t)random_below((uint64_t)ms));
}

static void answered(struct self_dial *s)
{
	int64_t now = clock_mono_ms();

	s->took_ms = now - s->begun_ms;
	s->at_ms = now;
	if (s->state != SELF_DIAL_OK)
		log_info(LOG_TOR, "our onion service answers when dialled "
			 "through Tor (%.1f s)", (double)s->took_ms / 1000);
	s->state = SELF_DIAL_OK;
	s->failures = 0;
	again_in(s, AGAIN_MS);
	s->events.checked(s->events.ctx, true);
}

static void unanswered(struct self_dial *s, enum dial_result result)
{
	int64_t pause = RETRY_MS << MIN_OF(s->failures, 7u);

	s->failures++;
	log_debug(LOG_TOR, "our onion service did not answer: %s",
		  dial_result_name(result));
	again_in(s, MIN_OF(pause, (int64_t)RETRY_MAX_MS));
	/* Without tor nothing is known of the door. */
	if (result == DIAL_PROXY_DOWN || s->failures < FAILURES)
		return;
	s->state = SELF_DIAL_FAILED;
	s->events.checked(s->events.ctx, false);
}

static void on_dialled(enum dial_result result, int fd, void *arg)
{
	struct self_dial *s = arg;

	s->dial = NULL;
	if (fd >= 0)
		close(fd);
	if (result == DIAL_OK)
		answered(s);
	else
		unanswered(s, result);
}

static void on_timer(void *arg)
{
	struct self_dial *s = arg;
	char isolation[40];
	struct dial_target target = {
		.host = s->onion,
		.port = s->port,
		.isolation = isolation,
		.timeout_ms = TIMEOUT_MS,
	};

	if (s->dial || !s->onion[0])
		return;
	/* A circuit of its own, never used for anything else. */
	snprintf(isolation, sizeof isolation, "self-%016llx",
		 (unsigned long long)random_u64());
	s->begun_ms = clock_mono_ms();
	s->dial = transport_dial(s->tor, &target, on_dialled, s);
}

struct self_dial *self_dial_new(struct loop *l, struct transport *tor,
				const struct self_dial_events *events)
{
	struct self_dial *s = xcalloc(1, sizeof *s);

	s->tor = tor;
	s->events = *events;
	s->timer = timer_new(l, on_timer, s);
	return s;
}

void self_dial_free(struct self_dial *s)
{
	if (!s)
		return;
	dial_cancel(s->dial);
	timer_free(s->timer);
	free(s);
}

void self_dial_set(struct self_dial *s, const char *onion, uint16_t port)
{
	bool same = onion && strcmp(onion, s->onion) == 0 && port == s->port;

	if (same)
		return;
	dial_cancel(s->dial);
	s->dial = NULL;
	s->failures = 0;
	timer_unset(s->timer);
	snprintf(s->onion, sizeof s->onion, "%s", onion ? onion : "");
	s->port = port;
	s->state = onion ? SELF_DIAL_CHECKING : SELF_DIAL_NONE;
	if (onion)
		timer_set(s->timer, 0);
}

enum self_dial_state self_dial_state(const struct self_dial *s)
{
	return s->state;
}

const char *self_dial_state_name(enum self_dial_state s)
{
	switch (s) {
	case SELF_DIAL_NONE:
		return "none";
	case SELF_DIAL_CHECKING:
		return "checking";
	case SELF_DIAL_OK:
		return "ok";
	case SELF_DIAL_FAILED:
		return "failed";
	}
	return "unknown";
}

int64_t self_dial_at_ms(const struct self_dial *s)
{
	return s->at_ms;
}

int64_t self_dial_took_ms(const struct self_dial *s)
{
	return s->took_ms;
}
