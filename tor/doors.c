/*
 * Private doors.  Each door and each key says what is wished and what tor
 * has; step() finds the next difference and asks tor to mend it.  Removals
 * come first: they are what somebody waits for.
 */
#include "config.h"

#include "tor/doors.h"

#include "base/base32.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "tor/client_key.h"
#include "tor/door_watch.h"
#include "tor/onion_store.h"
#include "tor/tor_text.h"
#include "tor/unix_listen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS (60 * 1000)         /* after tor refused a command */
#define SPREAD_MS 3000               /* doors do not come up as one */
#define STREAMS_MAX 8                /* of one circuit */
#define COMMAND_MAX 1024

/* What tor has, and what it shall have. */
struct item {
	bool wished;              /* by the node that runs now */
	bool gone;                /* nobody wants it any more */
	bool stale;               /* tor has it with an old key */
	bool in_tor;
	int64_t not_before_ms;
};

struct door {
	struct item item;
	struct link_door d;
	struct door_round round;
	uint8_t client[LINK_KEY_SIZE];
	uint8_t ports;
	struct onion_key key;
	char *paths[DOOR_PORT_COUNT];
	int fds[DOOR_PORT_COUNT]; /* they listen; -1: not */
	bool broken;              /* no key or no socket: see d.problem */
	bool forget;
};

struct auth {
	struct item item;
	struct link_client_auth a;
};

struct doors {
	struct doors_options o;
	struct doors_events events;
	void *arg;
	struct door *doors[LINK_DOORS_MAX];
	size_t doors_n;
	struct auth *auths[LINK_DOORS_MAX];
	size_t auths_n;
	bool up;
	/* The command under way is about one of them. */
	struct door *asked_door;
	struct auth *asked_auth;
	bool asked_remove;
};

/* ---- making and unmaking ---- */

static struct onion_store store_of(const struct doors *d, const char *name)
{
	return (struct onion_store){
		.dir = d->o.dir, .name = name, .passphrase = d->o.passphrase,
	};
}

/* Nothing more of one that nobody wants: the link has forgotten it. */
static void tell(struct doors *d, const struct door *door)
{
	if (!door->item.gone)
		d->events.door(d->arg, &door->d);
}

/* The reason is the owner's to read: his own paths may be in it. */
static void door_breaks(struct door *door, const char *text)
{
	door->broken = true;
	door->d.state = DOOR_FAILED;
	link_text_set(door->d.problem, sizeof door->d.problem, text);
	log_warn(LOG_TOR, "private door %s: %s", door->d.name, text);
}

/* "run/d0123456789p": sockets' names have to be short. */
static enum err open_sockets(struct doors *d, struct door *door,
			     struct why *why)
{
	enum err e = ERR_NONE;

	for (int i = 0; i < DOOR_PORT_COUNT && !e; i++) {
		if (!(door->ports & DOOR_PORT_BIT(i)))
			continue;
		door->paths[i] = xasprintf("%s/run/%s%c", d->o.dir,
					   door->d.name, "per"[i]);
		if (strpbrk(door->paths[i], " \"\\"))
			return why_set(why, ERR_INPUT, "the data directory's "
				       "name has a space, a quote or a "
				       "backslash in it: tor cannot be told "
				       "of a socket there");
		e = unix_listen(&door->fds[i], door->paths[i], why);
	}
	return e;
}

static void close_sockets(struct door *door)
{
	for (int i = 0; i < DOOR_PORT_COUNT; i++) {
		if (door->fds[i] >= 0) {
			close(door->fds[i]);
			(void)unlink(door->paths[i]);
		}
		door->fds[i] = -1;
		free(door->paths[i]);
		door->paths[i] = NULL;
	}
}

static struct door *door_new(struct doors *d, const struct link_door_wish *w)
{
	const struct onion_store store = store_of(d, w->name);
	struct door *door = xcalloc(1, sizeof *door);
	struct why why = {0};

	for (int i = 0; i < DOOR_PORT_COUNT; i++)
		door->fds[i] = -1;
	door->ports = w->ports;
	door->d.port = door_port_number(DOOR_P2P);
	memcpy(door->d.name, w->name, sizeof door->d.name);
	memcpy(door->client, w->client, sizeof door->client);
	if (onion_store_open(&store, &door->key, &why) ||
	    open_sockets(d, door, &why))
		door_breaks(door, why.text);
	link_text_set(door->d.address, sizeof door->d.address,
		      door->key.address);
	return door;
}

static void door_free(struct doors *d, struct door *door)
{
	const struct onion_store store = store_of(d, door->d.name);

	close_sockets(door);
	if (door->forget)
		onion_store_erase(&store);
	onion_key_clear(&door->key);
	free(door);
}

