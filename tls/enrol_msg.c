/*
 * The codec of enrolment.
 */
#include "config.h"

#include "tls/enrol_msg.h"

#include "base/reader.h"
#include "base/writer.h"

#define MSG_VERSION 1

static void door_write(struct bytes *out, const struct enrol_door *d)
{
	bytes_append(out, d->onion, sizeof d->onion);
	bytes_append(out, d->key, sizeof d->key);
}

static void door_read(struct enrol_door *d, struct reader *r)
{
	read_copy(r, d->onion, sizeof d->onion);
	read_copy(r, d->key, sizeof d->key);
}

static void fields_write(struct bytes *out, const struct enrol_msg *m)
{
	switch (m->type) {
	case ENROL_REDEEM:
		bytes_append(out, m->token, sizeof m->token);
		door_write(out, &m->door);
		break;
	case ENROL_MOVE:
		door_write(out, &m->door);
		break;
	case ENROL_WELCOME:
		write_u8(out, m->roles);
		break;
	case ENROL_REFUSE:
		write_u8(out, (uint8_t)m->reason);
		break;
	case ENROL_MOVED:
	case ENROL_KNOCK:
		break;
	}
}

void enrol_msg_write(struct bytes *out, const struct enrol_msg *m)
{
	size_t at = out->n, n;

	bytes_reserve(out, ENROL_MESSAGE_MAX);
	write_u16(out, 0);
	write_u8(out, MSG_VERSION);
	write_u8(out, (uint8_t)m->type);
	fields_write(out, m);
	n = out->n - at;
	CHECK(n <= ENROL_MESSAGE_MAX);
	out->p[at] = (uint8_t)(n - 2);
	out->p[at + 1] = (uint8_t)((n - 2) >> 8);
}

static bool fields_read(struct enrol_msg *m, struct reader *r)
{
	unsigned v;

	switch (m->type) {
	case ENROL_REDEEM:
		read_copy(r, m->token, sizeof m->token);
		door_read(&m->door, r);
		return true;
	case ENROL_MOVE:
		door_read(&m->door, r);
		return true;
	case ENROL_WELCOME:
		m->roles = read_u8(r);
		return !(m->roles & ~ROLE_ALL);
	case ENROL_REFUSE:
		v = read_u8(r);
		m->reason = (enum enrol_reason)v;
		return v < ENROL_REASON_COUNT;
	case ENROL_MOVED:
	case ENROL_KNOCK:
		return true;
	}
	return false;
}

enum enrol_read enrol_msg_read(struct enrol_msg *m, size_t *used,
			       struct span in)
{
	struct reader r = reader_of(in);
	size_t n = read_u16(&r);
	bool ok;

	if (r.failed)
		return ENROL_READ_MORE;
	if (n < 2 || n + 2 > ENROL_MESSAGE_MAX)
		return ENROL_READ_BAD;
	if (reader_left(&r) < n)
		return ENROL_READ_MORE;
	r = reader_of(span_of(in.p + 2, n));
	memset(m, 0, sizeof *m);
	if (read_u8(&r) != MSG_VERSION)
		return ENROL_READ_BAD;
	m->type = (enum enrol_type)read_u8(&r);
	ok = fields_read(m, &r);
	if (!ok || r.failed || reader_left(&r))
		return ENROL_READ_BAD;
	*used = n + 2;
	return ENROL_READ_OK;
}

const char *enrol_reason_text(enum enrol_reason r)
{
	switch (r) {
	case ENROL_NO_SUCH_INVITE:
		return "the invite is not known there: it was used already, "
		       "withdrawn, or altered";
	case ENROL_EXPIRED:
		return "the invite has expired";
	case ENROL_NOT_ALLOWED:
		return "it does not take this from us";
	case ENROL_BUSY:
		return "it has trouble of its own: try again later";
	case ENROL_REASON_COUNT:
		break;
	}
	return "unknown reason";
}
