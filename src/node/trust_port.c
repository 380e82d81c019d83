/*
 * RPC's questions about trusted peers.
 */
#include "config.h"

#include "node/trust_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/trust.h"
#include "rpc/remote.h"
#include "tor/warden.h"

static enum rpc_answer answer_of(enum err e)
{
	return e ? RPC_REFUSED : RPC_DONE;
}

static enum err read_roles(uint8_t *out, const char *const *roles, size_t n,
			   struct why *why)
{
	uint8_t bit;

	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (!role_parse(&bit, roles[i]))
			return why_set(why, ERR_INPUT, "\"%.40s\" is no role: "
				       "there are peer, witness, rpc-read, "
				       "rpc-admin, snapshot", roles[i]);
		*out |= bit;
	}
	return *out ? ERR_NONE : why_set(why, ERR_INPUT, "no role is given");
}

static enum rpc_answer port_invite(void *ctx, const char *name,
				   const char *const *roles, size_t n,
				   int64_t lives_s, struct why *why)
{
	struct node *node = ctx;
	uint8_t bits;
	enum err e = read_roles(&bits, roles, n, why);

	if (!e)
		e = trust_invite(node->trust, name, bits, lives_s, why);
	return answer_of(e);
}

static bool port_invite_text(void *ctx, const char *name, char *out,
			     size_t size)
{
	struct node *n = ctx;

	return size >= INVITE_TEXT_SIZE &&
	       trust_invite_text(n->trust, name, out);
}

static enum rpc_answer port_accept(void *ctx, const char *invite,
				   const char *name,
				   const char *const *roles, size_t n,
				   struct why *why)
{
	struct node *node = ctx;
	uint8_t bits;
	enum err e = read_roles(&bits, roles, n, why);

	if (!e)
		e = trust_accept(node->trust, invite, name, bits, why);
	return answer_of(e);
}

static const char *port_refusal(void *ctx, const char *name)
{
	return trust_refusal(((struct node *)ctx)->trust, name);
}

/* ---- the list ---- */

struct traffic {
	const struct trust_view *view;
	struct rpc_trusted *out;
};

static void add_traffic(const struct peer_info *info, void *arg)
{
	struct traffic *t = arg;

	for (size_t i = 0; i < t->view->conns_n; i++) {
		if (t->view->conns[i] != info->id)
			continue;
		t->out->connected = true;
		t->out->inbound = info->type == CONN_INBOUND;
		t->out->bytes_sent += info->bytes_sent;
		t->out->bytes_recv += info->bytes_received;
		t->out->last_seen = MAX_OF(t->out->last_seen,
					   info->last_recv);
		if (info->ping_ms >= 0)
			t->out->ping_us = info->ping_ms * 1000;
	}
}

static const char *state_name(enum trust_state s)
{
	return s == TRUST_INVITED ? "invited"
	     : s == TRUST_ACCEPTING ? "accepting" : "trusted";
}

static void copy_peer(struct rpc_trusted *r, const struct trust_view *v)
{
	const struct trust_peer *p = v->peer;

	memset(r, 0, sizeof *r);
	snprintf(r->name, sizeof r->name, "%s", p->name);
	r->state = state_name(p->state);
	if (p->state != TRUST_INVITED) {
		node_id_write(r->id, &p->id);
		node_id_words(r->words, &p->id);
	}
	for (unsigned bit = 1; bit <= ROLE_ALL; bit <<= 1)
		if (p->roles & bit)
			r->roles[r->role_count++] = role_name((uint8_t)bit);
	r->created = p->created;
	r->expires = p->state == TRUST_MEMBER ? 0 : p->expires;
	r->enrolled = p->enrolled;
	r->last_seen = p->last_seen;
	r->ping_us = -1;
	snprintf(r->door, sizeof r->door, "%s", v->door->address);
	r->door_state = door_state_name(v->door->state);
	r->rotating = v->rotating;
	snprintf(r->their_door, sizeof r->their_door, "%s", p->way.onion);
	snprintf(r->problem, sizeof r->problem, "%s", v->problem);
	r->problem_at = v->problem_at;
	r->leaf_expires = v->leaf_until;
}

