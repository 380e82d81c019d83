/*
 * The node's end of the link: packets in, callbacks out; what is to be said
 * waits while the socket is full, without growing.
 */
#include "config.h"

#include "tor/node_link.h"

#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSES_MAX 256        /* circuits to close that may wait */
#define OPENS_MAX 256         /* SOCKS connections asked for, likewise */
#define WISHES_MAX 1024       /* about doors, likewise */

struct node_link {
	struct event *readable, *writable;
	int fd;
	struct node_link_events events;
	void *arg;
	bool busy;                /* inside a callback */
	bool dead;                /* freed there; goes when it returns */
	bool lost;
	bool say_ready, say_newnym, say_alive, say_dead;
	uint32_t closes[CLOSES_MAX];
	size_t closes_n;
	struct link_socks opens[OPENS_MAX];
	size_t opens_n;
	struct bytes *wishes;         /* packets, in order */
	size_t wishes_n;
	struct link_tor_state tor;
	struct health health;
	struct link_door door;
};

/* ---- from the warden ---- */

static void lose(struct node_link *l, const char *reason)
{
	if (l->lost)
		return;
	l->lost = true;
	event_del(l->readable);
	event_del(l->writable);
	log_error(LOG_NODE, "%s", reason);
	if (l->events.lost)
		l->events.lost(l->arg);
}

static void dispatch_socks(struct node_link *l, const struct link_socks *s,
			   int fd)
{
	if ((s->result == SOCKS_OPEN_OK) != (fd >= 0)) {
		if (fd >= 0)
			close(fd);
		lose(l, "the warden's answer lacks its descriptor: this "
			"process must end");
	} else if (l->events.socks) {
		l->events.socks(l->arg, s, fd);
	} else if (fd >= 0) {
		close(fd);
	}
}

static void dispatch_listener(struct node_link *l,
			      const struct link_door_wish *w, int fd)
{
	if (fd < 0)
		lose(l, "a private door lacks its listener: this process "
			"must end");
	else if (l->events.door_listener)
		l->events.door_listener(l->arg, w->name, w->port, fd);
	else
		close(fd);
}

static void dispatch_door(struct node_link *l, const struct link_door *d)
{
	if (strcmp(d->name, "public") != 0) {
		if (l->events.private_door)
			l->events.private_door(l->arg, d);
		return;
	}
	l->door = *d;
	if (l->events.door)
		l->events.door(l->arg, d);
}

/* fd stays the caller's. */
static void dispatch(struct node_link *l, const struct link_msg *m, int fd)
{
	switch (m->type) {
	case LINK_TOR_STATE:
		l->tor = m->u.tor;
		if (l->events.tor_state)
			l->events.tor_state(l->arg, &l->tor);
		break;
	case LINK_DOOR:
		dispatch_door(l, &m->u.door);
		break;
	case LINK_HEALTH:
		l->health = m->u.health;
		break;
	case LINK_STOP:
		if (l->events.stop)
			l->events.stop(l->arg);
		break;
	case LINK_LOG_REOPEN:
		if (l->events.log_reopen)
			l->events.log_reopen(l->arg, fd);
		break;
	case LINK_SIGNED:
		if (l->events.is_signed)
			l->events.is_signed(l->arg, span_of(m->u.blob.b,
							    m->u.blob.n));
		break;
	case LINK_SOCKS:           /* dispatch_socks() */
	case LINK_DOOR_LISTEN:     /* dispatch_listener() */
	case LINK_READY:
	case LINK_DOOR_ADD:
	case LINK_DOOR_REMOVE:
	case LINK_CLIENT_AUTH_ADD:
	case LINK_CLIENT_AUTH_REMOVE:
	case LINK_DOORS_TOLD:
	case LINK_SIGN:
	case LINK_NEWNYM:
	case LINK_CLOSE_CIRCUIT:
	case LINK_SOCKS_OPEN:
	case LINK_DOOR_ALIVE:
	case LINK_DOOR_DEAD:
	case LINK_REFRESH:
		break;
	}
}

