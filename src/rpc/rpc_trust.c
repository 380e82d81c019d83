/*
 * Methods about trusted peers: inviting, accepting, removing.  All on the
 * loop thread; two of them wait a moment for what others do.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/remote.h"
#include "rpc/rpc_priv.h"

#define ROLES_MAX 8
#define LIFE_S (24 * 3600)
#define INVITE_MS 30000          /* for the door's address */
#define ACCEPT_S 120
#define INVITE_TEXT_MAX 256

static bool no_port(struct rpc_call *call, const void *port)
{
	if (port)
		return false;
	rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
		 "Error: Peer-to-peer functionality missing or disabled");
	return true;
}
#define NO_PORT(call, name) \
	no_port(call, (const void *)(uintptr_t)(call)->ports->name)

/* What the owner asked for cannot be. */
static void answer(struct rpc_call *call, enum rpc_answer a,
		   const struct why *why)
{
	if (a != RPC_DONE)
		rpc_fail(call, why->err == ERR_INPUT ? RPC_INVALID_PARAMETER
						     : RPC_MISC_ERROR,
			 "%s", why->text);
	else if (!call->result)
		call->result = json_object_new_object();
}

/* "peer, rpc-read" in words; what they mean is the port's to know. */
struct role_list {
	char text[200];
	const char *v[ROLES_MAX];
	size_t n;
};

static bool read_roles(struct role_list *out, struct rpc_call *call, size_t i)
{
	const char *text = "peer";
	char *save = NULL, *word;

	out->n = 0;
	if (!rpc_arg_str(call, i, &text))
		return false;
	if (strlen(text) >= sizeof out->text) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "too many roles");
		return false;
	}
	strcpy(out->text, text);
	for (word = strtok_r(out->text, ", ", &save); word;
	     word = strtok_r(NULL, ", ", &save)) {
		if (out->n == ROLES_MAX) {
			rpc_fail(call, RPC_INVALID_PARAMETER,
				 "too many roles");
			return false;
		}
		out->v[out->n++] = word;
	}
	return true;
}

/* ---- the list ---- */

static void add_time(struct json_object *o, const char *key, int64_t t)
{
	if (t)
		json_add_int(o, key, t);
}

static void add_text(struct json_object *o, const char *key, const char *s)
{
	if (s && *s)
		json_add_str(o, key, s);
}

static struct json_object *roles_json(const struct rpc_trusted *p)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < p->role_count; i++)
		json_object_array_add(a, json_object_new_string(p->roles[i]));
	return a;
}

static struct json_object *trusted_json(const struct rpc_trusted *p)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", p->name);
	json_add_str(o, "state", p->state);
	add_text(o, "id", p->id);
	add_text(o, "words", p->words);
	json_add(o, "roles", roles_json(p));
	json_add_bool(o, "connected", p->connected);
	if (p->connected)
		json_add_bool(o, "inbound", p->inbound);
	add_time(o, "last_seen", p->last_seen);
	if (p->ping_us >= 0)
		json_add_double(o, "pingtime", (double)p->ping_us / 1e6);
	json_add_int(o, "bytessent", (int64_t)p->bytes_sent);
	json_add_int(o, "bytesrecv", (int64_t)p->bytes_recv);
	json_add_str(o, "door_state", p->door_state);
	add_text(o, "door", p->door);
	json_add_bool(o, "rotating", p->rotating);
	add_text(o, "their_door", p->their_door);
	add_time(o, "leaf_expires", p->leaf_expires);
	add_time(o, "created", p->created);
	add_time(o, "expires", p->expires);
	add_time(o, "enrolled", p->enrolled);
	if (*p->problem) {
		json_add_str(o, "last_problem", p->problem);
		json_add_int(o, "last_problem_time", p->problem_at);
	}
	return o;
}

/* The peer of this name; NULL.  The list is the caller's. */
static const struct rpc_trusted *find(const struct rpc_ports *ports,
				      struct rpc_trusted **list,
				      const char *name)
{
	size_t n = ports->trusted_peers(ports->ctx, list);

	for (size_t i = 0; i < n; i++)
		if (strcmp((*list)[i].name, name) == 0)
			return &(*list)[i];
	return NULL;
}

static void peerlist(struct rpc_call *call)
{
	struct rpc_trusted *list = NULL;
	char id[72], words[72];
	struct json_object *peers = json_object_new_array();
	int64_t leaf = 0;
	size_t n;

	if (NO_PORT(call, trusted_peers)) {
		json_object_put(peers);
		return;
	}
	n = call->ports->trusted_peers(call->ports->ctx, &list);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(peers, trusted_json(&list[i]));
	free(list);
	call->result = json_object_new_object();
	if (call->ports->own_id(call->ports->ctx, id, words, sizeof id,
				&leaf)) {
		json_add_str(call->result, "id", id);
		json_add_str(call->result, "words", words);
		add_time(call->result, "leaf_expires", leaf);
	}
	json_add(call->result, "peers", peers);
}

