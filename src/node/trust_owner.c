/*
 * What the owner asks for.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

#define LIFE_MIN_S 60
#define LIFE_MAX_S (30 * 86400)

static enum err check_ready(const struct trust *t, struct why *why)
{
	if (t->broken)
		return why_set(why, ERR_STATE, "%s", t->load_problem);
	if (!t->o.tor)
		return why_set(why, ERR_STATE, "this node runs without Tor: "
			       "trusted peers are reached through it");
	if (!t->peers || !tls_node_ready(t->o.tls))
		return why_set(why, ERR_STATE, "this node has no certificate "
			       "for its identity yet: see the log if this "
			       "stays so");
	return ERR_NONE;
}

static enum err check_name(const struct trust *t, const char *name,
			   struct why *why)
{
	if (!trust_name_ok(name))
		return why_set(why, ERR_INPUT, "\"%.40s\" is no name for a "
			       "peer: take up to %d of a-z, 0-9 and - (not at "
			       "either end)", name, TRUST_NAME_MAX);
	if (member_get(t, name))
		return why_set(why, ERR_INPUT, "there is a peer named %s "
			       "already", name);
	return ERR_NONE;
}

static enum err find(struct member **m, const struct trust *t,
		     const char *name, struct why *why)
{
	*m = member_get(t, name);
	if (*m)
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "there is no trusted peer named "
		       "\"%.40s\"", name);
}

/* A record with a door of its own; NULL, with the reason. */
static struct member *make(struct trust *t, const char *name, uint8_t roles,
			   struct why *why)
{
	struct trust_peer *rec;
	struct trust_door door;

	if (check_ready(t, why) || check_name(t, name, why))
		return NULL;
	if (!trust_door_make(&door)) {
		why_set(why, ERR_STATE, "no key could be made");
		return NULL;
	}
	rec = trust_add(&t->store);
	if (!rec) {
		why_set(why, ERR_LIMIT, "there are %d trusted peers and "
			"invites already: that is the most", TRUST_PEERS_MAX);
		return NULL;
	}
	memcpy(rec->name, name, strlen(name) + 1);
	rec->door = door;
	rec->roles = roles;
	rec->created = trust_now(t);
	bytes_wipe(&door, sizeof door);
	return member_new(t, rec);
}

static enum err keep(struct member *m, struct why *why)
{
	enum err e = trust_save(m->trust, why);

	if (e)
		member_remove(m);
	else
		member_wish(m);
	return e;
}

/* ---- inviting ---- */

enum err trust_invite(struct trust *t, const char *name, uint8_t roles,
		      int64_t lives_s, struct why *why)
{
	struct member *m;

	if (lives_s < LIFE_MIN_S || lives_s > LIFE_MAX_S)
		return why_set(why, ERR_INPUT, "an invite lives from one "
			       "minute to 30 days");
	m = make(t, name, roles, why);
	if (!m)
		return why ? why->err : ERR_STATE;
	m->rec->state = TRUST_INVITED;
	m->rec->expires = m->rec->created + lives_s;
	random_bytes(m->token, sizeof m->token);
	m->has_token = true;
	trust_token_hash(m->rec->token_hash, m->token);
	return keep(m, why);
}

bool trust_invite_text(struct trust *t, const char *name,
		       char out[static INVITE_TEXT_SIZE])
{
	struct member *m = member_get(t, name);
	struct invite i = { .chain = t->o.chain };

	if (!m || !m->has_token || !m->now->state.address[0] ||
	    !tls_node_id(t->o.tls) ||
	    !onion_parse(i.onion, m->now->state.address))
		return false;
	i.id = *tls_node_id(t->o.tls);
	memcpy(i.key, m->rec->door.secret, sizeof i.key);
	memcpy(i.token, m->token, sizeof i.token);
	i.expires = m->rec->expires;
	invite_write(out, &i);
	bytes_wipe(&i, sizeof i);
	bytes_wipe(m->token, sizeof m->token);
	m->has_token = false;
	return true;
}

/* ---- accepting ---- */

static bool is_door_of(const struct invite *i, const struct trust_way *way)
{
	uint8_t key[ONION_KEY_BYTES];

	return onion_parse(key, way->onion) &&
	       memcmp(key, i->onion, sizeof key) == 0;
}

static enum err read_invite(struct invite *i, const struct trust *t,
			    const char *text, struct why *why)
{
	enum invite_verdict v = invite_read(i, text);
	const struct node_id *us = tls_node_id(t->o.tls);
	struct member *m;

	if (v)
		return why_set(why, ERR_INPUT, "%s", invite_verdict_text(v));
	if (i->chain != t->o.chain)
		return why_set(why, ERR_INPUT, "this invite is for a node of "
			       "another chain");
	if (i->expires <= trust_now(t))
		return why_set(why, ERR_INPUT, "this invite has expired: ask "
			       "for another");
	if (us && node_id_eq(us, &i->id))
		return why_set(why, ERR_INPUT, "this invite is this node's "
			       "own");
	m = member_get_id(t, &i->id);
	for (struct member *o = t->members; o && !m; o = o->next)
		if (is_door_of(i, &o->rec->way))
			m = o;
	if (m)
		return why_set(why, ERR_INPUT, "whoever made this invite is "
			       "trusted already, as %s", m->rec->name);
	return ERR_NONE;
}

