/*
 * SOCKS5, client side: greeting, password, CONNECT, reply.  Each field is
 * eaten whole or not at all, so the caller's buffer is the only one.
 */
#include "config.h"

#include "tor/socks5.h"

#include "base/writer.h"

#include <string.h>

enum {
	STATE_METHOD,     /* waits for the proxy's choice of method */
	STATE_AUTH,       /* waits for its verdict on the password */
	STATE_REPLY,      /* waits for the reply to CONNECT */
	STATE_DONE,
	STATE_FAILED,
};

#define SOCKS_VERSION 5
#define AUTH_VERSION 1
#define METHOD_PASSWORD 2
#define COMMAND_CONNECT 1
#define ADDRESS_IPV4 1
#define ADDRESS_NAME 3
#define ADDRESS_IPV6 4

static void write_short(struct bytes *out, const char *s)
{
	size_t n = strlen(s);

	CHECK(n > 0 && n <= 255);
	write_u8(out, (uint8_t)n);
	bytes_append(out, s, n);
}

void socks5_start(struct socks5 *s, struct bytes *out, const char *host,
		  uint16_t port, const char *user, const char *pass)
{
	memset(s, 0, sizeof *s);
	s->state = STATE_METHOD;
	s->port = port;
	CHECK(strlen(host) < sizeof s->host && *host);
	CHECK(strlen(user) < sizeof s->user && *user);
	CHECK(strlen(pass) < sizeof s->pass && *pass);
	strcpy(s->host, host);
	strcpy(s->user, user);
	strcpy(s->pass, pass);
	write_u8(out, SOCKS_VERSION);
	write_u8(out, 1);
	write_u8(out, METHOD_PASSWORD);
}

static enum socks5_status fail(struct socks5 *s, enum socks5_error e)
{
	s->state = STATE_FAILED;
	s->error = e;
	return SOCKS5_FAILED;
}

static size_t on_method(struct socks5 *s, struct bytes *out, struct span in)
{
	if (in.n < 2)
		return 0;
	if (in.p[0] != SOCKS_VERSION || in.p[1] != METHOD_PASSWORD) {
		(void)fail(s, SOCKS5_PROTOCOL);
		return 2;
	}
	write_u8(out, AUTH_VERSION);
	write_short(out, s->user);
	write_short(out, s->pass);
	s->state = STATE_AUTH;
	return 2;
}

static size_t on_auth(struct socks5 *s, struct bytes *out, struct span in)
{
	if (in.n < 2)
		return 0;
	if (in.p[0] != AUTH_VERSION || in.p[1] != 0) {
		(void)fail(s, SOCKS5_PROTOCOL);
		return 2;
	}
	write_u8(out, SOCKS_VERSION);
	write_u8(out, COMMAND_CONNECT);
	write_u8(out, 0);
	write_u8(out, ADDRESS_NAME);
	write_short(out, s->host);
	write_u16_be(out, s->port);
	s->state = STATE_REPLY;
	return 2;
}

static enum socks5_error reply_error(uint8_t code)
{
	if (code <= 0x08)
		return (enum socks5_error)(SOCKS5_OK + code);
	if (code >= 0xf0 && code <= 0xf7)
		return (enum socks5_error)(SOCKS5_ONION_NOT_FOUND +
					   (code - 0xf0));
	return SOCKS5_UNKNOWN_REPLY;
}

/* Size of the whole reply by its address type; 0: not known yet; 1: never */
static size_t reply_size(struct span in)
{
	if (in.n < 4)
		return 0;
	switch (in.p[3]) {
	case ADDRESS_IPV4:
		return 4 + 4 + 2;
	case ADDRESS_IPV6:
		return 4 + 16 + 2;
	case ADDRESS_NAME:
		return in.n < 5 ? 0 : 4 + 1 + (size_t)in.p[4] + 2;
	default:
		return 1;
	}
}

static size_t on_reply(struct socks5 *s, struct span in)
{
	size_t size;

	if (in.n > 0 && in.p[0] != SOCKS_VERSION) {
		(void)fail(s, SOCKS5_PROTOCOL);
		return 1;
	}
	size = reply_size(in);
	if (size == 1) {
		(void)fail(s, SOCKS5_PROTOCOL);
		return 4;
	}
	if (size == 0 || in.n < size)
		return 0;
	s->reply_code = in.p[1];
	if (s->reply_code)
		(void)fail(s, reply_error(s->reply_code));
	else
		s->state = STATE_DONE;
	return size;
}

enum socks5_status socks5_feed(struct socks5 *s, size_t *used,
			       struct bytes *out, struct span in)
{
	size_t n = 1;

	*used = 0;
	while (n > 0) {
		struct span rest = span_of(in.p + *used, in.n - *used);

		switch (s->state) {
		case STATE_METHOD:
			n = on_method(s, out, rest);
			break;
		case STATE_AUTH:
			n = on_auth(s, out, rest);
			break;
		case STATE_REPLY:
			n = on_reply(s, rest);
			break;
		case STATE_DONE:
			return SOCKS5_DONE;
		default:
			return SOCKS5_FAILED;
		}
		*used += n;
	}
	return SOCKS5_MORE;
}

/* A reply has never fewer than seven bytes; five tell its length. */
size_t socks5_wants(const struct socks5 *s, struct span have)
{
	size_t size = 2;

	if (s->state == STATE_DONE || s->state == STATE_FAILED)
		return 0;
	if (s->state == STATE_REPLY)
		size = have.n < 5 ? 5 : reply_size(have);
	return size > have.n ? size - have.n : 1;
}

void socks5_clear(struct socks5 *s)
{
	bytes_wipe(s->user, sizeof s->user);
	bytes_wipe(s->pass, sizeof s->pass);
}

static const char *const error_texts[SOCKS5_ERROR_COUNT] = {
	[SOCKS5_OK] = "connected",
	[SOCKS5_GENERAL] = "the onion service's own program does not answer",
	[SOCKS5_NOT_ALLOWED] = "tor refuses the request",
	[SOCKS5_NET_UNREACHABLE] = "network unreachable",
	[SOCKS5_HOST_UNREACHABLE] = "host unreachable",
	[SOCKS5_REFUSED] = "connection refused",
	[SOCKS5_TTL_EXPIRED] = "tor gave up waiting",
	[SOCKS5_BAD_COMMAND] = "tor does not know the command",
	[SOCKS5_BAD_ADDRESS_TYPE] = "tor does not know the address type",
	[SOCKS5_ONION_NOT_FOUND] = "onion descriptor not found",
	[SOCKS5_ONION_BAD_DESC] = "onion descriptor is invalid",
	[SOCKS5_ONION_INTRO] = "introduction to the onion failed",
	[SOCKS5_ONION_REND] = "rendezvous with the onion failed",
	[SOCKS5_ONION_NEED_AUTH] = "the onion wants client authorization",
	[SOCKS5_ONION_BAD_AUTH] = "the onion refused client authorization",
	[SOCKS5_ONION_BAD_ADDRESS] = "onion address is malformed",
	[SOCKS5_ONION_INTRO_TIMEOUT] = "introduction to the onion timed out",
	[SOCKS5_UNKNOWN_REPLY] = "tor answered with an unknown code",
	[SOCKS5_PROTOCOL] = "tor did not speak SOCKS5 as expected",
};

const char *socks5_error_text(enum socks5_error e)
{
	return (unsigned)e < SOCKS5_ERROR_COUNT ? error_texts[e] : "unknown";
}
