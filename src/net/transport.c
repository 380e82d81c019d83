/*
 * Names for what can become of an attempt to connect.
 */
#include "config.h"

#include "net/transport.h"

const char *dial_result_name(enum dial_result r)
{
	switch (r) {
	case DIAL_OK: return "connected";
	case DIAL_REFUSED: return "refused";
	case DIAL_UNREACHABLE: return "unreachable";
	case DIAL_TIMEOUT: return "timed out";
	case DIAL_NOT_FOUND: return "descriptor not found";
	case DIAL_BAD_ADDRESS: return "bad address";
	case DIAL_AUTH_REQUIRED: return "client authorisation required";
	case DIAL_PROXY_DOWN: return "Tor does not answer";
	case DIAL_OTHER: return "failed";
	}
	return "unknown";
}
