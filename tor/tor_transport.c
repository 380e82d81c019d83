/*
 * Dialling through tor's SOCKS port.  The descriptor is handed over with
 * nothing of the peer's bytes read, so the handshake reads exactly what
 * SOCKS says is coming.
 */
#include "config.h"

#include "tor/tor_transport.h"

#include "base/log.h"
#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/onion_address.h"
#include "net/loop.h"
#include "tor/socks5.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX 300            /* the longest reply: 4 + 1 + 255 + 2 */
#define BUSY_RETRY_MS 20      /* when tor's backlog is full */
#define DEFAULT_TIMEOUT_MS 60000

struct tor_transport {
	struct transport base;
	struct loop *loop;
	struct socks_source source;
	const char *const *seed_names;
	uint32_t last_id;         /* of the connections asked for */
	uint8_t secret[32];       /* isolation keys become credentials */
	struct tor_dial *first;   /* those under way */
};

struct tor_dial {
	struct dial base;
	struct tor_dial *next, *prev;
	dial_fn *done;
	void *arg;
	int fd;
	uint32_t open_id;         /* asked for; 0: not yet */
	enum socks_kind kind;
	enum dial_result outcome; /* of a dial that failed at once */
	struct event *io;
	struct timer *timeout, *soon;
	struct socks5 socks;
	struct bytes out;         /* to be sent */
	uint8_t in[IN_MAX];
	size_t in_n;
};

static struct tor_transport *transport_of(struct tor_dial *d)
{
	return CONTAINER_OF(d->base.transport, struct tor_transport, base);
}

/* ---- life of a dial ---- */

/* Free all but the descriptor, if it was taken out before. */
static void dial_free(struct tor_dial *d)
{
	struct tor_transport *t = transport_of(d);

	if (d->prev)
		d->prev->next = d->next;
	else
		t->first = d->next;
	if (d->next)
		d->next->prev = d->prev;
	if (d->io)
		event_free(d->io);
	timer_free(d->timeout);
	timer_free(d->soon);
	if (d->fd >= 0)
		close(d->fd);
	socks5_clear(&d->socks);
	if (d->out.p)
		bytes_wipe(d->out.p, d->out.cap);
	bytes_clear(&d->out);
	free(d);
}

static void dial_end(struct tor_dial *d, enum dial_result result)
{
	dial_fn *done = d->done;
	void *arg = d->arg;
	int fd = -1;

	if (result == DIAL_OK) {
		fd = d->fd;
		d->fd = -1;
	}
	dial_free(d);
	done(result, fd, arg);
}

static void tor_dial_cancel(struct dial *base)
{
	dial_free(CONTAINER_OF(base, struct tor_dial, base));
}

static void on_timeout(void *arg)
{
	dial_end(arg, DIAL_TIMEOUT);
}

/* ---- the handshake ---- */

static enum dial_result result_of(enum socks5_error e)
{
	switch (e) {
	case SOCKS5_OK:
		return DIAL_OK;
	case SOCKS5_GENERAL:
	case SOCKS5_REFUSED:
		return DIAL_REFUSED;
	case SOCKS5_NET_UNREACHABLE:
	case SOCKS5_HOST_UNREACHABLE:
	case SOCKS5_ONION_INTRO:
	case SOCKS5_ONION_REND:
		return DIAL_UNREACHABLE;
	case SOCKS5_TTL_EXPIRED:
	case SOCKS5_ONION_INTRO_TIMEOUT:
		return DIAL_TIMEOUT;
	case SOCKS5_ONION_NOT_FOUND:
		return DIAL_NOT_FOUND;
	case SOCKS5_ONION_NEED_AUTH:
	case SOCKS5_ONION_BAD_AUTH:
		return DIAL_AUTH_REQUIRED;
	case SOCKS5_ONION_BAD_ADDRESS:
		return DIAL_BAD_ADDRESS;
	case SOCKS5_PROTOCOL:
		return DIAL_PROXY_DOWN;
	case SOCKS5_NOT_ALLOWED:
	case SOCKS5_BAD_COMMAND:
	case SOCKS5_BAD_ADDRESS_TYPE:
	case SOCKS5_ONION_BAD_DESC:
	case SOCKS5_UNKNOWN_REPLY:
	case SOCKS5_ERROR_COUNT:
		break;
	}
	return DIAL_OTHER;
}

static void want(struct tor_dial *d, short what)
{
	struct tor_transport *t = transport_of(d);

	event_del(d->io);
	event_assign(d->io, loop_event_base(t->loop), d->fd,
		     what | EV_PERSIST, event_get_callback(d->io), d);
	event_add(d->io, NULL);
}

/* Send what is queued; false after the dial has ended. */
static bool flush(struct tor_dial *d)
{
	ssize_t n;

	while (d->out.n > 0) {
		n = send(d->fd, d->out.p, d->out.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			want(d, EV_WRITE | EV_READ);
			return true;
		}
		if (n < 0) {
			dial_end(d, DIAL_PROXY_DOWN);
			return false;
		}
		bytes_consume(&d->out, (size_t)n);
	}
	want(d, EV_READ);
	return true;
}

/* Read what SOCKS wants and no byte more; false after the dial has ended or
 * when nothing more is there. */