static void auth_free(struct auth *a)
{
	bytes_wipe(a, sizeof *a);
	free(a);
}

/* ---- commands ---- */

static void PRINTF_LIKE(2, 3) addf(struct bytes *out, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	CHECK(n >= 0 && (size_t)n < sizeof text);
	bytes_append(out, text, (size_t)n);
	bytes_wipe(text, sizeof text);
}

static void ask_add_door(struct doors *d, struct door *door)
{
	char key[BASE64_TEXT_SIZE(64)];
	char client[BASE32_DIGITS(LINK_KEY_SIZE) + 1];
	struct secret file = {0};
	struct bytes command = {0};

	/* The file's header is 32 bytes; what follows is what tor wants. */
	onion_key_write_tor(&file, &door->key);
	base64_encode(key, file.p + 32, 64);
	secret_clear(&file);
	base32_encode(client, door->client, sizeof door->client);
	bytes_reserve(&command, COMMAND_MAX);   /* it never moves */
	addf(&command, "ADD_ONION ED25519-V3:%s Flags=DiscardPK,V3Auth,"
	     "MaxStreamsCloseCircuit MaxStreams=%d", key, STREAMS_MAX);
	for (int i = 0; i < DOOR_PORT_COUNT; i++)
		if (door->paths[i])
			addf(&command, " Port=%u,unix:%s",
			     door_port_number((enum door_port)i),
			     door->paths[i]);
	addf(&command, " ClientAuthV3=%s", client);
	bytes_append(&command, "", 1);
	CHECK(command.n <= COMMAND_MAX);
	bytes_wipe(key, sizeof key);
	d->asked_door = door;
	d->events.ask(d->arg, (char *)command.p);
	bytes_wipe(command.p, command.n);
	bytes_clear(&command);
}

/* The first label of an address: what tor calls a service by. */
static int service_id(const char *address)
{
	return (int)strcspn(address, ".");
}

static void ask_remove_door(struct doors *d, struct door *door)
{
	char command[100];

	snprintf(command, sizeof command, "DEL_ONION %.*s",
		 service_id(door->d.address), door->d.address);
	d->asked_door = door;
	d->events.ask(d->arg, command);
}

static void ask_auth(struct doors *d, struct auth *a, bool add)
{
	char key[BASE64_TEXT_SIZE(LINK_KEY_SIZE)] = "", command[200];

	if (add)
		base64_encode(key, a->a.key, sizeof a->a.key);
	snprintf(command, sizeof command, "ONION_CLIENT_AUTH_%s %.*s%s%s",
		 add ? "ADD" : "REMOVE", service_id(a->a.address),
		 a->a.address, add ? " x25519:" : "", key);
	d->asked_auth = a;
	d->events.ask(d->arg, command);
	bytes_wipe(command, sizeof command);
	bytes_wipe(key, sizeof key);
}

/* ---- keeping tor in step ---- */

static bool shall_go(const struct item *i)
{
	return i->in_tor && (i->gone || i->stale);
}

static bool shall_come(const struct item *i, int64_t now_ms)
{
	return !i->in_tor && !i->gone && now_ms >= i->not_before_ms;
}

/* What nobody wants and tor does not have. */
static void sweep(struct doors *d)
{
	for (size_t i = d->doors_n; i-- > 0;) {
		struct door *door = d->doors[i];

		if (!door->item.gone || door->item.in_tor ||
		    door == d->asked_door)
			continue;
		d->doors[i] = d->doors[--d->doors_n];
		door_free(d, door);
	}
	for (size_t i = d->auths_n; i-- > 0;) {
		struct auth *a = d->auths[i];

		if (!a->item.gone || a->item.in_tor || a == d->asked_auth)
			continue;
		d->auths[i] = d->auths[--d->auths_n];
		auth_free(a);
	}
}

static bool step_remove(struct doors *d)
{
	d->asked_remove = true;
	for (size_t i = 0; i < d->doors_n; i++)
		if (shall_go(&d->doors[i]->item)) {
			ask_remove_door(d, d->doors[i]);
			return true;
		}
	for (size_t i = 0; i < d->auths_n; i++)
		if (shall_go(&d->auths[i]->item)) {
			ask_auth(d, d->auths[i], false);
			return true;
		}
	return false;
}

static void step_add(struct doors *d, int64_t now_ms)
{
	d->asked_remove = false;
	for (size_t i = 0; i < d->auths_n; i++)
		if (shall_come(&d->auths[i]->item, now_ms)) {
			ask_auth(d, d->auths[i], true);
			return;
		}
	for (size_t i = 0; i < d->doors_n; i++)
		if (!d->doors[i]->broken &&
		    shall_come(&d->doors[i]->item, now_ms)) {
			ask_add_door(d, d->doors[i]);
			return;
		}
}