/* ---- inviting ---- */

static bool invite_poll(struct rpc_call *call, bool last)
{
	char text[INVITE_TEXT_MAX], id[72] = "", words[72] = "";
	struct rpc_trusted *list = NULL;
	const struct rpc_trusted *p;
	const char *name = NULL;
	int64_t leaf;

	if (!rpc_arg_str(call, 0, &name))
		return true;
	if (!call->ports->peer_invite_text(call->ports->ctx, name, text,
					   sizeof text)) {
		if (last)
			rpc_fail(call, RPC_MISC_ERROR, "no door could be made "
				 "in time: see peerlist for what is wrong; "
				 "remove %s and try again", name);
		return last;
	}
	p = find(call->ports, &list, name);
	(void)call->ports->own_id(call->ports->ctx, id, words, sizeof id,
				  &leaf);
	call->result = json_object_new_object();
	json_add_str(call->result, "name", name);
	json_add_str(call->result, "invite", text);
	add_time(call->result, "expires", p ? p->expires : 0);
	json_add_str(call->result, "id", id);
	json_add_str(call->result, "words", words);
	bytes_wipe(text, sizeof text);
	free(list);
	return true;
}

static void peerinvite(struct rpc_call *call)
{
	const char *name = NULL;
	struct role_list roles;
	int64_t life = LIFE_S;
	struct why why = { 0 };
	enum rpc_answer a;

	if (!rpc_arg_str(call, 0, &name) || !read_roles(&roles, call, 1) ||
	    !rpc_arg_i64(call, 2, &life) || NO_PORT(call, peer_invite))
		return;
	a = call->ports->peer_invite(call->ports->ctx, name, roles.v,
				     roles.n, life, &why);
	if (a != RPC_DONE) {
		answer(call, a, &why);
		return;
	}
	call->wait = (struct rpc_wait){ .kind = RPC_WAIT_POLL,
					.poll = invite_poll,
					.timeout_ms = INVITE_MS };
}

/* ---- accepting ---- */

static bool accept_poll(struct rpc_call *call, bool last)
{
	struct rpc_trusted *list = NULL;
	const struct rpc_trusted *p;
	const char *name = NULL, *refusal;

	if (!rpc_arg_str(call, 1, &name))
		return true;
	p = find(call->ports, &list, name);
	if (!p) {
		refusal = call->ports->peer_refusal(call->ports->ctx, name);
		rpc_fail(call, RPC_VERIFY_ERROR, "%s", refusal ? refusal
			 : "the peer was removed meanwhile");
	} else if (strcmp(p->state, "trusted") == 0 || last) {
		call->result = trusted_json(p);
	}
	free(list);
	return call->result || call->error.code;
}

static void peeraccept(struct rpc_call *call)
{
	const char *invite = NULL, *name = NULL;
	int64_t timeout = ACCEPT_S;
	struct role_list roles;
	struct why why = { 0 };
	enum rpc_answer a;

	if (!rpc_arg_str(call, 0, &invite) || !rpc_arg_str(call, 1, &name) ||
	    !read_roles(&roles, call, 2) || !rpc_arg_i64(call, 3, &timeout) ||
	    NO_PORT(call, peer_accept))
		return;
	a = call->ports->peer_accept(call->ports->ctx, invite, name, roles.v,
				     roles.n, &why);
	if (a != RPC_DONE) {
		answer(call, a, &why);
		return;
	}
	timeout = MAX_OF((int64_t)0, MIN_OF(timeout, (int64_t)3600));
	call->wait = (struct rpc_wait){ .kind = RPC_WAIT_POLL,
					.poll = accept_poll,
					.timeout_ms = timeout * 1000 };
}

/* ---- the others ---- */

static void peerremove(struct rpc_call *call)
{
	const char *name = NULL;
	struct why why = { 0 };

	if (rpc_arg_str(call, 0, &name) && !NO_PORT(call, peer_remove))
		answer(call, call->ports->peer_remove(call->ports->ctx, name,
						      &why), &why);
}

static void peerrename(struct rpc_call *call)
{
	const char *name = NULL, *to = NULL;
	struct why why = { 0 };

	if (rpc_arg_str(call, 0, &name) && rpc_arg_str(call, 1, &to) &&
	    !NO_PORT(call, peer_rename))
		answer(call, call->ports->peer_rename(call->ports->ctx, name,
						      to, &why), &why);
}

static void peerrpcway(struct rpc_call *call)
{
	const char *name = NULL;
	struct rpc_way way = { 0 };
	struct why why = { 0 };
	enum rpc_answer a;

	if (!rpc_arg_str(call, 0, &name) || NO_PORT(call, peer_rpc_way))
		return;
	a = call->ports->peer_rpc_way(call->ports->ctx, name, &way, &why);
	if (a != RPC_DONE) {
		answer(call, a, &why);
		return;
	}
	call->result = json_object_new_object();
	json_add_str(call->result, "address", way.door);
	json_add_int(call->result, "port", way.port);
	json_add_str(call->result, "id", way.id);
	json_add_str(call->result, "socks", way.socks);
	json_add_str(call->result, "certificate", way.certificate);
	json_add_str(call->result, "key", way.key);
	bytes_wipe(way.key, strlen(way.key));
	free(way.key);
	free(way.certificate);
	free(way.socks);
}