static bool read_step(struct tor_dial *d)
{
	size_t room = socks5_wants(&d->socks, span_of(d->in, d->in_n));
	enum socks5_status st;
	size_t used;
	ssize_t n;

	CHECK(room > 0 && d->in_n + room <= sizeof d->in);
	n = recv(d->fd, d->in + d->in_n, room, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
		      errno == EINTR))
		return false;
	if (n <= 0) {
		dial_end(d, DIAL_PROXY_DOWN);
		return false;
	}
	d->in_n += (size_t)n;
	st = socks5_feed(&d->socks, &used, &d->out, span_of(d->in, d->in_n));
	memmove(d->in, d->in + used, d->in_n - used);
	d->in_n -= used;
	if (st == SOCKS5_MORE)
		return flush(d);
	if (st == SOCKS5_FAILED)
		log_debug(LOG_TOR, "dial failed: %s",
			  socks5_error_text(d->socks.error));
	dial_end(d, result_of(d->socks.error));
	return false;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct tor_dial *d = arg;

	(void)fd;
	if ((what & EV_WRITE) && !flush(d))
		return;
	if (what & EV_READ)
		while (read_step(d))
			;
}

/* ---- beginning ---- */

static void dial_ask(struct tor_dial *d)
{
	struct tor_transport *t = transport_of(d);

	if (++t->last_id == 0)
		t->last_id = 1;
	d->open_id = t->last_id;
	t->source.open(t->source.ctx, d->open_id, d->kind);
}

static void dial_connected(struct tor_dial *d, int fd)
{
	struct tor_transport *t = transport_of(d);

	d->fd = fd;
	d->io = event_new(loop_event_base(t->loop), fd, EV_READ | EV_PERSIST,
			  on_io, d);
	CHECK(d->io);
	(void)flush(d);
}

void tor_transport_opened(struct transport *base, const struct link_socks *s,
			  int fd)
{
	struct tor_transport *t = CONTAINER_OF(base, struct tor_transport,
					       base);
	struct tor_dial *d = t->first;

	while (d && d->open_id != s->id)
		d = d->next;
	if (!d || d->fd >= 0) {
		/* Given up meanwhile. */
		if (fd >= 0)
			close(fd);
		return;
	}
	switch (s->result) {
	case SOCKS_OPEN_OK:
		dial_connected(d, fd);
		break;
	case SOCKS_OPEN_BUSY:
		timer_set(d->soon, BUSY_RETRY_MS);
		break;
	case SOCKS_OPEN_DOWN:
	case SOCKS_OPEN_COUNT:
		dial_end(d, DIAL_PROXY_DOWN);
		break;
	}
}

/* From the loop: nothing happens inside transport_dial(). */
static void on_soon(void *arg)
{
	struct tor_dial *d = arg;

	if (d->outcome != DIAL_OK)
		dial_end(d, d->outcome);
	else
		dial_ask(d);
}

/* Fresh and random, or, for a key, always the same from this transport. */
static void credentials(struct tor_transport *t, const char *isolation,
			char user[static 33], char pass[static 33])
{
	uint8_t b[32];

	if (isolation)
		hmac_sha256(b, span_of(t->secret, sizeof t->secret),
			    span_of(isolation, strlen(isolation)));
	else
		random_bytes(b, sizeof b);
	hex_encode(user, b, 16);
	hex_encode(pass, b + 16, 16);
	bytes_wipe(b, sizeof b);
}

static bool target_ok(const struct tor_transport *t,
		      const struct dial_target *target)
{
	const char *const *name = t->seed_names;
	uint8_t key[ONION_KEY_BYTES];

	if (!target->port)
		return false;
	if (!target->seed_name)
		return onion_parse(key, target->host);
	while (name && *name && strcmp(*name, target->host) != 0)
		name++;
	return name && *name;
}

static struct dial *tor_dial(struct transport *base,
			     const struct dial_target *target,
			     dial_fn *done, void *arg)
{
	struct tor_transport *t = CONTAINER_OF(base, struct tor_transport,
					       base);
	struct tor_dial *d = xcalloc(1, sizeof *d);
	char user[33], pass[33];

	d->base.transport = base;
	d->done = done;
	d->arg = arg;
	d->fd = -1;
	d->next = t->first;
	if (t->first)
		t->first->prev = d;
	t->first = d;
	d->timeout = timer_new(t->loop, on_timeout, d);
	d->soon = timer_new(t->loop, on_soon, d);
	d->kind = target->seed_name ? SOCKS_SEED : SOCKS_PEER;
	if (target_ok(t, target)) {
		credentials(t, target->isolation, user, pass);
		socks5_start(&d->socks, &d->out, target->host, target->port,
			     user, pass);
		bytes_wipe(user, sizeof user);
		bytes_wipe(pass, sizeof pass);
		timer_set(d->timeout, target->timeout_ms > 0
			  ? target->timeout_ms : DEFAULT_TIMEOUT_MS);
	} else {
		d->outcome = DIAL_BAD_ADDRESS;
	}
	timer_set(d->soon, 0);
	return &d->base;
}

/* ---- the transport ---- */

static void tor_transport_free(struct transport *base)
{
	struct tor_transport *t = CONTAINER_OF(base, struct tor_transport,
					       base);

	while (t->first)
		dial_free(t->first);
	bytes_wipe(t->secret, sizeof t->secret);
	free(t);
}

static const struct transport_ops tor_ops = {
	.name = "tor",
	.dial = tor_dial,
	.cancel = tor_dial_cancel,
	.free = tor_transport_free,
};

struct transport *tor_transport_new(struct loop *l,
				    const struct socks_source *source,
				    const char *const *seed_names)
{
	struct tor_transport *t = xcalloc(1, sizeof *t);

	t->base.ops = &tor_ops;
	t->loop = l;
	t->source = *source;
	t->seed_names = seed_names;
	random_bytes(t->secret, sizeof t->secret);
	return &t->base;
}