static void step(struct doors *d)
{
	sweep(d);
	if (!d->up || d->asked_door || d->asked_auth)
		return;
	if (!step_remove(d))
		step_add(d, clock_mono_ms());
}

static void refused(struct doors *d, const struct control_line *line)
{
	struct item *i = d->asked_door ? &d->asked_door->item
				       : &d->asked_auth->item;
	char text[LINK_TEXT_MAX + 1], clean[LINK_TEXT_MAX + 1];

	snprintf(text, sizeof text, "tor refuses %s: %d %.200s",
		 d->asked_door ? "a private door"
			       : "the key to another's door",
		 line->code, line->text);
	tor_text_scrub(clean, sizeof clean, text);
	log_warn(LOG_TOR, "%s", clean);
	/* What cannot be removed is not there. */
	i->in_tor = false;
	i->stale = false;
	i->not_before_ms = clock_mono_ms() + AGAIN_MS;
	if (d->asked_door && !d->asked_remove &&
	    door_set(&d->asked_door->d, DOOR_FAILED, clean))
		tell(d, d->asked_door);
}

static void granted(struct doors *d)
{
	struct item *i = d->asked_door ? &d->asked_door->item
				       : &d->asked_auth->item;

	/* One that became stale meanwhile stays so. */
	i->in_tor = !d->asked_remove;
	if (d->asked_remove)
		i->stale = false;
	if (d->asked_door) {
		d->asked_door->round = (struct door_round){ 0 };
		if (door_set(&d->asked_door->d, d->asked_remove
			     ? DOOR_NONE : DOOR_PUBLISHING, ""))
			tell(d, d->asked_door);
	}
}

void doors_reply(struct doors *d, const struct control_line *line)
{
	if (!line->last || (!d->asked_door && !d->asked_auth))
		return;
	if (line->code / 100 == 2)
		granted(d);
	else
		refused(d, line);
	d->asked_door = NULL;
	d->asked_auth = NULL;
	step(d);
}

/* ---- the node's wishes ---- */

static struct door *door_get(struct doors *d, const char *name)
{
	for (size_t i = 0; i < d->doors_n; i++)
		if (strcmp(d->doors[i]->d.name, name) == 0)
			return d->doors[i];
	return NULL;
}

static struct auth *auth_get(struct doors *d, const char *address)
{
	for (size_t i = 0; i < d->auths_n; i++)
		if (strcmp(d->auths[i]->a.address, address) == 0)
			return d->auths[i];
	return NULL;
}

static void too_many(struct doors *d, const struct link_door_wish *w)
{
	struct link_door none = { .state = DOOR_FAILED };

	memcpy(none.name, w->name, sizeof none.name);
	snprintf(none.problem, sizeof none.problem, "there are %d private "
		 "doors already: that is the most", LINK_DOORS_MAX);
	log_warn(LOG_TOR, "%s", none.problem);
	d->events.door(d->arg, &none);
}

static void hand_listeners(struct doors *d, const struct door *door)
{
	struct link_door_wish w = { .ports = door->ports };

	memcpy(w.name, door->d.name, sizeof w.name);
	for (int i = 0; i < DOOR_PORT_COUNT; i++) {
		w.port = (enum door_port)i;
		if (door->fds[i] >= 0)
			d->events.listener(d->arg, &w, door->fds[i]);
	}
}

static void wish_door(struct doors *d, const struct link_door_wish *w)
{
	struct door *door = door_get(d, w->name);

	if (door && door->item.gone)
		return;                 /* names are not used twice */
	if (!door && d->doors_n == LINK_DOORS_MAX) {
		too_many(d, w);
		return;
	}
	if (!door)
		door = d->doors[d->doors_n++] = door_new(d, w);
	if (memcmp(door->client, w->client, sizeof door->client) != 0) {
		memcpy(door->client, w->client, sizeof door->client);
		door->item.stale = door->item.in_tor ||
				   door == d->asked_door;
	}
	door->item.wished = true;
	hand_listeners(d, door);
	tell(d, door);
}

/* From now on nothing comes in, whatever tor still does. */
static void door_shut(struct doors *d, struct door *door)
{
	close_sockets(door);
	door->item.gone = true;
	d->events.gone(d->arg, door->d.name);
}

static void unwish_door(struct doors *d, const struct link_door_wish *w)
{
	const struct onion_store store = store_of(d, w->name);
	struct door *door = door_get(d, w->name);

	if (door && !door->item.gone) {
		door->forget = w->forget;
		door_shut(d, door);
	} else if (!door && w->forget) {
		onion_store_erase(&store);
	}
}