static void peerrotate(struct rpc_call *call)
{
	const char *name = NULL;
	struct why why = { 0 };

	if (rpc_arg_str(call, 0, &name) && !NO_PORT(call, peer_rotate))
		answer(call, call->ports->peer_rotate(call->ports->ctx, name,
						      &why), &why);
}

static void peerexport(struct rpc_call *call)
{
	char *hex;

	if (NO_PORT(call, peer_export))
		return;
	hex = call->ports->peer_export(call->ports->ctx);
	call->result = json_object_new_object();
	json_add_str(call->result, "peers", hex);
	bytes_wipe(hex, strlen(hex));
	free(hex);
}

static void peerimport(struct rpc_call *call)
{
	const char *hex = NULL;
	struct why why = { 0 };
	unsigned added = 0;
	enum rpc_answer a;

	if (!rpc_arg_str(call, 0, &hex) || NO_PORT(call, peer_import))
		return;
	a = call->ports->peer_import(call->ports->ctx, hex, &added, &why);
	if (a == RPC_DONE) {
		call->result = json_object_new_object();
		json_add_int(call->result, "added", added);
	}
	answer(call, a, &why);
}

#define ROLES_HELP "Commas between: peer (the default), witness, rpc-read, " \
	"rpc-admin, snapshot"

static const struct rpc_method methods[] = {
	{ .name = "peerinvite", .category = "Trusted peers",
	  .run = peerinvite,
	  .help = "Make a private door for a new trusted peer and an invite "
		  "to it: one line to pass on\nby a way that you trust. "
		  "Whoever redeems it first is trusted.",
	  .args = { { "name", RPC_STR, true,
		      "What to call the peer: a-z, 0-9, -" },
		    { "roles", RPC_STR, false, "What it may do here. "
		      ROLES_HELP },
		    { "lifetime", RPC_NUM, false,
		      "Seconds until the invite expires; 86400 if left "
		      "out" } } },
	{ .name = "peeraccept", .category = "Trusted peers",
	  .run = peeraccept,
	  .help = "Take an invite: whoever made it becomes a trusted peer. "
		  "Tries until the invite\nexpires; answers when it is done, "
		  "refused, or the timeout is over.",
	  .args = { { "invite", RPC_STR, true, "The line, \"clinv1…\"" },
		    { "name", RPC_STR, true, "What to call the peer" },
		    { "roles", RPC_STR, false, "What it may do here. "
		      ROLES_HELP },
		    { "timeout", RPC_NUM, false,
		      "Seconds to wait for the answer; 120 if left out" } } },
	{ .name = "peerlist", .category = "Trusted peers", .run = peerlist,
	  .help = "Trusted peers and open invites, and this node's own id." },
	{ .name = "peerremove", .category = "Trusted peers",
	  .run = peerremove,
	  .help = "Trust a peer no longer: its connections are ended, its "
		  "door removed, its address\nforgotten, at once. Withdraws "
		  "an invite, too.",
	  .args = { { "name", RPC_STR, true, "Its name" } } },
	{ .name = "peerrename", .category = "Trusted peers",
	  .run = peerrename, .help = "Call a trusted peer something else.",
	  .args = { { "name", RPC_STR, true, "Its name" },
		    { "new_name", RPC_STR, true, "Its new name" } } },
	{ .name = "peerrotate", .category = "Trusted peers",
	  .run = peerrotate,
	  .help = "Give a trusted peer a new door with a new key. The old "
		  "one stays until the peer\nhas come by the new one.",
	  .args = { { "name", RPC_STR, true, "Its name" } } },
	{ .name = "peerrpcway", .category = "Trusted peers",
	  .run = peerrpcway,
	  .help = "What it takes to call the RPC of a trusted peer through "
		  "this node's Tor, as\n`cloister-cli -remote=NAME` does. It "
		  "is SECRET: it has this node's TLS key, which is good\nfor "
		  "some weeks.",
	  .args = { { "name", RPC_STR, true, "Its name" } } },
	{ .name = "peerexport", .category = "Trusted peers",
	  .run = peerexport,
	  .help = "All trusted peers as one string, for a backup. It is "
		  "SECRET: it has the keys to their\ndoors. `cloister-cli "
		  "peer export FILE` encrypts it." },
	{ .name = "peerimport", .category = "Trusted peers",
	  .run = peerimport,
	  .help = "Take over trusted peers from peerexport. Those known "
		  "already stay as they are.",
	  .args = { { "peers", RPC_STR, true,
		      "What peerexport gave" } } },
};

struct rpc_methods rpc_methods_trust(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