static size_t port_trusted(void *ctx, struct rpc_trusted **out)
{
	struct node *n = ctx;
	struct trust_view view;
	size_t i;

	*out = xcalloc(TRUST_PEERS_MAX, sizeof **out);
	for (i = 0; i < TRUST_PEERS_MAX && trust_view(n->trust, i, &view);
	     i++) {
		struct traffic t = { &view, &(*out)[i] };

		copy_peer(&(*out)[i], &view);
		p2p_peers_visit(peers_engine(n->peers), add_traffic, &t);
	}
	return i;
}

static bool port_own_id(void *ctx, char *id, char *words, size_t size,
			int64_t *leaf_expires)
{
	struct node *n = ctx;
	const struct node_id *own = tls_node_id(n->tls);

	if (!own || size < NODE_ID_TEXT_SIZE || size < NODE_ID_WORDS_SIZE)
		return false;
	node_id_write(id, own);
	node_id_words(words, own);
	*leaf_expires = tls_node_leaf_until(n->tls);
	return true;
}

/* ---- the others ---- */

static enum rpc_answer port_rpc_way(void *ctx, const char *name,
				    struct rpc_way *out, struct why *why)
{
	struct node *n = ctx;
	struct trust_view view;
	bool found = false;

	for (size_t i = 0; !found && trust_view(n->trust, i, &view); i++)
		found = strcmp(view.peer->name, name) == 0;
	if (!found)
		return answer_of(why_set(why, ERR_INPUT, "there is no "
				"trusted peer named \"%.40s\"", name));
	if (view.peer->state != TRUST_MEMBER || !view.peer->way.onion[0])
		return answer_of(why_set(why, ERR_STATE, "%s is not enrolled "
					 "yet", name));
	if (!tls_node_pem(n->tls, &out->certificate, &out->key))
		return answer_of(why_set(why, ERR_STATE, "this node has no "
				"certificate for its identity yet"));
	snprintf(out->door, sizeof out->door, "%s", view.peer->way.onion);
	out->port = door_port_number(DOOR_RPC);
	node_id_write(out->id, &view.peer->id);
	out->socks = xasprintf("%s/%s", n->cfg->chain_dir, WARDEN_SOCKS_PATH);
	return RPC_DONE;
}

static enum rpc_answer port_remove(void *ctx, const char *name,
				   struct why *why)
{
	return answer_of(trust_forget(((struct node *)ctx)->trust, name,
				      why));
}

static enum rpc_answer port_rename(void *ctx, const char *name,
				   const char *to, struct why *why)
{
	return answer_of(trust_rename(((struct node *)ctx)->trust, name, to,
				      why));
}

static enum rpc_answer port_rotate(void *ctx, const char *name,
				   struct why *why)
{
	return answer_of(trust_rotate(((struct node *)ctx)->trust, name,
				      why));
}

static char *port_export(void *ctx)
{
	struct bytes file = { 0 };
	char *hex;

	trust_export(((struct node *)ctx)->trust, &file);
	hex = hex_new(bytes_span(&file));
	bytes_wipe(file.p, file.n);
	bytes_clear(&file);
	return hex;
}

static enum rpc_answer port_import(void *ctx, const char *hex,
				   unsigned *added, struct why *why)
{
	struct bytes file = { 0 };
	enum err e;

	if (strlen(hex) > 2 * TRUST_FILE_MAX || !hex_append(&file, hex))
		e = why_set(why, ERR_INPUT, "this is not what peerexport "
			    "gives");
	else
		e = trust_import(((struct node *)ctx)->trust,
				 bytes_span(&file), added, why);
	if (file.p)
		bytes_wipe(file.p, file.n);
	bytes_clear(&file);
	return answer_of(e);
}

void trust_port_fill(struct rpc_ports *out)
{
	out->peer_invite = port_invite;
	out->peer_invite_text = port_invite_text;
	out->peer_accept = port_accept;
	out->peer_refusal = port_refusal;
	out->trusted_peers = port_trusted;
	out->own_id = port_own_id;
	out->peer_rpc_way = port_rpc_way;
	out->peer_remove = port_remove;
	out->peer_rename = port_rename;
	out->peer_rotate = port_rotate;
	out->peer_export = port_export;
	out->peer_import = port_import;
}
