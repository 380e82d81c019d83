/*
 * Errands: going to a member's door to say one thing and hear the answer.
 * Redeeming an invite, telling of a door of ours that has another address
 * than they know, or knocking at a new door of theirs.  What fails is tried
 * again, with growing pauses.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#define DIAL_MS 60000
#define SILENCES_MAX 3       /* then an invite is given up */

enum purpose {
	ERRAND_NONE,
	ERRAND_REDEEM,
	ERRAND_MOVE,
	ERRAND_KNOCK,
};

struct errand {
	struct member *member;
	enum purpose purpose;
	char onion[ONION_TEXT_SIZE];     /* where to */
	struct trust_door door;          /* what is told, if it is MOVE */
	char address[ONION_TEXT_SIZE];
	struct dial *dial;
	struct tls_stream *stream;
	struct conn *conn;
	struct timer *timer;
};

void errand_end(struct member *m)
{
	struct errand *e = m->errand;

	if (!e)
		return;
	m->errand = NULL;
	dial_cancel(e->dial);
	tls_stream_cancel(e->stream);
	conn_free(e->conn);
	timer_free(e->timer);
	bytes_wipe(e, sizeof *e);
	free(e);
}

/* ---- what is there to say? ---- */

/* The door of ours that they do not know the way to, and its state. */
static struct trust_door *untold(const struct member *m,
				 const struct link_door **state)
{
	struct trust_peer *rec = m->rec;
	bool moving = m->soon != NULL;
	struct trust_door *d = moving ? &rec->next : &rec->door;

	*state = moving ? &m->soon->state : &m->now->state;
	return d->name[0] && (*state)->address[0] &&
	       strcmp(d->told, (*state)->address) != 0 ? d : NULL;
}

static enum purpose purpose_of(const struct member *m)
{
	const struct link_door *state;

	if (!m->rec->way.onion[0])
		return ERRAND_NONE;
	if (m->rec->state == TRUST_ACCEPTING)
		return m->now->state.address[0] ? ERRAND_REDEEM : ERRAND_NONE;
	if (m->rec->state != TRUST_MEMBER)
		return ERRAND_NONE;
	if (untold(m, &state))
		return ERRAND_MOVE;
	return m->knock ? ERRAND_KNOCK : ERRAND_NONE;
}

/* ---- the end of an errand ---- */

static void again(struct member *m)
{
	errand_end(m);
	timer_set(m->errand_timer, trust_pause_ms(m->errand_failures++));
}

/* Their invite is worth nothing: nothing of it is kept. */
static void give_up(struct member *m, const char *why)
{
	struct trust *t = m->trust;

	snprintf(t->refused_name, sizeof t->refused_name, "%s", m->rec->name);
	snprintf(t->refused_why, sizeof t->refused_why, "%s", why);
	log_warn(LOG_TLS, "the invite taken as %s came to nothing: %s",
		 m->rec->name, why);
	member_remove(m);
	trust_save_soon(t);
}

static void welcomed(struct member *m, const struct errand *e)
{
	struct trust_peer *rec = m->rec;

	rec->state = TRUST_MEMBER;
	rec->enrolled = trust_now(m->trust);
	bytes_wipe(rec->token, sizeof rec->token);
	bytes_wipe(rec->door.secret, sizeof rec->door.secret);
	memcpy(rec->door.told, e->address, sizeof e->address);
	m->problem[0] = '\0';
	log_info(LOG_TLS, "enrolled with trusted peer %s", rec->name);
}

/* They know the way to our door. */
static void told(struct member *m, const struct errand *e)
{
	const struct link_door *state;
	struct trust_door *d = untold(m, &state);

	if (!d || strcmp(d->name, e->door.name) != 0)
		return;
	memcpy(d->told, e->address, sizeof e->address);
	bytes_wipe(d->secret, sizeof d->secret);
	log_info(LOG_TLS, "trusted peer %s knows our new door", m->rec->name);
}

static void answered(struct errand *e, const struct enrol_msg *said)
{
	struct member *m = e->member;

	if (said->type == ENROL_WELCOME && e->purpose == ERRAND_REDEEM)
		welcomed(m, e);
	else if (said->type == ENROL_MOVED && e->purpose == ERRAND_MOVE)
		told(m, e);
	else if (said->type == ENROL_MOVED && e->purpose == ERRAND_KNOCK)
		m->knock = false;
	else {
		member_problem(m, "its answer makes no sense");
		again(m);
		return;
	}
	m->errand_failures = m->silences = 0;
	errand_end(m);
	trust_save_soon(m->trust);
	errand_consider(m);
	conns_consider(m);
}

static void refused(struct errand *e, enum enrol_reason reason)
{
	struct member *m = e->member;

	if (e->purpose == ERRAND_REDEEM && reason != ENROL_BUSY) {
		give_up(m, enrol_reason_text(reason));
		return;
	}
	member_problem(m, "it refuses: %s", enrol_reason_text(reason));
	again(m);
}

/* No answer.  In TLS 1.3 that is all one hears at a door that is for another:
 * a client's certificate is judged after the handshake. */
