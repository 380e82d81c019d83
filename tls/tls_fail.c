/*
 * Names of failures.
 */
#include "config.h"

#include "tls/tls_fail.h"

#include "base/base.h"

static const struct {
	const char *name, *text;
} fails[TLS_FAIL_COUNT] = {
	[TLS_OK] = { "ok", "no failure" },
	[TLS_UNKNOWN_ID] = { "unknown-id", "unknown identity" },
	[TLS_WRONG_DOOR] = { "wrong-door",
			     "a known identity at another's place" },
	[TLS_REVOKED] = { "revoked", "the identity is revoked" },
	[TLS_NO_CERT] = { "no-certificate",
			  "no certificate, or a leaf without its root" },
	[TLS_EXPIRED] = { "expired", "the certificate has expired" },
	[TLS_NOT_YET_VALID] = { "not-yet-valid",
				"the certificate is not valid yet" },
	[TLS_WRONG_SAN] = { "wrong-san",
			    "the certificate names another identity" },
	[TLS_KEY_TYPE] = { "key-type", "the wrong type of key" },
	[TLS_BAD_SIGNATURE] = { "bad-signature", "a signature is wrong" },
	[TLS_BAD_CERT] = { "bad-certificate", "the certificate is unsound" },
	[TLS_TOO_DEEP] = { "too-deep", "too many certificates" },
	[TLS_OVERSIZED] = { "oversized", "the certificates are too large" },
	[TLS_NOT_TLS] = { "not-tls", "the other side does not speak TLS" },
	[TLS_TOO_OLD] = { "too-old", "the other side has no TLS 1.3" },
	[TLS_WRONG_PURPOSE] = { "wrong-purpose",
				"the other side wants another protocol" },
	[TLS_NO_COMMON] = { "no-common",
			    "no cipher, group or signature in common" },
	[TLS_PROTOCOL] = { "protocol", "a breach of the TLS protocol" },
	[TLS_ALERT] = { "alert", "the other side refused us" },
	[TLS_CLOSED] = { "closed", "the other side hung up" },
	[TLS_TIMEOUT] = { "timeout", "the handshake took too long" },
	[TLS_DROPPED] = { "dropped", "ended by us" },
	[TLS_BUSY] = { "busy", "too many handshakes at once" },
	[TLS_NOT_READY] = { "not-ready", "we have no certificate yet" },
};

const char *tls_fail_text(enum tls_fail f)
{
	CHECK((unsigned)f < TLS_FAIL_COUNT);
	return fails[f].text;
}

const char *tls_fail_name(enum tls_fail f)
{
	CHECK((unsigned)f < TLS_FAIL_COUNT);
	return fails[f].name;
}
