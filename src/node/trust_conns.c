/*
 * The engine's connections with trusted peers: dialled for as long as there
 * is none, and one of two is enough.  Both sides keep the same one: that
 * which the smaller node id dialled.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/peers.h"

#define SUFFIX ".trusted"
#define PORT 8333
#define TRY_MS INT64_C(8000)
#define TRY_MAX_MS INT64_C(60000)

static void host_of(char out[static 64], const struct member *m)
{
	snprintf(out, 64, "%s" SUFFIX, m->rec->name);
}

/* The member of "NAME.trusted"; NULL. */
static struct member *member_of(const struct trust *t, const char *host)
{
	size_t n = strlen(host), tail = sizeof SUFFIX - 1;
	char name[TRUST_NAME_MAX + 1];

	if (n <= tail || n - tail > TRUST_NAME_MAX ||
	    strcmp(host + n - tail, SUFFIX) != 0)
		return NULL;
	memcpy(name, host, n - tail);
	name[n - tail] = '\0';
	return member_get(t, name);
}

static bool wanted(const struct member *m)
{
	return m->rec->state == TRUST_MEMBER && m->rec->way.onion[0] &&
	       m->rec->roles & (ROLE_PEER | ROLE_WITNESS);
}

void conns_consider(struct member *m)
{
	struct trust *t = m->trust;
	char host[64];

	if (!t->peers || !t->tor_ready || !wanted(m) || m->conns_n ||
	    m->dialling || timer_is_set(m->dial_timer) ||
	    !p2p_active(peers_engine(t->peers)))
		return;
	m->dialling = true;
	host_of(host, m);
	/* Its door may just have been made anew, and what tor knows of it be
	 * out of date: a short try first, then more patience. */
	p2p_try_for(peers_engine(t->peers), host, PORT, CONN_MANUAL,
		    MIN_OF(TRY_MS << MIN_OF(m->dial_failures, 3u),
			   TRY_MAX_MS));
}

static void hang_up(const struct trust *t, peer_id id)
{
	if (!p2p_disconnect(peers_engine(t->peers), id))
		log_debug(LOG_TLS, "peer=%llu is gone already",
			  (unsigned long long)id);
}

void conns_give_up(struct member *m)
{
	char host[64];

	host_of(host, m);
	if (m->trust->peers)
		peers_cancel_dials(m->trust->peers, host);
	timer_unset(m->dial_timer);
	m->dialling = false;
}

void conns_close(struct member *m)
{
	conns_give_up(m);
	while (m->conns_n) {
		peer_id id = m->conns[--m->conns_n].id;

		hang_up(m->trust, id);
	}
}

/* ---- dials, for the engine ---- */

const char *trust_way(struct trust *t, const char *host)
{
	struct member *m = member_of(t, host);

	return m && m->rec->way.onion[0] ? m->rec->way.onion : NULL;
}

struct tls_stream *trust_connect(struct trust *t, const char *host, int fd,
				 tls_done_fn *done, void *arg)
{
	struct member *m = member_of(t, host);
	struct tls_place place = { .purpose = TLS_P2P, .who = TLS_ONLY };

	if (!m || m->rec->state != TRUST_MEMBER) {
		close(fd);
		return NULL;
	}
	place.only = m->rec->id;
	place.limits = peers_conn_limits;
	snprintf(place.name, sizeof place.name, "door of %s", m->rec->name);
	return tls_stream_connect(t->o.tls, fd, &place, done, arg);
}

void trust_dial_failed(struct trust *t, const char *host, const char *why)
{
	struct member *m = member_of(t, host);

	if (!m)
		return;
	m->dialling = false;
	if (t->tor_ready && !m->conns_n)
		member_problem(m, "its door cannot be reached: %s", why);
	timer_set(m->dial_timer, trust_pause_ms(m->dial_failures++));
}

/* ---- connections ---- */

/* Is this the direction that both sides keep? */
static bool is_kept(const struct trust *t, const struct member *m,
		    bool outbound)
{
	const struct node_id *us = tls_node_id(t->o.tls);

	return !us || (node_id_cmp(us, &m->rec->id) < 0) == outbound;
}

uint8_t trust_roles(const struct trust *t, const struct node_id *id)
{
	const struct member *m = member_get_id(t, id);

	return m ? m->rec->roles : 0;
}

bool trust_admit(struct trust *t, const struct tls_result *r, bool outbound)
{
	struct member *m = member_get_id(t, &r->id);

	if (m)
		m->leaf_until = r->leaf_until;
	if (!m || !(m->rec->roles & (ROLE_PEER | ROLE_WITNESS)))
		return false;
	if (outbound)
		m->dialling = false;
	for (size_t i = m->conns_n; i-- > 0;) {
		peer_id old = m->conns[i].id;

		/* The other way round: one of the two is meant to stay.  The
		 * same way: the old one is dead, and we have not heard. */
		if (m->conns[i].outbound != outbound &&
		    !is_kept(t, m, outbound))
			return false;
		m->conns[i] = m->conns[--m->conns_n];
		hang_up(t, old);
	}
	return true;
}

void trust_connected(struct trust *t, const struct node_id *id, peer_id peer,
		     bool outbound)
{
	struct member *m = member_get_id(t, id);

	if (!m || m->conns_n == MEMBER_CONNS_MAX)
		return;
	m->conns[m->conns_n].id = peer;
	m->conns[m->conns_n].since_ms = clock_mono_ms();
	m->conns[m->conns_n++].outbound = outbound;
	m->dialling = false;
	timer_unset(m->dial_timer);
	m->rec->last_seen = trust_now(t);
	/* The invite has done its work, from either side. */
	memset(m->rec->token_hash, 0, sizeof m->rec->token_hash);
	t->unsaved = true;
	log_info(LOG_TLS, "trusted peer %s is connected (peer=%llu, %s)",
		 m->rec->name, (unsigned long long)peer,
		 outbound ? "outbound" : "inbound");
}

static void lost(struct member *m, size_t i)
{
	int64_t lasted = clock_mono_ms() - m->conns[i].since_ms;

	m->conns[i] = m->conns[--m->conns_n];
	m->rec->last_seen = trust_now(m->trust);
	m->trust->unsaved = true;
	if (lasted >= STEADY_MS)
		m->dial_failures = 0;
	if (!m->conns_n && !timer_is_set(m->dial_timer))
		timer_set(m->dial_timer, trust_pause_ms(m->dial_failures++));
}

void trust_disconnected(struct trust *t, peer_id peer)
{
	for (struct member *m = t->members; m; m = m->next)
		for (size_t i = 0; i < m->conns_n; i++)
			if (m->conns[i].id == peer) {
				lost(m, i);
				return;
			}
}
