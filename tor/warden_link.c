/*
 * The warden's end of the link.
 */
#include "config.h"

#include "tor/warden_link.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS_MAX 256       /* to LINK_SOCKS_OPEN, that may wait */

struct answer {
	struct link_msg m;
	int fd;
};

/* What the node shall know of one door. */
struct door_slot {
	struct link_door door;
	struct bytes last;            /* as the node knows it */
	bool say;
	int listeners[DOOR_PORT_COUNT];   /* to be handed over; -1: none */
};

/* One more for the door that is too many, one for the public one. */
#define SLOTS_MAX (LINK_DOORS_MAX + 2)

struct warden_link {
	struct event *readable, *writable;
	int fd;
	struct warden_link_events events;
	void *arg;
	struct link_msg tor, health, signature;
	bool say_tor, say_health, say_stop, say_reopen, say_signed;
	int log_fd;                          /* goes with reopen */
	struct bytes last_tor, last_health;  /* as the node knows them */
	struct door_slot *slots[SLOTS_MAX];
	size_t slots_n;
	struct answer answers[ANSWERS_MAX];
	size_t answers_n;
};

/* One packet, with a descriptor unless fd is -1; false while the socket is
 * full.  A node that is gone shows elsewhere. */
static bool send_packet(struct warden_link *l, const struct link_msg *m,
			int fd)
{
	struct bytes b = {0};
	struct iovec iov;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	link_msg_write(&b, m);
	iov = (struct iovec){ b.p, b.n };
	if (fd >= 0) {
		struct cmsghdr *c;

		h.msg_control = control.room;
		h.msg_controllen = sizeof control.room;
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	do
		n = sendmsg(l->fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	bytes_clear(&b);
	return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* Send m if *wanted; false while the socket is full. */
static bool send_one(struct warden_link *l, bool *wanted,
		     const struct link_msg *m, int fd)
{
	if (*wanted && !send_packet(l, m, fd))
		return false;
	*wanted = false;          /* sent, or the node is gone */
	return true;
}

static bool send_answers(struct warden_link *l)
{
	size_t done = 0;

	while (done < l->answers_n &&
	       send_packet(l, &l->answers[done].m, l->answers[done].fd)) {
		if (l->answers[done].fd >= 0)
			close(l->answers[done].fd);
		done++;
	}
	l->answers_n -= done;
	memmove(l->answers, l->answers + done,
		l->answers_n * sizeof l->answers[0]);
	return l->answers_n == 0;
}

static bool send_listeners(struct warden_link *l, struct door_slot *s)
{
	struct link_msg m = { .type = LINK_DOOR_LISTEN };

	memcpy(m.u.wish.name, s->door.name, sizeof m.u.wish.name);
	for (int i = 0; i < DOOR_PORT_COUNT; i++) {
		m.u.wish.port = (enum door_port)i;
		if (s->listeners[i] < 0)
			continue;
		if (!send_packet(l, &m, s->listeners[i]))
			return false;
		close(s->listeners[i]);
		s->listeners[i] = -1;
	}
	return true;
}

static bool send_doors(struct warden_link *l)
{
	struct link_msg m = { .type = LINK_DOOR };

	for (size_t i = 0; i < l->slots_n; i++) {
		m.u.door = l->slots[i]->door;
		if (!send_listeners(l, l->slots[i]) ||
		    !send_one(l, &l->slots[i]->say, &m, -1))
			return false;
	}
	return true;
}

/* Does m say more than *last?  Then it is the new last. */
static bool is_news(struct bytes *last, const struct link_msg *m)
{
	struct bytes b = {0};

	link_msg_write(&b, m);
	if (span_eq(bytes_span(&b), bytes_span(last))) {
		bytes_clear(&b);
		return false;
	}
	bytes_clear(last);
	*last = b;
	return true;
}

static void send_waiting(struct warden_link *l)
{
	const struct link_msg stop = { .type = LINK_STOP };
	const struct link_msg reopen = { .type = LINK_LOG_REOPEN };

	if (!send_one(l, &l->say_stop, &stop, -1) ||
	    !send_one(l, &l->say_tor, &l->tor, -1) ||
	    !send_one(l, &l->say_signed, &l->signature, -1) ||
	    !send_one(l, &l->say_health, &l->health, -1) ||
	    !send_doors(l) ||
	    !send_one(l, &l->say_reopen, &reopen, l->log_fd) ||
	    !send_answers(l))
		event_add(l->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_waiting(arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct warden_link *l = arg;
	uint8_t buf[LINK_MESSAGE_MAX + 1];
	struct link_msg m;
	ssize_t n = recv(fd, buf, sizeof buf, 0);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
		      errno == EINTR))
		return;
	if (n <= 0) {
		event_del(l->readable);     /* its end will be reaped */
		return;
	}
	if (link_msg_read(&m, LINK_FROM_NODE, span_of(buf, (size_t)n))) {
		l->events.message(l->arg, &m);
		return;
	}
	event_del(l->readable);
	l->events.nonsense(l->arg);
}

struct warden_link *warden_link_new(struct event_base *base, int fd,
				    const struct warden_link_events *events,
				    void *arg)
{
	struct warden_link *l = xcalloc(1, sizeof *l);

	l->fd = fd;
	l->events = *events;
	l->arg = arg;
	l->tor.type = LINK_TOR_STATE;
	l->signature.type = LINK_SIGNED;
	l->health.type = LINK_HEALTH;
	evutil_make_socket_nonblocking(fd);
	l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable,
				l);
	l->writable = event_new(base, fd, EV_WRITE, on_writable, l);
	CHECK(l->readable && l->writable);
	event_add(l->readable, NULL);
	return l;
}

static void slot_free(struct door_slot *s)
{
	for (int i = 0; i < DOOR_PORT_COUNT; i++)
		if (s->listeners[i] >= 0)
			close(s->listeners[i]);
	bytes_clear(&s->last);
	free(s);
}

void warden_link_free(struct warden_link *l)
{
	if (!l)
		return;
	event_free(l->readable);
	event_free(l->writable);
	close(l->fd);
	for (size_t i = 0; i < l->answers_n; i++)
		if (l->answers[i].fd >= 0)
			close(l->answers[i].fd);
	for (size_t i = 0; i < l->slots_n; i++)
		slot_free(l->slots[i]);
	bytes_clear(&l->last_tor);
	bytes_clear(&l->last_health);
	free(l);
}

void warden_link_tor_state(struct warden_link *l,
			   const struct link_tor_state *s)
{
	l->tor.u.tor = *s;
	if (!is_news(&l->last_tor, &l->tor))
		return;
	l->say_tor = true;
	send_waiting(l);
}

void warden_link_health(struct warden_link *l, const struct health *h)
{
	l->health.u.health = *h;
	if (!is_news(&l->last_health, &l->health))
		return;
	l->say_health = true;
	send_waiting(l);
}

/* The slot of a door, a new one if there is none; NULL: no room. */
static struct door_slot *slot_of(struct warden_link *l, const char *name)
{
	struct door_slot *s;

	for (size_t i = 0; i < l->slots_n; i++)
		if (strcmp(l->slots[i]->door.name, name) == 0)
			return l->slots[i];
	if (l->slots_n == SLOTS_MAX)
		return NULL;
	s = xcalloc(1, sizeof *s);
	link_text_set(s->door.name, sizeof s->door.name, name);
	for (int i = 0; i < DOOR_PORT_COUNT; i++)
		s->listeners[i] = -1;
	l->slots[l->slots_n++] = s;
	return s;
}

void warden_link_door(struct warden_link *l, const struct link_door *d)
{
	struct door_slot *s = slot_of(l, d->name);
	struct link_msg m = { .type = LINK_DOOR };

	m.u.door = *d;
	if (!s || !is_news(&s->last, &m))
		return;
	s->door = *d;
	s->say = true;
	send_waiting(l);
}

void warden_link_door_listen(struct warden_link *l,
			     const struct link_door_wish *w, int fd)
{
	struct door_slot *s = slot_of(l, w->name);
	int *listener;

	if (!s)
		return;
	listener = &s->listeners[w->port];
	if (*listener >= 0)
		close(*listener);
	*listener = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	send_waiting(l);
}

void warden_link_door_gone(struct warden_link *l, const char *name)
{
	for (size_t i = 0; i < l->slots_n; i++) {
		if (strcmp(l->slots[i]->door.name, name) != 0)
			continue;
		slot_free(l->slots[i]);
		l->slots[i] = l->slots[--l->slots_n];
		return;
	}
}

void warden_link_stop(struct warden_link *l)
{
	l->say_stop = true;
	send_waiting(l);
}

void warden_link_log_reopen(struct warden_link *l, int log_fd)
{
	l->log_fd = log_fd;
	l->say_reopen = true;
	send_waiting(l);
}

void warden_link_signed(struct warden_link *l, struct span answer)
{
	CHECK(answer.n <= LINK_BLOB_MAX);
	l->signature.u.blob.n = answer.n;
	memcpy(l->signature.u.blob.b, answer.p, answer.n);
	l->say_signed = true;
	send_waiting(l);
}

void warden_link_socks(struct warden_link *l, const struct link_socks *s,
		       int fd)
{
	struct answer *a;

	/* The node has a timeout of its own for what is not answered. */
	if (l->answers_n == ANSWERS_MAX) {
		if (fd >= 0)
			close(fd);
		return;
	}
	a = &l->answers[l->answers_n++];
	memset(a, 0, sizeof *a);
	a->m.type = LINK_SOCKS;
	a->m.u.socks = *s;
	a->fd = fd;
	send_waiting(l);
}