enum err trust_accept(struct trust *t, const char *text, const char *name,
		      uint8_t roles, struct why *why)
{
	struct invite i;
	struct member *m;
	enum err e = check_ready(t, why);

	if (!e)
		e = read_invite(&i, t, text, why);
	if (e)
		return e;
	if (strcmp(t->refused_name, name) == 0)
		t->refused_name[0] = '\0';
	m = make(t, name, roles, why);
	if (!m) {
		e = why ? why->err : ERR_STATE;
	} else {
		m->rec->state = TRUST_ACCEPTING;
		m->rec->id = i.id;
		m->rec->expires = i.expires;
		onion_format(m->rec->way.onion, i.onion);
		memcpy(m->rec->way.key, i.key, sizeof i.key);
		memcpy(m->rec->token, i.token, sizeof i.token);
		e = keep(m, why);
	}
	bytes_wipe(&i, sizeof i);
	return e;
}

/* ---- the others ---- */

enum err trust_forget(struct trust *t, const char *name, struct why *why)
{
	struct member *m;
	enum err e = find(&m, t, name, why);

	if (e)
		return e;
	log_info(LOG_TLS, "trusted peer %s is removed", name);
	member_remove(m);
	e = trust_save(t, why);
	if (!e)
		return e;
	log_error(LOG_TLS, "%s", why->text);
	return why_set(why, e, "%s is removed, but the list of trusted peers "
		       "cannot be written: it would be back after a restart",
		       name);
}

enum err trust_rename(struct trust *t, const char *name, const char *to,
		      struct why *why)
{
	struct member *m;
	enum err e = find(&m, t, name, why);
	char old[TRUST_NAME_MAX + 1];

	if (!e)
		e = check_name(t, to, why);
	if (e)
		return e;
	/* A dial goes by the name. */
	conns_give_up(m);
	memcpy(old, m->rec->name, sizeof old);
	snprintf(m->rec->name, sizeof m->rec->name, "%s", to);
	e = trust_save(t, why);
	if (e)
		memcpy(m->rec->name, old, sizeof old);
	else if (m->rec->state != TRUST_INVITED)
		pins_set(t->o.pins, &m->rec->id, PIN_TRUSTED, to);
	conns_consider(m);
	return e;
}

enum err trust_rotate(struct trust *t, const char *name, struct why *why)
{
	struct member *m;
	enum err e = check_ready(t, why);

	if (!e)
		e = find(&m, t, name, why);
	if (e)
		return e;
	if (m->rec->state != TRUST_MEMBER || !m->rec->way.onion[0])
		return why_set(why, ERR_STATE, "%s cannot be told of a new "
			       "door: %s", name,
			       m->rec->state == TRUST_MEMBER
			       ? "it has no door for us; remove it and invite "
				 "it again" : "it is not enrolled yet");
	if (m->soon)
		return why_set(why, ERR_STATE, "%s has not come by the last "
			       "new door yet", name);
	if (!trust_door_make(&m->rec->next))
		return why_set(why, ERR_STATE, "no key could be made");
	e = trust_save(t, why);
	if (e) {
		memset(&m->rec->next, 0, sizeof m->rec->next);
		return e;
	}
	m->soon = entrance_new(m);
	timer_unset(m->errand_timer);
	member_wish(m);
	return ERR_NONE;
}

/* ---- backups ---- */

void trust_export(const struct trust *t, struct bytes *out)
{
	trust_store_write(out, &t->store);
}

/* Ours to take over?  An invite is bound to a door that was here. */
static bool is_news(const struct trust *t, const struct trust_peer *p)
{
	const struct node_id *us = tls_node_id(t->o.tls);

	return p->state == TRUST_MEMBER && !member_get(t, p->name) &&
	       !member_get_id(t, &p->id) && us && !node_id_eq(us, &p->id);
}

enum err trust_import(struct trust *t, struct span file, unsigned *added,
		      struct why *why)
{
	struct trust_store in;
	unsigned bad;
	enum err e = check_ready(t, why);

	*added = 0;
	if (e)
		return e;
	if (!trust_store_read(&in, &bad, file) || bad) {
		trust_store_clear(&in);
		return why_set(why, ERR_INPUT, "this is no list of trusted "
			       "peers, or a damaged one: nothing of it is "
			       "taken");
	}
	for (size_t i = 0; i < in.n; i++) {
		struct trust_peer *rec = is_news(t, in.v[i])
					 ? trust_add(&t->store) : NULL;

		if (!rec)
			continue;
		*rec = *in.v[i];
		member_wish(member_new(t, rec));
		(*added)++;
	}
	trust_store_clear(&in);
	return trust_save(t, why);
}
