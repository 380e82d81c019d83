/*
 * At our doors: a handshake that only the one it is for can pass, then the
 * engine or a conversation.  At the door of an invite anybody may finish the
 * handshake, who has found it; the token decides.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/peers.h"
#include "rpc/remote.h"

void guest_free(struct guest *g)
{
	struct guest **at = &g->member->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->member->guests_n--;
	if (g->asked)
		rpc_forget(g->member->trust->o.rpc, g);
	tls_stream_cancel(g->stream);
	conn_free(g->conn);
	timer_free(g->timer);
	free(g);
}

void guests_end(struct member *m, const struct entrance *only)
{
	struct guest *g = m->guests, *next;

	for (; g; g = next) {
		next = g->next;
		if (!only || g->entrance == only)
			guest_free(g);
	}
}

/* A sound identity that is not the one: only the invite, or the peer's disk,
 * gave the way to this door. */
static void raise_alarm(struct member *m, const struct node_id *who)
{
	char id[NODE_ID_TEXT_SIZE];

	node_id_write(id, who);
	snprintf(m->alarm, sizeof m->alarm, "%s tried the door of trusted "
		 "peer %s: somebody else has seen its invite or has its keys. "
		 "Compare its id with the friend you meant; `cloister-cli peer "
		 "rotate %s` gives it another door.", id, m->rec->name,
		 m->rec->name);
}

/* ---- the conversation ---- */

static void say(struct guest *g, const struct enrol_msg *m)
{
	struct bytes b = {0};

	enrol_msg_write(&b, m);
	conn_write(g->conn, bytes_span(&b));
	bytes_clear(&b);
	conn_close_after_flush(g->conn, CONVERSATION_MS);
}

static void refuse(struct guest *g, enum enrol_reason reason)
{
	const struct enrol_msg m = { .type = ENROL_REFUSE, .reason = reason };

	say(g, &m);
}

/* Is it somebody else's door?  Its key must not be overwritten. */
static bool is_taken(const struct member *m, const struct enrol_door *d)
{
	char onion[ONION_TEXT_SIZE];

	onion_format(onion, d->onion);
	for (const struct member *o = m->trust->members; o; o = o->next)
		if (o != m && strcmp(o->rec->way.onion, onion) == 0)
			return true;
	return false;
}

static void set_way(struct member *m, const struct enrol_door *d)
{
	struct trust_way *way = &m->rec->way;
	char onion[ONION_TEXT_SIZE];

	onion_format(onion, d->onion);
	if (way->onion[0] && strcmp(way->onion, onion) != 0)
		node_link_client_auth_remove(m->trust->o.link, way->onion);
	memcpy(way->onion, onion, sizeof onion);
	memcpy(way->key, d->key, sizeof way->key);
	member_wish_way(m);
}

/* The first who has the token: pinned from now on. */
static void enrol(struct member *m, const struct guest *g,
		  const struct enrol_msg *said)
{
	struct trust_peer *rec = m->rec;
	char id[NODE_ID_TEXT_SIZE];

	node_id_write(id, &g->id);
	rec->state = TRUST_MEMBER;
	rec->id = g->id;
	rec->enrolled = trust_now(m->trust);
	memset(rec->door.secret, 0, sizeof rec->door.secret);
	memcpy(rec->door.told, m->now->state.address, sizeof rec->door.told);
	bytes_wipe(m->token, sizeof m->token);
	m->has_token = false;
	pins_set(m->trust->o.pins, &rec->id, PIN_TRUSTED, rec->name);
	set_way(m, &said->door);
	log_info(LOG_TLS, "the invite for %s was redeemed by %s: trusted from "
		 "now on", rec->name, id);
}

