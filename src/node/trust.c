/*
 * Records, wishes, time.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "tor/client_key.h"

#define TICK_MS 1000
#define LOG_BURST 20
#define LOG_EVERY_MS 60000

/* ---- the store's file ---- */

enum err trust_save(struct trust *t, struct why *why)
{
	enum err e;

	if (t->broken)
		return why_set(why, ERR_STATE, "%s", t->load_problem);
	e = trust_store_save(&t->store, t->path, why);
	t->unsaved = e != ERR_NONE;
	return e;
}

void trust_save_soon(struct trust *t)
{
	struct why why;
	bool told = t->unsaved;

	if (!t->broken && trust_save(t, &why) && !told)
		log_error(LOG_TLS, "the list of trusted peers cannot be "
			  "written, this is tried again: %s", why.text);
}

/* ---- members ---- */

struct member *member_get(const struct trust *t, const char *name)
{
	struct member *m = t->members;

	while (m && strcmp(m->rec->name, name) != 0)
		m = m->next;
	return m;
}

struct member *member_get_id(const struct trust *t, const struct node_id *id)
{
	struct member *m = t->members;

	while (m && (m->rec->state == TRUST_INVITED ||
		     !node_id_eq(&m->rec->id, id)))
		m = m->next;
	return m;
}

void member_problem(struct member *m, const char *fmt, ...)
{
	struct trust *t = m->trust;
	char text[sizeof m->problem];
	bool repeated;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	repeated = strcmp(text, m->problem) == 0;
	memcpy(m->problem, text, sizeof text);
	m->problem_at = trust_now(t);
	if (!repeated && log_limit_ok(&t->limit, LOG_BURST, LOG_EVERY_MS, NULL))
		log_warn(LOG_TLS, "trusted peer %s: %s", m->rec->name, text);
	else
		log_debug(LOG_TLS, "trusted peer %s: %s", m->rec->name, text);
}

struct entrance *entrance_new(struct member *m)
{
	struct entrance *e = xcalloc(1, sizeof *e);

	e->member = m;
	for (int i = 0; i < DOOR_PORT_COUNT; i++) {
		e->gates[i].entrance = e;
		e->gates[i].port = (enum door_port)i;
	}
	return e;
}

void entrance_free(struct entrance *e)
{
	if (!e)
		return;
	for (int i = 0; i < DOOR_PORT_COUNT; i++)
		listener_free(e->listeners[i]);
	free(e);
}

static void on_errand_timer(void *arg)
{
	errand_consider(arg);
}

static void on_dial_timer(void *arg)
{
	conns_consider(arg);
}

struct member *member_new(struct trust *t, struct trust_peer *rec)
{
	struct member *m = xcalloc(1, sizeof *m), **at = &t->members;

	m->trust = t;
	m->rec = rec;
	m->now = entrance_new(m);
	if (rec->next.name[0])
		m->soon = entrance_new(m);
	m->errand_timer = timer_new(t->o.loop, on_errand_timer, m);
	m->dial_timer = timer_new(t->o.loop, on_dial_timer, m);
	while (*at)
		at = &(*at)->next;
	*at = m;
	return m;
}

static void member_free(struct member *m)
{
	struct member **at = &m->trust->members;

	errand_end(m);
	guests_end(m, NULL);
	entrance_free(m->now);
	entrance_free(m->soon);
	timer_free(m->errand_timer);
	timer_free(m->dial_timer);
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	bytes_wipe(m, sizeof *m);
	free(m);
}

/* ---- wishes ---- */

bool trust_door_make(struct trust_door *d)
{
	uint8_t random[5];

	memset(d, 0, sizeof *d);
	random_bytes(random, sizeof random);
	d->name[0] = 'd';
	hex_encode(d->name + 1, random, sizeof random);
	return client_key_make(d->secret, d->client);
}