/* Receive one packet and the descriptor that may come with it (else -1). */
static ssize_t receive(int link, uint8_t *buf, size_t size, int *fd)
{
	struct iovec iov = { buf, size };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room,
	};
	ssize_t n = recvmsg(link, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;

	*fd = -1;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

/* Read one packet; false when there is no more, or the link is gone. */
static bool read_one(struct node_link *l)
{
	uint8_t buf[LINK_MESSAGE_MAX + 1];
	struct link_msg m;
	int fd;
	ssize_t n = receive(l->fd, buf, sizeof buf, &fd);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
		      errno == EINTR))
		return false;
	if (n <= 0)
		lose(l, "the warden is gone: this process must end");
	else if (!link_msg_read(&m, LINK_FROM_WARDEN, span_of(buf, (size_t)n)))
		lose(l, "a message of the warden cannot be read: this "
			"process must end");
	else if (m.type == LINK_SOCKS) {
		dispatch_socks(l, &m.u.socks, fd);
		fd = -1;
	} else if (m.type == LINK_DOOR_LISTEN) {
		dispatch_listener(l, &m.u.wish, fd);
		fd = -1;
	} else {
		dispatch(l, &m, fd);
	}
	if (fd >= 0)
		close(fd);
	return !l->lost && !l->dead;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct node_link *l = arg;

	(void)fd;
	(void)what;
	l->busy = true;
	while (read_one(l))
		;
	l->busy = false;
	if (l->dead)
		node_link_free(l);
}

/* ---- to the warden ---- */

