/*
 * The link's codec.  A packet is the version, the type, the fields; numbers
 * are little-endian, a string is its length (u16) and its bytes.
 */
#include "config.h"

#include "tor/link.h"

#include "base/reader.h"
#include "base/writer.h"

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
	case LINK_STOP:
	case LINK_LOG_REOPEN:
	case LINK_READY:
	case LINK_NEWNYM:
	case LINK_DOOR_ALIVE:
	case LINK_DOOR_DEAD:
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