static void wish_auth(struct doors *d, const struct link_client_auth *w)
{
	struct auth *a = auth_get(d, w->address);

	if (!a && d->auths_n == LINK_DOORS_MAX) {
		log_warn(LOG_TOR, "there are %d keys to others' doors "
			 "already: that is the most", LINK_DOORS_MAX);
		return;
	}
	if (!a) {
		a = d->auths[d->auths_n++] = xcalloc(1, sizeof *a);
		a->a = *w;
	} else if (memcmp(a->a.key, w->key, sizeof a->a.key) != 0) {
		memcpy(a->a.key, w->key, sizeof a->a.key);
		a->item.stale = a->item.in_tor || a == d->asked_auth;
	}
	a->item.wished = true;
	a->item.gone = false;
}

static void all_told(struct doors *d)
{
	for (size_t i = 0; i < d->doors_n; i++)
		if (!d->doors[i]->item.wished && !d->doors[i]->item.gone)
			door_shut(d, d->doors[i]);
	for (size_t i = 0; i < d->auths_n; i++)
		if (!d->auths[i]->item.wished)
			d->auths[i]->item.gone = true;
}

void doors_node_started(struct doors *d)
{
	for (size_t i = 0; i < d->doors_n; i++)
		d->doors[i]->item.wished = false;
	for (size_t i = 0; i < d->auths_n; i++)
		d->auths[i]->item.wished = false;
}

void doors_message(struct doors *d, const struct link_msg *m)
{
	struct auth *a;

	switch ((unsigned)m->type) {
	case LINK_DOOR_ADD:
		wish_door(d, &m->u.wish);
		break;
	case LINK_DOOR_REMOVE:
		unwish_door(d, &m->u.wish);
		break;
	case LINK_CLIENT_AUTH_ADD:
		wish_auth(d, &m->u.auth);
		break;
	case LINK_CLIENT_AUTH_REMOVE:
		a = auth_get(d, m->u.auth.address);
		if (a)
			a->item.gone = true;
		break;
	case LINK_DOORS_TOLD:
		all_told(d);
		break;
	}
	step(d);
}

/* ---- tor ---- */

static void forget_tor(struct doors *d)
{
	d->asked_door = NULL;
	d->asked_auth = NULL;
	for (size_t i = 0; i < d->doors_n; i++) {
		struct door *door = d->doors[i];

		door->item.in_tor = door->item.stale = false;
		door->d.uploads = 0;
		door->round = (struct door_round){ 0 };
		if (!door->broken && door_set(&door->d, DOOR_NONE, ""))
			tell(d, door);
	}
	for (size_t i = 0; i < d->auths_n; i++)
		d->auths[i]->item.in_tor = d->auths[i]->item.stale = false;
}

void doors_tor_up(struct doors *d, int64_t now_ms)
{
	forget_tor(d);
	d->up = true;
	for (size_t i = 0; i < d->doors_n; i++)
		d->doors[i]->item.not_before_ms = now_ms +
			(int64_t)random_below(SPREAD_MS);
	for (size_t i = 0; i < d->auths_n; i++)
		d->auths[i]->item.not_before_ms = 0;
	step(d);
}

void doors_tor_down(struct doors *d)
{
	d->up = false;
	forget_tor(d);
	sweep(d);
}

void doors_event(struct doors *d, const char *text, int64_t now_ms)
{
	if (strncmp(text, "HS_DESC ", 8) != 0)
		return;
	for (size_t i = 0; i < d->doors_n; i++)
		if (d->doors[i]->item.in_tor && !d->doors[i]->item.gone &&
		    door_watch_event(&d->doors[i]->d, &d->doors[i]->round,
				     text, now_ms))
			tell(d, d->doors[i]);
}

void doors_tick(struct doors *d, int64_t now_ms)
{
	for (size_t i = 0; i < d->doors_n; i++)
		if (!d->doors[i]->item.gone &&
		    door_watch_tick(&d->doors[i]->d, &d->doors[i]->round,
				    now_ms))
			tell(d, d->doors[i]);
	step(d);
}

/* ---- life ---- */

struct doors *doors_new(const struct doors_options *o,
			const struct doors_events *events, void *arg)
{
	struct doors *d = xcalloc(1, sizeof *d);

	d->o = *o;
	d->events = *events;
	d->arg = arg;
	return d;
}

void doors_free(struct doors *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->doors_n; i++)
		door_free(d, d->doors[i]);
	for (size_t i = 0; i < d->auths_n; i++)
		auth_free(d->auths[i]);
	free(d);
}
