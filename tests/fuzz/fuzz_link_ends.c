/*
 * Both ends of the link in an attacker's hands: a run of packets, some with a
 * descriptor, goes into the warden's end and into the node's.  Each refuses or
 * understands; what it hands on is within bounds; no descriptor is lost.
 *
 * Input: for each packet one byte of its length, its highest bit: with a
 * descriptor.
 */
#include "config.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tor/node_link.h"
#include "tor/warden_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS_MAX 64

struct seen {
	struct event_base *base;
	unsigned messages, ends;
};

static void text_ok(const char *text, size_t max)
{
	CHECK(strnlen(text, max + 1) <= max);
}

/* ---- the warden's end ---- */

static void on_message(void *arg, const struct link_msg *m)
{
	struct seen *s = arg;

	CHECK(m->type >= LINK_READY);
	s->messages++;
}

static void on_nonsense(void *arg)
{
	struct seen *s = arg;

	s->ends++;
}

/* ---- the node's end ---- */

static void on_tor_state(void *arg, const struct link_tor_state *t)
{
	(void)arg;
	CHECK(t->phase < TOR_PHASE_COUNT && t->bootstrap_percent <= 100);
	text_ok(t->summary, LINK_TEXT_MAX);
	text_ok(t->problem, LINK_TEXT_MAX);
	text_ok(t->version, LINK_TOR_VERSION_MAX);
}

static void on_door(void *arg, const struct link_door *d)
{
	(void)arg;
	CHECK(d->state < DOOR_STATE_COUNT);
	text_ok(d->name, LINK_NAME_MAX);
	text_ok(d->address, LINK_ADDRESS_MAX);
}

static void on_listener(void *arg, const char *name, enum door_port port,
			TAKES int fd)
{
	(void)arg;
	(void)port;
	text_ok(name, LINK_NAME_MAX);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void on_stop(void *arg)
{
	(void)arg;
}

static void on_reopen(void *arg, int fd)
{
	(void)arg;
	(void)fd;
}

static void on_socks(void *arg, const struct link_socks *s, TAKES int fd)
{
	(void)arg;
	CHECK((fd >= 0) == (s->result == SOCKS_OPEN_OK));
	if (fd >= 0)
		CHECK(close(fd) == 0);
}

static void on_lost(void *arg)
{
	struct seen *s = arg;

	CHECK(++s->ends == 1);
}

/* ---- what is sent ---- */

static bool send_one(int to, struct span packet, int fd)
{
	struct iovec iov = { (void *)packet.p, packet.n };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		h.msg_control = control.room;
		h.msg_controllen = sizeof control.room;
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	return sendmsg(to, &h, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void send_all(struct event_base *base, int to, struct span in, int fd)
{
	for (unsigned i = 0; in.n && i < PACKETS_MAX; i++) {
		size_t n = MIN_OF((size_t)(in.p[0] & 0x7f), in.n - 1);
		bool with = in.p[0] & 0x80;

		if (n && !send_one(to, span_of(in.p + 1, n), with ? fd : -1))
			break;
		in = span_of(in.p + 1 + n, in.n - 1 - n);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void warden_end(struct span in, int fd)
{
	static const struct warden_link_events events = {
		.message = on_message, .nonsense = on_nonsense,
	};
	struct seen s = { event_base_new(), 0, 0 };
	struct warden_link *l;
	int pair[2];

	CHECK(s.base && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				   pair) == 0);
	l = warden_link_new(s.base, pair[0], &events, &s);
	send_all(s.base, pair[1], in, fd);
	CHECK(s.ends <= 1);
	close(pair[1]);
	warden_link_free(l);
	event_base_free(s.base);
}

static void node_end(struct span in, int fd)
{
	static const struct node_link_events events = {
		.tor_state = on_tor_state, .door = on_door,
		.door_listener = on_listener, .stop = on_stop,
		.log_reopen = on_reopen, .socks = on_socks, .lost = on_lost,
	};
	struct seen s = { event_base_new(), 0, 0 };
	struct node_link *l;
	int pair[2];

	CHECK(s.base && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				   pair) == 0);
	l = node_link_new(s.base, pair[0], &events, &s);
	send_all(s.base, pair[1], in, fd);
	close(pair[1]);
	node_link_free(l);
	event_base_free(s.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned before = open_files();

	CHECK(null >= 0);
	warden_end(span_of(data, size), null);
	node_end(span_of(data, size), null);
	CHECK(open_files() == before);
	close(null);
	return 0;
}