static void wish_door(struct member *m, const struct trust_door *d)
{
	struct link_door_wish w = { .ports = DOOR_PORT_BIT(DOOR_ENROL) };
	uint8_t roles = m->rec->roles;

	if (!d->name[0])
		return;
	if (roles & (ROLE_PEER | ROLE_WITNESS))
		w.ports |= DOOR_PORT_BIT(DOOR_P2P);
	if (roles & (ROLE_RPC_READ | ROLE_RPC_ADMIN))
		w.ports |= DOOR_PORT_BIT(DOOR_RPC);
	memcpy(w.name, d->name, sizeof d->name);
	memcpy(w.client, d->client, sizeof w.client);
	node_link_door_add(m->trust->o.link, &w);
}

void member_wish_way(struct member *m)
{
	const struct trust_way *way = &m->rec->way;
	struct link_client_auth a = {0};

	if (!way->onion[0])
		return;
	memcpy(a.address, way->onion, sizeof way->onion);
	memcpy(a.key, way->key, sizeof a.key);
	node_link_client_auth_add(m->trust->o.link, &a);
	bytes_wipe(&a, sizeof a);
}

void member_wish(struct member *m)
{
	wish_door(m, &m->rec->door);
	wish_door(m, &m->rec->next);
	member_wish_way(m);
	if (m->rec->state != TRUST_INVITED)
		pins_set(m->trust->o.pins, &m->rec->id, PIN_TRUSTED,
			 m->rec->name);
}

void member_remove(struct member *m)
{
	struct trust *t = m->trust;
	struct trust_peer *rec = m->rec;
	struct node_id id = rec->id;

	/* Unknown, not revoked: it may be invited again. */
	if (rec->state != TRUST_INVITED)
		pins_set(t->o.pins, &id, PIN_UNKNOWN, "");
	conns_close(m);
	if (rec->state != TRUST_INVITED)
		tls_node_drop(t->o.tls, &id);
	if (rec->door.name[0])
		node_link_door_remove(t->o.link, rec->door.name, true);
	if (rec->next.name[0])
		node_link_door_remove(t->o.link, rec->next.name, true);
	if (rec->way.onion[0])
		node_link_client_auth_remove(t->o.link, rec->way.onion);
	member_free(m);
	trust_remove(&t->store, rec);
}

void member_moved(struct member *m)
{
	struct trust_peer *rec = m->rec;

	log_info(LOG_TLS, "trusted peer %s comes by the new door: the old one "
		 "is removed", rec->name);
	node_link_door_remove(m->trust->o.link, rec->door.name, true);
	guests_end(m, m->now);
	entrance_free(m->now);
	m->now = m->soon;
	m->soon = NULL;
	m->alarm[0] = '\0';
	rec->door = rec->next;
	memset(&rec->next, 0, sizeof rec->next);
	trust_save_soon(m->trust);
}

/* ---- from the warden ---- */

static struct entrance *entrance_of(const struct trust *t, const char *name)
{
	for (struct member *m = t->members; m; m = m->next) {
		if (strcmp(m->rec->door.name, name) == 0)
			return m->now;
		if (m->soon && strcmp(m->rec->next.name, name) == 0)
			return m->soon;
	}
	return NULL;
}

void trust_door(struct trust *t, const struct link_door *d)
{
	struct entrance *e = entrance_of(t, d->name);

	if (!e)
		return;
	if (d->state == DOOR_FAILED && e->state.state != DOOR_FAILED)
		member_problem(e->member, "our door for it (peer rotate makes "
			       "another): %s", d->problem);
	e->state = *d;
	errand_consider(e->member);
}

void trust_door_listener(struct trust *t, const char *name,
			 enum door_port port, int fd)
{
	struct entrance *e = entrance_of(t, name);

	if (e)
		door_open(e, port, fd);
	else
		close(fd);
}

void trust_tor_ready(struct trust *t, bool ready)
{
	t->tor_ready = ready;
	for (struct member *m = t->members; m && ready; m = m->next) {
		m->errand_failures = m->dial_failures = 0;
		errand_consider(m);
		conns_consider(m);
	}
}

/* ---- time ---- */

int64_t trust_pause_ms(unsigned failures)
{
	int64_t ms = (int64_t)PAUSE_FIRST_MS << MIN_OF(failures, 20u);

	ms = MIN_OF(ms, (int64_t)PAUSE_MAX_MS);
	return ms * 3 / 4 + (int64_t)random_below((uint64_t)ms / 2);
}

