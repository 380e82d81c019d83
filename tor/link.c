/*
 * The link's codec.  A packet is the version, the type, the fields; numbers
 * are little-endian, a string is its length (u16) and its bytes.
 */
#include "config.h"

#include "tor/link.h"

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/onion_address.h"

#include <string.h>

void link_text_set(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size);

	CHECK(size > 0);
	if (n == size) {
		n = size - 1;
		/* never leave half a character */
		while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
			n--;
	}
	memmove(out, text, n);
	out[n] = '\0';
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static void write_string(struct bytes *out, const char *s, size_t max)
{
	size_t n = strnlen(s, max);
	size_t i;

	write_u16(out, (uint16_t)n);
	for (i = 0; i < n; i++)
		write_u8(out, is_control((uint8_t)s[i]) ? '?' : (uint8_t)s[i]);
}

static void read_string(struct reader *r, char *out, size_t max)
{
	size_t n = read_u16(r);
	struct span s = { NULL, 0 };
	size_t i;

	if (n > max)
		r->failed = true;
	else
		s = read_span(r, n);
	for (i = 0; i < s.n; i++)
		if (is_control(s.p[i]))
			r->failed = true;
	if (s.n && !r->failed)
		memcpy(out, s.p, s.n);
	out[r->failed ? 0 : s.n] = '\0';
}

/* An enum in one byte, below its count. */
static unsigned read_enum(struct reader *r, unsigned count)
{
	unsigned v = read_u8(r);

	if (v < count)
		return v;
	r->failed = true;
	return 0;
}

static void tor_state_write(struct bytes *out, const struct link_tor_state *s)
{
	write_u8(out, (uint8_t)s->phase);
	write_u8(out, s->bootstrap_percent);
	write_u32(out, s->circuits);
	write_u32(out, (uint32_t)s->clock_skew_s);
	write_u32(out, s->restarts);
	write_string(out, s->version, LINK_TOR_VERSION_MAX);
	write_string(out, s->summary, LINK_TEXT_MAX);
	write_string(out, s->problem, LINK_TEXT_MAX);
}

static void tor_state_read(struct link_tor_state *s, struct reader *r)
{
	s->phase = (enum tor_phase)read_enum(r, TOR_PHASE_COUNT);
	s->bootstrap_percent = (uint8_t)read_enum(r, 101);
	s->circuits = read_u32(r);
	s->clock_skew_s = (int32_t)read_u32(r);
	s->restarts = read_u32(r);
	read_string(r, s->version, LINK_TOR_VERSION_MAX);
	read_string(r, s->summary, LINK_TEXT_MAX);
	read_string(r, s->problem, LINK_TEXT_MAX);
}

static void door_write(struct bytes *out, const struct link_door *d)
{
	write_string(out, d->name, LINK_NAME_MAX);
	write_u8(out, (uint8_t)d->state);
	write_string(out, d->address, LINK_ADDRESS_MAX);
	write_u16(out, d->port);
	write_u32(out, d->uploads);
	write_string(out, d->problem, LINK_TEXT_MAX);
}

static void door_read(struct link_door *d, struct reader *r)
{
	read_string(r, d->name, LINK_NAME_MAX);
	d->state = (enum door_state)read_enum(r, DOOR_STATE_COUNT);
	read_string(r, d->address, LINK_ADDRESS_MAX);
	d->port = read_u16(r);
	d->uploads = read_u32(r);
	read_string(r, d->problem, LINK_TEXT_MAX);
}

/* ---- private doors ---- */

bool link_door_name_ok(const char *name)
{
	return name[0] == 'd' && strlen(name) == 11 &&
	       strspn(name + 1, "0123456789abcdef") == 10;
}

uint16_t door_port_number(enum door_port p)
{
	static const uint16_t numbers[DOOR_PORT_COUNT] = {
		[DOOR_P2P] = 8333, [DOOR_ENROL] = 8331, [DOOR_RPC] = 8332,
	};

	return numbers[p];
}

static void read_door_name(struct reader *r, char *out)
{
	read_string(r, out, LINK_NAME_MAX);
	if (!link_door_name_ok(out))
		r->failed = true;
}

static void wish_write(struct bytes *out, enum link_type type,
		       const struct link_door_wish *w)
{
	write_string(out, w->name, LINK_NAME_MAX);
	if (type == LINK_DOOR_ADD) {
		write_u8(out, w->ports);
		bytes_append(out, w->client, sizeof w->client);
	} else if (type == LINK_DOOR_LISTEN) {
		write_u8(out, (uint8_t)w->port);
	} else if (type == LINK_DOOR_REMOVE) {
		write_u8(out, w->forget);
	}
}

static void wish_read(struct link_door_wish *w, enum link_type type,
		      struct reader *r)
{
	read_door_name(r, w->name);
	if (type == LINK_DOOR_ADD) {
		w->ports = (uint8_t)read_enum(r, DOOR_PORT_ALL + 1);
		read_copy(r, w->client, sizeof w->client);
		if (w->ports == 0)
			r->failed = true;
	} else if (type == LINK_DOOR_LISTEN) {
		w->port = (enum door_port)read_enum(r, DOOR_PORT_COUNT);
	} else if (type == LINK_DOOR_REMOVE) {
		w->forget = read_enum(r, 2);
	}
}

static void auth_write(struct bytes *out, enum link_type type,
		       const struct link_client_auth *a)
{
	write_string(out, a->address, LINK_ADDRESS_MAX);
	if (type == LINK_CLIENT_AUTH_ADD)
		bytes_append(out, a->key, sizeof a->key);
}

static void auth_read(struct link_client_auth *a, enum link_type type,
		      struct reader *r)
{
	uint8_t key[ONION_KEY_BYTES];

