/*
 * Tor's events, folded.  Ready means bootstrapped and hearing from the
 * network.
 */
#include "config.h"

#include "tor/tor_watch.h"

#include "tor/control.h"
#include "tor/tor_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES 512

static void set_problem(struct tor_watch *w, const char *text)
{
	char clean[LINK_TEXT_MAX + 1];

	tor_text_scrub(clean, sizeof clean, text);
	link_text_set(w->state.problem, sizeof w->state.problem, clean);
	w->changed = true;
}

static void set_phase(struct tor_watch *w, enum tor_phase phase,
		      const char *summary)
{
	char clean[LINK_TEXT_MAX + 1];

	tor_text_scrub(clean, sizeof clean, summary);
	if (w->state.phase == phase && strcmp(w->state.summary, clean) == 0)
		return;
	w->state.phase = phase;
	link_text_set(w->state.summary, sizeof w->state.summary, clean);
	w->changed = true;
}

static void set_public(struct tor_watch *w, enum door_state state,
		       const char *problem)
{
	if (door_set(&w->door, state, problem))
		w->changed = true;
}

void tor_watch_init(struct tor_watch *w, enum tor_phase phase)
{
	memset(w, 0, sizeof *w);
	w->state.phase = phase;
	link_text_set(w->door.name, sizeof w->door.name, "public");
	w->changed = true;
}

void tor_watch_door(struct tor_watch *w, const char *address, uint16_t port,
		    const char *problem)
{
	link_text_set(w->door.address, sizeof w->door.address,
		      address ? address : "");
	w->door.port = port;
	w->door.state = address ? DOOR_NONE : DOOR_FAILED;
	link_text_set(w->door.problem, sizeof w->door.problem,
		      address ? "" : problem);
	w->changed = true;
}

void tor_watch_restart(struct tor_watch *w, enum tor_phase phase,
		       const char *summary, int64_t now_ms)
{
	w->round = (struct door_round){ 0 };
	w->progress_ms = now_ms;
	w->bootstrapped = false;
	w->network_down = false;
	w->directory_short = false;
	w->circuits_stale = false;
	w->built_ms = w->heard_ms = now_ms;
	w->circuits_failed = 0;
	w->state.bootstrap_percent = 0;
	w->state.circuits = 0;
	w->state.clock_skew_s = 0;
	w->door.uploads = 0;
	set_phase(w, phase, summary);
	set_public(w, DOOR_NONE, "");
	w->changed = true;
}

void tor_watch_down(struct tor_watch *w, const char *problem)
{
	w->bootstrapped = false;
	w->state.bootstrap_percent = 0;
	w->state.circuits = 0;
	set_problem(w, problem);
	set_phase(w, TOR_DOWN, problem);
	set_public(w, DOOR_NONE, "");
}

/* ---- bootstrap and network ---- */

static void judge_phase(struct tor_watch *w, const char *doing)
{
	if (!w->bootstrapped) {
		set_phase(w, TOR_BOOTSTRAPPING, doing);
	} else if (w->network_down) {
		set_phase(w, TOR_DOWN, "nothing is heard from the Tor "
			  "network: is this machine online?");
	} else if (w->directory_short) {
		set_phase(w, TOR_BOOTSTRAPPING, "tor waits for newer "
			  "directory information");
	} else {
		set_phase(w, TOR_READY, "connected to the Tor network");
	}
}

