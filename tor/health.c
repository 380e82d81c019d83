/*
 * The ladders.  A check that is good starts at its first rung again; the last
 * rung is repeated.
 */
#include "config.h"

#include "tor/health.h"

#include "base/log.h"

#define RUNGS_MAX 6
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

struct rung {
	int64_t patience_ms;      /* since the last one, or since it is bad */
	enum repair what;
};

/* Losing the network is nobody's fault: it is only tried again and again, so
 * that tor finds out soon that it is back. */
static const struct rung ladders[HEALTH_CHECK_COUNT][RUNGS_MAX] = {
	[HEALTH_NETWORK] = {
		{ 0, REPAIR_RECONNECT }, { 6 * SECOND, REPAIR_RECONNECT },
	},
	[HEALTH_BOOTSTRAP] = {
		{ 30 * SECOND, REPAIR_RECONNECT },
		{ 4 * MINUTE, REPAIR_RESTART },
		{ 5 * MINUTE, REPAIR_RESTART },
		{ 5 * MINUTE, REPAIR_FORGET },
		{ 30 * MINUTE, REPAIR_FORGET },
	},
	[HEALTH_CIRCUITS] = {
		{ 10 * SECOND, REPAIR_CIRCUITS },
		{ 30 * SECOND, REPAIR_RECONNECT },
		{ MINUTE, REPAIR_RELOAD },
		{ 4 * MINUTE, REPAIR_RESTART },
		{ 8 * MINUTE, REPAIR_FORGET },
		{ 30 * MINUTE, REPAIR_FORGET },
	},
	[HEALTH_DESCRIPTOR] = {
		{ 10 * SECOND, REPAIR_CIRCUITS },
		{ MINUTE, REPAIR_DOOR },
		{ 2 * MINUTE, REPAIR_RELOAD },
		{ 4 * MINUTE, REPAIR_RESTART },
		{ 8 * MINUTE, REPAIR_FORGET },
		{ 30 * MINUTE, REPAIR_FORGET },
	},
	[HEALTH_ONION] = {
		{ 0, REPAIR_CIRCUITS },
		{ MINUTE, REPAIR_DOOR },
		{ 2 * MINUTE, REPAIR_RELOAD },
		{ 4 * MINUTE, REPAIR_RESTART },
		{ 8 * MINUTE, REPAIR_FORGET },
		{ 30 * MINUTE, REPAIR_FORGET },
	},
};

static const struct rung *rung_of(enum health_check c, unsigned step)
{
	unsigned i = 0;

	while (i < step && i + 1 < RUNGS_MAX && ladders[c][i + 1].what)
		i++;
	return &ladders[c][i];
}


/* Is everything good again, or has something begun to be bad? */
static void watch_trouble(struct health *h, int64_t now_ms)
{
	int64_t since = 0;

	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		int64_t bad = h->item[c].bad_since_ms;

		if (bad && (!since || bad < since))
			since = bad;
	}
	if (since && !h->trouble_ms)
		h->trouble_ms = since;
	if (since || !h->trouble_ms)
		return;
	h->recovery_ms = now_ms - h->trouble_ms;
	h->trouble_ms = 0;
	log_info(LOG_TOR, "tor is well again, after %.1f s",
		 (double)h->recovery_ms / 1000);
}

void health_set(struct health *h, enum health_check c,
		enum health_state state, int64_t now_ms)
{
	struct health_item *i = &h->item[c];

	if (i->state == state)
		return;
	log_debug(LOG_TOR, "health: %s is %s", health_check_name(c),
		  health_state_name(state));
	if (state == HEALTH_BAD && !i->bad_since_ms)
		i->bad_since_ms = now_ms;
	if (state == HEALTH_GOOD) {
		if (i->bad_since_ms)
			i->bad_ms = now_ms - i->bad_since_ms;
		i->bad_since_ms = 0;
		i->step = 0;
	}
	if (c == HEALTH_BOOTSTRAP && state == HEALTH_GOOD && h->started_ms)
		h->ready_ms = now_ms - h->started_ms;
	i->state = state;
	i->since_ms = now_ms;
	watch_trouble(h, now_ms);
}

void health_started(struct health *h, int64_t now_ms)
{
	h->started_ms = now_ms;
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++)
		health_set(h, (enum health_check)c, HEALTH_UNKNOWN, now_ms);
}