static void silent(struct errand *e, const char *how)
{
	struct member *m = e->member;

	if (e->purpose == ERRAND_REDEEM && ++m->silences >= SILENCES_MAX) {
		give_up(m, "its door does not open for us: somebody else used "
			"the invite, or it was withdrawn");
		return;
	}
	member_problem(m, "%s", how);
	again(m);
}

/* ---- the conversation ---- */

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct errand *e = arg;
	struct enrol_msg m;
	size_t used = 0;

	(void)c;
	switch (enrol_msg_read(&m, &used, in)) {
	case ENROL_READ_MORE:
		return 0;
	case ENROL_READ_BAD:
		silent(e, "its answer cannot be understood");
		return 0;
	case ENROL_READ_OK:
		break;
	}
	if (m.type == ENROL_REFUSE)
		refused(e, m.reason);
	else
		answered(e, &m);
	return used;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	(void)c;
	(void)end;
	silent(arg, "its door was closed before an answer came");
}

static void on_timeout(void *arg)
{
	struct errand *e = arg;

	member_problem(e->member, "its door does not answer");
	again(e->member);
}

static const struct conn_callbacks conversation = {
	.on_read = on_read, .on_end = on_end,
};

static void say(struct errand *e)
{
	const struct trust_peer *rec = e->member->rec;
	struct enrol_msg m = { .type = ENROL_KNOCK };
	struct bytes b = {0};

	if (e->purpose == ERRAND_REDEEM) {
		m.type = ENROL_REDEEM;
		memcpy(m.token, rec->token, sizeof m.token);
	} else if (e->purpose == ERRAND_MOVE) {
		m.type = ENROL_MOVE;
	}
	if (e->purpose != ERRAND_KNOCK) {
		CHECK(onion_parse(m.door.onion, e->address));
		memcpy(m.door.key, e->door.secret, sizeof m.door.key);
	}
	enrol_msg_write(&b, &m);
	conn_write(e->conn, bytes_span(&b));
	bytes_wipe(b.p, b.n);
	bytes_clear(&b);
	bytes_wipe(&m, sizeof m);
}

static void on_secured(const struct tls_result *r, void *arg)
{
	struct errand *e = arg;

	e->stream = NULL;
	if (r->fail) {
		member_problem(e->member, "at its door: %s",
			       tls_fail_text(r->fail));
		again(e->member);
		return;
	}
	e->conn = r->conn;
	conn_set_callbacks(e->conn, &conversation, e);
	say(e);
	conn_resume_reading(e->conn);
}

static void on_dialled(enum dial_result result, int fd, void *arg)
{
	struct errand *e = arg;
	struct member *m = e->member;
	struct tls_place place = { .purpose = TLS_ENROL, .who = TLS_ONLY,
				   .only = m->rec->id };

	e->dial = NULL;
	if (result != DIAL_OK) {
		if (result != DIAL_PROXY_DOWN)
			member_problem(m, "its door cannot be reached: %s",
				       dial_result_name(result));
		again(m);
		return;
	}
	snprintf(place.name, sizeof place.name, "door of %s", m->rec->name);
	e->stream = tls_stream_connect(m->trust->o.tls, fd, &place,
				       on_secured, e);
}

/* A door whose key they got once, and that has a new address: its key is not
 * kept, so they get a new one. */
static bool rekey(struct member *m, struct trust_door *d)
{
	static const uint8_t none[TRUST_KEY_SIZE];
	struct trust_door fresh;

	if (memcmp(d->secret, none, sizeof none) != 0)
		return true;
	if (!trust_door_make(&fresh))
		return false;
	memcpy(d->client, fresh.client, sizeof d->client);
	memcpy(d->secret, fresh.secret, sizeof d->secret);
	bytes_wipe(&fresh, sizeof fresh);
	trust_save_soon(m->trust);
	member_wish(m);
	return true;
}

static bool prepare(struct errand *e)
{
	struct member *m = e->member;
	const struct link_door *state = &m->now->state;
	struct trust_door *d = &m->rec->door;

	if (e->purpose == ERRAND_MOVE)
		d = untold(m, &state);
	if (e->purpose == ERRAND_KNOCK)
		return true;
	if (!rekey(m, d))
		return false;
	e->door = *d;
	memcpy(e->address, state->address, sizeof e->address);
	return true;
}

void errand_consider(struct member *m)
{
	struct trust *t = m->trust;
	enum purpose purpose = purpose_of(m);
	char isolation[40];
	struct dial_target target = {
		.host = m->rec->way.onion,
		.port = door_port_number(DOOR_ENROL),
		.isolation = isolation,
		.timeout_ms = DIAL_MS,
	};
	struct errand *e;

	if (!t->peers || !t->o.tor || !t->tor_ready || !purpose || m->errand ||
	    timer_is_set(m->errand_timer))
		return;
	e = m->errand = xcalloc(1, sizeof *e);
	e->member = m;
	e->purpose = purpose;
	if (!prepare(e)) {
		again(m);
		return;
	}
	snprintf(isolation, sizeof isolation, "errand-%016llx",
		 (unsigned long long)random_u64());
	e->timer = timer_new(t->o.loop, on_timeout, e);
	timer_set(e->timer, DIAL_MS + CONVERSATION_MS);
	e->dial = transport_dial(t->o.tor, &target, on_dialled, e);
}