static void on_redeem(struct guest *g, const struct enrol_msg *said)
{
	struct member *m = g->member, *other;
	struct trust_peer before = *m->rec;
	struct enrol_msg welcome = { .type = ENROL_WELCOME,
				     .roles = m->rec->roles };
	uint8_t hash[TRUST_HASH_SIZE];
	char id[NODE_ID_TEXT_SIZE];
	struct why why;

	node_id_write(id, &g->id);
	trust_token_hash(hash, said->token);
	if (!bytes_equal_ct(hash, m->rec->token_hash, sizeof hash)) {
		member_problem(m, "%s came with a wrong token", id);
		refuse(g, ENROL_NO_SUCH_INVITE);
		return;
	}
	/* The tick that ends it may not have come yet. */
	if (m->rec->state == TRUST_INVITED &&
	    trust_now(m->trust) >= m->rec->expires) {
		member_problem(m, "%s came after the invite had expired", id);
		refuse(g, ENROL_EXPIRED);
		return;
	}
	other = member_get_id(m->trust, &g->id);
	if (is_taken(m, &said->door)) {
		member_problem(m, "%s names a door that is another's", id);
		refuse(g, ENROL_NOT_ALLOWED);
		return;
	}
	if (m->rec->state == TRUST_INVITED && other) {
		member_problem(m, "its invite was used by %s, who is trusted "
			       "already as %s", id, other->rec->name);
		refuse(g, ENROL_NOT_ALLOWED);
		return;
	}
	/* Asked again by the same: our answer got lost. */
	if (m->rec->state == TRUST_INVITED)
		enrol(m, g, said);
	else
		set_way(m, &said->door);
	if (trust_save(m->trust, &why)) {
		log_error(LOG_TLS, "%s", why.text);
		if (before.state == TRUST_INVITED)
			pins_set(m->trust->o.pins, &g->id, PIN_UNKNOWN, "");
		*m->rec = before;
		refuse(g, ENROL_BUSY);
		return;
	}
	say(g, &welcome);
	conns_consider(m);
}

static void on_move(struct guest *g, const struct enrol_msg *said)
{
	const struct enrol_msg moved = { .type = ENROL_MOVED };
	struct member *m = g->member;
	struct trust_way before = m->rec->way;
	struct why why;

	if (m->rec->state != TRUST_MEMBER || is_taken(m, &said->door)) {
		refuse(g, ENROL_NOT_ALLOWED);
		return;
	}
	set_way(m, &said->door);
	if (trust_save(m->trust, &why)) {
		log_error(LOG_TLS, "%s", why.text);
		m->rec->way = before;
		member_wish_way(m);
		refuse(g, ENROL_BUSY);
		return;
	}
	log_info(LOG_TLS, "trusted peer %s has a new door for us",
		 m->rec->name);
	say(g, &moved);
	m->knock = true;
	m->errand_failures = 0;
	errand_consider(m);
}

static void on_said(struct guest *g, const struct enrol_msg *m)
{
	const struct enrol_msg heard = { .type = ENROL_MOVED };
	const struct trust_peer *rec = g->member->rec;
	bool open = rec->state == TRUST_INVITED;

	/* Let in while the invite was open, and somebody else was faster. */
	if (!open && !node_id_eq(&g->id, &rec->id)) {
		raise_alarm(g->member, &g->id);
		refuse(g, ENROL_NO_SUCH_INVITE);
		return;
	}
	if (open && m->type != ENROL_REDEEM) {
		refuse(g, ENROL_NOT_ALLOWED);
		return;
	}
	switch (m->type) {
	case ENROL_REDEEM:
		on_redeem(g, m);
		break;
	case ENROL_MOVE:
		on_move(g, m);
		break;
	case ENROL_KNOCK:
		say(g, &heard);
		break;
	case ENROL_WELCOME:
	case ENROL_REFUSE:
	case ENROL_MOVED:
		refuse(g, ENROL_NOT_ALLOWED);
		break;
	}
}

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct guest *g = arg;
	struct enrol_msg m;
	size_t used = 0;

	(void)c;
	switch (enrol_msg_read(&m, &used, in)) {
	case ENROL_READ_MORE:
		return 0;
	case ENROL_READ_BAD:
		member_problem(g->member, "what was said at its door cannot "
			       "be understood");
		guest_free(g);
		return 0;
	case ENROL_READ_OK:
		on_said(g, &m);
		bytes_wipe(&m, sizeof m);
		break;
	}
	return used;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	(void)c;
	(void)end;
	guest_free(arg);
}

static void on_timeout(void *arg)
{
	guest_free(arg);
}

static const struct conn_callbacks conversation = {
	.on_read = on_read, .on_end = on_end,
};