void health_ended(struct health *h, int64_t now_ms)
{
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++)
		if (h->item[c].state == HEALTH_GOOD)
			health_set(h, (enum health_check)c, HEALTH_BAD,
				   now_ms);
}

void health_repaired(struct health *h, enum health_check c,
		     enum repair what, int64_t now_ms)
{
	h->item[c].repairs++;
	h->item[c].last = what;
	h->item[c].repaired_ms = now_ms;
}

enum repair health_due(struct health *h, enum health_check *why,
		       int64_t now_ms)
{
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		struct health_item *i = &h->item[c];
		const struct rung *r = rung_of((enum health_check)c, i->step);
		int64_t from = MAX_OF(i->since_ms, h->started_ms);

		if (i->step)
			from = MAX_OF(from, i->repaired_ms);
		if (i->state != HEALTH_BAD || !r->what ||
		    now_ms - from < r->patience_ms)
			continue;
		i->step++;
		health_repaired(h, (enum health_check)c, r->what, now_ms);
		*why = (enum health_check)c;
		return r->what;
	}
	return REPAIR_NONE;
}

/* ---- the link ---- */

void health_write(struct bytes *out, const struct health *h)
{
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		const struct health_item *i = &h->item[c];

		write_u8(out, (uint8_t)i->state);
		write_u64(out, (uint64_t)i->since_ms);
		write_u32(out, i->repairs);
		write_u8(out, (uint8_t)i->last);
		write_u64(out, (uint64_t)i->repaired_ms);
		write_u64(out, (uint64_t)i->bad_ms);
	}
	write_u64(out, (uint64_t)h->started_ms);
	write_u64(out, (uint64_t)h->ready_ms);
	write_u64(out, (uint64_t)h->recovery_ms);
}

/* A time of clock_mono_ms(), or a span of it. */
static int64_t read_ms(struct reader *r)
{
	uint64_t ms = read_u64(r);

	if (ms <= INT64_MAX / 2)
		return (int64_t)ms;
	r->failed = true;
	return 0;
}

static unsigned read_below(struct reader *r, unsigned count)
{
	unsigned v = read_u8(r);

	if (v < count)
		return v;
	r->failed = true;
	return 0;
}

void health_read(struct health *h, struct reader *r)
{
	*h = (struct health){ 0 };
	for (int c = 0; c < HEALTH_CHECK_COUNT; c++) {
		struct health_item *i = &h->item[c];

		i->state = (enum health_state)
			read_below(r, HEALTH_STATE_COUNT);
		i->since_ms = read_ms(r);
		i->repairs = read_u32(r);
		i->last = (enum repair)read_below(r, REPAIR_COUNT);
		i->repaired_ms = read_ms(r);
		i->bad_ms = read_ms(r);
	}
	h->started_ms = read_ms(r);
	h->ready_ms = read_ms(r);
	h->recovery_ms = read_ms(r);
}

/* ---- names ---- */

const char *health_check_name(enum health_check c)
{
	static const char *const names[HEALTH_CHECK_COUNT] = {
		[HEALTH_CONTROL] = "control",
		[HEALTH_NETWORK] = "network",
		[HEALTH_BOOTSTRAP] = "bootstrap",
		[HEALTH_CIRCUITS] = "circuits",
		[HEALTH_DESCRIPTOR] = "descriptor",
		[HEALTH_ONION] = "onion",
	};

	return names[c];
}

const char *health_state_name(enum health_state s)
{
	static const char *const names[HEALTH_STATE_COUNT] = {
		[HEALTH_UNKNOWN] = "unknown",
		[HEALTH_GOOD] = "good",
		[HEALTH_BAD] = "bad",
	};

	return names[s];
}

const char *repair_name(enum repair r)
{
	static const char *const names[REPAIR_COUNT] = {
		[REPAIR_NONE] = "none",
		[REPAIR_CIRCUITS] = "fresh circuits",
		[REPAIR_RECONNECT] = "connections to relays anew",
		[REPAIR_DOOR] = "onion service removed and added again",
		[REPAIR_RELOAD] = "tor reloads",
		[REPAIR_RESTART] = "tor is started again",
		[REPAIR_FORGET] = "tor is started again without what it "
				  "remembers",
	};

	return names[r];
}