/* Send one packet; false while the socket is full. */
static bool send_packet(struct node_link *l, struct span packet)
{
	ssize_t n;

	do
		n = send(l->fd, packet.p, packet.n, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* a link that is gone shows when reading */
	return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static bool send_one(struct node_link *l, const struct link_msg *m)
{
	struct bytes b = {0};
	bool sent;

	link_msg_write(&b, m);
	sent = send_packet(l, bytes_span(&b));
	bytes_clear(&b);
	return sent;
}

/* Send what waits of one kind; false while the socket is full. */
static bool send_closes(struct node_link *l)
{
	struct link_msg m = { .type = LINK_CLOSE_CIRCUIT };
	size_t done;

	for (done = 0; done < l->closes_n; done++) {
		m.u.circuit = l->closes[done];
		if (!send_one(l, &m))
			break;
	}
	l->closes_n -= done;
	memmove(l->closes, l->closes + done,
		l->closes_n * sizeof l->closes[0]);
	return l->closes_n == 0;
}

static bool send_opens(struct node_link *l)
{
	struct link_msg m = { .type = LINK_SOCKS_OPEN };
	size_t done;

	for (done = 0; done < l->opens_n; done++) {
		m.u.socks = l->opens[done];
		if (!send_one(l, &m))
			break;
	}
	l->opens_n -= done;
	memmove(l->opens, l->opens + done, l->opens_n * sizeof l->opens[0]);
	return l->opens_n == 0;
}

/* They may hold keys. */
static void wish_clear(struct bytes *b)
{
	if (b->p)
		bytes_wipe(b->p, b->cap);
	bytes_clear(b);
}

static bool send_wishes(struct node_link *l)
{
	size_t done = 0;

	while (done < l->wishes_n &&
	       send_packet(l, bytes_span(&l->wishes[done])))
		wish_clear(&l->wishes[done++]);
	l->wishes_n -= done;
	memmove(l->wishes, l->wishes + done,
		l->wishes_n * sizeof l->wishes[0]);
	return l->wishes_n == 0;
}

/* Send a message without fields, if it is wanted. */
static bool send_flag(struct node_link *l, enum link_type type, bool *wanted)
{
	const struct link_msg m = { .type = type };

	if (*wanted && !send_one(l, &m))
		return false;
	*wanted = false;
	return true;
}

static void send_waiting(struct node_link *l)
{
	bool room;

	if (l->lost)
		return;
	room = send_flag(l, LINK_READY, &l->say_ready) &&
	       send_flag(l, LINK_NEWNYM, &l->say_newnym) &&
	       send_flag(l, LINK_DOOR_ALIVE, &l->say_alive) &&
	       send_flag(l, LINK_DOOR_DEAD, &l->say_dead);
	if (!room || !send_wishes(l) || !send_opens(l) || !send_closes(l))
		event_add(l->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_waiting(arg);
}

void node_link_ready(struct node_link *l)
{
	l->say_ready = true;
	send_waiting(l);
}

void node_link_newnym(struct node_link *l)
{
	l->say_newnym = true;
	send_waiting(l);
}

void node_link_door_checked(struct node_link *l, bool alive)
{
	l->say_alive = alive;
	l->say_dead = !alive;
	send_waiting(l);
}

void node_link_socks_open(struct node_link *l, uint32_t id,
			  enum socks_kind kind)
{
	/* What is not asked for runs into its dial's timeout. */
	if (l->opens_n == OPENS_MAX) {
		log_debug(LOG_TOR, "too many dials wait for the warden");
		return;
	}
	l->opens[l->opens_n++] = (struct link_socks){ .id = id,
						      .kind = kind };
	send_waiting(l);
}

void node_link_close_circuit(struct node_link *l, uint32_t circuit)
{
	if (l->closes_n == CLOSES_MAX) {
		log_debug(LOG_TOR, "circuit=%u is not closed: too many wait",
			  circuit);
		return;
	}
	l->closes[l->closes_n++] = circuit;
	send_waiting(l);
}

/* ---- private doors ---- */

static void wish(struct node_link *l, const struct link_msg *m)
{
	if (l->lost)
		return;
	if (l->wishes_n == WISHES_MAX) {
		lose(l, "the warden does not read: this process must end");
		return;
	}
	l->wishes[l->wishes_n] = (struct bytes){ 0 };
	link_msg_write(&l->wishes[l->wishes_n++], m);
	send_waiting(l);
}

void node_link_door_add(struct node_link *l, const struct link_door_wish *w)
{
	struct link_msg m = { .type = LINK_DOOR_ADD };

	m.u.wish = *w;
	wish(l, &m);
}

void node_link_door_remove(struct node_link *l, const char *name, bool forget)
{
	struct link_msg m = { .type = LINK_DOOR_REMOVE };

	link_text_set(m.u.wish.name, sizeof m.u.wish.name, name);
	m.u.wish.forget = forget;
	wish(l, &m);
}

void node_link_client_auth_add(struct node_link *l,
			       const struct link_client_auth *a)
{
	struct link_msg m = { .type = LINK_CLIENT_AUTH_ADD };

	m.u.auth = *a;
	wish(l, &m);
	bytes_wipe(&m, sizeof m);
}

void node_link_client_auth_remove(struct node_link *l, const char *address)
{
	struct link_msg m = { .type = LINK_CLIENT_AUTH_REMOVE };

	link_text_set(m.u.auth.address, sizeof m.u.auth.address, address);
	wish(l, &m);
}

void node_link_refresh(struct node_link *l, const char *onion)
{
	struct link_msg m = { .type = LINK_REFRESH };

	link_text_set(m.u.auth.address, sizeof m.u.auth.address, onion);
	wish(l, &m);
}

void node_link_doors_told(struct node_link *l)
{
	const struct link_msg m = { .type = LINK_DOORS_TOLD };

	wish(l, &m);
}

void node_link_sign(struct node_link *l, struct span request)
{
	struct link_msg m = { .type = LINK_SIGN };

	CHECK(request.n <= LINK_BLOB_MAX);
	m.u.blob.n = request.n;
	memcpy(m.u.blob.b, request.p, request.n);
	wish(l, &m);
}

/* ---- life ---- */

struct node_link *node_link_new(struct event_base *base, int fd,
				const struct node_link_events *events,
				void *arg)
{
	struct node_link *l = xcalloc(1, sizeof *l);

	l->fd = fd;
	l->events = *events;
	l->arg = arg;
	l->tor.phase = TOR_STARTING;
	l->wishes = xcalloc(WISHES_MAX, sizeof *l->wishes);
	link_text_set(l->door.name, sizeof l->door.name, "public");
	evutil_make_socket_nonblocking(fd);
	l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable,
				l);
	l->writable = event_new(base, fd, EV_WRITE, on_writable, l);
	CHECK(l->readable && l->writable);
	event_add(l->readable, NULL);
	return l;
}

void node_link_free(struct node_link *l)
{
	if (!l)
		return;
	l->dead = true;
	if (l->busy)
		return;
	event_free(l->readable);
	event_free(l->writable);
	close(l->fd);
	for (size_t i = 0; i < l->wishes_n; i++)
		wish_clear(&l->wishes[i]);
	free(l->wishes);
	free(l);
}

const struct link_tor_state *node_link_tor_state(const struct node_link *l)
{
	return &l->tor;
}

const struct health *node_link_health(const struct node_link *l)
{
	return &l->health;
}

const struct link_door *node_link_public_door(const struct node_link *l)
{
	return &l->door;
}