/* ---- the handshake ---- */

static void failed(struct guest *g, const struct tls_result *r)
{
	char id[NODE_ID_TEXT_SIZE] = "somebody";

	if (r->has_id)
		node_id_write(id, &r->id);
	if (r->fail == TLS_UNKNOWN_ID || r->fail == TLS_WRONG_DOOR ||
	    r->fail == TLS_REVOKED)
		raise_alarm(g->member, &r->id);
	member_problem(g->member, "refused %s at its door: %s", id,
		       tls_fail_text(r->fail));
}

static void on_secured(const struct tls_result *r, void *arg)
{
	struct guest *g = arg;
	struct member *m = g->member;

	g->stream = NULL;
	if (r->fail) {
		failed(g, r);
		guest_free(g);
		return;
	}
	g->id = r->id;
	if (m->soon && g->entrance == m->soon)
		member_moved(m);
	if (g->port == DOOR_P2P) {
		struct peers *peers = m->trust->peers;
		char name[TRUST_NAME_MAX + 1];

		memcpy(name, m->rec->name, sizeof name);
		guest_free(g);
		peers_add_trusted(peers, r, name);
		return;
	}
	g->conn = r->conn;
	g->timer = timer_new(m->trust->o.loop, on_timeout, g);
	timer_set(g->timer, CONVERSATION_MS);
	if (g->port == DOOR_RPC)
		guest_serve_rpc(g);
	else
		conn_set_callbacks(g->conn, &conversation, g);
	conn_resume_reading(g->conn);
}

/* Who may stand at this port of this door? */
static bool place_of(struct tls_place *out, const struct gate *gate)
{
	const struct trust_peer *rec = gate->entrance->member->rec;

	memset(out, 0, sizeof *out);
	out->purpose = gate->port == DOOR_ENROL ? TLS_ENROL
		     : gate->port == DOOR_RPC ? TLS_RPC : TLS_P2P;
	out->who = rec->state == TRUST_INVITED ? TLS_ANYONE : TLS_ONLY;
	out->only = rec->id;
	if (gate->port == DOOR_P2P)
		out->limits = peers_conn_limits;
	if (gate->port == DOOR_RPC)
		out->limits.input_max = RPC_INPUT_MAX;
	snprintf(out->name, sizeof out->name, "door %s", rec->name);
	if (gate->port == DOOR_ENROL)
		return true;
	return rec->state != TRUST_INVITED &&
	       (gate->port == DOOR_P2P ||
		member_rpc_right(gate->entrance->member) != RPC_NOTHING);
}

/* All places taken: who has been at his handshake longest gives way, so that
 * stalling keeps nobody else out. */
static bool make_room(struct member *m, enum door_port port)
{
	unsigned calls = 0;

	struct guest *oldest = NULL;

	for (struct guest *g = m->guests; g; g = g->next)
		calls += g->port == DOOR_RPC && !g->stream;
	if (port == DOOR_RPC && calls >= RPC_GUESTS_MAX)
		return false;
	if (m->guests_n < GUESTS_MAX)
		return true;
	for (struct guest *g = m->guests; g; g = g->next)
		if (g->stream)
			oldest = g;
	if (!oldest)
		return false;
	guest_free(oldest);
	return true;
}

static void on_accept(const struct accepted *a, void *arg)
{
	const struct gate *gate = arg;
	struct member *m = gate->entrance->member;
	struct tls_place place;
	struct guest *g;

	if (!place_of(&place, gate) || !make_room(m, gate->port)) {
		close(a->fd);
		return;
	}
	g = xcalloc(1, sizeof *g);
	g->member = m;
	g->entrance = gate->entrance;
	g->port = gate->port;
	g->next = m->guests;
	m->guests = g;
	m->guests_n++;
	g->stream = tls_stream_accept(m->trust->o.tls, a->fd, &place,
				      on_secured, g);
}

void door_open(struct entrance *e, enum door_port port, int fd)
{
	const struct listener_options o = { .proxy_line = false };

	listener_free(e->listeners[port]);
	e->listeners[port] = listener_new(e->member->trust->o.loop, fd, &o,
					  on_accept, &e->gates[port]);
}