	read_string(r, a->address, LINK_ADDRESS_MAX);
	if (!onion_parse(key, a->address))
		r->failed = true;
	if (type == LINK_CLIENT_AUTH_ADD)
		read_copy(r, a->key, sizeof a->key);
}

static void blob_write(struct bytes *out, const struct link_blob *b)
{
	CHECK(b->n <= LINK_BLOB_MAX);
	write_u16(out, (uint16_t)b->n);
	bytes_append(out, b->b, b->n);
}

static void blob_read(struct link_blob *b, struct reader *r)
{
	b->n = read_u16(r);
	if (b->n > LINK_BLOB_MAX)
		r->failed = true;
	else
		read_copy(r, b->b, b->n);
}

void link_msg_write(struct bytes *out, const struct link_msg *m)
{
	size_t before = out->n;

	write_u8(out, LINK_VERSION);
	write_u8(out, (uint8_t)m->type);
	switch (m->type) {
	case LINK_TOR_STATE:
		tor_state_write(out, &m->u.tor);
		break;
	case LINK_DOOR:
		door_write(out, &m->u.door);
		break;
	case LINK_CLOSE_CIRCUIT:
		write_u32(out, m->u.circuit);
		break;
	case LINK_SOCKS:
		write_u32(out, m->u.socks.id);
		write_u8(out, (uint8_t)m->u.socks.result);
		break;
	case LINK_SOCKS_OPEN:
		write_u32(out, m->u.socks.id);
		write_u8(out, (uint8_t)m->u.socks.kind);
		break;
	case LINK_DOOR_ADD:
	case LINK_DOOR_REMOVE:
	case LINK_DOOR_LISTEN:
		wish_write(out, m->type, &m->u.wish);
		break;
	case LINK_HEALTH:
		health_write(out, &m->u.health);
		break;
	case LINK_CLIENT_AUTH_ADD:
	case LINK_CLIENT_AUTH_REMOVE:
	case LINK_REFRESH:
		auth_write(out, m->type, &m->u.auth);
		break;
	case LINK_SIGN:
	case LINK_SIGNED:
		blob_write(out, &m->u.blob);
		break;
	case LINK_STOP:
	case LINK_LOG_REOPEN:
	case LINK_READY:
	case LINK_NEWNYM:
	case LINK_DOOR_ALIVE:
	case LINK_DOOR_DEAD:
	case LINK_DOORS_TOLD:
		break;
	}
	CHECK(out->n - before <= LINK_MESSAGE_MAX);
}

static void read_from_warden(struct link_msg *m, struct reader *r)
{
	switch ((unsigned)m->type) {
	case LINK_TOR_STATE:
		tor_state_read(&m->u.tor, r);
		break;
	case LINK_DOOR:
		door_read(&m->u.door, r);
		break;
	case LINK_SOCKS:
		m->u.socks.id = read_u32(r);
		m->u.socks.result =
			(enum socks_open)read_enum(r, SOCKS_OPEN_COUNT);
		break;
	case LINK_DOOR_LISTEN:
		wish_read(&m->u.wish, m->type, r);
		break;
	case LINK_SIGNED:
		blob_read(&m->u.blob, r);
		break;
	case LINK_HEALTH:
		health_read(&m->u.health, r);
		break;
	case LINK_STOP:
	case LINK_LOG_REOPEN:
		break;
	default:
		r->failed = true;
	}
}

static void read_from_node(struct link_msg *m, struct reader *r)
{
	switch ((unsigned)m->type) {
	case LINK_READY:
	case LINK_NEWNYM:
	case LINK_DOOR_ALIVE:
	case LINK_DOOR_DEAD:
	case LINK_DOORS_TOLD:
		break;
	case LINK_DOOR_ADD:
	case LINK_DOOR_REMOVE:
		wish_read(&m->u.wish, m->type, r);
		break;
	case LINK_CLIENT_AUTH_ADD:
	case LINK_CLIENT_AUTH_REMOVE:
	case LINK_REFRESH:
		auth_read(&m->u.auth, m->type, r);
		break;
	case LINK_SIGN:
		blob_read(&m->u.blob, r);
		break;
	case LINK_CLOSE_CIRCUIT:
		m->u.circuit = read_u32(r);
		break;
	case LINK_SOCKS_OPEN:
		m->u.socks.id = read_u32(r);
		m->u.socks.kind =
			(enum socks_kind)read_enum(r, SOCKS_KIND_COUNT);
		break;
	default:
		r->failed = true;
	}
}

bool link_msg_read(struct link_msg *m, enum link_side from, struct span packet)
{
	struct reader r = reader_of(packet);

	memset(m, 0, sizeof *m);
	if (packet.n > LINK_MESSAGE_MAX || read_u8(&r) != LINK_VERSION)
		return false;
	m->type = (enum link_type)read_u8(&r);
	if (from == LINK_FROM_WARDEN)
		read_from_warden(m, &r);
	else
		read_from_node(m, &r);
	return !r.failed && reader_left(&r) == 0;
}

const char *tor_phase_name(enum tor_phase p)
{
	switch (p) {
	case TOR_OFF:
		return "off";
	case TOR_STARTING:
		return "starting";
	case TOR_BOOTSTRAPPING:
		return "bootstrapping";
	case TOR_READY:
		return "ready";
	case TOR_DOWN:
		return "down";
	case TOR_PHASE_COUNT:
		break;
	}
	return "unknown";
}

const char *door_state_name(enum door_state s)
{
	switch (s) {
	case DOOR_NONE:
		return "none";
	case DOOR_PUBLISHING:
		return "publishing";
	case DOOR_REACHABLE:
		return "reachable";
	case DOOR_FAILED:
		return "failed";
	case DOOR_STATE_COUNT:
		break;
	}
	return "unknown";
}