/* Why connections to relays fail, for a person; tor's words if unknown. */
static const char *failure_text(const char *reason, const char *otherwise)
{
	static const char *const texts[][2] = {
		{ "DONE", "relays close the connection; where Tor is blocked, "
			  "bridges help (-torrc)" },
		{ "CONNECTRESET", "connections to relays are cut; where Tor is "
				  "blocked, bridges help (-torrc)" },
		{ "CONNECTREFUSED", "connections to relays are refused: is "
				    "there a firewall?" },
		{ "TIMEOUT", "relays do not answer: is there a firewall?" },
		{ "NOROUTE", "there is no way to the relays: is this machine "
			     "online?" },
		{ "IDENTITY", "something else answers in a relay's place" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(reason, texts[i][0]) == 0)
			return texts[i][1];
	return otherwise;
}

static void bootstrap_warning(struct tor_watch *w, const char *text)
{
	char what[200], reason[64], advice[16], line[LINK_TEXT_MAX + 1];

	control_keyword(advice, sizeof advice, text, "RECOMMENDATION");
	if (!control_keyword(what, sizeof what, text, "WARNING") ||
	    strcmp(advice, "warn") != 0)
		return;
	control_keyword(reason, sizeof reason, text, "REASON");
	if (w->state.clock_skew_s)
		return;               /* that is why, and it was said */
	snprintf(line, sizeof line, "tor does not get past %d %%: %s (%s)",
		 w->state.bootstrap_percent, failure_text(reason, what),
		 reason);
	set_problem(w, line);
}

static void bootstrap_progress(struct tor_watch *w, const char *text,
			       int64_t now_ms)
{
	char progress[8], doing[200];
	long percent;

	if (!control_keyword(progress, sizeof progress, text, "PROGRESS"))
		return;
	percent = strtol(progress, NULL, 10);
	if (percent < 0 || percent > 100)
		return;
	control_keyword(doing, sizeof doing, text, "SUMMARY");
	if (percent != w->state.bootstrap_percent || !w->progress_ms)
		w->progress_ms = now_ms;
	w->changed = w->changed || percent != w->state.bootstrap_percent;
	w->state.bootstrap_percent = (uint8_t)percent;
	if (percent == 100 && !w->bootstrapped) {
		w->bootstrapped = true;
		w->state.clock_skew_s = 0;      /* good enough for tor */
		if (w->door.state == DOOR_NONE)
			set_public(w, DOOR_PUBLISHING, "");
	}
	judge_phase(w, doing);
	bootstrap_warning(w, text);
}

void tor_watch_bootstrap(struct tor_watch *w, const char *text,
			 int64_t now_ms)
{
	bootstrap_progress(w, text, now_ms);
}

/* "5 days": as exact as a person needs it */
static void skew_text(char *out, size_t size, unsigned long seconds)
{
	if (seconds >= 2 * 86400)
		snprintf(out, size, "%lu days", seconds / 86400);
	else if (seconds >= 2 * 3600)
		snprintf(out, size, "%lu hours", seconds / 3600);
	else
		snprintf(out, size, "%lu minutes", seconds / 60);
}

static void clock_skew(struct tor_watch *w, const char *text)
{
	char value[16], amount[40], line[LINK_TEXT_MAX + 1];
	long skew;

	if (!control_keyword(value, sizeof value, text, "SKEW"))
		return;
	skew = strtol(value, NULL, 10);
	if (skew == 0 || skew < INT32_MIN || skew > INT32_MAX)
		return;
	skew_text(amount, sizeof amount,
		  skew < 0 ? 0UL - (unsigned long)skew : (unsigned long)skew);
	w->state.clock_skew_s = (int32_t)skew;
	snprintf(line, sizeof line, "this machine's clock is %s by %s "
		 "according to the Tor network: set it right, tor needs it",
		 skew < 0 ? "slow" : "fast", amount);
	set_problem(w, line);
}

void tor_watch_doubt_clock(struct tor_watch *w, const char *our_time)
{
	char line[LINK_TEXT_MAX + 1];

	if (w->bootstrapped || w->state.clock_skew_s)
		return;
	snprintf(line, sizeof line, "the certificates of Tor relays are not "
		 "valid at the time of this machine's clock (%s UTC): is it "
		 "right?", our_time);
	set_problem(w, line);
}

static void status_event(struct tor_watch *w, const char *text,
			 int64_t now_ms)
{
	char action[40], version[LINK_TOR_VERSION_MAX + 1], why[16];
	char line[LINK_TEXT_MAX + 1];

	if (!control_word(action, sizeof action, text, 2))
		return;
	if (strcmp(action, "BOOTSTRAP") == 0) {
		bootstrap_progress(w, text, now_ms);
	} else if (strcmp(action, "CLOCK_SKEW") == 0) {
		clock_skew(w, text);
	} else if (strcmp(action, "NOT_ENOUGH_DIR_INFO") == 0 ||
		   strcmp(action, "ENOUGH_DIR_INFO") == 0) {
		w->directory_short = action[0] == 'N';
		if (w->bootstrapped)
			judge_phase(w, "");
	} else if (strcmp(action, "CLOCK_JUMPED") == 0) {
		set_problem(w, "this machine's clock jumped");
	} else if (strcmp(action, "DANGEROUS_VERSION") == 0) {
		control_keyword(version, sizeof version, text, "CURRENT");
		control_keyword(why, sizeof why, text, "REASON");
		if (strcmp(why, "NEW") == 0 || strcmp(why, "UNKNOWN") == 0)
			return;
		snprintf(line, sizeof line, "the Tor network calls tor %s "
			 "%s: update it", version, why);
		set_problem(w, line);
	}
}

void tor_watch_tick(struct tor_watch *w, int64_t now_ms)
{
	if (door_watch_tick(&w->door, &w->round, now_ms))
		w->changed = true;
}

/* ---- circuits ---- */

static void circuit_event(struct tor_watch *w, const char *text,
			  int64_t now_ms)
{
	char state[16];

	w->circuits_stale = true;
	if (!control_word(state, sizeof state, text, 2))
		return;
	if (strcmp(state, "BUILT") == 0) {
		w->built_ms = now_ms;
		w->circuits_failed = 0;
	} else if (strcmp(state, "FAILED") == 0) {
		w->circuits_failed++;
	}
}

/* ---- all events ---- */

void tor_watch_event(struct tor_watch *w, const char *text, int64_t now_ms)
{
	char kind[24], value[24];

	if (!control_word(kind, sizeof kind, text, 0))
		return;
	if (strcmp(kind, "STATUS_CLIENT") == 0 ||
	    strcmp(kind, "STATUS_GENERAL") == 0) {
		status_event(w, text, now_ms);
	} else if (strcmp(kind, "HS_DESC") == 0) {
		if (door_watch_event(&w->door, &w->round, text, now_ms))
			w->changed = true;
	} else if (strcmp(kind, "CIRC") == 0) {
		circuit_event(w, text, now_ms);
	} else if (strcmp(kind, "BW") == 0) {
		/* the node's own bytes count too, but few come at a time */
		if (control_word(value, sizeof value, text, 1) &&
		    strtoul(value, NULL, 10) >= CELL_BYTES)
			w->heard_ms = now_ms;
	} else if (strcmp(kind, "NETWORK_LIVENESS") == 0) {
		control_word(value, sizeof value, text, 1);
		w->network_down = strcmp(value, "DOWN") == 0;
		if (w->bootstrapped)
			judge_phase(w, "");
	}
}

bool tor_watch_circuit_joined(const char *line)
{
	char state[16], hs_state[24];

	return control_word(state, sizeof state, line, 1) &&
	       strcmp(state, "BUILT") == 0 &&
	       control_keyword(hs_state, sizeof hs_state, line, "HS_STATE") &&
	       (strcmp(hs_state, "HSCR_JOINED") == 0 ||
		strcmp(hs_state, "HSSR_JOINED") == 0);
}

void tor_watch_listeners(struct tor_watch *w, const char *line)
{
	static const char key[] = "net/listeners/";
	char text[LINK_TEXT_MAX + 1];
	const char *s = strchr(line, '=');

	if (strncmp(line, key, sizeof key - 1) != 0 || !s)
		return;
	/* a list of quoted values: "unix:/path" "127.0.0.1:9050" */
	while ((s = strchr(s, '"')) != NULL) {
		if (strncmp(s, "\"unix:", 6) != 0) {
			snprintf(text, sizeof text, "tor listens on the "
				 "network (%.*s): look at the lines added to "
				 "its configuration",
				 (int)(strcspn(line, "=") - (sizeof key - 1)),
				 line + sizeof key - 1);
			set_problem(w, text);
			return;
		}
		s = strchr(s + 1, '"');
		s = s ? s + 1 : "";
	}
}

void tor_watch_circuits(struct tor_watch *w, uint32_t count)
{
	w->changed = w->changed || w->state.circuits != count;
	w->state.circuits = count;
}

/* ---- health ---- */

#define SLOW_MS (30 * 1000)          /* bootstrap without progress */
#define PUBLISH_MS (60 * 1000)       /* from ready to the first upload */
#define UNBUILT_MS (30 * 1000)       /* circuits fail, and none is built */
#define UNBUILT_MIN 5
#define SILENT_MS (16 * 1000)

static enum health_state judge_network(const struct tor_watch *w,
				       const struct health_item *i,
				       int64_t now_ms)
{
	if (!w->bootstrapped)
		return HEALTH_UNKNOWN;
	if (w->network_down || now_ms - w->heard_ms >= SILENT_MS)
		return HEALTH_BAD;
	/* Once it was bad, only what was built since then is proof. */
	if (i->state == HEALTH_BAD &&
	    w->built_ms <= MAX_OF(i->since_ms, i->repaired_ms))
		return HEALTH_BAD;
	return HEALTH_GOOD;
}

static enum health_state judge_circuits(const struct tor_watch *w,
					int64_t now_ms)
{
	if (!w->bootstrapped)
		return HEALTH_UNKNOWN;
	if (w->directory_short || (w->circuits_failed >= UNBUILT_MIN &&
				   now_ms - w->built_ms >= UNBUILT_MS))
		return HEALTH_BAD;
	return HEALTH_GOOD;
}

static enum health_state judge_descriptor(const struct tor_watch *w,
					  const struct health *h,
					  int64_t now_ms)
{
	int64_t ready_ms = h->item[HEALTH_BOOTSTRAP].since_ms;

	if (!w->door.address[0] || !w->bootstrapped)
		return HEALTH_UNKNOWN;
	if (w->door.state == DOOR_REACHABLE)
		return HEALTH_GOOD;
	if (w->door.state == DOOR_FAILED || now_ms - ready_ms >= PUBLISH_MS)
		return HEALTH_BAD;
	return HEALTH_UNKNOWN;
}

void tor_watch_judge(const struct tor_watch *w, struct health *h,
		     int64_t now_ms)
{
	enum health_state bootstrap = HEALTH_UNKNOWN;

	if (w->bootstrapped)
		bootstrap = HEALTH_GOOD;
	else if (now_ms - w->progress_ms >= SLOW_MS)
		bootstrap = HEALTH_BAD;
	health_set(h, HEALTH_BOOTSTRAP, bootstrap, now_ms);
	health_set(h, HEALTH_NETWORK,
		   judge_network(w, &h->item[HEALTH_NETWORK], now_ms),
		   now_ms);
	health_set(h, HEALTH_CIRCUITS, judge_circuits(w, now_ms), now_ms);
	health_set(h, HEALTH_DESCRIPTOR, judge_descriptor(w, h, now_ms),
		   now_ms);
}
