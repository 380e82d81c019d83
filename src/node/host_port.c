/*
 * Addresses as an owner writes them.
 */
#include "config.h"

#include "node/node_config.h"

#include "crypto/onion_address.h"

#include <stdlib.h>
#include <string.h>

static bool parse_port(uint16_t *out, const char *text)
{
	unsigned long v;
	size_t n = strlen(text);

	if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
		return false;
	v = strtoul(text, NULL, 10);
	if (v == 0 || v > 65535)
		return false;
	*out = (uint16_t)v;
	return true;
}

bool host_port_parse(struct host_port *out, const char *text,
		     uint16_t default_port)
{
	const char *host = text, *colon;
	size_t n;

	out->port = default_port;
	if (*text == '[') {
		const char *close = strchr(text, ']');

		if (!close)
			return false;
		host = text + 1;
		n = (size_t)(close - host);
		if (close[1] == ':' && !parse_port(&out->port, close + 2))
			return false;
		if (close[1] && close[1] != ':')
			return false;
	} else {
		colon = strrchr(text, ':');
		/* A bare IPv6 address has more than one colon. */
		if (colon && strchr(text, ':') != colon)
			colon = NULL;
		n = colon ? (size_t)(colon - text) : strlen(text);
		if (colon && !parse_port(&out->port, colon + 1))
			return false;
	}
	if (n == 0 || n >= sizeof out->host)
		return false;
	memcpy(out->host, host, n);
	out->host[n] = 0;
	return strpbrk(out->host, " \t\r\n/@") == NULL;
}

bool host_is_onion(const char *host)
{
	uint8_t key[ONION_KEY_BYTES];

	return onion_parse(key, host);
}