static void expire(struct member *m, int64_t now)
{
	struct trust *t = m->trust;
	const struct trust_peer *rec = m->rec;

	if (rec->state == TRUST_MEMBER || now < rec->expires)
		return;
	if (rec->state == TRUST_INVITED) {
		log_info(LOG_TLS, "the invite for %s has expired, unused",
			 rec->name);
	} else {
		snprintf(t->refused_name, sizeof t->refused_name, "%s",
			 rec->name);
		snprintf(t->refused_why, sizeof t->refused_why, "the invite "
			 "has expired%s%.120s", m->problem[0] ? "; " : "",
			 m->problem);
		log_warn(LOG_TLS, "trusted peer %s: %s", rec->name,
			 t->refused_why);
	}
	member_remove(m);
	t->unsaved = true;
}

static void on_tick(void *arg)
{
	struct trust *t = arg;
	struct member *m, *next;
	int64_t now = trust_now(t);

	for (m = t->members; m; m = next) {
		next = m->next;
		expire(m, now);
	}
	for (m = t->members; m; m = m->next) {
		errand_consider(m);
		conns_consider(m);
	}
	if (t->unsaved)
		trust_save_soon(t);
}

/* ---- lists ---- */

bool trust_view(const struct trust *t, size_t i, struct trust_view *out)
{
	struct member *m = t->members;

	while (m && i--)
		m = m->next;
	if (!m)
		return false;
	for (size_t k = 0; k < m->conns_n; k++)
		m->conn_ids[k] = m->conns[k].id;
	*out = (struct trust_view){
		.peer = m->rec,
		.door = &m->now->state,
		.rotating = m->soon != NULL,
		.conns = m->conn_ids,
		.conns_n = m->conns_n,
		.problem = m->problem,
		.problem_at = m->problem_at,
		.leaf_until = m->leaf_until,
	};
	return true;
}

const char *trust_refusal(const struct trust *t, const char *name)
{
	return strcmp(t->refused_name, name) == 0 ? t->refused_why : NULL;
}

const char *trust_warning(const struct trust *t, size_t i)
{
	if (t->load_problem[0] && i-- == 0)
		return t->load_problem;
	for (const struct member *m = t->members; m; m = m->next)
		if (m->alarm[0] && i-- == 0)
			return m->alarm;
	return NULL;
}

/* ---- life ---- */

struct trust *trust_new(const struct trust_options *o)
{
	struct trust *t = xcalloc(1, sizeof *t);
	struct why why;

	t->o = *o;
	t->path = xstrdup(o->path);
	t->broken = trust_store_load(&t->store, o->path, &why) != ERR_NONE;
	if (why.err) {
		log_error(LOG_TLS, "%s", why.text);
		snprintf(t->load_problem, sizeof t->load_problem, "%s",
			 why.text);
	}
	t->tick = timer_new(o->loop, on_tick, t);
	for (size_t i = 0; i < t->store.n; i++)
		member_new(t, t->store.v[i]);
	return t;
}

void trust_start(struct trust *t, struct peers *peers)
{
	t->peers = peers;
	for (struct member *m = t->members; m; m = m->next)
		member_wish(m);
	/* What cannot be read is not dropped at the warden. */
	if (!t->load_problem[0])
		node_link_doors_told(t->o.link);
	timer_set_every(t->tick, TICK_MS);
	for (struct member *m = t->members; m; m = m->next) {
		errand_consider(m);
		conns_consider(m);
	}
}

void trust_stop(struct trust *t)
{
	if (!t)
		return;
	t->peers = NULL;
	timer_unset(t->tick);
	for (struct member *m = t->members; m; m = m->next) {
		errand_end(m);
		guests_end(m, NULL);
		timer_unset(m->errand_timer);
		timer_unset(m->dial_timer);
	}
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	if (t->unsaved)
		trust_save_soon(t);
	while (t->members)
		member_free(t->members);
	timer_free(t->tick);
	trust_store_clear(&t->store);
	free(t->path);
	free(t);
}
